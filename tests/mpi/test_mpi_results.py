"""Indicators and fields do not depend on the number of ranks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from solver.report.run_data import cell_centroids, cell_volumes, facet_areas, read_run

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.mpi


def run_on(ranks, path, kind="vtkhdf", grains=8):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers"), os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    command = [sys.executable, str(ROOT / "tests/mpi/results_worker.py"), str(path), kind, str(grains)]
    launcher = [shutil.which("mpirun"), "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*launcher, *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_run(path)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run_on(1, tmp_path_factory.mktemp("ranks") / "one")


def ordered(grid, sizes):
    """Cells in an order that does not depend on the partition, as rows of centroid, size and all cell data."""
    columns = [cell_centroids(grid), sizes(grid)[:, None]]
    columns += [values.reshape(len(values), -1) for _, values in sorted(grid.cell_data.items())]
    table = np.concatenate(columns, axis=1)
    keys = np.round(table[:, :3], 4)
    return table[np.lexsort(keys.T)]


@pytest.mark.parametrize(("ranks", "kind"), [(2, "vtkhdf"), (3, "vtu")])
def test_the_same_numbers_and_fields(alone, tmp_path, ranks, kind):
    together = run_on(ranks, tmp_path / "run", kind)
    assert together.history.keys() == alone.history.keys()
    for key, values in alone.history.items():
        # Sums in another order, on coordinates that are the same: rounding only. The traction jump and imbalance are
        # of that kind too, as the field is made by hand.
        assert together.history[key] == pytest.approx(values, rel=1e-9, abs=1e-9, nan_ok=True), key
    for state in range(3):
        for name, sizes in (("volume", cell_volumes), ("boundary", facet_areas)):
            ours, theirs = getattr(together.fields, name)(state), getattr(alone.fields, name)(state)
            assert len(ours.cells) == len(theirs.cells)
            # Single precision, seven digits of values up to some thousand MPa.
            assert ordered(ours, sizes) == pytest.approx(ordered(theirs, sizes), rel=2e-6, abs=2e-3)


def test_a_single_crystal_on_two_ranks(tmp_path):
    together = run_on(2, tmp_path / "run", grains=1)
    assert together.fields.boundary(0) is None
    assert np.isnan(together.history["boundary_normal_p95"]).all()
