"""Numbers and verdicts as a page shows them."""

from __future__ import annotations

import math

from solver.compare.statistics import Interval
from solver.compare.values import unit_of
from solver.studies.claims import Comparison

_OWN_UNITS = {
    "lithium_core_minus_rim": "-",
    "elastic_energy_density": "MJ/m³",
}
_SHARES = ("_area_", "_volume_above", "_share")
_WORDS = {"yes": "**yes**", "no": "**no**", "open": "open"}
_MOMENTS = {"worst": "worst moment", "mean": "mean over time", "end": "end of charge", "last": "after the rest"}


def moment_words(moment: str) -> str:
    """A moment in words."""
    return _MOMENTS.get(moment, moment)


def unit(indicator: str) -> str:
    """Unit of an indicator as the page shows it; empty for shares."""
    if any(part in indicator for part in _SHARES):
        return ""
    return _OWN_UNITS.get(indicator, unit_of(indicator)).replace("-", "")


def indicator_words(indicator: str) -> str:
    """An indicator as words."""
    return indicator.replace("{place}_", "").replace("_", " ")


def verdict_words(outcome: str) -> str:
    """The outcome of a claim, single words in bold."""
    return _WORDS.get(outcome, outcome)


def number(value: float) -> str:
    """Three digits without a power of ten, or a dash."""
    return f"{float(f'{value:.3g}'):g}" if math.isfinite(value) else "–"


def ratio_words(found: Interval) -> str:
    """× 1.20 (1.10 to 1.31)."""
    if not math.isfinite(found.mean):
        return ""
    if not math.isfinite(found.low):
        return f"× {found.mean:.2f}"
    return f"× {found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


def effect_words(comparison: Comparison) -> str:
    """Ratio of the sides, or their difference where one of them vanishes, with the seeds that agree."""
    seeds = f"{comparison.agreeing} of {comparison.difference.count}"
    if comparison.ratio.count:
        return f"{ratio_words(comparison.ratio)}, {seeds}"
    difference = comparison.difference
    if not difference.count:
        return "–"
    ends = f" ({number(difference.low)} to {number(difference.high)})" if math.isfinite(difference.low) else ""
    return f"{'+' * (difference.mean > 0.0)}{number(difference.mean)}{ends}, {seeds}"
