"""`vegard resume`: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver import mpi
from solver.cli.console import say

NAME = "resume"
EXAMPLES = (
    "vegard resume results/quickstart",
    "vegard resume results/quickstart --ranks 4",
    "mpirun -n 4 vegard resume results/quickstart",
)


def command(
    folder: Annotated[Path, typer.Argument(help="Results folder of a run that was stopped.")],
    ranks: Annotated[int | None, typer.Option("--ranks", min=1, max=100_000, help="Processes to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only where the results are.")] = False,
) -> None:
    """Go on with a run from its latest checkpoint.

    The number of processes may be another one. A run keeps a checkpoint every `output.checkpoint`, and when SIGUSR1 or
    SIGTERM asks it to stop; it then leaves with exit code 75.
    """
    if ranks is not None and ranks > 1:
        mpi.start_ranks(ranks, ["-m", "solver.cli", NAME, *(["--quiet"] if quiet else []), "--", str(folder)])
    from mpi4py import MPI

    if ranks is None:
        mpi.require_one_program(MPI.COMM_WORLD.size)
    from solver.run import resume_case

    say(f"results are in {resume_case(folder, progress=not quiet)}")
