"""Figures of a study: a series of designs, and the course of a charge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from PIL import Image

from solver.compare.statistics import interval
from solver.report.style import SERIES, SETTINGS, new_figure, save
from solver.studies.description import Figure
from solver.studies.result import SECTIONS, Outcome, StudyResult
from solver.studies.values import Runs
from solver.studies.words import indicator_words, moment_words, unit

_COLOURS = 128  # a palette keeps the files small


def draw(result: StudyResult, figure: Figure, path: Path) -> Path:
    """Draws one figure of a study."""
    drawing = {"series": _draw_series, "course": _draw_course}[figure.kind]
    with mpl.rc_context(SETTINGS):
        drawing(result, figure, path)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    return path


def _draw_series(result: StudyResult, figure: Figure, path: Path) -> Path:
    """One panel per series: indicators against its values; sections full, three dimensions dashed."""
    canvas = new_figure(4.6 * len(figure.designs), 3.8)
    panels = np.atleast_1d(canvas.subplots(1, len(figure.designs), sharey=True))
    for axes, name in zip(panels, figure.designs):
        for outcome in result.outcomes:
            for indicator, colour in zip(figure.indicators, SERIES):
                _series_line(axes, result, outcome, name, indicator, figure.at, colour)
        axes.set_xscale("log")
        axes.set(xlabel=figure.label, title=f"{_series_title(result, name)}, {moment_words(figure.at)}")
        values = [float(value) for value in result.study.designs[name].each]
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(bottom=0.0)
    panels[0].set_ylabel(f"{_common_words(figure.indicators)} [{unit(figure.indicators[0])}]")
    panels[0].legend()
    return save(canvas, path)


def _series_title(result: StudyResult, name: str) -> str:
    return result.study.designs[name].case.removesuffix(".yaml")


def _common_words(indicators: Sequence[str]) -> str:
    """Words all names end in: "boundary tension" of core_boundary_tension and rim_boundary_tension."""
    words = [name.split("_")[::-1] for name in indicators]
    common = [group[0] for group in zip(*words) if len(set(group)) == 1]
    return " ".join(common[::-1]) or indicator_words(indicators[0])


def _series_line(
    axes: Axes, result: StudyResult, outcome: Outcome, name: str, indicator: str, moment: str, colour: str
) -> None:
    points = []
    for value in result.study.designs[name].each:
        design = name.replace("{each}", str(value))
        if design in outcome.runs.designs:
            found = interval(outcome.runs.values(design, indicator, moment).to_numpy())
            if np.isfinite(found.mean):
                points.append((float(value), found.mean, found.low, found.high))
    if not points:
        return
    abscissa, mean, low, high = np.array(points).T
    flat = outcome.label == SECTIONS
    label = f"{indicator.split('_')[0]}, {outcome.label}"
    axes.plot(abscissa, mean, marker="o", color=colour, linestyle="-" if flat else "--", label=label)
    if flat:
        axes.fill_between(abscissa, low, high, color=colour, alpha=0.15, linewidth=0.0)


def _draw_course(result: StudyResult, figure: Figure, path: Path) -> Path:
    """One panel per indicator: its course against the state of charge in sections, mean and range over the seeds."""
    canvas = new_figure(4.6 * len(figure.indicators), 3.8)
    panels = np.atleast_1d(canvas.subplots(1, len(figure.indicators)))
    runs = result.outcomes[0].runs
    for axes, indicator in zip(panels, figure.indicators):
        for design, colour in zip(figure.designs, SERIES):
            _course_line(axes, runs, design, indicator, colour)
        dimension = f" [{unit(indicator)}]" if unit(indicator) else ""
        axes.set(xlabel="state of charge [%]", ylabel=indicator_words(indicator) + dimension)
        axes.set_ylim(bottom=0.0)
    panels[0].legend()
    return save(canvas, path)


def _course_line(axes: Axes, runs: Runs, design: str, indicator: str, colour: str) -> None:
    histories = runs.histories(design)
    start = max(float(history["state_of_charge"].min()) for history in histories)
    end = min(float(history["state_of_charge"].max()) for history in histories)
    charge = np.linspace(start, end, 200)
    # At equal state of charge the first state is the one before a rest, the worse one.
    curves = []
    for history in histories:
        known = history.drop_duplicates("state_of_charge")
        curves.append(np.interp(charge, known["state_of_charge"], known[indicator].fillna(0.0)))
    values = np.array(curves)
    axes.plot(100.0 * charge, values.mean(axis=0), color=colour, label=design)
    axes.fill_between(100.0 * charge, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0.0)
