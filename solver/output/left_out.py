"""What a run leaves out, in words: the model's limits that the options of its case do not lift."""

from __future__ import annotations

from collections.abc import Iterator

from solver.case.schema import Case

OF_SECTIONS = "a section, for comparing: no grains above and below; volumes, areas and energies are per µm of thickness"


def left_out(case: Case) -> list[str]:
    """What the numbers of a case do not contain, most important first."""
    return list(_phrases(case))


def _phrases(case: Case) -> Iterator[str]:
    mechanics, boundaries = case.mechanics, case.grain_boundaries
    kinds = (boundaries.high_angle, boundaries.low_angle)
    hinders = any(kind.transfer is not None for kind in kinds)
    yield f"perfect grain boundaries (no cracks open{'' if hinders else ', no lithium is held up'})"
    if mechanics.coupling == "one-way":
        yield "stress does not act back on lithium (one-way coupling)"
    linear = [
        *(["small strains"] if mechanics.strain == "small" else []),
        *([] if mechanics.softening else ["stiffness independent of lithium"]),
    ]
    if mechanics.coupling != "none" and linear:
        yield ", ".join(linear)
    yield "no gliding of layers, no plasticity of the grains"
    if case.particle.dimension == 2:
        yield OF_SECTIONS
