"""Run by tests under mpirun: records a synthetic run on all ranks and checks the statistics on the way."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from solver.errors import OutputError
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, total, weighted_mean, weighted_percentiles
from solver.output.agreement import written_by_all
from solver.output.folder import RunFolder
from solver.output.recorder import Recorder
from solver.solve.phases import Phases

LEVELS = (1.0, 50.0, 95.0, 99.0)


def check_statistics(comm: MPI.Comm) -> None:
    """Percentiles of a sample dealt out to the ranks, one of which may get nothing."""
    random = np.random.default_rng(1)
    values, weights = random.normal(size=501), random.uniform(0.5, 2.0, size=501)
    last = comm.size - 1 if comm.size > 2 else comm.size
    mine = np.arange(501) % last == comm.rank
    expected = np.percentile(values, LEVELS, weights=weights, method="inverted_cdf")
    assert np.array_equal(weighted_percentiles(values[mine], weights[mine], LEVELS, comm), expected)
    assert np.isclose(weighted_mean(values[mine], weights[mine], comm), np.average(values, weights=weights))
    assert maximum(values[mine], comm) == values.max()
    assert np.isclose(total(weights[mine], comm), weights.sum())


def write_on_a_full_disk(comm: MPI.Comm) -> None:
    """A collective write that fails on the last rank."""
    with written_by_all(comm, "the fields"):
        if comm.rank == comm.size - 1:
            raise OSError(28, "No space left on device")


def check_failures(comm: MPI.Comm) -> None:
    """A full disk on one rank stops all ranks with the same words."""
    with pytest.raises(OutputError, match=r"the fields could not be written \(No space left on device\)"):
        write_on_a_full_disk(comm)


def main() -> None:
    comm = MPI.COMM_WORLD
    path, kind, grains = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    check_statistics(comm)
    check_failures(comm)
    domain = synthetic.domain(comm, divisions=6, grains=grains)
    with RunFolder(path, comm) as folder:
        recorder = Recorder(folder, domain, IndicatorSettings(length=0.3), kind, Phases())
        for index in range(3):
            recorder.on_state(synthetic.state(domain, index, 60.0 * index, 0.5 + index))
        recorder.close()
        folder.write_json("case.resolved.json", {"name": "ranks"})
        folder.write_json("summary.json", recorder.summary.as_data())
    with pytest.raises(OutputError, match="--force"):
        RunFolder(path, comm)


main()
