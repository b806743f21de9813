"""The seam between a sweep and whatever runs it: its runs as tasks, what state they are in, how one is run.

An engine (the local one, a batch system) reads the tasks of a folder, picks those that are to be run, and for each
calls `run_task`, or `start_task` and, when the process has ended, `end_task`. A batch job calls
`vegard sweep task FOLDER INDEX`, which does the same in its own process. Every task is `vegard run` on the case of its
folder, as a child process with a log of its own; all that is known about it is read from files, so engines may come
and go, and several may look at the same sweep.

    runs/NAME/results/status.json   written by the run itself
    runs/NAME/attempt.json          written here: when, where and how the last attempt began and ended
    runs/NAME/output.log            what the last attempt printed

An attempt that was stopped and kept a checkpoint is gone on with (`vegard resume`), otherwise a run begins anew.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import psutil

from solver.errors import OutputError
from solver.output import folder as run_folder
from solver.output.files import write_json
from solver.sweep.plan import CASE, RESULTS, Plan

ATTEMPT, LOG = "attempt.json", "output.log"

State = Literal["waiting", "running", "finished", "failed", "interrupted"]
STATES: tuple[State, ...] = ("finished", "running", "waiting", "interrupted", "failed")
# A run that is stopped from outside ends with one of these: Ctrl-C, a batch system's signal, or time to start again.
STOPPED = frozenset({130, 143, 138, 75, -signal.SIGINT, -signal.SIGTERM, -signal.SIGUSR1})
GO_ON = 75
# One thread per process: runs side by side would otherwise fight for the cores.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1")
# Ranks of runs side by side must not be tied to the same cores.
_UNBOUND = {"OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none"}
_LAST_LINES = 3
_LONGEST_ERROR = 500


@dataclass(frozen=True)
class Task:
    """One run of a sweep as an engine sees it.

    Attributes:
        index: Number in the plan, from 1.
        name: Name of its folder.
        folder: Its folder, with `case.yaml` and, later, `results`.
        digest: What its results must carry to count as done.
        mesh: Key of its mesh.
        ranks: Processes.
        memory: Estimated peak over all ranks [bytes].
        seconds: Estimated time on one core [s], meshing included.
    """

    index: int
    name: str
    folder: Path
    digest: str
    mesh: str
    ranks: int
    memory: float
    seconds: float

    @property
    def case(self) -> Path:
        """Its case file."""
        return self.folder / CASE

    @property
    def results(self) -> Path:
        """Its results folder."""
        return self.folder / RESULTS


@dataclass(frozen=True)
class TaskStatus:
    """How far a task is.

    Attributes:
        state: What to do with it: waiting and interrupted tasks are to be run.
        reason: Why it failed or was interrupted; one line.
        host: Machine it runs or ran on.
        process: Process there, of a running task.
        progress: Time and state of charge reached, in words.
    """

    state: State
    reason: str = ""
    host: str = ""
    process: int = 0
    progress: str = ""


def tasks_of(plan: Plan) -> list[Task]:
    """The runs of a plan as tasks, in order."""
    return [
        Task(
            run.index,
            run.name,
            plan.run_folder(run),
            run.digest,
            run.mesh,
            run.ranks,
            run.memory,
            run.seconds + run.mesh_seconds,
        )
        for run in plan.runs
    ]


def task_status(task: Task, others_ended: bool = False) -> TaskStatus:
    """State of a task, read from its folder.

    Args:
        task: The task.
        others_ended: Whether nothing runs on other machines any more. Otherwise a run there is believed to go on,
            because nothing here can tell.

    Returns:
        Its state; a run whose process is gone is "interrupted".
    """
    attempt, status = _read(task.folder / ATTEMPT), _read(task.results / run_folder.STATUS)
    if status.get("program") != run_folder.PROGRAM:
        status = {}
    host, progress = str(status.get("host") or attempt.get("host") or ""), _progress(status)
    state = status.get("state")
    for process in _processes(task, attempt, status, others_ended):
        return TaskStatus("running", "", host, process, progress if state == run_folder.RUNNING else "")
    if state == run_folder.FINISHED:
        done = _read(task.results / "provenance.json").get("case", {}).get("digest") == task.digest
        return TaskStatus("finished", "", host) if done else TaskStatus("waiting", "its results are of another case")
    if state == run_folder.FAILED:
        return TaskStatus("failed", _one_line(str(status.get("reason") or "it failed without a word")), host)
    if attempt.get("exit_code") not in (None, 0, *STOPPED):
        return TaskStatus("failed", str(attempt.get("error", "")), host, 0, progress)
    if not status and not attempt:
        return TaskStatus("waiting")
    reason = "stopped" if state == run_folder.INTERRUPTED or "exit_code" in attempt else "its process ended"
    return TaskStatus("interrupted", reason, host, 0, progress)


def _processes(task: Task, attempt: dict[str, Any], status: dict[str, Any], others_ended: bool) -> Iterator[int]:
    """Processes that work on a task: of an attempt that has not ended, or of a run that was started by hand."""
    process = int(attempt.get("process") or 0)
    is_open = bool(attempt) and "exit_code" not in attempt and status.get("state") in (None, run_folder.RUNNING)
    if is_open and not _is_here(attempt) and not others_ended:
        yield process
    if "exit_code" not in attempt and _is_here(attempt) and _born(process) == attempt.get("born"):
        yield process
    if status.get("state") != run_folder.RUNNING:
        return
    process = int(status.get("process") or 0)
    if not _is_here(status) and not others_ended:
        yield process
    if _is_here(status) and psutil.pid_exists(process):
        # Another process may have the number by now; the folder's lock ends with the run itself.
        found = run_folder.read_status(task.results)
        if found is not None and found["state"] == run_folder.RUNNING:
            yield process


def _is_here(record: dict[str, Any]) -> bool:
    return record.get("host") == socket.gethostname()


def _born(process: int) -> float | None:
    """When a process was started, which tells it from a later one with its number; None when there is none."""
    try:
        found = psutil.Process(process)
        return found.create_time() if found.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError):
        return None


def task_command(task: Task) -> list[str]:
    """The command that runs a task: `vegard resume` where an attempt kept a checkpoint, else `vegard run` anew."""
    program, ranks = [sys.executable, "-m", "solver.cli"], f"--ranks={task.ranks}"
    if can_go_on(task):
        return [*program, "resume", ranks, "--", str(task.results)]
    force = ["--force"] if task.results.exists() else []
    return [*program, "run", f"--output={task.results}", ranks, *force, "--", str(task.case)]


def can_go_on(task: Task) -> bool:
    """Whether an attempt on this very case was stopped and kept a checkpoint. After a failure a run begins anew."""
    state = _read(task.results / run_folder.STATUS).get("state")
    same = _read(task.results / "provenance.json").get("case", {}).get("digest") == task.digest
    return state in (run_folder.RUNNING, run_folder.INTERRUPTED) and same and _latest_checkpoint(task).is_file()


def forget_checkpoint(task: Task) -> None:
    """Have a task begin anew."""
    _latest_checkpoint(task).unlink(missing_ok=True)


def _latest_checkpoint(task: Task) -> Path:
    return task.results / "checkpoint" / "latest.json"


def attempt_job(task: Task) -> str:
    """Job of the batch system that the last attempt on a task was part of, or an empty text."""
    return str(_read(task.folder / ATTEMPT).get("job", ""))


def _batch_job() -> str:
    """The job of Slurm that this process belongs to; tasks of an array as JOB_TASK."""
    array, number = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{number}" if array and number else os.environ.get("SLURM_JOB_ID", "")


def start_task(task: Task) -> subprocess.Popen[bytes]:
    """Start a task as a process with its own log, in a session of its own so that Ctrl-C does not reach it by itself.

    Raises:
        OutputError: When its folder cannot be written or the process not started.
    """
    environment = {**os.environ, **_ONE_THREAD, **(_UNBOUND if task.ranks > 1 else {})}
    try:
        attempt: dict[str, Any] = {"started": _now(), "host": socket.gethostname(), "job": _batch_job()}
        with (task.folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                task_command(task),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        write_json(task.folder / ATTEMPT, attempt | {"process": process.pid, "born": _born(process.pid)})
        return process
    except OSError as error:
        raise OutputError(f"{task.folder}: the run cannot be started ({error.strerror})") from error


def end_task(task: Task, exit_code: int) -> None:
    """Note how an attempt ended."""
    attempt = _read(task.folder / ATTEMPT)
    error = "" if exit_code == 0 else _error_text(task, exit_code)
    write_json(task.folder / ATTEMPT, attempt | {"ended": _now(), "exit_code": exit_code, "error": error})


def run_task(task: Task) -> int:
    """Run a task to its end; a signal that stops this process is passed on to it.

    Returns:
        Exit code of the run; 75 when SIGUSR1 stopped it and the next attempt goes on from its checkpoint.
    """
    process, asked = start_task(task), False

    def pass_on(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)

    before = signal.signal(signal.SIGUSR1, pass_on)
    try:
        code = process.wait()
    except BaseException:
        stop([psutil.Process(process.pid)])
        end_task(task, process.wait())
        raise
    finally:
        signal.signal(signal.SIGUSR1, before)
    if asked and code in STOPPED:
        code = GO_ON if can_go_on(task) else 128 + signal.SIGUSR1
    end_task(task, code)
    return code


def stop(processes: Sequence[psutil.Process], grace: float = 30.0) -> None:
    """End runs in order: a signal that lets a run close its results, and after some time one that does not.

    Args:
        processes: First process of each run.
        grace: Time between the two [s].
    """
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    deadline = time.monotonic() + grace
    try:
        # Looking, not waiting: the exit codes belong to whoever started the processes.
        while time.monotonic() < deadline and not all(map(_has_ended, processes)):
            time.sleep(0.05)
    finally:  # also on a second Ctrl-C
        for process in processes:
            if not _has_ended(process):
                _kill_family(process)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _kill_family(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def _error_text(task: Task, exit_code: int) -> str:
    """Why an attempt failed: what the run itself says, or else the end of its log."""
    if exit_code in STOPPED:
        return "stopped"
    if exit_code == -signal.SIGKILL:
        return f"killed by the system; its memory may not have sufficed (estimated {task.memory / 1e9:.1f} GB)"
    reason = _read(task.results / run_folder.STATUS).get("reason")
    if reason:
        return _one_line(str(reason))
    try:
        lines = (task.folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return _one_line("; ".join(lines[-_LAST_LINES:]) or f"it ended with code {exit_code} without a word")


def _progress(status: dict[str, Any]) -> str:
    charge, time = status.get("state_of_charge"), status.get("time")
    return f"{100 * charge:.0f} % SoC, {time:.0f} s" if isinstance(charge, float) and time is not None else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_ERROR]


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
