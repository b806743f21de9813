"""Runs the studies and writes docs/studies: `scripts/studies`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mpi4py import MPI

from solver.case.load import LoadedCase
from solver.errors import VegardError
from solver.output.files import write_text
from solver.run import run_case
from solver.studies.description import FILE_NAME, load_study
from solver.studies.figures import draw
from solver.studies.page import overview, study_page
from solver.studies.result import StudyResult, run_study

_ROOT = Path(__file__).resolve().parents[2]


def _run(case: LoadedCase, folder: Path) -> Path:
    # The folder belongs to the study: what another version of the case left there is replaced.
    return run_case(case, folder, force=True, progress=False)


def write_page(result: StudyResult, name: str, folder: Path) -> None:
    """Writes the page of a study and its figures."""
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    pictures = []
    for figure in result.study.figures:
        path = draw(result, figure, figures / f"{name}-{figure.name}.png")
        pictures.append((f"figures/{path.name}", figure.caption))
    write_text(folder / f"{name}.md", study_page(result, name, pictures))


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Studies, by folder; all by default.")] = None,
    cases: Annotated[Path, typer.Option(help="Folder of the studies.")] = _ROOT / "cases" / "studies",
    output: Annotated[Path, typer.Option(help="Folder for the runs.")] = _ROOT / "results" / "studies",
    pages: Annotated[Path, typer.Option(help="Folder for the pages.")] = _ROOT / "docs" / "studies",
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds instead of those of the studies.")] = None,
    sections_only: Annotated[bool, typer.Option("--sections-only", help="Nothing in three dimensions.")] = False,
) -> None:
    """Run studies (what was run before is used again) and write their pages; the overview needs all of them."""
    first_rank = MPI.COMM_WORLD.rank == 0
    known = sorted(path.parent.name for path in cases.glob(f"*/{FILE_NAME}"))
    try:
        results = []
        for name in names or known:
            study = load_study(cases / name)
            result = run_study(study, output / name, _run, typer.echo, seeds=seeds, three_dimensions=not sections_only)
            results.append((name, result))
            if first_rank:
                write_page(result, name, pages)
        if first_rank and not names:
            write_text(pages / "README.md", overview(results))
    except VegardError as error:
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)
