"""Verdicts: whether an order comes out, indicator by indicator, over paired seeds.

Two sides are compared seed by seed. Where all values are positive the effect is their ratio, judged on its logarithm;
where one of them vanishes (an area above a strength, a tension in a compressed core) it is the difference. The order
comes out when Student's 95 % interval of the effect lies on its side, is reversed when it lies on the other side, and
is open otherwise. One seed decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from solver.compare.statistics import Interval, interval, paired_ratio
from solver.studies.description import Claim, Side
from solver.studies.values import Runs

Verdict = Literal["yes", "no", "open"]
VERDICTS: tuple[Verdict, ...] = ("yes", "no", "open")
# Differences below this share of the larger value are none: the elastic solves stop at 1e-6.
_EQUAL = 1e-4


@dataclass(frozen=True)
class Comparison:
    """Two sides of a claim by one indicator at one moment.

    Attributes:
        less, more: Names of the sides; `more` is claimed to carry the higher risk.
        kind: "peak" or "extent".
        indicator: Name, with {place} left in.
        moment: When it is read.
        low, high: Mean over seeds of both sides.
        ratio: more / less, its interval over seeds and how many lie below 1; NaN where a value is not positive.
        difference: more − less with its interval.
        agreeing: Number of seeds in which `more` is higher.
        verdict: "yes", "no" or "open".
    """

    less: str
    more: str
    kind: str
    indicator: str
    moment: str
    low: float
    high: float
    ratio: Interval
    difference: Interval
    agreeing: int
    verdict: Verdict


def name_of(side: str | Side) -> str:
    """How a side is called on the page."""
    return side if isinstance(side, str) else f"{side.place}, {side.design}"


def side_values(runs: Runs, side: str | Side, indicator: str, moment: str, per_capacity: bool) -> pd.Series:
    """Values of one side of a claim by seed."""
    design, name = (
        (side, indicator) if isinstance(side, str) else (side.design, indicator.replace("{place}", side.place))
    )
    return runs.values(design, name, moment, per_capacity=per_capacity)


def judge(claim: Claim, runs: Runs) -> list[Comparison]:
    """All comparisons of a claim: neighbours in its order, at each moment, by each indicator."""
    return [
        _compare(claim, runs, less, more, kind, indicator, moment)
        for moment in claim.at
        for kind, indicator in _indicators(claim)
        for less, more in pairwise(claim.order)
    ]


def _indicators(claim: Claim) -> Iterator[tuple[str, str]]:
    for kind, names in (("peak", claim.peak), ("extent", claim.extent)):
        for name in names:
            yield kind, name


def _compare(
    claim: Claim, runs: Runs, less: str | Side, more: str | Side, kind: str, indicator: str, moment: str
) -> Comparison:
    low = side_values(runs, less, indicator, moment, claim.per_capacity)
    high = side_values(runs, more, indicator, moment, claim.per_capacity)
    both = pd.concat([low, high], axis=1, keys=["low", "high"], join="inner").dropna()
    ratio = paired_ratio(both["high"], both["low"])
    if ratio.count < len(both):  # a value that vanishes has no ratio, and leaving its seed out would be a choice
        ratio = Interval(math.nan, math.nan, math.nan, 0)
    difference = interval((both["high"] - both["low"]).to_numpy(dtype=float))
    return Comparison(
        name_of(less),
        name_of(more),
        kind,
        indicator,
        moment,
        float(both["low"].mean()),
        float(both["high"].mean()),
        ratio,
        difference,
        int((both["high"] > both["low"]).sum()),
        _verdict(both, ratio, difference),
    )


def _verdict(both: pd.DataFrame, ratio: Interval, difference: Interval) -> Verdict:
    if both.empty or not math.isfinite(difference.low):
        return "open"
    low, high = (math.log(ratio.low), math.log(ratio.high)) if ratio.count else (difference.low, difference.high)
    equal = _EQUAL if ratio.count else _EQUAL * float(both.abs().to_numpy().max())
    if low > equal:
        return "yes"
    return "no" if high < -equal else "open"


def agreement(claim: Claim, runs: Runs, moment: str) -> float:
    """Mean of Kendall's τ between the rankings of the claim's sides by its peak and by its extent indicators."""
    table = {
        name: [float(side_values(runs, side, name, moment, claim.per_capacity).mean()) for side in claim.order]
        for _, name in _indicators(claim)
    }
    found = [
        float(stats.kendalltau(table[peak], table[extent]).statistic) for peak in claim.peak for extent in claim.extent
    ]
    found = [tau for tau in found if math.isfinite(tau)]
    return float(np.mean(found)) if found else math.nan


def summary(comparisons: Sequence[Comparison], kind: str | None = None) -> str:
    """Outcome of a claim in words: "yes", "no", "open", or how many of the comparisons say what."""
    chosen = [each.verdict for each in comparisons if kind in (None, each.kind)]
    counts = {verdict: chosen.count(verdict) for verdict in VERDICTS}
    for verdict, count in counts.items():
        if count == len(chosen):
            return verdict
    return ", ".join(f"{verdict} in {count} of {len(chosen)}" for verdict, count in counts.items() if count)
