"""All figures of a run, made from its folder alone: call it again at any time, on one process."""

from __future__ import annotations

import logging
from pathlib import Path

from solver.output.folder import FIGURES
from solver.report.cutaway import draw_cutaway
from solver.report.curves import draw_boundary_histogram, draw_radial, draw_risk
from solver.report.run_data import read_run
from solver.report.sections import draw_sections

log = logging.getLogger(__name__)


def figures_from_run(folder: Path) -> list[Path]:
    """Draws the figures of a run into its folder.

    Args:
        folder: Run folder with history, summary and fields.

    Returns:
        The files written, the most telling first.

    Raises:
        OutputError: When the folder is not that of a run with results.
    """
    run = read_run(folder)
    place = folder / FIGURES
    place.mkdir(exist_ok=True)
    same = run.worst == run.final
    figures: list[Path | None] = [
        draw_sections(run, run.final, "final state, also of highest risk" if same else "final state", place / "section_final.png")
    ]
    if not same:
        figures.append(draw_sections(run, run.worst, "state of highest risk", place / "section_highest_risk.png"))
    if run.has_stress:
        figures.append(draw_risk(run, place / "risk.png"))
        figures.append(draw_boundary_histogram(run, place / "boundary_tractions.png"))
    figures.append(draw_radial(run, run.final, place / "radial_final.png"))
    if not same:
        figures.append(draw_radial(run, run.worst, place / "radial_highest_risk.png"))
    figures.append(draw_cutaway(run, run.worst, place / "cutaway.png"))
    return [figure for figure in figures if figure is not None]
