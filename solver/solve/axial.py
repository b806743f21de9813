"""The even stretch of a section along its normal that leaves it without axial force (eqs. 7.1, 7.2)."""

from __future__ import annotations

from collections.abc import Callable

import ufl
from dolfinx import fem
from petsc4py import PETSc
from ufl.core.expr import Expr

from solver import compat
from solver.errors import SolveError
from solver.model.elasticity import AXIAL, strain
from solver.solve.elastic_solver import ElasticSolver

VirtualWork = Callable[[Expr, Expr], ufl.Form]


class AxialStretch:
    """Corrects solutions of the section that must not stretch into those of one that may.

    Args:
        solver: Elastic solver of the section.
        load: Virtual work of all loads, as a form of a virtual displacement and its strain.

    Attributes:
        value: ε_z of the latest solution [-].
    """

    def __init__(self, solver: ElasticSolver, load: VirtualWork) -> None:
        self._solver, self._mesh = solver, solver.space.mesh
        self.value = fem.Constant(self._mesh, PETSc.ScalarType(0.0))
        test = ufl.TestFunction(solver.space)
        self._work_form = compat.form(solver.work(AXIAL, strain(test)))
        self._own_work_form = compat.form(solver.work(AXIAL, AXIAL))
        self._load_form = compat.form(load(ufl.zero(3), AXIAL))
        self._work = compat.create_vector(self._work_form)
        self._response = fem.Function(solver.space)
        self._own_work, self._stiffness = 0.0, 0.0

    @property
    def strain(self) -> Expr:
        """The stretch as a strain, shape (3, 3)."""
        return self.value * AXIAL

    def update(self) -> None:
        """Works out the answer of the section to a unit stretch; again whenever its stiffness has changed.

        Raises:
            SolveError: When the elastic solve fails.
        """
        compat.assemble_vector(self._work, self._work_form)
        self._own_work = self._sum(self._own_work_form)
        right = self._work.copy()
        report = self._solver.solve(right, self._response)
        right.destroy()
        if not report.converged:
            raise SolveError(f"the elastic solve for the axial stretch failed (PETSc reason {report.reason})")
        self._stiffness = self._own_work - self._work.dot(self._response.x.petsc_vec)

    def release(self, displacement: fem.Function) -> None:
        """Turns the solution without stretch into the one without axial force, in place, and sets `value`."""
        if self._stiffness == 0.0:
            self.update()
        force = self._sum(self._load_form) - self._work.dot(displacement.x.petsc_vec)
        self.value.value = force / self._stiffness
        displacement.x.array[:] -= self.value.value * self._response.x.array

    def _sum(self, form: fem.Form) -> float:
        return float(self._mesh.comm.allreduce(compat.assemble_scalar(form)))

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        self._work.destroy()
