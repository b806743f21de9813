"""Runs that are killed or asked to stop go on with `vegard resume`, on any number of ranks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from solver.mpi import launch_command
from solver.report.saved import open_fields

CASE = """\
particle: {dimension: 2, radius: 2 um, grains: {count: 8, seed: 4}, mesh: {size: 0.3 um}}
material: NMC811
electrochemistry:
  kinetics: butler-volmer
  initial_stoichiometry: 0.9
  protocol: [Charge at 1C until 4.25 V, Hold at 4.25 V for 5 min, Discharge at 1C for 10 min]
numerics: {displacement_tolerance: 1.0e-10}
output: {fields: 10, pictures: false, checkpoint: 0 s}
"""
# Guards measure rounding and residues themselves; all else follows solves to 1e-10.
GUARDS = ("lithium_imbalance", "stress_imbalance")
SAME = 1e-5


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "case.yaml").write_text(CASE)
    assert call("run", folder / "case.yaml", "--output", folder / "results", "--quiet").returncode == 0
    return folder


def call(*arguments):
    command = [sys.executable, "-m", "solver.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def attempts(folder):
    path = folder / "steps.csv"
    return path.read_text().count("\n") if path.exists() else 0


def stop(command, environment, folder, number, extra=0.0):
    """Starts a program and sends it a signal some steps later; returns its exit code, or None when it was faster."""
    goal = attempts(folder) + random.randint(2, 15)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    ready = folder / "checkpoint" / "latest.json"
    while process.poll() is None:
        if attempts(folder) >= goal and ready.exists():
            time.sleep(extra)
            os.killpg(process.pid, number)
            process.communicate()
            return process.returncode
        time.sleep(0.005)
    process.communicate()
    return None


def compare(ours, theirs):
    history = [pd.read_csv(folder / "history.csv") for folder in (ours, theirs)]
    assert len(history[0]) == len(history[1])
    for column in history[0]:
        if not column.startswith(GUARDS):
            gap, scale = (history[0][column] - history[1][column]).abs().max(), history[1][column].abs().max()
            assert not gap > SAME * scale + 1e-9, column
    assert open_fields(ours).times == pytest.approx(open_fields(theirs).times)
    assert attempts(ours) == attempts(theirs)


def test_a_run_survives_kills_at_any_moment_and_changes_of_ranks(whole, tmp_path):
    random.seed(11)
    folder = tmp_path / "results"
    command, environment = [sys.executable, "-m", "solver.cli", "run", str(whole / "case.yaml")], dict(os.environ)
    command += ["--output", str(folder), "--quiet"]
    for ranks in (2, 1):
        stop(command, environment, folder, signal.SIGKILL, random.random() * 0.1)
        arguments = ["-m", "solver.cli", "resume", str(folder), "--quiet"]
        command, environment = [sys.executable, *arguments], dict(os.environ)
        if ranks > 1:
            command, environment = launch_command(ranks, arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 or "the run is finished" in done.stderr, done.stderr
    compare(folder, whole / "results")
    assert [path.name for path in folder.glob("fields*") if path.is_dir()] != []
    earlier = json.loads((folder / "provenance.json").read_text())["earlier"]
    assert earlier


def test_a_signal_stops_with_75_and_the_run_goes_on(whole, tmp_path):
    random.seed(5)
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "solver.cli", "run", str(whole / "case.yaml"), "--output", str(folder), "--quiet"]
    assert stop(command, dict(os.environ), folder, signal.SIGUSR1) == 75
    status = json.loads((folder / "status.json").read_text())
    assert (status["state"], "vegard resume" in status["reason"]) == ("interrupted", True)
    done = call("resume", folder, "--quiet")
    assert done.returncode == 0, done.stderr
    compare(folder, whole / "results")


def test_what_cannot_go_on_is_told_and_left_as_it_is(whole, tmp_path):
    finished = call("resume", whole / "results")
    assert finished.returncode == 4
    assert "the run is finished; there is nothing to go on with" in finished.stderr
    nowhere = call("resume", tmp_path / "nowhere")
    assert nowhere.returncode == 4
    assert "no such folder" in nowhere.stderr
    assert not (tmp_path / "nowhere").exists()
    empty = call("resume", tmp_path)
    assert "no run has been here" in empty.stderr


def test_an_edited_case_is_refused(whole, tmp_path):
    random.seed(7)
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "solver.cli", "run", str(whole / "case.yaml"), "--output", str(folder), "--quiet"]
    assert stop(command, dict(os.environ), folder, signal.SIGTERM) == 75
    case = folder / "case.yaml"
    case.write_text(case.read_text().replace("for 10 min", "for 11 min"))
    history = (folder / "history.csv").read_bytes()
    refused = call("resume", folder)
    assert refused.returncode == 4
    assert "was edited after the run began" in refused.stderr
    assert (folder / "history.csv").read_bytes() == history
    case.write_text(CASE)
    (folder / "checkpoint" / "mesh.msh").unlink()
    refused = call("resume", folder)
    assert refused.returncode == 4
    assert "mesh.msh: the mesh of the run is gone" in refused.stderr
    assert (folder / "history.csv").read_bytes() == history
