"""The surface reaction with known answers: the overpotential of an even surface, its two limits, a whole protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from boxes import ball, domain_of
from diffusion_cases import DIFFUSIVITY, RADIUS
from numpy.typing import NDArray
from runs import adaptive

from solver.materials import EquilibriumVoltage, OpenCircuit
from solver.model.kinetics import ButlerVolmer
from solver.solve.coupling import Uncoupled
from solver.solve.phases import Phases
from solver.solve.reaction import ReactionStepSolver
from solver.solve.segments import Segment
from solver.solve.state import State, StepResult
from solver.solve.stepping import StepSettings, TimeLoop, at_times
from solver.solve.transport import Attempt, SurfaceChoice, Transport

Array = NDArray[np.float64]

TEMPERATURE = 298.15
SITES = 49061.0
FULL = 0.9


def voltage() -> EquilibriumVoltage:
    """A smooth falling curve, 4.4 V empty, 3.4 V full."""
    curve = OpenCircuit("smooth", (0.05, 0.98), lambda x: 4.4 - np.asarray(x) + 0.05 * np.sin(5.0 * np.asarray(x)))
    return EquilibriumVoltage(curve, TEMPERATURE)


def kinetics(exchange: float = 3.0, film: float = 0.0, transfer: float = 0.5) -> ButlerVolmer:
    """A reaction with chosen numbers."""
    return ButlerVolmer(voltage(), exchange, transfer, film, TEMPERATURE, SITES)


def reacting(reaction: ButlerVolmer) -> SurfaceChoice:
    """Steps with a reaction."""
    return partial(_reaction_solver, reaction)


def _reaction_solver(reaction: ButlerVolmer, diffusion: object, rows: object) -> ReactionStepSolver:
    return ReactionStepSolver(diffusion, rows, reaction)  # type: ignore[arg-type]


def sphere(surface: SurfaceChoice, levels: int = 5, axis_ratio: float = 1.0, initial: float = FULL) -> Transport:
    """A sphere of one grain; with an axis ratio below 1 it is slow along c, so that its surface is uneven."""
    domain = domain_of(ball(levels, RADIUS), [[0, 0, 1]])
    return Transport(domain, DIFFUSIVITY, axis_ratio * DIFFUSIVITY, initial=initial, surface=surface, phases=Phases())


@dataclass
class Watch:
    """Keeps readings of states, attempted steps and attempts."""

    states: list[State] = field(default_factory=list)
    fields: list[Array] = field(default_factory=list)
    steps: list[StepResult] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)

    def on_state(self, state: State) -> None:
        self.states.append(state)
        self.fields.append(state.stoichiometry.x.array.copy())

    def on_step(self, result: StepResult) -> None:
        self.steps.append(result)


class WatchedCoupling(Uncoupled):
    """Hands every attempt to a watch."""

    def __init__(self, transport: Transport, watch: Watch) -> None:
        super().__init__(transport)
        self._watch = watch

    def attempt(self, step: float) -> Attempt:
        found = super().attempt(step)
        self._watch.attempts.append(found)
        return found


def run(transport: Transport, segments: list[Segment], settings: StepSettings | None = None) -> Watch:
    """Runs lithium alone through segments."""
    watch = Watch()
    coupling = WatchedCoupling(transport, watch)
    TimeLoop(coupling, segments, settings or adaptive(1e-3), [watch]).run(at_times([]))
    return watch
