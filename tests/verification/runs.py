"""Runs of lithium alone through the time loop, and a recorder of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.solve.coupling import Uncoupled
from solver.solve.segments import Segment
from solver.solve.state import State, StepResult
from solver.solve.stepping import StepSettings, TimeLoop, at_times
from solver.solve.transport import Transport


@dataclass
class Recorder:
    """Keeps every attempted step and a copy of x at every output state."""

    steps: list[StepResult] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    fields: list[NDArray[np.float64]] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    imbalances: list[float] = field(default_factory=list)

    def on_step(self, result: StepResult) -> None:
        self.steps.append(result)

    def on_state(self, state: State) -> None:
        self.times.append(state.time)
        self.fields.append(state.stoichiometry.x.array.copy())
        self.means.append(state.mean_stoichiometry)
        self.imbalances.append(state.lithium_imbalance)


def adaptive(tolerance: float, initial: float = 1.0) -> StepSettings:
    """Error control alone; no other limit on the step."""
    return StepSettings(tolerance, largest_change=1.0, initial=initial, smallest=1e-9, largest=1e9)


def fixed(step: float) -> StepSettings:
    """Steps of one size, whatever the error."""
    return StepSettings(1e9, largest_change=1e9, initial=step, smallest=0.5 * step, largest=step)


def run_lithium(
    transport: Transport, segments: Sequence[Segment], settings: StepSettings, times: Sequence[float] = ()
) -> Recorder:
    """Runs lithium alone through segments."""
    recorder = Recorder()
    TimeLoop(Uncoupled(transport), segments, settings, [recorder]).run(at_times(times))
    return recorder
