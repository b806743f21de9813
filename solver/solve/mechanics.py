"""Quasi-static elastic response of a free particle, or of its section, to its lithium field (eqs. 1.1-2.7, 7.1).

One solver serves the whole run: its matrix is constant, or softens slowly (eq. 2.6). The lattice curves are evaluated
at the quadrature points: interpolating them at vertices would bias the strain where they bend, which is where a charge
ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.core.expr import Expr

from meshes.particle_mesh import cell_volumes
from solver import compat
from solver.errors import SolveError
from solver.model.elasticity import components, eigenstrain, strain, stress
from solver.solve.axial import AxialStretch
from solver.solve.coating_stress import CoatingStress
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver, LinearReport
from solver.solve.elastic_term import ElasticTerm, joined
from solver.solve.phases import Phases
from solver.solve.solids import Solids
from solver.solve.stress import GAUSS, StressSample

_DEGREE = 2


class Mechanics:
    """Displacement and stress of a particle for given lithium fields.

    Args:
        domain: The particle.
        solids: What its cells are made of.
        tolerance: Relative residual of the elastic solves [-].
        phases: Stopwatch.
        may_stretch: Whether a section may stretch along its normal until it carries no axial force (eq. 7.2).
        terms: What is added to the elasticity of the cells.
        coating: Finds the stress in coatings; None when there is none.
        moment: Moment of the stack pressure among the terms, for the balance of stress; None when there is none.

    Attributes:
        displacement: Solution of the latest successful `solve` [µm], P2.
        strain: Its strain, the stretch of a section along its normal included, as an expression.
        stretch: The even stretch of a section along its normal; None where there is none.
        loads: Virtual work of all loads, of a virtual displacement (3,) and its strain (3, 3).
        weights: (cells, points) quadrature weights of the Gauss points [µm³].
        reports: Linear-solver reports, one per solve.
        load: Right-hand side of the latest solve.
    """

    def __init__(
        self,
        domain: Domain,
        solids: Solids,
        *,
        tolerance: float,
        phases: Phases,
        may_stretch: bool = True,
        terms: Sequence[ElasticTerm] = (),
        coating: CoatingStress | None = None,
        moment: NDArray[np.float64] | None = None,
    ) -> None:
        self._domain, self._solids, self._terms, self._phases = domain, solids, terms, phases
        self._coating, self._moment = coating, moment
        self._rule = GAUSS[domain.dimension]
        self.solver = ElasticSolver(domain, solids.stiffness, tolerance, phases, terms, is_constant=not solids.softens)
        self.displacement = fem.Function(self.solver.space, name="displacement")
        self.reports: list[LinearReport] = []
        points = fem.functionspace(domain.mesh, basix.ufl.quadrature_element(domain.mesh.basix_cell(), degree=_DEGREE))
        self._strain_a, self._strain_c = fem.Function(points), fem.Function(points)
        self._points = points.dofmap.list
        self._cells = np.arange(len(domain.grain), dtype=np.int32)
        self._corners = np.zeros(domain.cell_vertices.shape)
        axis, stiffness = domain.cell_axis, solids.stiffness
        free = eigenstrain(self._strain_a, self._strain_c, axis)
        for other in (term.eigenstrain() for term in terms):
            free = free if other is None else free + other
        measure = ufl.dx(domain.mesh, metadata={"quadrature_degree": _DEGREE})

        def load(virtual_displacement: Expr, virtual_strain: Expr) -> ufl.Form:
            own = ufl.inner(stress(free, axis, stiffness), virtual_strain) * measure
            return joined(own, (term.load(virtual_displacement, virtual_strain) for term in terms))

        self.loads = load
        with phases.measure("compile forms"):
            test = ufl.TestFunction(self.solver.space)
            self._load_form = compat.form(load(test, strain(test)))
            self.stretch = AxialStretch(self.solver, load) if may_stretch and domain.dimension == 2 else None
            self.strain = strain(self.displacement)
            if self.stretch is not None:
                self.strain += self.stretch.strain
            elastic = self.strain - free
            both = components(elastic) + components(stress(elastic, axis, stiffness))
            self._sample = compat.expression(ufl.as_vector(both), self._rule.points)
        self.load = compat.create_vector(self._load_form)
        coordinates = domain.mesh.geometry.x
        volumes = np.abs(cell_volumes(coordinates, domain.cell_vertices))
        self.weights = volumes[:, None] * self._rule.weights / self._rule.weights.sum()
        self._places = np.einsum("qv,cvi->cqi", self._rule.barycentric, coordinates[domain.cell_vertices])
        self._unit_mismatch: StressSample | None = None

    def solve(self, stoichiometry: fem.Function) -> LinearReport:
        """Finds the displacement for a lithium field; the previous one stays when the solve fails.

        Args:
            stoichiometry: x, P1, with ghosts up to date.
        """
        self.set_lithium(stoichiometry)
        return self.solve_load()

    def set_lithium(self, stoichiometry: fem.Function) -> None:
        """Sets the load to that of a lithium field, P1, with ghosts up to date."""
        self.set_corners(stoichiometry.x.array[stoichiometry.function_space.dofmap.list])

    def solve_load(self) -> LinearReport:
        """Finds the displacement for the present load; the previous one stays when the solve fails."""
        report = self._solve_load()
        self.reports.append(report)
        return report

    def load_size(self) -> float:
        """Norm of the present load as a vector."""
        with self._phases.measure("load assembly"):
            compat.assemble_vector(self.load, self._load_form)
        self.solver.constrain(self.load)
        return float(self.load.norm())

    def reassemble(self) -> None:
        """Takes up elastic constants that have changed a lot."""
        with self._phases.measure("stiffness assembly"):
            self.solver.reassemble()
        self._release_anew()

    def _soften(self, corners: NDArray[np.float64]) -> None:
        """Takes up the stiffness that goes with a lithium field, if there is such a thing (eq. 2.6)."""
        if self._solids.soften(corners):
            with self._phases.measure("stiffness assembly"):
                self.solver.follow()
            self._release_anew()

    def _release_anew(self) -> None:
        if self.stretch is not None:
            with self._phases.measure("elastic solves"):
                self.stretch.update()

    def set_corners(self, corners: NDArray[np.float64]) -> None:
        """Sets the load from the stoichiometry at the corners of all local and ghost cells, (cells, corners)."""
        with self._phases.measure("lattice curves"):
            strains = self._solids.strains(corners)
            self._strain_a.x.array[self._points] = strains[..., 0]
            self._strain_c.x.array[self._points] = strains[..., 1]
        self._update_terms(corners)

    def _update_terms(self, corners: NDArray[np.float64]) -> None:
        self._corners = corners
        self._soften(corners)
        for term in self._terms:
            term.update(corners)

    def _solve_load(self) -> LinearReport:
        with self._phases.measure("load assembly"):
            compat.assemble_vector(self.load, self._load_form)
        with self._phases.measure("elastic solves"):
            report = self.solver.solve(self.load, self.displacement)
            if self.stretch is not None and report.converged:
                self.stretch.release(self.displacement)
            return report

    def stress(self) -> StressSample:
        """Stress of the latest solution."""
        with self._phases.measure("stress evaluation"):
            values = compat.evaluate(self._sample, self._domain.mesh, self._cells)
        values = values.reshape(len(self._cells), -1, 12)
        elastic, found = (np.ascontiguousarray(values[..., part]) for part in (slice(6), slice(6, 12)))
        coating = self._coating.sample(found, elastic, self._corners) if self._coating is not None else None
        return StressSample(
            stress=found,
            elastic_strain=elastic,
            weights=self.weights,
            points=self._places,
            owned=self._domain.owned,
            coating=coating,
            moment=self._moment,
        )

    def mismatch(self, mean_stoichiometry: float) -> StressSample:
        """Stress if the lithium were spread evenly (eqs. 2.7, 14.6).

        With one crystal, only the difference ε_c − ε_a of a uniform lithium content stresses a free particle, and
        linearly so: one unit solution, found at the first call, serves every x̄. Whatever cannot stretch along its
        normal is not free.

        Raises:
            SolveError: When the elastic solve fails.
        """
        is_free = self._domain.dimension == 3 or self.stretch is not None
        if self._terms or not self._solids.has_one_crystal or not is_free:
            return self._solve_aside(lambda: self.set_corners(np.full_like(self._corners, mean_stoichiometry)))
        if self._unit_mismatch is None:
            self._unit_mismatch = self._solve_aside(self._set_unit_mismatch)
        unit, factor = self._unit_mismatch, self._solids.mismatch_of(mean_stoichiometry)
        left = self._solids.stiffness_left(mean_stoichiometry)
        return replace(unit, stress=left * factor * unit.stress, elastic_strain=factor * unit.elastic_strain)

    @property
    def axial_strain(self) -> float:
        """Even strain of a section along its normal in the latest solution [-]; zero where there is none (eq. 7.2)."""
        return float(self.stretch.value.value) if self.stretch is not None else 0.0

    def _set_unit_mismatch(self) -> None:
        self._strain_a.x.array[:] = 0.0
        self._strain_c.x.array[:] = 1.0
        self._soften(np.ones_like(self._corners))

    def _solve_aside(self, set_eigenstrain: Callable[[], None]) -> StressSample:
        """Stress for another eigenstrain; the current solution is put back afterwards."""
        functions = (self.displacement, self._strain_a, self._strain_c)
        kept, corners = [function.x.array.copy() for function in functions], self._corners
        stretch = self.axial_strain
        set_eigenstrain()
        report = self._solve_load()
        if not report.converged:
            raise SolveError(f"the elastic solve for the lattice mismatch failed (PETSc reason {report.reason})")
        sample = self.stress()
        for function, values in zip(functions, kept, strict=True):
            function.x.array[:] = values
        self._update_terms(corners)
        if self.stretch is not None:
            self.stretch.value.value = stretch
        return sample

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        if self.stretch is not None:
            self.stretch.destroy()
        self.solver.destroy()
        self.load.destroy()
