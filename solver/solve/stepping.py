"""The time loop: walks a protocol in adaptive steps (eq. 3.8), hits wanted times exactly, and calls observers.

It knows no physics and no files: a coupling strategy tries and commits steps, observers take accepted states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solver.errors import SolveError
from solver.solve.coupling import Coupling
from solver.solve.guards import VOLTAGE_GUARD, Trial, step_problem
from solver.solve.memory import Memory
from solver.solve.segments import End, Reading, Segment
from solver.solve.state import Observer, State, StepResult
from solver.solve.transport import Attempt

NextOutput = Callable[[float], float]

_SAFETY = 0.85
_LARGEST_GROWTH = 2.0  # variable-step BDF2 is stable up to 1 + √2
_SMALLEST_FACTOR = 0.2


@dataclass(frozen=True)
class StepSettings:
    """Step-size control.

    Attributes:
        tolerance: Error of x allowed at any time [-].
        largest_change: Largest change of x in one step [-].
        initial: First step after a change of current [s].
        smallest: Step below which the run stops [s].
        largest: Largest step [s].
    """

    tolerance: float
    largest_change: float
    initial: float
    smallest: float
    largest: float

    @property
    def local_tolerance(self) -> float:
        """Local error allowed in one step [-].

        Local errors of a second-order formula add up to their power 2/3, so the error at the end follows the tolerance
        only if they follow its power 3/2. The factor keeps it at about a third of the tolerance (tests/verification).
        """
        return self.tolerance * min(1.0, (10.0 * self.tolerance) ** 0.5)


@dataclass(frozen=True)
class Place:
    """Where in its protocol a run is, between two steps: everything besides the fields that it needs to go on.

    Attributes:
        time: Seconds since the start.
        began: When the protocol step began [s].
        segment: Its number, from 1.
        stretch: Number of the stretch of it between two jumps of the current, from 0.
        step: Step size to go on with [s].
        states: Output states shown.
        expected: Lithium that there should be [µm³].
        initial: Lithium that there was at the start [µm³].
        reading: Potential [V], rate [1/s] and state of charge.
        seen: The same at the start of the stretch.
    """

    time: float
    began: float
    segment: int
    stretch: int
    step: float
    states: int
    expected: float
    initial: float
    reading: Reading
    seen: Reading


class Keeper(Protocol):
    """Is asked between any two steps, on all ranks, whether it wants to keep the place."""

    def pass_by(self, place: Place) -> None:
        """May keep the place, and may stop the run by raising an error."""


class _KeepsNothing:
    def pass_by(self, place: Place) -> None:
        """Nothing."""


def at_times(times: Sequence[float]) -> NextOutput:
    """Output at given times [s]."""
    ordered = np.sort(np.append(np.asarray(times, dtype=float), np.inf))
    return lambda time: float(ordered[np.searchsorted(ordered, time, side="right")])


def every(interval: float) -> NextOutput:
    """Output at the multiples of an interval [s]."""
    return lambda time: float((np.floor(time / interval * (1.0 + 1e-9)) + 1.0) * interval)


class TimeLoop:
    """Runs the segments of a protocol one after the other."""

    def __init__(
        self,
        coupling: Coupling,
        segments: Sequence[Segment],
        settings: StepSettings,
        observers: Sequence[Observer],
        keeper: Keeper | None = None,
    ) -> None:
        self._coupling, self._segments, self._settings = coupling, segments, settings
        self._observers, self._keeper = observers, keeper or _KeepsNothing()
        self._transport = coupling.transport
        self._initial_lithium = self._expected = self._transport.lithium()
        self._time, self._began, self._states = 0.0, 0.0, 0
        self._reading = self._seen = Reading(self._transport.potential(), 0.0, self._state_of_charge())

    def run(self, next_output: NextOutput, kept: tuple[Place, Memory] | None = None) -> None:
        """Runs all segments and shows the initial state, states at output times, and the ends of segments.

        Args:
            next_output: Gives the first output time after a time.
            kept: Where a run that was stopped was, and what it remembers; from the start when None.

        Raises:
            SolveError: When a step fails for good; the last accepted state has been shown to the observers.
        """
        if kept is None:
            self._show(0, "start")
        first = 1 if kept is None else kept[0].segment
        for number, segment in enumerate(self._segments[first - 1 :], start=first):
            self._show(number, self._walk(number, segment, next_output, kept if number == first else None))

    def _walk(
        self, number: int, segment: Segment, next_output: NextOutput, kept: tuple[Place, Memory] | None = None
    ) -> str:
        """Advances to the end of a segment, from its start or from a place in it; returns why it ended."""
        self._began = self._time if kept is None else kept[0].began
        first = 0 if kept is None else kept[0].stretch
        starts = [0.0, *segment.stops]
        for stretch, stop in enumerate(segment.stops[first:], start=first):
            if kept is not None and stretch == first:
                step = self._go_on(segment, starts[stretch], *kept)
            else:
                self._begin(segment, starts[stretch])
                step = min(self._settings.initial, self._began + stop - self._time)
            segment = segment.seen_from(self._seen)
            met = self._stretch((number, stretch), segment, stop, step, next_output)
            if met is not None:
                return met.text
        if segment.must_end:
            self._give_up(number, f"the end asked for was not met within {segment.duration:.6g} s")
        return "time"

    def _begin(self, segment: Segment, elapsed: float) -> None:
        """Imposes a segment, at its start or at a jump of its current."""
        segment.begin(self._transport, elapsed)
        self._reading = self._seen = Reading(
            self._transport.potential(), segment.rate_at(elapsed), self._state_of_charge()
        )

    def _go_on(self, segment: Segment, elapsed: float, place: Place, memory: Memory) -> float:
        """Imposes a segment and goes back to a place in it; returns the step size to go on with."""
        segment.begin(self._transport, elapsed)
        self._coupling.recall(memory)
        self._time, self._states = place.time, place.states
        self._expected, self._initial_lithium = place.expected, place.initial
        self._reading, self._seen = place.reading, place.seen
        return place.step

    def _stretch(
        self, where: tuple[int, int], segment: Segment, stop: float, step: float, next_output: NextOutput
    ) -> End | None:
        """Advances to a time after the start of a segment, showing states on the way; returns the end met, if any."""
        finish = self._began + stop
        met = segment.reached(self._reading)
        while met is None and self._time < finish:
            goal = next_output(self._time)
            goal = finish if goal > finish - 1e-9 * segment.duration else goal
            step, met = self._advance(goal, step, where, segment)
            if met is None and goal < finish:
                self._show(where[0], "")
        return met

    def _advance(self, goal: float, step: float, where: tuple[int, int], segment: Segment) -> tuple[float, End | None]:
        """Steps until `goal` is hit or an end is met; returns the step size to go on with, and the end."""
        number = where[0]
        longest = np.inf  # no step may go beyond an end that was seen on the way
        while self._time < goal:
            if longest == np.inf:
                self._keeper.pass_by(self._place(where, step))
            left = goal - self._time
            size, last = min(step, longest), False
            if left <= size * (1 + 1e-9):
                size, last = left, True
            elif left < 2 * size:
                size = left / 2  # two even steps rather than a long and a tiny one
            attempt = self._coupling.attempt(size)
            after = Reading(attempt.potential, attempt.inflow, 1.0 - attempt.lithium / self._transport.volume)
            trial = Trial(attempt, self._reading, after, size)
            problem = self._problem(trial)
            factor = self._factor(attempt)
            share = None if problem else segment.overshoot(self._reading, after)
            if share is not None and size > self._settings.smallest:
                longest = size * share
                self._report(number, trial, "looking for the end of the step")
                continue
            self._report(number, trial, problem)
            if problem:
                step = size * min(0.5, factor)
                if step < self._settings.smallest:
                    self._give_up(number, f"{problem}; the step size fell to {step:.1e} s, below numerics.minimum_step")
                continue
            self._accept(goal if last else self._time + size, attempt, segment)
            self._reading, longest = after, np.inf
            step = min(max(size * factor, step if last else 0.0), self._settings.largest)
            met = segment.reached(after)
            if met is not None or share is not None:
                return step, met or segment.ends[0]
        return step, None

    def _place(self, where: tuple[int, int], step: float) -> Place:
        return Place(
            time=self._time,
            began=self._began,
            segment=where[0],
            stretch=where[1],
            step=step,
            states=self._states,
            expected=self._expected,
            initial=self._initial_lithium,
            reading=self._reading,
            seen=self._seen,
        )

    def _accept(self, time: float, attempt: Attempt, segment: Segment) -> None:
        self._coupling.commit()
        # A held outside takes what it takes: only a given current says how much lithium there should be.
        gain = segment.gain(self._time - self._began, time - self._began)
        self._expected = attempt.lithium if gain is None else self._expected + gain * self._transport.volume
        self._time = time

    def _state_of_charge(self) -> float:
        return 1.0 - self._transport.lithium() / self._transport.volume

    def _problem(self, trial: Trial) -> str:
        """Why a trial state must not be accepted; empty when it may."""
        attempt, settings = trial.attempt, self._settings
        problem = step_problem(trial)
        if not problem and attempt.error > settings.local_tolerance:
            return f"error {attempt.error:.1e} above {settings.local_tolerance:.1e}"
        if not problem and attempt.change > 1.1 * settings.largest_change:
            return f"x would change by {attempt.change:.3f}, more than {settings.largest_change:.3f}"
        may_shrink = trial.size > settings.initial and trial.size * _SMALLEST_FACTOR > settings.smallest
        return problem or (VOLTAGE_GUARD.problem(trial) if may_shrink else "")

    def _factor(self, attempt: Attempt) -> float:
        """Growth of the step that meets error and change limits."""
        if not attempt.converged or not np.isfinite(attempt.error):
            return 0.5
        by_error = (self._settings.local_tolerance / max(attempt.error, 1e-300)) ** (1.0 / (attempt.order + 1))
        by_change = self._settings.largest_change / max(attempt.change, 1e-300)
        return float(np.clip(_SAFETY * min(by_error, by_change), _SMALLEST_FACTOR, _LARGEST_GROWTH))

    def _report(self, number: int, trial: Trial, problem: str) -> None:
        attempt = trial.attempt
        result = StepResult(
            time=self._time,
            step=trial.size,
            step_number=number,
            accepted=not problem,
            reason=problem,
            error=attempt.error / self._settings.local_tolerance,
            change=attempt.change,
            iterations=attempt.iterations,
            outer=attempt.outer,
            mean_stoichiometry=attempt.lithium / self._transport.volume,
            warning="" if problem else VOLTAGE_GUARD.problem(trial),
            potential=trial.after.potential,
            rate=trial.after.rate,
        )
        for observer in self._observers:
            observer.on_step(result)

    def _show(self, number: int, ended: str) -> None:
        transport, response = self._transport, self._coupling.response()
        lithium = transport.lithium()
        mean = lithium / transport.volume
        state = State(
            index=self._states,
            time=self._time,
            step_number=number,
            state_of_charge=1.0 - mean,
            mean_stoichiometry=mean,
            potential=self._reading.potential,
            rate=self._reading.rate,
            ended=ended,
            lithium_imbalance=abs(lithium - self._expected) / abs(self._initial_lithium),
            energy_imbalance=response.energy_imbalance,
            stoichiometry=transport.stoichiometry if response.stoichiometry is None else response.stoichiometry,
            outside=transport.outside,
            displacement=response.displacement,
            stress=response.stress,
            mismatch=response.mismatch,
            surroundings=response.surroundings,
        )
        self._states += 1
        for observer in self._observers:
            observer.on_state(state)

    def _give_up(self, number: int, problem: str) -> None:
        """Shows the last accepted state, then stops with a diagnosis."""
        self._show(number, "failed")
        text = self._segments[number - 1].text
        raise SolveError(
            f'step {number} ("{text}") stopped at {self._time:.6g} s: {problem}; '
            f"the last accepted state is kept. Lower the C-rate or the state-of-charge "
            "target, or give a smaller particle or a larger diffusivity"
        )
