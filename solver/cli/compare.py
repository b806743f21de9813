"""`vegard compare`: several designs at equal state of charge, over several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solver.cli.console import note, say, show

if TYPE_CHECKING:
    from solver.compare.members import Member

NAME = "compare"
EXAMPLES = (
    "vegard compare dense.yaml gradient-porous.yaml",
    "vegard compare dense.yaml coated.yaml hollow.yaml --seeds 5 --soc 50 --soc 70",
    "vegard compare results/dense results/gradient-porous",
    "mpirun -n 4 vegard compare dense.yaml hollow.yaml --seeds 10",
)


def command(
    designs: Annotated[
        list[Path], typer.Argument(help="Case files, or folders of finished runs; the first is the reference.")
    ],
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Particles per case file.")] = 1,
    soc: Annotated[
        list[float] | None,
        typer.Option("--soc", min=0.0, max=100.0, help="State of charge in percent; may be repeated."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder for the runs and the comparison.")] = Path(
        "results/comparison"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace runs of other cases that are in the way.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress of the runs.")] = False,
) -> None:
    """Compare designs over several particles.

    Every case is run with the same seeds (runs done before are used again) and read at equal state of charge of the
    first charge. Indicators come with 95 % intervals over the seeds and, seed by seed, as ratios to the first design;
    rankings by peak and by extent indicators with their agreement.
    """
    from mpi4py import MPI

    from solver.compare.members import is_done, plan_members, run_members
    from solver.errors import OutputError
    from solver.run import run_case

    members = plan_members(designs, seeds, output)
    failures = run_members(
        members, lambda case, folder: run_case(case, folder, force=force, progress=not quiet), tell=note
    )
    if MPI.COMM_WORLD.rank > 0:
        return
    done = [member for member in members if is_done(member)]
    if not done:
        raise OutputError(["no run of the comparison succeeded:", *failures])
    _report(done, [value / 100.0 for value in soc or []], output, failures)
    if failures:
        raise typer.Exit(1)


def _report(done: list[Member], charges: list[float], output: Path, failures: list[str]) -> None:
    from solver.compare.report import comparison_data, comparison_tables, write_comparison
    from solver.compare.values import common_states_of_charge, facts_table, tidy_table

    values = tidy_table(done, charges or common_states_of_charge(done))
    data = comparison_data(values, facts_table(done), failures)
    output.mkdir(parents=True, exist_ok=True)
    write_comparison(output, values, data)
    show(comparison_tables(data))
    for failure in failures:
        note(f"failed: {failure}")
    say(f"comparison.csv, .json and .png are in {output}")
