"""The engine of this machine: as many runs side by side as there are cores and memory for.

It keeps no state of its own. What is to be done is read from the run folders, so an engine that was stopped, or killed,
is started again and goes on; runs that outlived it are waited for.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Protocol

import psutil

from meshes.store import default_store
from solver.sweep.tasks import Task, TaskStatus, end_task, start_task, stop, task_status

# Left for everything else on the machine.
_SPARE_MEMORY = 0.05
_TICK = 0.5


@dataclass(frozen=True)
class Resources:
    """What the runs may use together.

    Attributes:
        cores: Ranks at the same time.
        runs: Runs at the same time.
        memory: Memory [bytes]; None for what is free when a run is to be started.
    """

    cores: int
    runs: int
    memory: float | None = None


@dataclass
class Active:
    """A run under way.

    Attributes:
        task: The task.
        process: Its process.
        started: When it was started or found [s].
        child: The process as our child; None for a run that an earlier engine left behind.
    """

    task: Task
    process: psutil.Process
    child: Popen[bytes] | None
    started: float = field(default_factory=time.monotonic)

    def memory(self) -> float:
        """Resident memory of all its processes [bytes]."""
        try:
            family = [self.process, *self.process.children(recursive=True)]
        except psutil.Error:
            return 0.0
        return sum(_resident(member) for member in family)

    def join(self) -> int | None:
        """Wait for its end; returns the exit code where it is known."""
        if self.child is not None:
            return self.child.wait()
        return self.process.wait()  # psutil polls: it is no child of ours


@dataclass
class Outcome:
    """What an engine did.

    Attributes:
        finished: Runs that ended well.
        failed: Runs that did not, with the reason.
        interrupted: Runs that were stopped.
        elsewhere: Runs on other machines, left alone.
    """

    finished: list[Task] = field(default_factory=list)
    failed: list[tuple[Task, str]] = field(default_factory=list)
    interrupted: list[Task] = field(default_factory=list)
    elsewhere: list[Task] = field(default_factory=list)


class Watcher(Protocol):
    """Is told what an engine does."""

    def started(self, task: Task, note: str) -> None:
        """A run was started or found."""

    def ended(self, task: Task, status: TaskStatus, seconds: float) -> None:
        """A run ended."""

    def tick(self, active: Sequence[Active], waiting: int) -> None:
        """Some time went by."""


class Engine:
    """Runs tasks.

    Args:
        resources: What may be used.
        watcher: Is told what happens.
        has_mesh: Whether the store has the mesh of a key.
    """

    def __init__(self, resources: Resources, watcher: Watcher, has_mesh: Callable[[str], bool] | None = None) -> None:
        self._resources, self._watcher = resources, watcher
        self._has_mesh = has_mesh or _in_store
        self._waiting: list[Task] = []
        self._active: dict[Future[int | None], Active] = {}
        self._outcome = Outcome()

    def run(self, tasks: Sequence[Task], found: Sequence[tuple[Task, TaskStatus]] = ()) -> Outcome:
        """Run tasks until none is left; a run that fails does not stop the others.

        Args:
            tasks: What to run.
            found: Tasks that are running already: those on this machine are waited for, others left alone.

        Raises:
            KeyboardInterrupt: After all runs were stopped in order.
        """
        self._waiting = list(tasks)
        with ThreadPoolExecutor(max_workers=self._resources.runs + len(found) + 1) as pool:
            try:
                self._adopt(found, pool)
                while self._waiting or self._active:
                    self._start_what_fits(pool)
                    done, _ = wait(self._active, timeout=_TICK, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._end(self._active.pop(future), future.result())
                    self._watcher.tick(list(self._active.values()), len(self._waiting))
            except BaseException:
                self._stop_all()
                raise
        return self._outcome

    def _adopt(self, found: Sequence[tuple[Task, TaskStatus]], pool: ThreadPoolExecutor) -> None:
        for task, status in found:
            if status.host != socket.gethostname():
                self._outcome.elsewhere.append(task)
                continue
            try:
                active = Active(task, psutil.Process(status.process), None)
            except psutil.NoSuchProcess:  # it ended meanwhile
                self._waiting.append(task)
                continue
            self._active[pool.submit(active.join)] = active
            self._watcher.started(task, "goes on since before")

    def _start_what_fits(self, pool: ThreadPoolExecutor) -> None:
        while (task := self._next()) is not None:
            self._waiting.remove(task)
            child = start_task(task)
            active = Active(task, psutil.Process(child.pid), child)
            self._active[pool.submit(active.join)] = active
            self._watcher.started(task, "")

    def _next(self) -> Task | None:
        """The first waiting task there is room for; one whose mesh is just being made only when there is no other."""
        active = [entry.task for entry in self._active.values()]
        if not self._waiting or len(active) >= self._resources.runs:
            return None
        if not active:
            return self._waiting[0]  # alone on the machine it has all there is; the estimate may be too high
        cores, memory = self._resources.cores - sum(task.ranks for task in active), self._free_memory()
        fitting = [task for task in self._waiting if task.ranks <= cores and task.memory <= memory]
        being_made = {task.mesh for task in active}
        at_once = (task for task in fitting if task.mesh not in being_made or self._has_mesh(task.mesh))
        return next(at_once, fitting[0] if fitting else None)

    def _free_memory(self) -> float:
        """Memory for another run [bytes]: what the runs under way will still take is not free any more."""
        if self._resources.memory is not None:
            return self._resources.memory - sum(active.task.memory for active in self._active.values())
        machine = psutil.virtual_memory()
        promised = sum(max(0.0, active.task.memory - active.memory()) for active in self._active.values())
        return float(machine.available - _SPARE_MEMORY * machine.total - promised)

    def _end(self, active: Active, code: int | None) -> None:
        if active.child is not None:
            end_task(active.task, active.child.wait())
        status = task_status(active.task)
        self._note(active.task, status)
        self._watcher.ended(active.task, status, time.monotonic() - active.started)

    def _note(self, task: Task, status: TaskStatus) -> None:
        if status.state == "finished":
            self._outcome.finished.append(task)
        elif status.state == "failed":
            self._outcome.failed.append((task, status.reason))
        else:
            self._outcome.interrupted.append(task)

    def _stop_all(self) -> None:
        """Ends our runs; those of an earlier engine are stopped too, so that nothing goes on unseen."""
        actives = list(self._active.values())
        try:
            stop([active.process for active in actives])
        finally:
            for active in actives:
                if active.child is not None:
                    end_task(active.task, active.child.wait())


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0


def _in_store(key: str) -> bool:
    return (default_store() / f"{key}.json").exists()
