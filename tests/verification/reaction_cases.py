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
from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT
from solver.model.kinetics import ButlerVolmer
from solver.solve.coupling import Uncoupled
from solver.solve.phases import Phases
from solver.solve.reaction import ReactionStepSolver
from solver.solve.segments import End, Segment
from solver.solve.state import State, StepResult
from solver.solve.step_solver import even_flux, fast_reaction
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


def even_surface_error() -> float:
    """Overpotential of an isotropic sphere under a current against (2RT/F) asinh(i / 2 i0) with x at the surface."""
    reaction, rate = kinetics(), -2.0 / 3600.0
    transport = sphere(reacting(reaction))
    watch = run(transport, [Segment(200.0, "charge", rate=rate)])
    points = transport.stoichiometry.function_space.tabulate_dof_coordinates()
    surface = watch.fields[-1][np.linalg.norm(points, axis=1) > 0.999 * RADIUS].mean()
    current = -rate * transport.volume / transport.area / reaction.velocity_per_current
    exchange = float(reaction.exchange_current(np.array([surface]))[0][0])
    overpotential = 2 * GAS_CONSTANT * TEMPERATURE / FARADAY * np.arcsinh(current / (2 * exchange))
    return float(abs((watch.states[-1].potential - float(reaction.equilibrium(surface))) / overpotential - 1.0))


# A quick reaction leaves one stoichiometry on the surface; a film that takes 2 V, against which differences of the
# equilibrium voltage of 0.02 V are small, an even flux.
LIMITS = {
    "quick reaction": (kinetics(exchange=1e5), fast_reaction, even_flux),
    "thick film": (kinetics(film=1.0), even_flux, fast_reaction),
}


def distance_to_limit(name: str) -> float:
    """Largest difference of x to a limit over the difference between the two limits."""
    reaction, limit, other = LIMITS[name]
    segments = [Segment(60.0, "charge", rate=-1.0 / 3600.0)]
    surfaces = (reacting(reaction), limit, other)
    reacted, limited, opposite = (run(sphere(choice, axis_ratio=0.05), segments, adaptive(1e-5)) for choice in surfaces)
    close = np.abs(reacted.fields[-1] - limited.fields[-1]).max()
    return float(close / np.abs(reacted.fields[-1] - opposite.fields[-1]).max())


@dataclass(frozen=True)
class CycleOutcome:
    """How a charge, a hold, a rest and a discharge went.

    Attributes:
        watch: All that was seen.
        voltage_miss: Largest distance of a voltage from the end it was to meet [V].
        current_miss: The same of the current, over the wanted one.
        imbalance: Largest lithium imbalance (eq. 4.9).
        newton: Mean of the Newton steps of a time step.
    """

    watch: Watch
    voltage_miss: float
    current_miss: float
    imbalance: float
    newton: float


def charge_hold_rest_discharge() -> CycleOutcome:
    """1C to 4.2 V, held to C/20, ten minutes of rest, 1C to 3.4 V."""
    third = 1.0 / 3600.0
    segments = [
        Segment(6000.0, "charge", rate=-third, ends=(End("potential", 4.2, True, "4.2 V"),), must_end=True),
        Segment(9000.0, "hold", potential=4.2, ends=(End("rate", third / 20, False, "C/20"),), must_end=True),
        Segment(600.0, "rest", rate=0.0),
        Segment(9000.0, "discharge", rate=third, ends=(End("potential", 3.4, False, "3.4 V"),), must_end=True),
    ]
    watch = run(sphere(reacting(kinetics()), axis_ratio=0.2), segments)
    charged, held, _, discharged = watch.states[1:]
    return CycleOutcome(
        watch,
        max(abs(charged.potential - 4.2), abs(discharged.potential - 3.4)),
        abs(abs(held.rate) / (third / 20) - 1.0),
        max(state.lithium_imbalance for state in watch.states),
        float(np.mean([attempt.newton for attempt in watch.attempts if attempt.converged])),
    )
