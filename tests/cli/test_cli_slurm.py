"""`vegard sweep submit` against a real Slurm of one node, started and stopped here: array, failure, cancel, requeue."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slurm_cluster import Cluster, missing_programs
from sweep_files import BASE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_programs()), reason=f"Slurm is not installed: no {', '.join(missing_programs())}"),
]

SMALL = BASE.replace("count: 10", "count: 8")
MANY = """\
base: base.yaml
axes:
  steps:
    sections:
      good: {}
      hopeless: {numerics: {time_tolerance: 1e-6, initial_step: 60 s, minimum_step: 60 s}}
  rate: {key: electrochemistry.protocol, write: ["Charge at {value}C for 2 min"], from: 0.3, to: 1, steps: 8}
where: [steps == 'good' or rate == 1]
"""
# Output states enough for signals to fall among them, and a checkpoint at each.
LONG = SMALL.replace("fields: 1", "fields: 60, checkpoint: 0 s")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # The sockets of Slurm need short names.
    folder = Path(tempfile.mkdtemp(prefix="vegard-slurm-"))
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SLURM_CONF", str(cluster.configuration))
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path / "cache"))  # its own meshes, the usual compiled forms
    (tmp_path / "base.yaml").write_text(SMALL)
    (tmp_path / "many.yaml").write_text(MANY)
    (tmp_path / "long-base.yaml").write_text(LONG)
    (tmp_path / "long.yaml").write_text("base: long-base.yaml\naxes: {particle.radius: [2 um, 2.1 um]}\n")
    command = f"command: {sys.executable} -m solver.cli\nscratch: {cluster.folder / 'scratch'}\n"
    (tmp_path / "slurm.yaml").write_text(f"time: 10 min\nmemory: 1 GB\n{command}")
    return tmp_path


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    found = sorted(Path(folder / "results").rglob(name))
    return [json.loads(path.read_text()) for path in found]


def has_begun(folder: Path, after: float) -> bool:
    """Whether a run is under way, some time into its protocol [s], with a checkpoint."""
    return any(
        json.loads(path.read_text())["state"] == "running"
        and json.loads(path.read_text()).get("time", 0.0) > after
        and (path.parent / "checkpoint" / "latest.json").is_file()
        for path in folder.rglob("status.json")
    )


def test_an_array_of_which_one_run_fails(vegard: Callable, folder: Path, cluster: Cluster) -> None:
    assert vegard("sweep", "plan", "many.yaml").code == 0
    outcome = vegard("sweep", "submit", "results/many", "--profile", "slurm.yaml")
    assert outcome.out.startswith("9 runs are submitted as job ")
    again = vegard("sweep", "submit", "results/many", "--profile", "slurm.yaml")
    assert "9 runs are in the queue and left there" in again.err
    assert again.out == "there is nothing to submit\n"
    cluster.wait_until(lambda: not cluster.queue(), 300.0)

    shown = vegard("sweep", "status", "results/many").out
    assert shown.startswith("many: 8 finished, 1 failed\n")
    assert "the step size fell" in shown
    assert len(list((folder / "cache" / "meshes").glob("*.msh"))) == 1
    # Kernels were read from the scratch folder, and are whole there.
    kernels = list((cluster.folder / "scratch").rglob("*.c"))
    assert kernels
    assert all(path.with_suffix(".c.cached").is_file() for path in kernels)
    left = vegard("sweep", "submit", "results/many", "--profile", "slurm.yaml")
    assert "1 runs failed before and are left" in left.err


def test_cancelled_submitted_again_and_requeued(vegard: Callable, folder: Path, cluster: Cluster) -> None:
    vegard("sweep", "plan", "long.yaml")
    vegard("sweep", "submit", "results/long", "--profile", "slurm.yaml")
    cluster.wait_until(lambda: has_begun(folder, 0.0), 120.0)
    cluster.ask("scancel", records(folder, "submitted.json")[0]["submissions"][-1]["job"])
    cluster.wait_until(lambda: not cluster.queue(), 60.0)
    states = {entry["state"] for entry in records(folder, "status.json")}
    assert "interrupted" in states
    assert "running" not in states

    # What a time limit does: SIGUSR1 to the script, some time before the end.
    assert "submitted as job" in vegard("sweep", "submit", "results/long", "--profile", "slurm.yaml").out
    cluster.wait_until(lambda: has_begun(folder, 10.0), 120.0)
    cluster.ask("scancel", "--batch", "--signal=USR1", running(cluster)[0])
    cluster.wait_until(lambda: not cluster.queue(), 300.0)
    assert vegard("sweep", "status", "results/long").out.startswith("long: 2 finished\n")
    assert any("goes back to the queue" in path.read_text() for path in folder.rglob("slurm/logs/*.log"))
    # First cancelled, then stopped in time; each attempt went on where the one before had stopped.
    assert max(len(entry.get("earlier", [])) for entry in records(folder, "provenance.json")) == 2


def running(cluster: Cluster) -> list[str]:
    """Tasks that run, those that began first in front."""
    return [line.split()[0] for line in cluster.queue() if line.endswith("RUNNING")]
