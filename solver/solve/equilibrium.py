"""Equilibrium of a body part of which flows: Newton's method with the tangent of eq. 9.5.

The tangent matrix is the elastic one less what flow takes off it. It is solved by conjugate gradients preconditioned
with the elastic multigrid, which is set up once; a section that may stretch brings one unknown more.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from solver import compat
from solver.model.elasticity import AXIAL, components, strain
from solver.solve.axial import AxialStretch
from solver.solve.elastic_solver import LinearReport
from solver.solve.mechanics import Mechanics
from solver.solve.plastic_matrix import PlasticMatrix
from solver.solve.stress import GAUSS

_MAXIMUM_ROUNDS = 25
# Newton's steps need not be exact; this loses no round in practice and saves half of the linear iterations.
_LINEAR_TOLERANCE = 1e-3
_MAXIMUM_ITERATIONS = 500
_prefixes = count()


class StrainProbe:
    """Total strain of some cells at their Gauss points, for the present displacement."""

    def __init__(self, mechanics: Mechanics, cells: NDArray[np.int32]) -> None:
        self._mesh, self._cells = mechanics.displacement.function_space.mesh, cells
        points = GAUSS[self._mesh.topology.dim].points
        self._form = compat.expression(ufl.as_vector(components(mechanics.strain)), points)

    def values(self) -> NDArray[np.float64]:
        """Components xx, yy, zz, yz, xz, xy, shape (cells, points, 6)."""
        values = compat.evaluate(self._form, self._mesh, self._cells)
        return values.reshape(len(self._cells), len(GAUSS[self._mesh.topology.dim].points), 6)


class _ElasticPreconditioner:
    """One cycle of the elastic multigrid, as PETSc asks for it."""

    def __init__(self, preconditioner: PETSc.PC) -> None:
        self._preconditioner = preconditioner

    def apply(self, _: PETSc.PC, right: PETSc.Vec, solution: PETSc.Vec) -> None:
        self._preconditioner.apply(right, solution)


class PlasticEquilibrium:
    """Finds the displacement in equilibrium with a plastic matrix, for the present load of the mechanics.

    Args:
        mechanics: The body; its displacement is the first guess and takes the solution.
        plastic: The matrix; its latest trial belongs to the solution.
        tolerance: Residual over load at which the iteration stops [-].
    """

    def __init__(self, mechanics: Mechanics, plastic: PlasticMatrix, tolerance: float) -> None:
        self._mechanics, self._plastic, self._tolerance = mechanics, plastic, tolerance
        self._probe = StrainProbe(mechanics, plastic.cells)
        solver = mechanics.solver
        trial, test = ufl.TrialFunction(solver.space), ufl.TestFunction(solver.space)
        held = solver.work(mechanics.strain, strain(test))
        self._residual_form = compat.form(mechanics.loads(test, strain(test)) - held)
        self._change_form = compat.form(-plastic.lost_energy(strain(trial), strain(test)))
        self._residual = compat.create_vector(self._residual_form)
        self._tangent = solver.matrix.duplicate()
        self._tangent.setNullSpace(solver.null_space)
        self._step = self._tangent.createVecRight()
        self._ksp = self._set_up()
        stretch = mechanics.stretch
        self._stretch = _TangentStretch(mechanics, stretch, plastic) if stretch is not None else None

    def _set_up(self) -> PETSc.KSP:
        solver = self._mechanics.solver
        ksp = PETSc.KSP().create(self._tangent.comm)
        ksp.setOptionsPrefix(f"vegard_tangent_{next(_prefixes)}_")
        ksp.setType(solver.method)
        ksp.setOperators(self._tangent)
        ksp.getPC().setType("python")
        ksp.getPC().setPythonContext(_ElasticPreconditioner(solver.preconditioner))
        ksp.setTolerances(rtol=_LINEAR_TOLERANCE, atol=0.0, max_it=_MAXIMUM_ITERATIONS)
        return ksp

    def find(self) -> LinearReport:
        """Iterates to equilibrium; the report counts the rounds."""
        reference = self._mechanics.load_size()
        for rounds in range(_MAXIMUM_ROUNDS):
            self._plastic.respond(self._probe.values())
            compat.assemble_vector(self._residual, self._residual_form)
            self._mechanics.solver.constrain(self._residual)
            size = self._residual.norm()
            if size <= self._tolerance * reference:
                return LinearReport(rounds, True, int(PETSc.KSP.ConvergedReason.CONVERGED_RTOL))
            if not np.isfinite(size) or not self._improve():
                return LinearReport(rounds, False, int(self._ksp.getConvergedReason()))
        return LinearReport(_MAXIMUM_ROUNDS, False, int(PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT))

    def _improve(self) -> bool:
        """One step of Newton's method; whether its linear system was solved."""
        self._mechanics.solver.matrix.copy(self._tangent, PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
        compat.add_to_matrix(self._tangent, self._change_form, self._mechanics.solver.conditions)
        if not self._solve(self._residual, self._step):
            return False
        displacement = self._mechanics.displacement
        if self._stretch is not None and not self._stretch.improve(self._step, self._solve):
            return False
        displacement.x.petsc_vec.axpy(1.0, self._step)
        displacement.x.scatter_forward()
        return True

    def _solve(self, right: PETSc.Vec, solution: PETSc.Vec) -> bool:
        self._ksp.solve(right, solution)
        return self._ksp.getConvergedReason() > 0

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        if self._stretch is not None:
            self._stretch.destroy()
        for item in (self._ksp, self._tangent, self._residual, self._step):
            item.destroy()


class _TangentStretch:
    """The stretch of a section along its normal as one more unknown of a step (eq. 7.2)."""

    def __init__(self, mechanics: Mechanics, stretch: AxialStretch, plastic: PlasticMatrix) -> None:
        solver, self._value = mechanics.solver, stretch.value
        virtual = strain(ufl.TestFunction(solver.space))
        self._force_form = compat.form(mechanics.loads(ufl.zero(3), AXIAL) - solver.work(mechanics.strain, AXIAL))
        # Apart, because they run over different cells, which one compiled form cannot.
        self._work_form = compat.form(solver.work(AXIAL, virtual))
        self._lost_work_form = compat.form(plastic.lost_energy(AXIAL, virtual))
        self._own_work_form = compat.form(solver.work(AXIAL, AXIAL))
        self._lost_own_work_form = compat.form(plastic.lost_energy(AXIAL, AXIAL))
        self._work, self._lost_work = (compat.create_vector(self._work_form) for _ in range(2))
        self._constrain = solver.constrain
        self._response = self._work.duplicate()
        self._comm = solver.space.mesh.comm

    def improve(self, step: PETSc.Vec, solve: Callable[[PETSc.Vec, PETSc.Vec], bool]) -> bool:
        """Changes the stretch, and the step of the displacement with it; whether the linear system was solved.

        Args:
            step: Step of the displacement at a fixed stretch; takes the one that goes with the changed stretch.
            solve: Solves with the tangent.
        """
        compat.assemble_vector(self._work, self._work_form)
        compat.assemble_vector(self._lost_work, self._lost_work_form)
        self._work.axpy(-1.0, self._lost_work)
        self._constrain(self._work)
        if not solve(self._work, self._response):
            return False
        force = self._sum(self._force_form) - self._work.dot(step)
        own_work = self._sum(self._own_work_form) - self._sum(self._lost_own_work_form)
        change = force / (own_work - self._work.dot(self._response))
        self._value.value += change
        step.axpy(-change, self._response)
        return True

    def _sum(self, form: fem.Form) -> float:
        return float(self._comm.allreduce(compat.assemble_scalar(form)))

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        for vector in (self._work, self._lost_work, self._response):
            vector.destroy()
