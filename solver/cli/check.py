"""`vegard check`: is a case right, and what will it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solver.cli.console import columns, duration, memory, note, rounded, say

if TYPE_CHECKING:
    from solver.case.estimate import CaseEstimate

NAME = "check"
EXAMPLES = ("vegard check my-case.yaml",)


def command(case: Annotated[Path, typer.Argument(help="Case file.")]) -> None:
    """Check a case and estimate its cost.

    Nothing is meshed or solved. Every problem is printed as file:line: key: what is wrong; what to write. The exit
    code is 2 when there is one.
    """
    from solver.case.load import load_case

    loaded = load_case(case)
    for warning in loaded.warnings:
        note(f"warning: {warning}")
    say(f"{case}: the case is right ({loaded.case.name})")
    from solver.case.estimate import estimate_case

    estimate = estimate_case(loaded)
    say(columns(_protocol_rows(estimate)))
    say(columns(_size_rows(estimate, loaded.case.particle.dimension)))
    _warn_about_memory(estimate)


def _protocol_rows(estimate: CaseEstimate) -> list[list[str]]:
    from solver.case.protocol import percent

    return [
        [
            planned.step.text,
            f"{percent(planned.start_soc)} to {percent(planned.end_soc)} SoC",
            duration(planned.duration),
        ]
        for planned in estimate.steps
    ]


def _size_rows(estimate: CaseEstimate, dimension: int) -> list[list[str]]:
    mesh = estimate.mesh
    unknowns = f"{rounded(estimate.lithium_unknowns)} lithium, {rounded(estimate.displacement_unknowns)} displacement"
    return [
        ["grains", str(mesh.grains)],
        ["triangles" if dimension == 2 else "tetrahedra", f"about {rounded(mesh.cells)} (edges of {mesh.size:.2g} um)"],
        ["unknowns", f"about {unknowns}"],
        ["output states", str(estimate.states)],
        ["memory", f"about {memory(estimate.memory)}"],
        ["time", f"about {duration(mesh.seconds)} to mesh, {duration(estimate.seconds)} to solve on one core"],
    ]


def _warn_about_memory(estimate: CaseEstimate) -> None:
    import psutil

    present = psutil.virtual_memory().total
    if estimate.memory > 0.9 * present:
        note(
            f"warning: this machine has {memory(present)} of memory; write a larger particle.mesh.size, fewer grains, "
            "or use several machines"
        )
