"""The three percentiles that stand for a field wherever a maximum would depend on the mesh (eq. 4.1)."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from solver.indicators.definition import Definition
from solver.indicators.statistics import weighted_percentiles

LEVELS = (50.0, 95.0, 99.0)


def percentile_keys(key: str) -> tuple[str, ...]:
    """Column names `key_p50`, `key_p95`, `key_p99`."""
    return tuple(f"{key}_p{level:g}" for level in LEVELS)


def percentile_definitions(
    key: str, unit: str, meaning: str, equation: str, threshold: str = ""
) -> tuple[Definition, ...]:
    """Definitions that go with `percentile_values`; `meaning` says of what and weighted by what."""
    return tuple(
        Definition(name, unit, f"{level:g}th percentile of {meaning}", equation, threshold)
        for name, level in zip(percentile_keys(key), LEVELS)
    )


def percentile_values(
    key: str, values: NDArray[np.float64], weights: NDArray[np.float64], comm: MPI.Comm
) -> dict[str, float]:
    """The percentiles of (n,) values with (n,) weights over all ranks, by column name."""
    found = weighted_percentiles(values, weights, LEVELS, comm)
    return {name: float(value) for name, value in zip(percentile_keys(key), found)}
