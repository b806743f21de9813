"""Quasi-static response of a free particle, or of its section, at large strains and rotations (chapter 15).

The counterpart of `Mechanics` with the same face towards the coupling. The answer to a lithium field does not depend
on the way there, but Newton's method starts from the latest state; when it fails, the lattice is taken there in steps.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from solver import compat
from solver.errors import SolveError
from solver.model.elasticity import AXIAL, components
from solver.model.finite_strain import FiniteCrystal, deformation
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver, LinearReport
from solver.solve.finite_equilibrium import FiniteEquilibrium
from solver.solve.phases import Phases
from solver.solve.solids import Solids
from solver.solve.stress import GAUSS, StressSample

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

_DEGREE = 2
_SMALLEST_SHARE = 1.0 / 256.0


@dataclass(frozen=True)
class _Held:
    """An equilibrium.

    Attributes:
        lattice: (cells, points, 2) lattice stretches [-].
        displacement: Values of the displacement [µm].
        stretch: Stretch of a section along its normal less one [-].
    """

    lattice: Array
    displacement: Array
    stretch: float


class FiniteMechanics:
    """Displacement and stress of a particle for given lithium fields, at any strain.

    Args:
        domain: The particle.
        solids: What its cells are made of.
        tolerance: Residual over that of the undeformed particle at which Newton's method stops [-].
        phases: Stopwatch.
        may_stretch: Whether a section may stretch along its normal until it carries no axial force (eq. 7.2).

    Attributes:
        displacement: Solution of the latest successful `solve` [µm], P2.
        weights: (cells, points) quadrature weights of the Gauss points in the undeformed particle [µm³].
        crystal: The deformed crystal, as expressions.
        equilibrium: What finds the solution.
        reports: One report per lattice that an equilibrium was sought for; they count rounds of Newton's method.
    """

    def __init__(
        self, domain: Domain, solids: Solids, *, tolerance: float, phases: Phases, may_stretch: bool = True
    ) -> None:
        self._domain, self._solids, self._phases = domain, solids, phases
        self._rule = GAUSS[domain.dimension]
        self._rest = 1.0 + solids.rest_strains()
        self._solver = ElasticSolver(domain, solids.stiffness, tolerance, phases)
        self.displacement = fem.Function(self._solver.space, name="displacement")
        points = fem.functionspace(domain.mesh, basix.ufl.quadrature_element(domain.mesh.basix_cell(), degree=_DEGREE))
        self._stretches = fem.Function(points), fem.Function(points)
        self._points = points.dofmap.list
        stretches = may_stretch and domain.dimension == 2
        self._axial = fem.Constant(domain.mesh, PETSc.ScalarType(0.0)) if stretches else None
        gradient = deformation(self.displacement)
        if self._axial is not None:
            gradient += self._axial * AXIAL
        self.crystal = crystal = FiniteCrystal(gradient, *self._stretches, domain.cell_axis, solids.stiffness)
        with phases.measure("compile forms"):
            self.equilibrium = FiniteEquilibrium(
                self._solver, crystal, self.displacement, self._axial, radius=domain.radius, tolerance=tolerance
            )
            entries = [tensor[i, j] for tensor in (crystal.right, crystal.second_piola) for i, j in np.ndindex(3, 3)]
            sampled = ufl.as_vector([*entries, *components(crystal.cauchy), crystal.volume])
            self._sample = compat.expression(sampled, self._rule.points)
            self._volume = compat.expression(crystal.volume, self._rule.points)
        self._cells = np.arange(len(domain.grain), dtype=np.int32)
        corners = domain.mesh.geometry.x[domain.cell_vertices]
        self._places = np.einsum("qv,cvi->cqi", self._rule.barycentric, corners)
        self.weights = domain.cell_volumes[:, None] * self._rule.weights / self._rule.weights.sum()
        self.reports: list[LinearReport] = []
        self._state = self._even = _Held(np.ones_like(self._rest), np.zeros_like(self.displacement.x.array), 0.0)
        self._set(self._state)

    def solve(self, stoichiometry: fem.Function) -> LinearReport:
        """Finds the displacement for a lithium field.

        Args:
            stoichiometry: x, P1, with ghosts up to date.

        Returns:
            A report that counts the rounds of Newton's method in the last step.

        Raises:
            SolveError: When there is no equilibrium even in small steps; the latest state stays.
        """
        corners = stoichiometry.x.array[stoichiometry.function_space.dofmap.list]
        self._state = self._reach(self._state, self._lattice(corners))
        return self.reports[-1]

    def mismatch(self, mean_stoichiometry: float) -> StressSample:
        """Stress if the lithium were spread evenly; what is in balance at large strains is not scaled, but solved.

        Raises:
            SolveError: When there is no equilibrium.
        """
        corners = np.full(self._domain.cell_vertices.shape, mean_stoichiometry)
        try:
            self._even = self._reach(self._even, self._lattice(corners))
            return self.stress()
        finally:
            self._set(self._state)

    def stress(self) -> StressSample:
        """Stress of the latest solution on areas as they are now, in the axes of the undeformed lattice (eq. 15.6)."""
        with self._phases.measure("stress evaluation"):
            values = compat.evaluate(self._sample, self._domain.mesh, self._cells)
            values = values.reshape(len(self._cells), -1, 25)
            right, piola = (values[..., part].reshape(*values.shape[:2], 3, 3) for part in (slice(9), slice(9, 18)))
            stress, strain = turned_back(right, piola)
        return StressSample(
            stress=stress,
            elastic_strain=strain,
            weights=self.weights,
            points=self._places,
            owned=self._domain.owned,
            volume_ratio=np.ascontiguousarray(values[..., 24]),
            space_stress=np.ascontiguousarray(values[..., 18:24]),
        )

    @property
    def axial_strain(self) -> float:
        """Stretch of a section along its normal less one [-]; zero where there is none (eq. 7.2)."""
        return float(self._axial.value) if self._axial is not None else 0.0

    def _lattice(self, corners: Array) -> Array:
        """Lattice stretches at the Gauss points from x at the corners of the cells (eq. 15.1)."""
        with self._phases.measure("lattice curves"):
            return 1.0 + self._solids.strains(corners) / self._rest

    def _reach(self, start: _Held, goal: Array) -> _Held:
        """Goes from one equilibrium to that of another lattice, at once or in steps.

        Raises:
            SolveError: When even small steps fail; the displacement is that of the last equilibrium on the way.
        """
        done, size, held = 0.0, 1.0, start
        while done < 1.0:
            end = 1.0 if done + size > 1.0 - 1e-9 else done + size
            self._set(held)
            self._set_lattice(goal if end == 1.0 else start.lattice + end * (goal - start.lattice))
            if self._find():
                held = _Held(self._present_lattice(), self.displacement.x.array.copy(), self.axial_strain)
                done = end
                continue
            size = (end - done) / 2.0
            log.info("step of the lattice halved to %.3g of the way", size)
            if size < _SMALLEST_SHARE:
                self._set(held)
                raise SolveError(
                    "Newton's method finds no equilibrium at large strains, even in small steps; the mesh may hold "
                    "degenerate cells (see the quality lines of `vegard mesh`), or write `strain: small`"
                )
        return held

    def _find(self) -> bool:
        """Whether there is an equilibrium for the present lattice, with no cell turned inside out."""
        with self._phases.measure("finite-strain equilibrium"):
            report = self.equilibrium.find()
        self.reports.append(report)
        if not report.converged:
            return False
        smallest = compat.evaluate(self._volume, self._domain.mesh, self._cells).min(initial=np.inf)
        return bool(self._domain.comm.allreduce(float(smallest), op=MPI.MIN) > 0.0)

    def _set(self, held: _Held) -> None:
        self._set_lattice(held.lattice)
        self.displacement.x.array[:] = held.displacement
        if self._axial is not None:
            self._axial.value = held.stretch

    def _set_lattice(self, lattice: Array) -> None:
        for number, function in enumerate(self._stretches):
            function.x.array[self._points] = lattice[..., number]

    def _present_lattice(self) -> Array:
        return np.stack([function.x.array[self._points] for function in self._stretches], axis=-1)

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        self.equilibrium.destroy()
        self._solver.destroy()


def turned_back(right: Array, piola: Array) -> tuple[Array, Array]:
    """Cauchy stress and elastic strain in the axes that the lattice has at rest (eqs. 15.2, 15.6).

    Args:
        right: (…, 3, 3) C_e.
        piola: (…, 3, 3) S [MPa].

    Returns:
        (…, 6) components of both, xx, yy, zz, yz, xz, xy.
    """
    found, axes = np.linalg.eigh(right)
    squares: Array = np.asarray(found, dtype=np.float64)
    stretches = np.sqrt(squares)

    def of(values: Array) -> Array:
        return np.einsum("...ik,...k,...jk->...ij", axes, values, axes)

    stretch = of(stretches)
    stress = stretch @ piola @ stretch / stretches.prod(axis=-1)[..., None, None]
    strain = of((squares - 1.0 / squares) / 4.0)
    rows, columns = [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]
    return stress[..., rows, columns], strain[..., rows, columns]
