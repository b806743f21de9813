"""What a sweep shows while it runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from solver.sweep.engine import Active
from solver.sweep.tasks import Task, TaskStatus, task_status

_LINE_EVERY = 60.0
_MEGABYTE = 1e6


class Display:
    """Shows runs that start, go on and end.

    Args:
        total: Runs of the sweep.
        done: Runs that were finished before.
        console: Where to; by default standard error.
    """

    def __init__(self, total: int, done: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._total, self._done, self._failed = total, done, 0
        self._here = 0
        self._begin = self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}")
        )
        self._bar_task = self._bar.add_task("runs", total=total, completed=done, left="")
        self._live = Live(console=self._console, refresh_per_second=2, transient=True) if sys.stderr.isatty() else None

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, task: Task, note: str) -> None:
        """See `Watcher`."""
        if self._live is None:
            self._line(f"run {task.index} of {self._total}: {task.name}{' ' + note if note else ''}")

    def ended(self, task: Task, status: TaskStatus, seconds: float) -> None:
        """See `Watcher`."""
        self._here += 1
        self._done += status.state == "finished"
        self._failed += status.state == "failed"
        reason = f": {status.reason}" if status.reason else ""
        if self._live is None or status.state != "finished":
            self._line(
                f"run {task.index} of {self._total}: {status.state} after {_clock(seconds)}{reason}  {task.name}"
            )

    def tick(self, active: Sequence[Active], waiting: int) -> None:
        """See `Watcher`."""
        if self._live is not None:
            self._bar.update(self._bar_task, completed=self._done, left=self._left(len(active) + waiting))
            self._live.update(Group(self._table(active), self._bar))
        elif active and time.monotonic() - self._said > _LINE_EVERY:
            left = self._left(len(active) + waiting)
            self._line(f"{self._done} of {self._total} finished, {len(active)} running  {left}".rstrip())

    def _table(self, active: Sequence[Active]) -> Table:
        table = Table(box=None, pad_edge=False)
        for title in ("run", "name", "reached", "for", "memory"):
            table.add_column(title, no_wrap=title == "name")
        for entry in active:
            progress = task_status(entry.task).progress
            age, memory = _clock(time.monotonic() - entry.started), f"{entry.memory() / _MEGABYTE:.0f} MB"
            table.add_row(str(entry.task.index), entry.task.name, progress, age, memory)
        return table

    def _left(self, open_runs: int) -> str:
        """Time left by how long the runs of this engine took, failed ones included."""
        failed = f"{self._failed} failed, " if self._failed else ""
        if not self._here:
            return failed.rstrip(", ")
        return f"{failed}about {_clock((time.monotonic() - self._begin) / self._here * open_runs)} left"

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        self._console.print(text, markup=False, soft_wrap=True)


def _clock(seconds: float) -> str:
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 6000.0 else f"{seconds / 3600.0:.1f} h"
