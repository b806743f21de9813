"""The time loop with scripted attempts: what it accepts, rejects, halves and gives up on; no finite elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from solver.errors import SolveError
from solver.solve.coupling import OneWay, Response
from solver.solve.elastic_solver import LinearReport
from solver.solve.segments import Segment
from solver.solve.state import State, StepResult
from solver.solve.stepping import StepSettings, TimeLoop, at_times
from solver.solve.transport import Attempt

SETTINGS = StepSettings(tolerance=1e-2, largest_change=0.05, initial=1.0, smallest=0.01, largest=100.0)
FINE = Attempt(converged=True, iterations=3, error=1e-9, order=2, change=1e-3, lowest=0.5, highest=0.9, lithium=0.8)


@dataclass
class ScriptedTransport:
    """A particle of one number; lithium follows the rate it is driven at."""

    volume: float = 1.0
    content: float = 0.9
    rate: float = 0.0
    stoichiometry: None = None
    outside: float = 0.9

    def lithium(self) -> float:
        return self.content

    def drive(self, rate: float) -> None:
        self.rate = rate

    def hold(self, stoichiometry: float) -> None:
        self.content = stoichiometry

    def potential(self) -> float:
        return 5.0 - self.content


@dataclass
class ScriptedCoupling:
    """Answers attempts by a function of the step size."""

    answer: Callable[[float], Attempt]
    transport: ScriptedTransport = field(default_factory=ScriptedTransport)
    tried: list[float] = field(default_factory=list)

    def attempt(self, step: float) -> Attempt:
        self.tried.append(step)
        return self.answer(step)

    def commit(self) -> None:
        self.transport.content += self.tried[-1] * self.transport.rate

    def response(self) -> Response:
        return Response()


@dataclass
class Watcher:
    states: list[State] = field(default_factory=list)
    steps: list[StepResult] = field(default_factory=list)

    def on_state(self, state: State) -> None:
        self.states.append(state)

    def on_step(self, result: StepResult) -> None:
        self.steps.append(result)


def run(answer, segments, times=(), settings=SETTINGS):
    coupling, watcher = ScriptedCoupling(answer), Watcher()
    TimeLoop(coupling, segments, settings, [watcher]).run(at_times(times))
    return coupling, watcher


def test_wanted_times_and_ends_are_hit_exactly():
    segments = [Segment(10.0, "charge", rate=-0.01), Segment(5.0, "rest", rate=0.0)]
    _, watcher = run(lambda step: FINE, segments, [3.3, 7.7, 12.0])
    assert [state.time for state in watcher.states] == [0.0, 3.3, 7.7, 10.0, 12.0, 15.0]
    assert [state.step_number for state in watcher.states] == [0, 1, 1, 1, 2, 2]


def test_steps_grow_to_the_largest_but_never_faster_than_twice():
    _, watcher = run(lambda step: FINE, [Segment(1000.0, "rest", rate=0.0)])
    steps = [step.step for step in watcher.steps]
    assert max(steps) <= SETTINGS.largest
    assert max(steps) > 50.0
    assert all(later <= 2.0 * earlier * (1 + 1e-12) for earlier, later in pairwise(steps))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Attempt(converged=False, iterations=2000), "did not converge"),
        (Attempt(True, 3, error=float("nan")), "not finite"),
        (Attempt(True, 3, error=1.0, order=2, lowest=0.5, highest=0.9), "error"),
        (Attempt(True, 3, error=1e-9, change=0.2, lowest=0.5, highest=0.9), "x would change by"),
    ],
)
def test_bad_attempts_are_rejected_and_the_step_halved(bad, reason):
    coupling, watcher = run(lambda step: bad if step > 0.3 else FINE, [Segment(1.0, "charge", rate=-0.01)])
    rejected = [step for step in watcher.steps if not step.accepted]
    assert rejected
    assert all(reason in step.reason for step in rejected)
    assert rejected[0].step == 1.0
    assert coupling.tried[1] <= 0.5
    assert coupling.transport.content == pytest.approx(0.89)


def test_a_step_that_never_works_ends_with_a_diagnosis_and_the_last_state():
    empty = Attempt(True, 3, error=1e-9, change=0.01, lowest=-0.3, highest=0.9)
    calls = []

    def answer(step: float) -> Attempt:
        calls.append(step)
        return FINE if len(calls) <= 2 else empty

    coupling, watcher = ScriptedCoupling(answer), Watcher()
    loop = TimeLoop(coupling, [Segment(100.0, "Charge at 5C until 90 % SoC", rate=-0.001)], SETTINGS, [watcher])
    with pytest.raises(SolveError) as failure:
        loop.run(at_times([]))
    text = str(failure.value)
    assert 'step 1 ("Charge at 5C until 90 % SoC") stopped at 3 s' in text
    assert "surface is empty" in text
    assert "Lower the C-rate" in text
    assert watcher.states[-1].time == pytest.approx(3.0)
    assert watcher.states[-1].mean_stoichiometry == pytest.approx(0.9 - 0.003)


def test_an_overfull_surface_is_rejected():
    full = Attempt(True, 3, error=1e-9, change=0.01, lowest=0.5, highest=1.2)
    with pytest.raises(SolveError, match="surface is full"):
        run(lambda step: full, [Segment(10.0, "Discharge at 1C", rate=0.01)])


@dataclass
class FailingMechanics:
    """Elastic solves that fail a given number of times."""

    failures: int
    calls: int = 0
    displacement: None = None

    def solve(self, stoichiometry) -> LinearReport:
        self.calls += 1
        converged = self.calls > self.failures
        return LinearReport(200, converged, 2 if converged else -3)

    def stress(self) -> str:
        return "stress"

    def mismatch(self, mean: float) -> str:
        return "mismatch"


def test_a_failed_elastic_solve_is_tried_again_then_explained():
    assert OneWay(ScriptedTransport(), FailingMechanics(1)).response().stress == "stress"
    with pytest.raises(SolveError, match=r"failed after 200 iterations \(PETSc reason -3\)"):
        OneWay(ScriptedTransport(), FailingMechanics(2)).response()


def test_a_jump_of_the_voltage_is_resolved_then_told():
    # Below one second, the first step of the settings, a change of 0.2 V is taken with a warning.
    volts = iter(range(1, 1000))

    def answer(step: float) -> Attempt:
        return replace(FINE, potential=4.1 + 0.2 * next(volts) if step < 1.5 else 9.9)

    _, watcher = run(answer, [Segment(6.0, "rest", rate=0.0)], settings=replace(SETTINGS, initial=1.0))
    rejected = [step for step in watcher.steps if not step.accepted]
    assert rejected
    assert all("the voltage would change by" in step.reason for step in rejected)
    assert all(step.step > 1.0 for step in rejected)
    assert any("the voltage would change by 0.200 V" in step.warning for step in watcher.steps if step.accepted)
