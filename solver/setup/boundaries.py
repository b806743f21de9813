"""What the grain boundaries of a case do to lithium."""

from __future__ import annotations

import logging
from math import radians

from solver.case.mechanics import BoundaryTransport as BoundaryDescription
from solver.case.schema import Case
from solver.solve.boundary_transport import BoundaryLaw, BoundaryTransport
from solver.solve.domain import Domain

log = logging.getLogger(__name__)


def boundaries_of(case: Case, domain: Domain) -> BoundaryTransport | None:
    """Grain boundaries that hinder lithium or carry it; None when all are like the grains."""
    section = case.grain_boundaries
    high, low = law_of(section.high_angle), law_of(section.low_angle)
    if high == low == BoundaryLaw():
        return None
    boundaries = BoundaryTransport.by_angle(domain, high, low, radians(section.low_angle_below))
    for name, law, count in zip(("high_angle", "low_angle"), (high, low), boundaries.counts, strict=True):
        if law != BoundaryLaw() and not count:
            log.warning("grain_boundaries.%s has no effect: this particle has no such boundary", name)
    return boundaries


def law_of(description: BoundaryDescription) -> BoundaryLaw:
    """One kind of boundary as the solver takes it."""
    diffusivity = description.diffusivity
    path = 0.0 if diffusivity is None else float(description.width) * float(diffusivity)
    return BoundaryLaw(transfer=description.transfer, path=path)
