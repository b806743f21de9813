"""`vegard sweep` on very small sections: planned, run side by side, killed, stopped, retried, collected."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sweep_files import BASE

QUICK = """\
base: base.yaml
axes:
  steps:
    sections:
      good: {}
      hopeless: {numerics: {time_tolerance: 1e-6, initial_step: 60 s, minimum_step: 60 s}}
  rate: {key: electrochemistry.protocol, write: ["Charge at {value}C for 2 min"], values: [0.5, 1]}
where: [steps == 'good' or rate == 1]
"""
# Output states enough for a kill to fall among them, none of them dear.
SLOW = BASE.replace("fields: 1", "fields: 40")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path / "cache"))  # its own meshes, the usual compiled forms
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "slow.yaml").write_text("base: slow-base.yaml\naxes: {particle.radius: [2 um, 2.1 um]}\n")
    (tmp_path / "slow-base.yaml").write_text(SLOW)
    return tmp_path


def states(folder: Path) -> list[str]:
    found = []
    for run in json.loads((folder / "plan.json").read_text())["runs"]:
        path = folder / "runs" / run["name"] / "results" / "status.json"
        found.append(json.loads(path.read_text())["state"] if path.exists() else "waiting")
    return found


def test_plan_run_retry_collect(vegard: Callable, folder: Path) -> None:
    planned = vegard("sweep", "plan", "quick.yaml")
    assert planned.code == 0
    assert "3 runs, 1 different meshes" in planned.out
    assert "1 points do not fulfil the constraints" in planned.out
    assert vegard("sweep", "status", "quick.yaml").out.startswith("quick: 3 waiting")

    outcome = vegard("sweep", "run", "results/quick", "--jobs", "2")
    assert outcome.code == 1
    assert "quick: 2 finished, 1 failed" in outcome.out
    assert "the step size fell" in outcome.out
    assert states(Path("results/quick")) == ["finished", "finished", "failed"]
    # Three runs, two of them at once, one mesh: the others found it, or waited for it.
    assert len(list((folder / "cache" / "meshes").glob("*.msh"))) == 1
    made = [not json.loads(path.read_text())["mesh"]["reused"] for path in Path("results").rglob("provenance.json")]
    assert sum(made) == 1

    attempt = next(Path("results/quick/runs").glob("*hopeless*")) / "attempt.json"
    before = attempt.read_text()
    again = vegard("sweep", "run", "results/quick")
    assert "--retry-failed runs them again" in again.err
    assert attempt.read_text() == before
    assert vegard("sweep", "run", "results/quick", "--retry-failed").code == 1
    assert attempt.read_text() != before

    collected = vegard("sweep", "collect", "results/quick")
    assert "3 runs, 2 of them finished" in collected.out
    assert "failed: run 3" in collected.err
    check_table(Path("results/quick"))
    assert vegard("report", "results/quick").out == "wrote results/quick/report.html\n"


def check_table(folder: Path) -> None:
    table = pd.read_csv(folder / "table.csv")
    assert list(table["state"]) == ["finished", "finished", "failed"]
    assert list(table["rate"]) == [0.5, 1.0, 1.0]
    assert "the step size fell" in table["error"][2]
    for row, run in enumerate(json.loads((folder / "plan.json").read_text())["runs"][:2]):
        results = folder / "runs" / run["name"] / "results"
        history = pd.read_csv(results / "history.csv")
        for title in ("first_principal_p95 [MPa]", "lithium_imbalance [-]", "state_of_charge [-]"):
            key, unit = title.split(" ")
            assert table[f"{key}_final {unit}"][row] == pytest.approx(history[title].iloc[-1], rel=1e-12)
            assert table[f"{key}_maximum {unit}"][row] == pytest.approx(history[title].max(), rel=1e-12)
            assert table[f"{key}_minimum {unit}"][row] == pytest.approx(history[title].min(), rel=1e-12)
        wall = json.loads((results / "provenance.json").read_text())["wall_time_s"]
        assert table["wall_time [s]"][row] == pytest.approx(sum(wall.values()))
    assert table.loc[2, [title for title in table if title.endswith("[MPa]")]].isna().all()
    described = pd.read_csv(folder / "columns.csv", keep_default_na=False)
    assert list(described["column"]) == list(table.columns)
    assert described["meaning"].str.len().min() > 0


def test_problems_of_a_sweep_are_told_before_anything_is_written(vegard: Callable, folder: Path) -> None:
    (folder / "bad.yaml").write_text("base: base.yaml\naxes: {particle.radius: [2 um, 12 mm]}\n")
    outcome = vegard("sweep", "run", "bad.yaml")
    assert outcome.code == 2
    assert outcome.err == 'bad.yaml:2: axes.particle.radius[2]: "12 mm" is outside 0.1 um to 50 um\n'
    assert not Path("results").exists()


def test_a_dry_run_writes_nothing(vegard: Callable, folder: Path) -> None:
    assert "3 runs" in vegard("sweep", "plan", "quick.yaml", "--dry-run").out
    assert not Path("results").exists()


def test_one_task_by_its_number(vegard: Callable, folder: Path) -> None:
    vegard("sweep", "plan", "quick.yaml", "--output", "here")
    outcome = vegard("sweep", "task", "here", "2")
    assert outcome.code == 0
    assert states(Path("here")) == ["waiting", "finished", "waiting"]
    assert vegard("sweep", "task", "here", "2").out.startswith("run 2 is finished")
    assert vegard("sweep", "task", "here", "3").code == 5  # the exit code of the run itself
    assert "has 3 runs, no run 4" in vegard("sweep", "task", "here", "4").err


def start_engine(folder: Path) -> subprocess.Popen[str]:
    """The engine as a process of its own, once its first run writes output states."""
    command = [sys.executable, "-m", "solver.cli", "sweep", "run", "slow.yaml", "--jobs", "1"]
    engine = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not any(
        json.loads(path.read_text()).get("states", 0) > 3
        for path in folder.glob("results/slow/runs/*/results/status.json")
    ):
        assert engine.poll() is None, engine.communicate()[0]
        time.sleep(0.05)
    return engine


def test_ctrl_c_and_on_again(vegard: Callable, folder: Path) -> None:
    engine = start_engine(folder)
    engine.send_signal(signal.SIGINT)
    text, _ = engine.communicate(timeout=120)
    assert engine.returncode == 130
    assert "slow: 1 waiting, 1 interrupted" in text
    assert 'go on with "vegard sweep run results/slow"' in text
    assert states(Path("results/slow")) == ["interrupted", "waiting"]
    assert vegard("sweep", "run", "results/slow", "--jobs", "2").code == 0
    assert states(Path("results/slow")) == ["finished", "finished"]


def test_killed_with_its_run_and_on_again(vegard: Callable, folder: Path) -> None:
    engine = start_engine(folder)
    [attempt] = folder.glob("results/slow/runs/*/attempt.json")
    run = json.loads(attempt.read_text())["process"]
    engine.kill()
    os.kill(run, signal.SIGKILL)
    engine.communicate(timeout=120)
    assert states(Path("results/slow"))[0] == "running"  # nobody could write another word
    while "1 interrupted" not in vegard("sweep", "status", "slow.yaml").out:  # until the system has cleared it away
        time.sleep(0.05)
    assert vegard("sweep", "run", "results/slow").code == 0
    assert states(Path("results/slow")) == ["finished", "finished"]
