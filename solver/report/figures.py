"""All figures of a run, made from its folder alone: call it again at any time, on one process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

from solver.errors import VegardError
from solver.output.folder import FIGURES
from solver.report.curves import draw_boundary_histogram, draw_radial, draw_risk
from solver.report.run_data import RunData, read_run
from solver.report.sections import draw_sections
from solver.report.style import SETTINGS
from solver.report.voltage import draw_voltage

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
    with mpl.rc_context(SETTINGS):
        figures = [*_of_states(run, place), *_of_history(run, place)]
    return figures


def _of_states(run: RunData, place: Path) -> Iterator[Path]:
    """Pictures of the state of highest risk and of the final state."""
    roles = {run.worst: "state of highest risk"} if run.has_stress else {}
    roles[run.final] = "final state, also of highest risk" if run.final in roles else "final state"
    for state, role in roles.items():
        name = "final" if state == run.final else "highest_risk"
        yield draw_sections(run, state, role, place / f"section_{name}.png")
        yield draw_radial(run, state, role, place / f"radial_{name}.png")
    if run.dimension == 3:
        yield from _in_space(run, place)


def _in_space(run: RunData, place: Path) -> Iterator[Path]:
    """Cut-away pictures."""
    try:
        # PyVista is an extra, and takes a second to load: only this picture needs it.
        from solver.report.cutaway import draw_boundaries, draw_cutaway  # noqa: PLC0415

        yield draw_cutaway(run, run.worst, place / "cutaway.png")
        boundaries = draw_boundaries(run, run.worst, place / "boundaries.png")
        if boundaries is not None:
            yield boundaries
    except (ImportError, VegardError) as error:  # a machine that cannot draw in three dimensions has all other figures
        log.warning("no cut-away pictures: %s", error)


def _of_history(run: RunData, place: Path) -> Iterator[Path]:
    """Curves over the protocol and the distribution of boundary tractions."""
    if run.has_stress:
        yield draw_risk(run, place / "risk.png")
    histogram = draw_boundary_histogram(run, place / "boundary_tractions.png")
    if histogram is not None:
        yield histogram
    voltage = draw_voltage(run, place / "voltage.png")
    if voltage is not None:
        yield voltage
