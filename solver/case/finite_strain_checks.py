"""Checks of `mechanics.strain: finite`: what is worked out for small strains only is refused by name."""

from __future__ import annotations

from collections.abc import Iterator

from meshes.particle import Particle
from solver.case.checks import Check, Finding, Sections
from solver.case.document import Path as KeyPath
from solver.case.mechanics import Mechanics


def _finding(path: KeyPath, what: str, remedy: str) -> Finding:
    return Finding(path, f"{what} is worked out for small strains only; {remedy}, or write `mechanics.strain: small`")


def _mechanics_can_be_finite(sections: Sections) -> Iterator[Finding]:
    """Softening, pressure and stress on lithium belong to the small-strain solver."""
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.strain == "small":
        return
    if mechanics.coupling == "none":
        text = "has no effect with `mechanics.coupling: none`; leave it out, or write `coupling: one-way`"
        yield Finding(("mechanics", "strain"), text, is_warning=True)
    if mechanics.coupling == "two-way":
        yield _finding(("mechanics", "coupling"), "stress that acts back on lithium", "write `one-way`")
    if mechanics.softening:
        yield _finding(("mechanics", "softening"), "a stiffness that falls", "leave it out")
    if mechanics.stack_pressure > 0.0:
        yield _finding(("mechanics", "stack_pressure"), "a pressure", "leave it out")


def _particle_can_be_finite(sections: Sections) -> Iterator[Finding]:
    """So do coatings and surroundings."""
    particle: Particle = sections.values["particle"]
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.strain == "small":
        return
    if particle.coatings:
        yield _finding(("particle", "coating"), "a coating", "leave it out")
    if particle.matrix is not None:
        yield _finding(("particle", "matrix"), "a matrix", "leave it out")


FINITE_STRAIN_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"mechanics"}), _mechanics_can_be_finite),
    (frozenset({"particle", "mechanics"}), _particle_can_be_finite),
)
