"""`vegard run`: solve a case, on one or several ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver import mpi
from solver.cli.console import note, say

NAME = "run"
EXAMPLES = (
    "vegard run my-case.yaml",
    "vegard run my-case.yaml --ranks 4",
    "vegard run my-case.yaml --output results/second-try",
    "mpirun -n 4 vegard run my-case.yaml",
)


def command(
    case: Annotated[Path, typer.Argument(help="Case file.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="Results folder; by default results/ and the name of the case file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace results that are there.")] = False,
    ranks: Annotated[int | None, typer.Option("--ranks", min=1, max=100_000, help="Processes to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only where the results are.")] = False,
) -> None:
    """Solve a case.

    Makes the mesh, or finds it, and writes fields, tables and pictures into a results folder.
    """
    from solver.case.load import load_case

    loaded = load_case(case)
    for warning in loaded.warnings:
        note(f"warning: {warning}")
    folder = output if output is not None else default_folder(case)
    if ranks is not None and ranks > 1:
        mpi.start_ranks(ranks, _arguments(case, folder, force, quiet))
    from mpi4py import MPI

    if ranks is None:
        mpi.require_one_program(MPI.COMM_WORLD.size)
    from solver.run import run_case

    results = run_case(loaded, folder, force=force, progress=not quiet)
    here = Path.cwd()
    say(f"results are in {results.relative_to(here) if results.is_relative_to(here) else results}")


def default_folder(case: Path) -> Path:
    """results/<stem of the case file>; a stem that would lead elsewhere is not used."""
    stem = case.stem.strip(". ")
    return Path("results") / (stem or "case")


def _arguments(case: Path, folder: Path, force: bool, quiet: bool) -> list[str]:
    flags = [flag for flag, wanted in (("--force", force), ("--quiet", quiet)) if wanted]
    return ["-m", "solver.cli", "run", f"--output={folder}", *flags, "--", str(case)]
