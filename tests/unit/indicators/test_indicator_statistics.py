"""Distributed statistics on one rank, against numpy; two ranks are tested in tests/mpi."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from solver.indicators.statistics import maximum, share_above, weighted_mean, weighted_percentiles

COMM = MPI.COMM_SELF
LEVELS = (0.0, 1.0, 25.0, 50.0, 95.0, 99.0, 100.0)


def reference(values, weights):
    return np.percentile(values, LEVELS, weights=weights, method="inverted_cdf")


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_are_those_of_numpy(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=1000) * 10.0 ** random.uniform(-12, 12, size=1000)
    weights = random.uniform(0.1, 3.0, size=1000)
    # Exact: both pick a sample.
    assert np.array_equal(weighted_percentiles(values, weights, LEVELS, COMM), reference(values, weights))


def test_percentiles_of_ties_and_signed_zeros():
    values = np.array([-0.0, 0.0, 0.0, -1.0, -1.0, 5.0])
    weights = np.array([1.0, 2.0, 1.0, 2.0, 2.0, 2.0])
    assert weighted_percentiles(values, weights, [40.0, 41.0, 80.0, 81.0], COMM).tolist() == [-1.0, 0.0, 0.0, 5.0]


def test_a_heavy_sample_counts_by_its_weight():
    values, weights = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 98.0])
    assert weighted_percentiles(values, weights, [1.0, 2.0, 3.0], COMM).tolist() == [1.0, 2.0, 3.0]


def test_samples_without_weight_do_not_count():
    values, weights = np.array([-1e9, 2.0, 1e9]), np.array([0.0, 1.0, 0.0])
    assert weighted_percentiles(values, weights, [0.0, 50.0, 100.0], COMM).tolist() == [2.0, 2.0, 2.0]


def test_without_weight_there_is_no_percentile():
    empty = np.zeros(0)
    assert np.isnan(weighted_percentiles(empty, empty, [50.0, 95.0], COMM)).all()
    assert np.isnan(weighted_mean(empty, empty, COMM))
    assert np.isnan(maximum(empty, COMM))


def test_a_nan_in_the_field_is_not_hidden():
    values = np.array([1.0, np.nan, 3.0])
    assert np.isnan(weighted_percentiles(values, np.ones(3), [50.0], COMM)).all()


def test_share_above_is_by_weight_and_strict():
    values, weights = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0])
    assert share_above(values, weights, 2.0, COMM) == pytest.approx(5.0 / 8.0)
    assert share_above(values, weights, np.array([0.0, 5.0, 0.0]), COMM) == pytest.approx(6.0 / 8.0)
