"""Statistics of a comparison: means with confidence intervals over seeds, paired ratios, rankings and their agreement.

Seeds are the sample. Designs with the same seed have the same grains as far as their descriptions allow, so a design
is compared with the first one seed by seed: the scatter between particles, which is larger than most differences
between designs, drops out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from solver.compare.values import EXTENT, PEAK

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval over seeds.

    Attributes:
        mean: Mean (of ratios: the geometric one).
        low: Lower end; NaN with fewer than two seeds.
        high: Upper end.
        count: Number of seeds.
        lower: How many seeds lie below 1 (ratios only).
    """

    mean: float
    low: float
    high: float
    count: int
    lower: int = 0


def interval(values: NDArray[np.float64]) -> Interval:
    """Mean with Student's confidence interval; values that are not finite are left out."""
    values = values[np.isfinite(values)]
    count = len(values)
    if not count:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    if count < 2:
        return Interval(mean, math.nan, math.nan, count)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2.0, count - 1) * values.std(ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half, count)


def paired_ratio(values: pd.Series, reference: pd.Series) -> Interval:
    """Geometric mean of value / reference over the seeds both have (index), with its confidence interval."""
    both = pd.concat([values, reference], axis=1, keys=["value", "reference"], join="inner").dropna()
    both = both[(both["value"] > 0.0) & (both["reference"] > 0.0)]
    logs = np.log((both["value"] / both["reference"]).to_numpy(dtype=float))
    found = interval(logs)
    ends = [math.exp(end) if math.isfinite(end) else math.nan for end in (found.mean, found.low, found.high)]
    return Interval(ends[0], ends[1], ends[2], found.count, int((logs < 0.0).sum()))


def means(table: pd.DataFrame, indicator: str, state_of_charge: float) -> pd.Series:
    """Mean over seeds of one indicator at one state of charge, by design in the order of the table."""
    chosen = table[(table["indicator"] == indicator) & (table["state_of_charge"] == state_of_charge)]
    return chosen.groupby("design", sort=False)["value"].mean()


@dataclass(frozen=True)
class Agreement:
    """How far the rankings by a peak and by an extent indicator agree: Kendall's τ, 1 the same order, −1 reversed."""

    peak: str
    extent: str
    tau: float


def rank_agreements(table: pd.DataFrame, state_of_charge: float) -> list[Agreement]:
    """Kendall's τ between every peak and every extent indicator that tell the designs apart."""
    found = []
    for peak in PEAK:
        for extent in EXTENT:
            both = pd.concat([means(table, peak, state_of_charge), means(table, extent, state_of_charge)], axis=1)
            both = both.dropna()
            if len(both) < 2 or both.nunique().min() < 2:
                continue
            tau = float(stats.kendalltau(both.iloc[:, 0], both.iloc[:, 1]).statistic)
            found.append(Agreement(peak, extent, tau))
    return found


def ranking(table: pd.DataFrame, indicator: str, state_of_charge: float) -> Sequence[str]:
    """Designs from the lowest to the highest mean of an indicator."""
    return [str(name) for name in means(table, indicator, state_of_charge).dropna().sort_values().index]
