"""Charts of a sweep as SVG: main effects, maps over pairs of axes, parallel coordinates."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from solver.report.style import BLUE, SETTINGS, new_figure
from solver.sweep.effects import Results, Variable, grid_means, main_effect, positions

_MOST_PAIRS = 6
_MAP = "viridis"


def effects_chart(results: Results, indicator: str) -> str:
    """Mean of an indicator along each axis, with 95 % intervals; clouds where an axis has many values."""
    with mpl.rc_context(SETTINGS):
        count = len(results.variables)
        figure = new_figure(3.0 * count + 0.6, 2.9)
        grid = np.atleast_1d(figure.subplots(1, count, sharey=True))
        for axes, variable in zip(grid, results.variables):
            _effect(axes, results, variable, indicator)
        grid[0].set_ylabel(_lines(indicator))
        return _embedded(figure)


def pair_charts(results: Results, indicator: str) -> Iterator[tuple[str, str]]:
    """Title and chart of an indicator over pairs of axes."""
    pairs = list(itertools.combinations(results.variables, 2))
    for across, down in pairs[:_MOST_PAIRS]:
        with mpl.rc_context(SETTINGS):
            figure = new_figure(4.6, 3.6)
            axes = figure.subplots()
            draw = _heat_map if across.has_levels and down.has_levels else _cloud
            draw(figure, axes, results, across, down, indicator)
            axes.set_xlabel(across.column)
            axes.set_ylabel(down.column)
            yield f"{across.label} and {down.label}", _embedded(figure)


def parallel_chart(results: Results) -> str:
    """Every run as a line through its inputs and indicators, coloured by the first indicator."""
    table, first = results.table, results.indicators[0]
    columns = [(entry.column, positions(table[entry.column], entry)) for entry in results.variables]
    columns += [(name, table[name].to_numpy(dtype=float)) for name in results.indicators]
    colours = Normalize(*_ends(table[first].to_numpy(dtype=float)))
    with mpl.rc_context(SETTINGS):
        figure = new_figure(max(6.0, 1.9 * len(columns)), 4.2)
        axes = figure.subplots()
        scaled = np.column_stack([_scaled(values) for _, values in columns])
        palette = mpl.colormaps[_MAP]
        for row, value in zip(scaled, table[first].to_numpy(dtype=float)):
            axes.plot(row, color=palette(colours(value)), linewidth=1.0, alpha=0.7)
        for number, (_, values) in enumerate(columns):
            axes.axvline(number, color="0.6", linewidth=0.8)
            for height, end in zip((-0.04, 1.04), _end_texts(results, number, values)):
                axes.text(number, height, end, ha="center", va="top" if height < 0 else "bottom", fontsize=8)
        titles = [_lines(column) for column, _ in columns]
        axes.set_xticks(range(len(columns)), titles, fontsize=8)
        axes.tick_params(axis="x", pad=14, length=0)
        axes.set_yticks([])
        axes.set_ylim(-0.02, 1.02)
        axes.spines[:].set_visible(False)
        figure.colorbar(ScalarMappable(colours, _MAP), ax=axes, label=_lines(first), pad=0.01)
        return _embedded(figure)


def _effect(axes: Axes, results: Results, variable: Variable, indicator: str) -> None:
    table = results.table
    where = positions(table[variable.column], variable)
    axes.plot(where, table[indicator], ".", color="0.75", zorder=1)
    if variable.has_levels:
        found = main_effect(results, variable, indicator)
        at = np.array(variable.levels, dtype=float) if variable.is_number else np.arange(len(variable.levels))
        half = [[entry.mean - entry.low for entry in found], [entry.high - entry.mean for entry in found]]
        style = "o-" if variable.is_number else "o"
        axes.errorbar(at, [entry.mean for entry in found], np.nan_to_num(half), fmt=style, color=BLUE, capsize=3)
    _name_levels(axes, variable, "x")
    axes.set_xlabel(variable.column)


def _heat_map(figure: Figure, axes: Axes, results: Results, across: Variable, down: Variable, indicator: str) -> None:
    means = grid_means(results, across, down, indicator)
    values = means.to_numpy(dtype=float)
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=_MAP)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = image.norm(value) < 0.6
            axes.text(column, row, f"{value:.4g}", ha="center", va="center", color="w" if dark else "k", fontsize=8)
    axes.set_xticks(range(len(across.levels)), [_word(level) for level in across.levels])
    axes.set_yticks(range(len(down.levels)), [_word(level) for level in down.levels])
    figure.colorbar(image, ax=axes, label=_lines(indicator))


def _cloud(figure: Figure, axes: Axes, results: Results, across: Variable, down: Variable, indicator: str) -> None:
    table = results.table
    right, up = (positions(table[entry.column], entry) for entry in (across, down))
    points = axes.scatter(right, up, c=table[indicator], cmap=_MAP, s=28)
    _name_levels(axes, across, "x")
    _name_levels(axes, down, "y")
    figure.colorbar(points, ax=axes, label=_lines(indicator))


def _name_levels(axes: Axes, variable: Variable, direction: str) -> None:
    """Words as ticks; numbers keep theirs."""
    if variable.is_number:
        return
    ticks = [_word(level) for level in variable.levels]
    if direction == "x":
        axes.set_xticks(range(len(ticks)), ticks, rotation=30, ha="right")
    else:
        axes.set_yticks(range(len(ticks)), ticks)


def _end_texts(results: Results, number: int, values: np.ndarray[Any, Any]) -> tuple[str, str]:
    """What stands at the lower and upper end of a line of parallel coordinates."""
    if number < len(results.variables) and not results.variables[number].is_number:
        levels = results.variables[number].levels
        return _word(levels[0]), _word(levels[-1])
    low, high = _ends(values)
    return f"{low:.3g}", f"{high:.3g}"


def _scaled(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    low, high = _ends(values)
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _ends(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _lines(column: str) -> str:
    """Title of a column over two lines."""
    return column.replace("_maximum", "").replace(" [", "\n[")


def _word(level: Any) -> str:
    return f"{level:g}" if isinstance(level, int | float) else str(level)


def _embedded(figure: Figure) -> str:
    """The figure as the source of a picture in a page."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
