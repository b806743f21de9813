"""Mechanics with a memory: a matrix that flows, a bond that opens, followed along the way of the lithium (eq. 9.8).

From one solved state to the next the lithium field goes along a straight line, in load steps that are halved where
they fail. In each, columns of the interface change their states one round after the other, with the rest in
equilibrium, until no column changes; then the step becomes history.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import cell_volumes
from solver.errors import SolveError
from solver.solve.domain import Domain
from solver.solve.elastic_solver import LinearReport
from solver.solve.equilibrium import PlasticEquilibrium, StrainProbe
from solver.solve.interface_layer import InterfaceLayer
from solver.solve.mechanics import Mechanics
from solver.solve.memory import Memory
from solver.solve.phases import Phases
from solver.solve.plastic_matrix import PlasticMatrix
from solver.solve.pressure import StackPressure
from solver.solve.stress import StressSample
from solver.solve.surroundings_state import PlasticFlow, SurroundingsState

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
_Contact = tuple[NDArray[np.bool_], NDArray[np.bool_]]

# Largest change of the mean stoichiometry in one load step.
LARGEST_STEP = 0.02
_SMALLEST_SHARE = 1 / 256
_MAXIMUM_ROUNDS = 80
# Mean overlap of particle and matrix over the thickness of the layer between them: 2e-3 of the radius.
_LARGEST_OVERLAP = 0.2


class LoadPath:
    """Follows a particle and its surroundings from state to state; used like `Mechanics`.

    Args:
        domain: The particle in its matrix.
        mechanics: The elastic body, with `plastic` among its terms.
        rest: Uniform stoichiometry at which nothing is stressed [-]: where the way starts.
        tolerance: Residual over load at which iterations stop [-].
        plastic: The plastic matrix, or None.
        interface: The layer that may open, or None.
        pressure: The stack pressure, which is applied first, or None.
        phases: Stopwatch.
    """

    def __init__(
        self,
        domain: Domain,
        mechanics: Mechanics,
        *,
        rest: float,
        tolerance: float,
        plastic: PlasticMatrix | None,
        interface: InterfaceLayer | None,
        pressure: StackPressure | None = None,
        phases: Phases,
    ) -> None:
        self.domain, self._mechanics, self._phases = domain, mechanics, phases
        self._plastic, self._interface, self._pressure = plastic, interface, pressure
        self._way = np.full(domain.cell_vertices.shape, rest)  # x at the corners of all cells
        self._started = False
        self._report = LinearReport(0, True, 0)
        with phases.measure("compile forms"):
            self._flow = PlasticEquilibrium(mechanics, plastic, tolerance) if plastic is not None else None
            self._probe = StrainProbe(mechanics, interface.cells) if interface is not None else None
        volumes = np.abs(cell_volumes(domain.mesh.geometry.x, domain.cell_vertices))
        self._volumes = np.where(domain.is_grain & (np.arange(len(volumes)) < domain.owned), volumes, 0.0)
        if interface is not None and not interface.bonded.all():
            self._apply_states()

    @property
    def displacement(self) -> fem.Function:
        """Displacement of the latest state [µm], P2."""
        return self._mechanics.displacement

    def solve(self, stoichiometry: fem.Function) -> LinearReport:
        """Goes from the latest state to that of a lithium field.

        Args:
            stoichiometry: x, P1, with ghosts up to date.

        Raises:
            SolveError: When even small load steps fail.
        """
        if not self._started:
            self._go(self._press, 1.0)
            self._started = True
        start, goal = self._way, stoichiometry.x.array[stoichiometry.function_space.dofmap.list]
        if self.domain.comm.allreduce(not np.array_equal(goal, start), op=MPI.LOR):

            def move(share: float) -> None:
                self._way = goal if share == 1.0 else start + share * (goal - start)

            self._go(move, 1.0 / max(1.0, np.ceil(self._mean_change(goal - start) / LARGEST_STEP - 1e-9)))
        return self._report

    def _press(self, share: float) -> None:
        if self._pressure is not None:
            self._pressure.share.value = share

    def _go(self, set_load: Callable[[float], None], size: float) -> None:
        """Walks the way on which `set_load` sets the load after a share of it, in steps of `size` or less."""
        done = 0.0
        while done < 1.0:
            end = 1.0 if done + size > 1.0 - 1e-9 else done + size
            kept = self._kept()
            set_load(end)
            if self._step():
                done = end
                if self._plastic is not None:
                    self._plastic.commit()
                continue
            self._restore(kept)
            set_load(done)
            size = (end - done) / 2.0
            log.info("load step halved to %.3g of the way", size)
            if size < _SMALLEST_SHARE:
                raise SolveError(
                    "the matrix or its bond to the particle finds no equilibrium, even in small load steps; "
                    "give the matrix some hardening_modulus, a finer mesh, or write `interface: bonded`"
                )

    def _step(self) -> bool:
        """Finds the state for the present lithium field; whether it was found."""
        self._mechanics.set_corners(self._way)
        if self._interface is not None:
            self._interface.begin()
        for _ in range(_MAXIMUM_ROUNDS):
            if not self._equilibrium():
                return False
            if self._interface is None or self._probe is None:
                return True
            strain = self._probe.values()
            if not self._interface.respond(strain):
                return self._is_settled(self._interface, strain)
            self._apply_states()
        log.info("the bond between particle and matrix did not settle in %d rounds", _MAXIMUM_ROUNDS)
        return False

    @staticmethod
    def _is_settled(interface: InterfaceLayer, strain: Array) -> bool:
        """Whether columns that were kept open overlap little."""
        bond = interface.bond(strain)
        mean = float(bond.overlap @ bond.area / bond.area.sum())
        log.info("mean overlap of particle and matrix: %.2g um", mean)
        return mean <= _LARGEST_OVERLAP * interface.thickness

    def _equilibrium(self) -> bool:
        if self._flow is None:
            self._report = self._mechanics.solve_load()
        else:
            with self._phases.measure("plastic equilibrium"):
                self._report = self._flow.find()
        return self._report.converged

    def _apply_states(self) -> None:
        """Gives the cells of the interface layer the stiffness of their states."""
        if self._interface is not None:
            self._interface.apply(self._mechanics.solver.stiffness)
            self._mechanics.reassemble()

    def _mean_change(self, change: Array) -> float:
        """Volume mean over the grains of |change|, given at the corners of all cells."""
        cells = np.abs(change).mean(axis=1)
        total = self.domain.comm.allreduce(np.array([self._volumes @ cells, self._volumes.sum()]))
        return float(total[0] / total[1])

    def stress(self) -> StressSample:
        """Stress of the latest state, that of contacts included."""
        sample = self._mechanics.stress()
        if self._interface is not None and self._probe is not None:
            sample.stress[self._interface.cells] += self._interface.contact_stress(self._probe.values())
        return sample

    def mismatch(self, mean_stoichiometry: float) -> StressSample:
        """Stress if the lithium were spread evenly, with the plastic strain and the bonds of the latest state.

        Raises:
            SolveError: When the elastic solve fails.
        """
        return self._mechanics.mismatch(mean_stoichiometry)

    def surroundings(self) -> SurroundingsState:
        """What became of the surroundings in the latest state."""
        bond = None
        if self._interface is not None and self._probe is not None:
            bond = self._interface.bond(self._probe.values())
        flow = None
        if self._plastic is not None:
            owned = self._plastic.cells < self.domain.owned
            cells = self._plastic.cells[owned]
            flow = PlasticFlow(cells, self._plastic.equivalent[owned], self._mechanics.weights[cells])
        return SurroundingsState(bond, flow)

    def memory(self) -> Memory:
        """Where the way has led to, and what the surroundings went through."""
        memory = Memory({"way_started": float(self._started)}, {"way": self._way})
        for part in (self._plastic, self._interface):
            memory = memory if part is None else memory.joined(part.memory())
        return memory

    def recall(self, memory: Memory) -> None:
        """Goes back to a state that was remembered; collective.

        Raises:
            SolveError: When its elastic solve fails.
        """
        self._way, self._started = memory.corners["way"], bool(memory.numbers["way_started"])
        for part in (self._plastic, self._interface):
            if part is not None:
                part.recall(memory)
        self._apply_states()
        if not self._started:
            return
        self._mechanics.set_corners(self._way)
        # The history holds all the flow there was: what is left is elastic.
        self._report = self._mechanics.solve_load()
        if not self._report.converged:
            raise SolveError("the elastic solve of a state that was kept failed")

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        if self._flow is not None:
            self._flow.destroy()
        self._mechanics.destroy()

    def _kept(self) -> tuple[Array, float, _Contact | None]:
        """What a load step changes and a failed one must give back."""
        contact = None if self._interface is None else (self._interface.bonded, self._interface.touching)
        stretch = self._mechanics.axial_strain
        return self.displacement.x.array.copy(), stretch, contact

    def _restore(self, kept: tuple[Array, float, _Contact | None]) -> None:
        displacement, stretch, contact = kept
        self.displacement.x.array[:] = displacement
        if self._mechanics.stretch is not None:
            self._mechanics.stretch.value.value = stretch
        if self._plastic is not None:
            self._plastic.revert()
        if self._interface is not None and contact is not None:
            self._interface.bonded, self._interface.touching = contact
            self._apply_states()
