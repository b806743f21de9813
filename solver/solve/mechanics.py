"""Quasi-static elastic response of a free particle, or of its section, to its lithium field (eqs. 1.1-2.7, 7.1).

The stiffness is constant, so one solver serves the whole run. The lattice curves are evaluated at the quadrature
points: interpolating them at vertices would bias the strain where they bend, which is where a charge ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.core.expr import Expr

from meshes.particle_mesh import cell_volumes
from solver import compat
from solver.errors import SolveError
from solver.materials import LatticeStrain, TransverseStiffness
from solver.model.elasticity import StiffnessFields, components, eigenstrain, strain, stress
from solver.solve.axial import AxialStretch
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver, LinearReport
from solver.solve.phases import Phases
from solver.solve.stress import GAUSS, StressSample

_DEGREE = 2


@dataclass(frozen=True)
class Crystal:
    """What a grain is made of, mechanically: its stiffness and its lattice strain against lithium content."""

    stiffness: TransverseStiffness
    lattice: LatticeStrain


class Mechanics:
    """Displacement and stress of a particle for given lithium fields.

    Args:
        domain: The particle.
        crystals: The materials of the grains.
        crystal_of_grain: (N,) index into `crystals` per grain; None when there is one crystal for all.
        stress_free_stoichiometry: Uniform x at which nothing is stressed [-].
        tolerance: Relative residual of the elastic solves [-].
        phases: Stopwatch.
        may_stretch: Whether a section may stretch along its normal until it carries no axial force (eq. 7.2).

    Attributes:
        displacement: Solution of the latest successful `solve` [µm], P2.
        strain: Its strain, the stretch of a section along its normal included, as an expression.
        reports: Linear-solver reports, one per solve.
        load: Right-hand side of the latest solve.
    """

    def __init__(
        self,
        domain: Domain,
        crystals: Sequence[Crystal],
        crystal_of_grain: NDArray[np.intp] | None = None,
        *,
        stress_free_stoichiometry: float,
        tolerance: float,
        phases: Phases,
        may_stretch: bool = True,
    ) -> None:
        self._domain, self._crystals, self._phases = domain, crystals, phases
        self._rule = GAUSS[domain.dimension]
        grains = np.zeros(domain.grain_count, dtype=np.intp) if crystal_of_grain is None else crystal_of_grain
        self._crystal_of_cell = grains[domain.grain - 1]
        stiffness = StiffnessFields.of(domain.mesh, [item.stiffness for item in crystals], self._crystal_of_cell)
        self.solver = ElasticSolver(domain, stiffness, tolerance, phases)
        self.displacement = fem.Function(self.solver.space, name="displacement")
        self.reports: list[LinearReport] = []
        self._rest = stress_free_stoichiometry
        points = fem.functionspace(domain.mesh, basix.ufl.quadrature_element(domain.mesh.basix_cell(), degree=_DEGREE))
        self._strain_a, self._strain_c = fem.Function(points), fem.Function(points)
        self._points = points.dofmap.list
        self._cells = np.arange(len(domain.grain), dtype=np.int32)
        axis = domain.cell_axis
        chemical = eigenstrain(self._strain_a, self._strain_c, axis)
        measure = ufl.dx(domain.mesh, metadata={"quadrature_degree": _DEGREE})

        def load(virtual_displacement: Expr, virtual_strain: Expr) -> ufl.Form:
            return ufl.inner(stress(chemical, axis, stiffness), virtual_strain) * measure

        with phases.measure("compile forms"):
            test = ufl.TestFunction(self.solver.space)
            self._load_form = compat.form(load(test, strain(test)))
            self._stretch = AxialStretch(self.solver, load) if may_stretch and domain.dimension == 2 else None
            self.strain = strain(self.displacement)
            if self._stretch is not None:
                self.strain += self._stretch.strain
            elastic = self.strain - chemical
            both = components(elastic) + components(stress(elastic, axis, stiffness))
            self._sample = compat.expression(ufl.as_vector(both), self._rule.points)
        self.load = compat.create_vector(self._load_form)
        coordinates = domain.mesh.geometry.x
        volumes = np.abs(cell_volumes(coordinates, domain.cell_vertices))
        self._weights = volumes[:, None] * self._rule.weights / self._rule.weights.sum()
        self._places = np.einsum("qv,cvi->cqi", self._rule.barycentric, coordinates[domain.cell_vertices])
        self._unit_mismatch: StressSample | None = None

    def solve(self, stoichiometry: fem.Function) -> LinearReport:
        """Finds the displacement for a lithium field; the previous one stays when the solve fails.

        Args:
            stoichiometry: x, P1, with ghosts up to date.
        """
        vertices = stoichiometry.function_space.dofmap.list
        x = stoichiometry.x.array[vertices] @ self._rule.barycentric.T
        with self._phases.measure("lattice curves"):
            self._set_eigenstrain(x)
        report = self._solve_load()
        self.reports.append(report)
        return report

    def _set_eigenstrain(self, x: NDArray[np.float64]) -> None:
        """Sets ε_a and ε_c from the stoichiometry at the quadrature points, (cells, points)."""
        for number, crystal in enumerate(self._crystals):
            cells = self._crystal_of_cell == number if len(self._crystals) > 1 else slice(None)
            strains = crystal.lattice.both(x[cells]) - crystal.lattice.both(self._rest)
            self._strain_a.x.array[self._points[cells]] = strains[..., 0]
            self._strain_c.x.array[self._points[cells]] = strains[..., 1]

    def _solve_load(self) -> LinearReport:
        with self._phases.measure("load assembly"):
            compat.assemble_vector(self.load, self._load_form)
        with self._phases.measure("elastic solves"):
            report = self.solver.solve(self.load, self.displacement)
            if self._stretch is not None and report.converged:
                self._stretch.release(self.displacement)
            return report

    def stress(self) -> StressSample:
        """Stress of the latest solution."""
        with self._phases.measure("stress evaluation"):
            values = compat.evaluate(self._sample, self._domain.mesh, self._cells)
        values = values.reshape(len(self._cells), -1, 12)
        return StressSample(
            stress=np.ascontiguousarray(values[..., 6:]),
            elastic_strain=np.ascontiguousarray(values[..., :6]),
            weights=self._weights,
            points=self._places,
            owned=self._domain.owned,
        )

    def mismatch(self, mean_stoichiometry: float) -> StressSample:
        """Stress if the lithium were spread evenly (eq. 2.7).

        With one crystal, only the difference ε_c − ε_a of a uniform lithium content stresses a free particle, and
        linearly so: one unit solution, found at the first call, serves every x̄. Whatever cannot stretch along its
        normal is not free.

        Raises:
            SolveError: When the elastic solve fails.
        """
        is_free = self._domain.dimension == 3 or self._stretch is not None
        if len(self._crystals) > 1 or not is_free:
            return self._solve_aside(lambda: self._set_eigenstrain(np.full(self._points.shape, mean_stoichiometry)))
        if self._unit_mismatch is None:
            self._unit_mismatch = self._solve_aside(self._set_unit_mismatch)
        lattice = self._crystals[0].lattice
        strain_a, strain_c = lattice.both(mean_stoichiometry) - lattice.both(self._rest)
        unit, factor = self._unit_mismatch, float(strain_c - strain_a)
        return replace(unit, stress=factor * unit.stress, elastic_strain=factor * unit.elastic_strain)

    @property
    def axial_strain(self) -> float:
        """Even strain of a section along its normal in the latest solution [-]; zero where there is none (eq. 7.2)."""
        return float(self._stretch.value.value) if self._stretch is not None else 0.0

    def _set_unit_mismatch(self) -> None:
        self._strain_a.x.array[:] = 0.0
        self._strain_c.x.array[:] = 1.0

    def _solve_aside(self, set_eigenstrain: Callable[[], None]) -> StressSample:
        """Stress for another eigenstrain; the current solution is put back afterwards."""
        functions = (self.displacement, self._strain_a, self._strain_c)
        kept = [function.x.array.copy() for function in functions]
        stretch = self.axial_strain
        set_eigenstrain()
        report = self._solve_load()
        if not report.converged:
            raise SolveError(f"the elastic solve for the lattice mismatch failed (PETSc reason {report.reason})")
        sample = self.stress()
        for function, values in zip(functions, kept, strict=True):
            function.x.array[:] = values
        if self._stretch is not None:
            self._stretch.value.value = stretch
        return sample

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        if self._stretch is not None:
            self._stretch.destroy()
        self.solver.destroy()
        self.load.destroy()
