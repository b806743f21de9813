"""The engine and the states of tasks, with small programs in place of the solver."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from mpi4py import MPI

from solver.output.folder import RunFolder
from solver.sweep import engine as engine_module
from solver.sweep import tasks as tasks_module
from solver.sweep.engine import Active, Engine, Resources
from solver.sweep.tasks import Task, TaskStatus, end_task, start_task, stop, task_status

# A stand-in for `vegard run`: writes the files that a run writes, and does what NAME.do says in between.
PROGRAM = """
import json, sys, time, pathlib, signal, os
folder, digest, what = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
results = folder / "results"
results.mkdir(exist_ok=True)
def status(state, reason=""):
    (results / "status.json").write_text(json.dumps({"program": "vegard", "state": state, "reason": reason,
        "host": __import__("socket").gethostname(), "process": os.getpid()}))
def stopped(*_):
    status("interrupted"); sys.exit(130)
signal.signal(signal.SIGTERM, stopped)
status("running")
exec(what)
(results / "provenance.json").write_text(json.dumps({"case": {"digest": digest}}))
status("finished")
"""
GOOD = "time.sleep(0.2)"
BAD = "status('failed', 'the step size fell'); sys.exit(5)"
LONG = "time.sleep(60)"


class Silent:
    """A watcher that counts."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.active = self.most = 0

    def started(self, task: Task, note: str) -> None:
        self.names.append(task.name)
        self.active += 1
        self.most = max(self.most, self.active)

    def ended(self, task: Task, status: TaskStatus, seconds: float) -> None:
        self.active -= 1

    def tick(self, active: Sequence[Active], waiting: int) -> None:
        pass


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Task]]:
    """Tasks that run the stand-in; called with what each is to do."""
    doing: dict[str, str] = {}

    def command(task: Task) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(task.folder), task.digest, doing[task.name]]

    monkeypatch.setattr(tasks_module, "task_command", command)

    def tasks(*what: str) -> list[Task]:
        made = []
        for number, action in enumerate(what, start=1):
            folder = tmp_path / f"run{number}"
            folder.mkdir(exist_ok=True)
            doing[folder.name] = action
            made.append(Task(number, folder.name, folder, f"d{number}", f"mesh{number}", 1, 1e6, 1.0))
        return made

    return tasks


def run(tasks: Sequence[Task], runs: int = 2, memory: float | None = 1e9, watcher: Silent | None = None) -> int:
    """Runs tasks; returns how many were under way at once."""
    watcher = watcher or Silent()
    Engine(Resources(runs, runs, memory), watcher, lambda key: False).run(tasks)
    return watcher.most


def states(tasks: Sequence[Task]) -> list[str]:
    return [task_status(task).state for task in tasks]


def test_all_are_run_as_many_at_once_as_allowed(make: Callable[..., list[Task]]) -> None:
    tasks = make(*[GOOD] * 5)
    assert states(tasks) == ["waiting"] * 5
    assert run(tasks, runs=2) == 2
    assert states(tasks) == ["finished"] * 5


def test_a_failure_keeps_its_error_and_stops_nobody(make: Callable[..., list[Task]]) -> None:
    tasks = make(BAD, GOOD, "print('no such solver'); sys.exit(1)", "os.kill(os.getpid(), 9)", GOOD)
    run(tasks)
    assert states(tasks) == ["failed", "finished", "failed", "failed", "finished"]
    assert task_status(tasks[0]).reason == "the step size fell"
    assert task_status(tasks[2]).reason == "no such solver"
    assert "memory may not have sufficed" in task_status(tasks[3]).reason


def test_memory_is_not_promised_twice(make: Callable[..., list[Task]]) -> None:
    tasks = [replace(task, memory=0.6e9) for task in make(*[GOOD] * 3)]
    assert run(tasks, runs=3, memory=1e9) == 1
    assert states(tasks) == ["finished"] * 3


def test_a_task_too_large_for_the_memory_runs_alone(make: Callable[..., list[Task]]) -> None:
    first, second = make(GOOD, GOOD)
    assert run([first, replace(second, memory=5e9)]) == 1
    assert states([first, second]) == ["finished", "finished"]


def test_free_memory_counts_what_runs_will_still_take(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., list[Task]]
) -> None:
    [task] = make(GOOD)
    engine = Engine(Resources(2, 2), Silent())
    free = engine._free_memory()
    active = Active(replace(task, memory=1e12), psutil.Process(), None)
    engine._active = {object(): active}  # type: ignore[dict-item]
    assert engine._free_memory() < free - 0.9e12


def test_ranks_fill_the_cores(make: Callable[..., list[Task]]) -> None:
    tasks = [replace(task, ranks=2) for task in make(*[GOOD] * 3)]
    assert run(tasks, runs=3) == 1  # 3 cores, two runs of 2 ranks do not fit side by side


def test_runs_of_other_meshes_go_first_while_a_mesh_is_made(make: Callable[..., list[Task]]) -> None:
    watcher = Silent()
    tasks = [replace(task, mesh=mesh) for task, mesh in zip(make(*[GOOD] * 4), "AABB")]
    run(tasks, watcher=watcher)
    assert watcher.names[:2] == ["run1", "run3"]


def test_ctrl_c_stops_the_runs_in_order(make: Callable[..., list[Task]]) -> None:
    tasks = make(LONG, LONG, GOOD)

    class Impatient(Silent):
        def tick(self, active: Sequence[Active], waiting: int) -> None:
            if all((entry.task.results / "status.json").exists() for entry in active):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tasks, watcher=Impatient())
    assert states(tasks) == ["interrupted", "interrupted", "waiting"]
    assert json.loads((tasks[0].folder / "attempt.json").read_text())["exit_code"] == 130


def test_a_run_that_does_not_listen_is_killed(make: Callable[..., list[Task]]) -> None:
    [task] = make("signal.signal(signal.SIGTERM, signal.SIG_IGN); (results / 'deaf').touch(); time.sleep(60)")
    child = start_task(task)
    while not (task.results / "deaf").exists():
        time.sleep(0.02)
    stop([psutil.Process(child.pid)], grace=0.2)
    assert child.wait(10) == -signal.SIGKILL


def test_a_run_that_outlived_its_engine_is_waited_for(make: Callable[..., list[Task]]) -> None:
    first, second = make("time.sleep(1.5)", GOOD)
    child = start_task(first)  # by an engine that is killed before it can note the end
    while task_status(first).state != "running" or not (first.results / "status.json").exists():
        time.sleep(0.02)
    status = task_status(first)
    assert (status.host, status.process) == (socket.gethostname(), child.pid)
    watcher = Silent()
    outcome = Engine(Resources(2, 2, 1e9), watcher, lambda key: False).run([second], [(first, status)])
    assert [task.name for task in outcome.finished] == ["run2", "run1"]
    assert watcher.names == ["run1", "run2"]
    child.wait(10)


def test_a_run_whose_process_is_gone_is_interrupted(make: Callable[..., list[Task]]) -> None:
    [task] = make(LONG)
    child = start_task(task)
    while task_status(task).state != "running" or not (task.results / "status.json").exists():
        time.sleep(0.02)
    child.kill()
    child.wait(10)
    assert task_status(task).state == "interrupted"
    # Another process with its number is not taken for it.
    attempt = json.loads((task.folder / "attempt.json").read_text())
    (task.folder / "attempt.json").write_text(json.dumps(attempt | {"process": os.getpid()}))
    assert task_status(task).state == "interrupted"


def test_a_run_on_another_machine_is_left_alone(make: Callable[..., list[Task]]) -> None:
    [task] = make(GOOD)
    task.results.mkdir()
    record = {"program": "vegard", "state": "running", "host": "elsewhere", "process": 1}
    (task.results / "status.json").write_text(json.dumps(record))
    status = task_status(task)
    assert (status.state, status.host) == ("running", "elsewhere")
    assert task_status(task, others_ended=True).state == "interrupted"
    outcome = Engine(Resources(1, 1, 1e9), Silent()).run([], [(task, status)])
    assert outcome.elsewhere == [task]


def test_a_run_started_by_hand_is_seen(make: Callable[..., list[Task]]) -> None:
    [task] = make(GOOD)
    with RunFolder(task.results, MPI.COMM_SELF):
        assert task_status(task).state == "running"
    assert task_status(task).state == "waiting"  # finished, but of what case nobody knows


def test_results_of_another_case_do_not_count(make: Callable[..., list[Task]]) -> None:
    [task] = make(GOOD)
    run([task])
    assert task_status(task).state == "finished"
    assert task_status(replace(task, digest="other")).state == "waiting"


def test_a_failure_before_the_results_folder_shows_the_log(make: Callable[..., list[Task]]) -> None:
    [task] = make(GOOD)
    (task.folder / "attempt.json").write_text(json.dumps({"started": "now", "host": socket.gethostname()}))
    (task.folder / "output.log").write_text("first\ncase.yaml:3: wrong\n")
    end_task(task, 2)
    assert task_status(task) == TaskStatus("failed", "first; case.yaml:3: wrong", socket.gethostname())


def test_the_command_is_an_ordinary_run_on_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(1, "a", tmp_path, "d", "m", 3, 1.0, 1.0)
    command = tasks_module.task_command(task)
    assert command[1:4] == ["-m", "solver.cli", "run"]
    assert {"--ranks=3", str(tmp_path / "case.yaml")} <= set(command)
    assert "--force" not in command
    task.results.mkdir()
    assert "--force" in tasks_module.task_command(task)
    environments = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda *_, env, **__: environments.append(env) or subprocess_of_this_test()
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    start_task(task)
    assert environments[0]["OMP_NUM_THREADS"] == "1"


def subprocess_of_this_test() -> object:
    return type("Process", (), {"pid": os.getpid()})()


def test_the_store_is_asked_for_meshes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path))
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "abc.json").touch()
    assert engine_module._in_store("abc")
    assert not engine_module._in_store("abd")
