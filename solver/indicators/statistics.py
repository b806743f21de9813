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

_DIGIT = 8
_DIGITS = np.arange(1 << _DIGIT, dtype=np.uint64)
_SIGN = np.uint64(1 << 63)


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
    It is found digit by digit, as an integer in the order of the floats: one reduction of 256 cumulative weights per
    level settles eight of its 64 bits, so that eight reductions end on a sample, whatever the spread of the values.

    Args:
        values: (n,) finite values on this rank.
        weights: (n,) weights ≥ 0 (volumes, areas).
        levels: Percentages 0..100.
        comm: Ranks holding the sample.

    Returns:
        (levels,) percentiles, each equal to a sample; NaN when there is no weight or a value is NaN.
    """
    kept = weights > 0.0
    keys = _ordinals(values[kept])
    order = np.argsort(keys)
    keys = keys[order]
    heights = np.concatenate([[0.0], np.cumsum(weights[kept][order])])
    broken, weight = totals(np.array([np.isnan(values[kept]).sum(), heights[-1]]), comm)
    if broken or weight == 0.0:
        return np.full(len(levels), np.nan)
    targets = np.asarray(levels)[:, None] / 100.0 * weight * (1.0 - _ROUNDING)
    targets = np.maximum(targets, np.finfo(np.float64).tiny)  # level 0 is the first sample with any weight
    found = np.zeros((len(levels), 1), dtype=np.uint64)
    for shift in range(64 - _DIGIT, -1, -_DIGIT):
        # Upper ends of the 256 intervals that the next digit tells apart; the first that carries enough weight is it.
        ends = found + (_DIGITS << np.uint64(shift)) + np.uint64((1 << shift) - 1)
        carried = totals(heights[np.searchsorted(keys, ends, side="right")], comm)
        digit = np.count_nonzero(carried < targets, axis=1, keepdims=True).astype(np.uint64)
        # A sum that rounds differently from the total must not leave the last interval.
        found += np.minimum(digit, _DIGITS[-1]) << np.uint64(shift)
    return _floats(found[:, 0])


def _ordinals(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Unsigned integers in the same order as the floats: neighbouring floats get neighbouring integers."""
    # Adding zero turns -0.0 into 0.0: the integers would tell them apart.
    bits = np.ascontiguousarray(values + 0.0, dtype=np.float64).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _floats(ordinals: NDArray[np.uint64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.where(ordinals & _SIGN, ordinals ^ _SIGN, ~ordinals)).view(np.float64)
