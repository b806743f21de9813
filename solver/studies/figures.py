"""Figures of a study: a series of designs, the course of a charge, and the effects behind the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, ScalarFormatter

from solver.compare.statistics import interval
from solver.report.style import BLUE, SERIES, SETTINGS, VERMILION, new_figure, save
from solver.studies.claims import Comparison
from solver.studies.description import Figure
from solver.studies.result import SECTIONS, Outcome, StudyResult
from solver.studies.values import Runs
from solver.studies.words import indicator_words, moment_words, unit

_EFFECTS_WIDTH, _ROW = 9.0, 0.2
_LARGEST_RATIO = 8.0


def draw(result: StudyResult, figure: Figure, path: Path) -> Path:
    """Draws one figure of a study."""
    drawing = {"series": _draw_series, "course": _draw_course}[figure.kind]
    with mpl.rc_context(SETTINGS):
        return drawing(result, figure, path)


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


def draw_effects(result: StudyResult, path: Path) -> Path:
    """Ratio of the sides of every comparison with its interval: right of 1, the claimed order holds."""
    rows: list[tuple[str, list[tuple[str, Comparison]]]] = []
    flat, *others = result.outcomes
    for sentence, comparisons in flat.claims.items():
        for number, comparison in enumerate(comparisons):
            found = [(flat.label, comparison)]
            found += [(other.label, other.claims[sentence][number]) for other in others if sentence in other.claims]
            if any(each.ratio.count for _, each in found):
                rows.append((_row_name(comparison), found))
    with mpl.rc_context(SETTINGS | {"font.size": 8.0}):
        canvas = new_figure(_EFFECTS_WIDTH, 1.0 + _ROW * len(rows))
        axes = canvas.subplots()
        for height, (_, found) in enumerate(rows):
            for label, comparison in found:
                _effect(axes, height, label, comparison)
        axes.axvline(1.0, color="0.6", linewidth=1.0, zorder=0)
        axes.set_yticks(np.arange(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xscale("log")
        axes.set_xlim(1.0 / _LARGEST_RATIO, _LARGEST_RATIO)
        axes.set_xticks([0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("claimed higher over claimed lower, 95 % interval over seeds; ● sections, ○ three dimensions")
        return save(canvas, path)


def _row_name(comparison: Comparison) -> str:
    what = f"{indicator_words(comparison.indicator)} ({comparison.kind})"
    return f"{comparison.less} ≺ {comparison.more}, {comparison.moment}: {what}"


def _effect(axes: Axes, height: int, label: str, comparison: Comparison) -> None:
    ratio = comparison.ratio
    if not ratio.count:
        return
    colour = BLUE if comparison.kind == "extent" else VERMILION
    flat = label == SECTIONS
    level = height + (-0.12 if flat else 0.2)
    if np.isfinite(ratio.low):
        axes.plot([ratio.low, ratio.high], [level, level], color=colour, linewidth=1.0)
    axes.plot(ratio.mean, level, marker="o", color=colour, markerfacecolor=colour if flat else "white")
