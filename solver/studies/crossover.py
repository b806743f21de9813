"""Where two curves over a series of designs cross: the rate at which the worst place moves.

Single particles scatter widely (a core holds a handful of grains), so the curves are means over the seeds, and the
interval comes from drawing the seeds again with replacement (percentile bootstrap).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.studies.description import Crossover, Study
from solver.studies.values import LITHIUM_DIFFERENCE, Runs

_DRAWS = 2000
_LEVELS = (2.5, 97.5)


@dataclass(frozen=True)
class Crossing:
    """One crossover by one indicator at one moment.

    Attributes:
        indicator: Name, with {place} left in.
        moment: When it is read.
        value: Value of the series at the crossing of the means over the seeds; 0 when the second place is higher over
            the whole series, infinity when it is not in the end.
        low, high: 95 % interval; 0 and infinity as above.
        lithium: Lithium difference between core and rim there; NaN outside of the series.
        seeds: Number of seeds.
    """

    indicator: str
    moment: str
    value: float
    low: float
    high: float
    lithium: float
    seeds: int


def crossing(abscissa: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Abscissa at which `second` overtakes `first` for good, linear in the logarithm of the abscissa.

    Returns:
        The abscissa; 0 when `second` is higher throughout, infinity when it is not in the end.
    """
    known = np.isfinite(first) & np.isfinite(second)
    logs, excess = np.log(abscissa[known]), (second - first)[known]
    if not len(excess) or excess[-1] <= 0.0:
        return math.inf
    below = np.flatnonzero(excess <= 0.0)
    if not len(below):
        return 0.0
    last = below[-1]
    share = -excess[last] / (excess[last + 1] - excess[last])
    return float(math.exp(logs[last] + share * (logs[last + 1] - logs[last])))


def crossings(study: Study, described: Crossover, runs: Runs) -> list[Crossing]:
    """The crossover by every indicator at every moment."""
    series = study.designs[described.series]
    named = [(float(value), described.series.replace("{each}", str(value))) for value in series.each]
    rates = np.array([rate for rate, name in named if name in runs.designs])
    names = [name for _, name in named if name in runs.designs]
    return [
        _crossing(described, runs, rates, names, indicator, moment)
        for moment in described.at
        for indicator in described.indicators
    ]


def _crossing(
    described: Crossover, runs: Runs, rates: NDArray[np.float64], names: Sequence[str], indicator: str, moment: str
) -> Crossing:
    def table(name: str) -> NDArray[np.float64]:
        return np.column_stack([runs.values(design, name, moment) for design in names])

    first, second, lithium = (
        table(name)
        for name in (
            indicator.replace("{place}", described.from_place),
            indicator.replace("{place}", described.to_place),
            LITHIUM_DIFFERENCE,
        )
    )
    whole = np.isfinite(first + second + lithium).all(axis=1)
    first, second, lithium = first[whole], second[whole], lithium[whole]
    count = len(first)
    if not count:
        return Crossing(indicator, moment, math.nan, math.nan, math.nan, math.nan, 0)
    draws = np.random.default_rng(0).integers(count, size=(_DRAWS, count))
    found = np.sort([crossing(rates, first[draw].mean(axis=0), second[draw].mean(axis=0)) for draw in draws])
    low, high = (float(found[round(level / 100.0 * (_DRAWS - 1))]) for level in _LEVELS)
    value = crossing(rates, first.mean(axis=0), second.mean(axis=0))
    inside = 0.0 < value < math.inf
    there = float(np.interp(math.log(value), np.log(rates), lithium.mean(axis=0))) if inside else math.nan
    return Crossing(indicator, moment, value, low, high, there, count)
