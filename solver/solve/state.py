"""What the time loop hands out: accepted states, the outcome of each step attempt, and who may listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dolfinx import fem

from solver.solve.stress import StressSample
from solver.solve.surroundings_state import SurroundingsState


@dataclass(frozen=True)
class State:
    """An accepted state. Functions are live views: read them during the call, copy what must last.

    Attributes:
        index: Running number of the output state, from 0 (the initial state).
        time: Seconds since the start of the protocol.
        step_number: Protocol step the state belongs to, from 1; 0 for the initial state.
        state_of_charge: 1 − mean stoichiometry (eq. 3.5).
        mean_stoichiometry: Volume mean of x over the particle.
        lithium_imbalance: |lithium in the particle − lithium expected from the flux| / (volume × initial x) (eq. 4.9).
        energy_imbalance: Free energy not accounted for, relative (eq. 13.11); NaN where stress does not act back.
        stoichiometry: x, P1; with jumps between grains where a boundary hinders lithium or stress acts back.
        outside: Stoichiometry that the outside is in equilibrium with (eq. 8.3); NaN when there is no single one.
        potential: Potential of the particle [V]; NaN when the material has no voltage or the surface has several.
        rate: Rate of the mean stoichiometry [1/s]; NaN where it jumps.
        ended: Why the protocol step ended with this state; "" inside a step.
        displacement: Displacement [µm], P2; None when the case asks for no mechanics (`coupling: none`).
        stress: Stress of the actual lithium field; None without mechanics.
        mismatch: Stress of the same particle at uniform x = mean; `stress − mismatch` is the gradient part (eq. 2.7).
        surroundings: What became of matrix and interface; None where neither has a memory.
    """

    index: int
    time: float
    step_number: int
    state_of_charge: float
    mean_stoichiometry: float
    lithium_imbalance: float
    stoichiometry: fem.Function
    outside: float = float("nan")
    potential: float = float("nan")
    rate: float = float("nan")
    energy_imbalance: float = float("nan")
    ended: str = ""
    displacement: fem.Function | None = None
    stress: StressSample | None = None
    mismatch: StressSample | None = None
    surroundings: SurroundingsState | None = None


@dataclass(frozen=True)
class StepResult:
    """Outcome of one attempted time step.

    Attributes:
        time: Time the attempt started from [s].
        step: Step size tried [s].
        step_number: Protocol step, from 1.
        accepted: Whether the trial state became the accepted one.
        reason: Why it was rejected ("" when accepted).
        error: Estimated local error in x over the requested tolerance [-] (eq. 3.8).
        change: Largest change of x in the step [-].
        iterations: Linear iterations of the transport solves.
        outer: How often lithium and stress were solved in turn; 1 where stress does not act back.
        mean_stoichiometry: Volume mean of x after the attempt.
        potential: Potential of the particle at the end of the step [V]; NaN when it is not known.
        rate: Rate of the mean stoichiometry there [1/s].
        warning: What is doubtful about an accepted step ("" when nothing is).
    """

    time: float
    step: float
    step_number: int
    accepted: bool
    reason: str
    error: float
    change: float
    iterations: int
    mean_stoichiometry: float
    warning: str = ""
    potential: float = float("nan")
    rate: float = float("nan")
    outer: int = 1


class Observer(Protocol):
    """Plug-in of the time loop: an indicator table, a field writer, a progress display. Called on all ranks."""

    def on_state(self, state: State) -> None:
        """Takes a requested output state (field times and ends of protocol steps)."""

    def on_step(self, result: StepResult) -> None:
        """Takes the outcome of every attempt, accepted or rejected."""
