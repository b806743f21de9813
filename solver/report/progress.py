"""Progress of a run on the console: time, state of charge, step, time left; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from solver.solve.state import State, StepResult

_LINE_EVERY = 10.0


class ProgressDisplay:
    """Shows how far a run is; an observer for rank 0.

    Args:
        output_states: Number of output states to come, the initial one included. They take nearly all the time, so the
            time left is reckoned by them.
        duration: Length of the protocol [s].
    """

    def __init__(self, output_states: int, duration: float) -> None:
        self._total, self._duration = output_states, duration
        self._start = self._said = time.monotonic()
        self._done = 0
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("starting", total=output_states, left="")
            self._bar.start()

    def on_step(self, result: StepResult) -> None:
        """Shows the latest time step."""
        text = (
            f"{result.time:8.5g} of {self._duration:.5g} s  SoC {100 * (1 - result.mean_stoichiometry):5.1f} %  "
            f"step {result.step:6.3g} s"
        )
        if self._bar is not None:
            self._bar.update(self._task, description=text)
        elif time.monotonic() - self._said > _LINE_EVERY:
            self._said = time.monotonic()
            print(f"{text}  {self._left()}", file=sys.stderr, flush=True)

    def on_state(self, state: State) -> None:
        """Counts an output state."""
        self._done = state.index + 1
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, left=self._left())

    def _left(self) -> str:
        if self._done < 2:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * max(self._total - self._done, 0)
        return f"state {self._done} of {self._total}, about {seconds:.0f} s left"

    def close(self) -> None:
        """Leaves the console as it was."""
        if self._bar is not None:
            self._bar.stop()
