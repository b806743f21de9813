"""Statistics of fields that are spread over ranks: sums, means, percentiles, shares. Nothing is gathered (eq. 4.1).

Every function is collective: all ranks of `comm` call it, ranks without data pass empty arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

# Cumulative weights are sums of many rounded numbers; a level is reached once the sum is this close to it. Without the
# margin, the same field on another number of ranks could land on the next sample.
_ROUNDING = 1e-12


def total(values: NDArray[np.float64], comm: MPI.Comm) -> float:
    """Sum of `values` over all ranks."""
    return float(comm.allreduce(float(np.sum(values)), op=MPI.SUM))


def totals(values: NDArray[np.float64], comm: MPI.Comm) -> NDArray[np.float64]:
    """Element-wise sum over all ranks of an array that has the same shape everywhere."""
    result = np.zeros(np.shape(values))
    comm.Allreduce(np.ascontiguousarray(values, dtype=np.float64), result)
    return result


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64], comm: MPI.Comm) -> float:
    """Mean of (n,) `values` with (n,) `weights`; NaN when there is no weight at all."""
    numerator, denominator = totals(np.array([np.dot(values, weights), np.sum(weights)]), comm)
    return float(numerator / denominator) if denominator > 0.0 else float("nan")


def share_above(
    values: NDArray[np.float64], weights: NDArray[np.float64], threshold: float | NDArray[np.float64], comm: MPI.Comm
) -> float:
    """Share of the total weight where `values` exceed `threshold` (one number or one per value); NaN without weight."""
    return weighted_mean((values > threshold).astype(np.float64), weights, comm)


def maximum(values: NDArray[np.float64], comm: MPI.Comm) -> float:
    """Largest value over all ranks; NaN when there is none."""
    largest = comm.allreduce(float(np.max(values, initial=-np.inf)), op=MPI.MAX)
    return largest if largest > -np.inf else float("nan")


def weighted_percentiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], levels: Sequence[float], comm: MPI.Comm
) -> NDArray[np.float64]:
    """Weighted percentiles of a distributed sample (eq. 4.1).

    The percentile at level p is the smallest sample value v for which the samples ≤ v carry at least p % of the weight.
    It is found by bisection between the global minimum and maximum, on the integers that order the floats, so that it
    ends on a sample after at most 64 small reductions, whatever the spread of the values.

    Args:
        values: (n,) finite values on this rank.
        weights: (n,) weights ≥ 0 (volumes, areas).
        levels: Percentages 0..100.
        comm: Ranks holding the sample.

    Returns:
        (levels,) percentiles, each equal to a sample; NaN when there is no weight or a value is NaN.
    """
    kept = weights > 0.0
    order = np.argsort(values[kept])
    ranked = values[kept][order] + 0.0  # turns -0.0 into 0.0: the integer order below would tell them apart
    heights = np.concatenate([[0.0], np.cumsum(weights[kept][order])])
    extremes = [-ranked[0], ranked[-1], 0.0] if len(ranked) else [-np.inf, -np.inf, 0.0]
    extremes[2] = float(np.isnan(ranked).any())
    low, high, broken = _maxima(np.array(extremes), comm)
    if broken or high == -np.inf:
        return np.full(len(levels), np.nan)
    targets = np.asarray(levels) / 100.0 * total(heights[-1:], comm) * (1.0 - _ROUNDING)
    lower: NDArray[np.uint64] = np.full(len(levels), _ordinal(np.array([-low]))[0])
    upper: NDArray[np.uint64] = np.full(len(levels), _ordinal(np.array([high]))[0])
    while np.any(lower < upper):
        middle = lower + (upper - lower) // np.uint64(2)
        local = heights[np.searchsorted(ranked, _from_ordinal(middle), side="right")]
        reached = totals(local, comm) >= targets
        upper = np.where(reached, middle, upper)
        lower = np.where(reached | (lower == upper), lower, middle + np.uint64(1))
    return _from_ordinal(lower)


def _maxima(values: NDArray[np.float64], comm: MPI.Comm) -> NDArray[np.float64]:
    result = np.empty_like(values)
    comm.Allreduce(values, result, op=MPI.MAX)
    return result


def _ordinal(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Unsigned integers in the same order as the floats: neighbouring floats get neighbouring integers."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _from_ordinal(ordinals: NDArray[np.uint64]) -> NDArray[np.float64]:
    sign = np.uint64(1 << 63)
    return np.ascontiguousarray(np.where(ordinals & sign, ordinals ^ sign, ~ordinals)).view(np.float64)
