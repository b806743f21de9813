"""What a sweep shows, in numbers: the effect of each axis alone, and its designs in order, with intervals.

Intervals are Student's at 95 % over the runs behind a mean. Of a design these are its particles (seeds); of a value of
one axis all runs that have it, so that the scatter that the other axes cause widens it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from solver.compare.statistics import Interval, interval
from solver.sweep.axes import SEED_LABEL
from solver.sweep.collect import Column

# Peaks first, then extents; ranked by the first that the runs have.
INDICATORS = (
    "boundary_normal_p99_maximum",
    "first_principal_nonlocal_max_maximum",
    "boundary_area_at_risk_maximum",
    "elastic_energy_maximum",
)
# More values than this are points of a cloud, not levels.
MOST_LEVELS = 12


@dataclass(frozen=True)
class Variable:
    """An axis as a column of results.

    Attributes:
        label: Its name.
        column: Its column.
        levels: Its values, numbers rising, words in their order.
        is_number: Whether they are numbers.
    """

    label: str
    column: str
    levels: tuple[Any, ...]
    is_number: bool

    @property
    def has_levels(self) -> bool:
        """Whether there are few enough values to average over the runs of each."""
        return len(self.levels) <= MOST_LEVELS


@dataclass(frozen=True)
class Results:
    """The finished runs of a sweep.

    Attributes:
        table: One row per finished run.
        variables: Axes with more than one value, the seed left out.
        indicators: Columns of the indicators shown, the ranking one first.
        meanings: What a column is.
    """

    table: pd.DataFrame
    variables: tuple[Variable, ...]
    indicators: tuple[str, ...]
    meanings: dict[str, str]


@dataclass(frozen=True)
class Design:
    """One point of a sweep, all its particles together.

    Attributes:
        values: Value of every axis that varies.
        intervals: Mean and interval of each indicator.
        runs: Numbers of its runs.
    """

    values: tuple[Any, ...]
    intervals: tuple[Interval, ...]
    runs: tuple[int, ...]


def results_of(table: pd.DataFrame, columns: Sequence[Column], axes: Sequence[str]) -> Results:
    """The finished runs of a collected table.

    Args:
        table: All runs, see `solver.sweep.collect`.
        columns: Its columns.
        axes: Labels of the axes.
    """
    done = table[table["state"] == "finished"]
    headers = {column.name: column.header for column in columns}
    variables = [_variable(label, headers[label], done) for label in axes if label != SEED_LABEL and label in headers]
    shown = [headers[name] for name in INDICATORS if name in headers and done[headers[name]].notna().any()]
    meanings = {column.header: column.meaning for column in columns}
    return Results(done, tuple(found for found in variables if len(found.levels) > 1), tuple(shown), meanings)


def main_effect(results: Results, variable: Variable, indicator: str) -> list[Interval]:
    """Mean and interval of an indicator over the runs of each level."""
    values = [results.table.loc[results.table[variable.column] == level, indicator] for level in variable.levels]
    return [interval(column.to_numpy(dtype=float)) for column in values]


def explained(results: Results, variable: Variable, indicator: str) -> float:
    """Share of an indicator's variance that an axis alone accounts for, 0 to 1.

    Of levels: between their means over all (η²); of many numbers: Spearman's rank correlation, squared.
    """
    pair = results.table[[variable.column, indicator]].dropna()
    values = pair[indicator].to_numpy(dtype=float)
    total = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
    if total == 0.0:
        return 0.0
    if not variable.has_levels:
        ranks = stats.spearmanr(pd.factorize(pair[variable.column], sort=True)[0], values)
        return float(ranks.statistic) ** 2
    means = pair.groupby(variable.column)[indicator].transform("mean").to_numpy(dtype=float)
    return float(((means - values.mean()) ** 2).sum()) / total


def ranked_designs(results: Results) -> list[Design]:
    """The points of a sweep, from the lowest mean of the first indicator to the highest."""
    columns = [variable.column for variable in results.variables]
    groups = results.table.groupby(columns, sort=False) if columns else [((), results.table)]
    designs = []
    for values, runs in groups:
        intervals = tuple(interval(runs[indicator].to_numpy(dtype=float)) for indicator in results.indicators)
        designs.append(Design(tuple(values), intervals, tuple(int(run) for run in runs["run"])))
    return sorted(designs, key=lambda design: design.intervals[0].mean if design.intervals else 0.0)


def grid_means(results: Results, across: Variable, down: Variable, indicator: str) -> pd.DataFrame:
    """Means of an indicator over all runs with a pair of levels, `down` as rows."""
    means = results.table.groupby([down.column, across.column])[indicator].mean().unstack()
    return means.reindex(index=list(down.levels), columns=list(across.levels))


def positions(values: pd.Series, variable: Variable) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Where values lie along an axis: themselves, or the number of their level."""
    if variable.is_number:
        return values.to_numpy(dtype=float)
    return values.map({level: number for number, level in enumerate(variable.levels)}).to_numpy(dtype=float)


def _variable(label: str, column: str, done: pd.DataFrame) -> Variable:
    values = list(done[column].drop_duplicates())
    is_number = pd.api.types.is_numeric_dtype(done[column]) and not pd.api.types.is_bool_dtype(done[column])
    return Variable(label, column, tuple(sorted(values)) if is_number else tuple(values), is_number)
