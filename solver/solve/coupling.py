"""How chemistry and mechanics answer each other in a step. One strategy per way; the time loop knows only this face."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from dolfinx import fem

from solver.errors import SolveError
from solver.solve.elastic_solver import LinearReport
from solver.solve.load_path import LARGEST_STEP, LoadPath
from solver.solve.memory import Memory
from solver.solve.stress import StressSample
from solver.solve.surroundings_state import SurroundingsState
from solver.solve.transport import Attempt, Transport

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """Mechanical answer to an accepted lithium field; all None when there is no mechanics.

    Attributes:
        displacement: Displacement [µm].
        stress: Stress of the lithium field.
        mismatch: Stress if the lithium were spread evenly.
        surroundings: What became of matrix and interface; None where neither has a memory.
        stoichiometry: x as stress shapes it, with its jumps between grains; None where stress does not act back.
        energy_imbalance: Free energy not accounted for, relative (eq. 13.11); NaN where stress does not act back.
    """

    displacement: fem.Function | None = None
    stress: StressSample | None = None
    mismatch: StressSample | None = None
    surroundings: SurroundingsState | None = None
    stoichiometry: fem.Function | None = None
    energy_imbalance: float = float("nan")


class Body(Protocol):
    """What stresses a particle that holds lithium, without a memory: `Mechanics`, or `FiniteMechanics`."""

    displacement: fem.Function

    def solve(self, stoichiometry: fem.Function) -> LinearReport:
        """Finds the displacement for a lithium field."""

    def stress(self) -> StressSample:
        """Stress of the latest solution."""

    def mismatch(self, mean_stoichiometry: float) -> StressSample:
        """Stress if the lithium were spread evenly; the latest solution stays."""


class Coupling(Protocol):
    """A strategy: tries steps, commits them, and gives the mechanical response of the accepted state."""

    transport: Transport

    def attempt(self, step: float) -> Attempt:
        """Tries a step of `step` seconds; nothing accepted changes."""

    def commit(self) -> None:
        """Accepts the latest attempt."""

    def response(self) -> Response:
        """Mechanical fields of the accepted state; solves only when asked."""

    def memory(self) -> Memory:
        """What is needed to go on from the accepted state."""

    def recall(self, memory: Memory) -> None:
        """Goes back to a state that was remembered, under the present drive."""


class Uncoupled:
    """Lithium only (`coupling: none`)."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def attempt(self, step: float) -> Attempt:
        """Tries a diffusion step."""
        return self.transport.attempt(step)

    def commit(self) -> None:
        """Accepts the diffusion step."""
        self.transport.commit()

    def response(self) -> Response:
        """No mechanical fields."""
        return Response()

    def memory(self) -> Memory:
        """That of the lithium."""
        return self.transport.memory()

    def recall(self, memory: Memory) -> None:
        """Goes back to remembered lithium."""
        self.transport.recall(memory)


class OneWay(Uncoupled):
    """Lithium strains the grains; stress does not act back (`coupling: one-way`).

    Mechanics has no memory here, so it is solved only for the states somebody looks at.
    """

    def __init__(self, transport: Transport, mechanics: Body) -> None:
        super().__init__(transport)
        self._mechanics = mechanics

    def response(self) -> Response:
        """Displacement and stress of the accepted lithium field.

        Raises:
            SolveError: When the elastic solve fails twice.
        """
        stoichiometry = self.transport.stoichiometry
        report = self._mechanics.solve(stoichiometry)
        if not report.converged:
            log.warning("elastic solve failed after %d iterations; trying again", report.iterations)
            report = self._mechanics.solve(stoichiometry)
        if not report.converged:
            raise SolveError(
                f"the elastic solve failed after {report.iterations} iterations (PETSc reason {report.reason}); "
                "the mesh may hold degenerate cells: see the quality lines of `vegard mesh`"
            )
        mean = self.transport.lithium() / self.transport.volume
        return Response(self._mechanics.displacement, self._mechanics.stress(), self._mechanics.mismatch(mean))


class OneWayWithMemory(Uncoupled):
    """The same where the way to a state matters: the surroundings flow, or come off (eq. 9.8).

    Mechanics then follows the lithium closely, whether somebody looks or not.
    """

    def __init__(self, transport: Transport, path: LoadPath) -> None:
        super().__init__(transport)
        self._path = path
        self._followed = self._mean

    @property
    def _mean(self) -> float:
        return self.transport.lithium() / self.transport.volume

    def memory(self) -> Memory:
        """That of the lithium, of the surroundings, and the mean x [-] they have followed to."""
        own = Memory({"followed": self._followed})
        return super().memory().joined(self._path.memory()).joined(own)

    def recall(self, memory: Memory) -> None:
        """Goes back to remembered lithium and surroundings.

        Raises:
            SolveError: When the elastic solve fails.
        """
        super().recall(memory)
        self._path.recall(memory)
        self._followed = memory.numbers["followed"]

    def commit(self) -> None:
        """Accepts the diffusion step, and follows it when the mean has moved far enough.

        Raises:
            SolveError: When there is no equilibrium.
        """
        self.transport.commit()
        if abs(self._mean - self._followed) >= LARGEST_STEP * (1.0 - 1e-9):
            self._follow()

    def _follow(self) -> None:
        self._path.solve(self.transport.stoichiometry)
        self._followed = self._mean

    def response(self) -> Response:
        """Displacement, stress and surroundings of the accepted lithium field.

        Raises:
            SolveError: When there is no equilibrium.
        """
        self._follow()
        path = self._path
        return Response(path.displacement, path.stress(), path.mismatch(self._mean), path.surroundings())
