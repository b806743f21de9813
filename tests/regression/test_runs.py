"""Whole runs: the same numbers twice, nothing half-written after a kill, memory that does not grow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import psutil
import pytest
from mpi4py import MPI

from meshes.particle import Particle
from meshes.store import load, obtain
from solver.materials import load_material
from solver.solve.domain import build_domain
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.solids import Crystal, Solids
from solver.solve.step_solver import fast_reaction
from solver.solve.transport import Transport

CASE = """\
particle: {radius: 2 um, grains: {count: 8, seed: 3}, mesh: {size: 0.6 um}}
material: NMC811
electrochemistry: {protocol: [Charge at 1C until 60 % SoC]}
output: {fields: 6, pictures: false}
"""


def start(folder: Path, results: str, *options: str) -> subprocess.Popen:
    case = folder / "case.yaml"
    case.write_text(CASE)
    arguments = [sys.executable, "-m", "solver.cli", "run", str(case), "--output", str(folder / results), *options]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def same_numbers(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Equal but for the last digits: vectorised sums depend on where the system happens to place an array."""
    guards = [column for column in left.columns if "imbalance" in column]  # residues of the solves, all last digits
    left, right = left.drop(columns=guards), right.drop(columns=guards)
    pd.testing.assert_frame_equal(left, right, rtol=1e-8, atol=1e-8)


@pytest.mark.slow
def test_two_runs_give_the_same_numbers(tmp_path):
    for results in ("first", "second"):
        finish(start(tmp_path, results))
    first, second = (pd.read_csv(tmp_path / results / "history.csv") for results in ("first", "second"))
    same_numbers(first, second)


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_and_can_be_run_again(tmp_path):
    finish(start(tmp_path, "reference"))
    for delay in (0.0, 0.15, 0.6):
        process = start(tmp_path, "killed", "--force")
        status = tmp_path / "killed" / "status.json"
        deadline = time.monotonic() + 120
        # Let it write at least two states of this attempt, then kill it anywhere.
        while time.monotonic() < deadline and process.poll() is None:
            told = json.loads(status.read_text()) if status.exists() else {}
            if told.get("process") == process.pid and told.get("states", 0) >= 2:
                break
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_whole(tmp_path / "killed")
    again = start(tmp_path, "killed")
    _, message = again.communicate(timeout=60)
    assert again.returncode == 4, "results of a killed run are not replaced unasked"
    assert "--force" in message
    finish(start(tmp_path, "killed", "--force"))
    left, right = (pd.read_csv(tmp_path / results / "history.csv") for results in ("reference", "killed"))
    same_numbers(left, right)


def check_whole(folder: Path) -> None:
    """Every file that is there can be read to its end."""
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
    history = pd.read_csv(folder / "history.csv")
    assert len(history) >= 1
    for path in (*folder.glob("*.vtkhdf"), *folder.glob("fields/*.h5")):
        with h5py.File(path) as file:
            file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)


@pytest.mark.slow
def test_memory_is_flat_over_many_steps(tmp_path):
    particle = Particle.model_validate(
        {"radius": "2 um", "grains": {"count": 8, "seed": 3}, "mesh": {"size": "0.6 um"}}
    )
    tets = load(obtain(particle, tmp_path, store=tmp_path).path)
    axes = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]] * 4)
    domain = build_domain(MPI.COMM_SELF, tets, axes)
    material, phases = load_material("NMC811"), Phases()
    mechanics = Mechanics(
        domain,
        Solids(domain, [Crystal(material.stiffness, material.lattice)], rest=1.0),
        tolerance=1e-6,
        phases=phases,
    )
    transport = Transport(domain, 4e-3, 4e-5, initial=0.9, surface=fast_reaction, phases=phases)
    transport.drive(-0.5 / 3600)

    def steps(number: int) -> None:
        for _ in range(number):
            assert transport.attempt(10.0).converged
            transport.commit()
            assert mechanics.solve(transport.stoichiometry).converged
            mechanics.stress()

    steps(50)
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    steps(200)
    # One P2 vector of this mesh is about 0.2 MB: a leak of one vector a step would show as 40 MB.
    assert process.memory_info().rss - before < 8e6
