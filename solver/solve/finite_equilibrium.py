"""Equilibrium of a free body at large strains: Newton's method with the consistent tangent (eqs. 15.4-15.8).

A free body may still drift and turn, now about where its points have gone (eq. 15.8). Internal forces never work in
these motions, in equilibrium or not, so each step is sought among the displacements orthogonal to them: nothing is
pinned, no reaction can appear, and the body does not turn from step to step. The linear systems are solved by conjugate
gradients, preconditioned with the multigrid of the small-strain operator, which is set up once: at strains of a few
percent the two operators hardly differ.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from petsc4py import PETSc
from ufl.core.expr import Expr

from solver import compat
from solver.model.elasticity import AXIAL
from solver.model.finite_strain import FiniteCrystal
from solver.solve.elastic_solver import ElasticSolver, LinearReport, rigid_motions

log = logging.getLogger(__name__)

_MAXIMUM_ROUNDS = 15
# A residual this many times that of the start, or of the undeformed body, is not on its way to an equilibrium.
_LARGEST_GROWTH = 1e3
_LOOSEST, _MAXIMUM_ITERATIONS = 1e-2, 500
# Measured: rounding leaves 0.1 to 0.2 of the forces that a strain of one rounding unit gives the points of a mesh.
_ROUNDING = 10.0
_prefixes = count()


class _SmallStrainPreconditioner:
    """One cycle of the small-strain multigrid, as PETSc asks for it.

    Its rigid motions are those of the body at rest; they are kept out of it, because its coarsest level is singular.
    """

    def __init__(self, solver: ElasticSolver) -> None:
        self._solver, self._right = solver, solver.matrix.createVecRight()

    def apply(self, _: PETSc.PC, right: PETSc.Vec, solution: PETSc.Vec) -> None:
        right.copy(self._right)
        self._solver.null_space.remove(self._right)
        self._solver.preconditioner.apply(self._right, solution)
        self._solver.null_space.remove(solution)

    def destroy(self, _: PETSc.PC) -> None:
        """PETSc calls this when the solver goes."""
        self._right.destroy()


class FiniteEquilibrium:
    """Finds the displacement at which a body with a given lattice is in equilibrium.

    Args:
        solver: Small-strain solver of the body; preconditions the tangent.
        crystal: The deformed crystal; its gradient is that of the displacement, and of the stretch if there is one.
        displacement: First guess [µm], P2; takes the solution.
        stretch: Even stretch of a section along its normal [-], another unknown (eq. 7.2); None where there is none.
        radius: Radius of the body [µm], by which an axial force is compared with forces on points.
        tolerance: Residual, over that of the undeformed body with the same lattice, at which the iteration stops [-].

    Attributes:
        residuals: Residuals of the rounds of the latest `find`, over the same.
    """

    def __init__(
        self,
        solver: ElasticSolver,
        crystal: FiniteCrystal,
        displacement: fem.Function,
        stretch: fem.Constant | None,
        *,
        radius: float,
        tolerance: float,
    ) -> None:
        self._solver, self._displacement, self._tolerance = solver, displacement, tolerance
        space = solver.space
        self._mesh, self._comm = space.mesh, space.mesh.comm
        measure = ufl.dx(self._mesh, metadata={"quadrature_degree": 2})
        virtual, change = (ufl.grad(argument(space)) for argument in (ufl.TestFunction, ufl.TrialFunction))
        self._force_form = compat.form(-crystal.work(virtual) * measure)
        self._tangent_form = compat.form(crystal.tangent(change, virtual) * measure)
        self._force = compat.create_vector(self._force_form)
        self._tangent = solver.matrix.duplicate()
        self._motions = rigid_motions(space, solver.planes)
        self._step = self._tangent.createVecRight()
        self._ksp = self._set_up()
        self._axial = (
            _AxialUnknown(self._comm, crystal, virtual, measure, stretch, radius) if stretch is not None else None
        )
        self._floor = self._rounding()
        self.residuals: list[float] = []

    def _set_up(self) -> PETSc.KSP:
        ksp = PETSc.KSP().create(self._comm)
        ksp.setOptionsPrefix(f"vegard_finite_{next(_prefixes)}_")
        ksp.setType("cg")
        ksp.setOperators(self._tangent)
        ksp.getPC().setType("python")
        ksp.getPC().setPythonContext(_SmallStrainPreconditioner(self._solver))
        return ksp

    def _rounding(self) -> float:
        """Size of forces below which rounding decides."""
        mesh = self._mesh
        one = compat.form(fem.Constant(mesh, PETSc.ScalarType(1.0)) * ufl.dx(mesh))
        volume = self._comm.allreduce(compat.assemble_scalar(one))
        cells = mesh.topology.index_map(mesh.topology.dim).size_global
        diagonal = self._solver.matrix.getDiagonal()
        size = float(diagonal.norm())
        diagonal.destroy()
        return _ROUNDING * float(np.finfo(float).eps) * size * (volume / cells) ** (1.0 / mesh.topology.dim)

    def find(self) -> LinearReport:
        """Iterates to equilibrium; the report counts the rounds."""
        reference = self._undeformed_size()
        self.residuals = []
        if reference <= self._floor:
            self._rest()
            return LinearReport(0, True, int(PETSc.KSP.ConvergedReason.CONVERGED_ATOL))
        rounds, iterations, goal = 0, 0, max(self._tolerance, self._floor / reference)
        while True:
            size = self._size() / reference
            self.residuals.append(size)
            log.info("Newton round %d: residual %.2e, %d linear iterations", rounds, size, iterations)
            if size <= goal:
                return LinearReport(rounds, True, int(PETSc.KSP.ConvergedReason.CONVERGED_RTOL))
            if not size <= _LARGEST_GROWTH * max(1.0, self.residuals[0]) or rounds == _MAXIMUM_ROUNDS:
                return LinearReport(rounds, False, int(PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT))
            # As exact as the square of the residual that Newton's method leaves, and no more than is asked for.
            tolerance = min(max(size, 0.1 * goal / size), _LOOSEST)
            self._ksp.setTolerances(rtol=tolerance, atol=0.0, max_it=_MAXIMUM_ITERATIONS)
            if not self._improve():
                return LinearReport(rounds, False, int(self._ksp.getConvergedReason()))
            rounds, iterations = rounds + 1, self._ksp.getIterationNumber()

    def _undeformed_size(self) -> float:
        """Size of the forces that would hold the body undeformed, with the lattice it has now."""
        kept = self._displacement.x.array.copy()
        stretch = self._axial.value if self._axial is not None else 0.0
        self._rest()
        size = self._size()
        self._displacement.x.array[:] = kept
        if self._axial is not None:
            self._axial.value = stretch
        return size

    def _rest(self) -> None:
        self._displacement.x.array[:] = 0.0
        if self._axial is not None:
            self._axial.value = 0.0

    def _size(self) -> float:
        """Norm of the forces out of balance in the present state."""
        compat.assemble_vector(self._force, self._force_form)
        self._force.array[self._solver.planes.fixed] = 0.0
        size = float(self._force.norm())
        return size if self._axial is None else float(np.hypot(size, self._axial.force_size()))

    def _improve(self) -> bool:
        """One step of Newton's method; whether its linear system was solved."""
        compat.assemble_matrix(self._tangent, self._tangent_form, self._solver.conditions)
        self._move_null_space()
        if not self._solve(self._force, self._step):
            return False
        if self._axial is not None and not self._axial.improve(self._step, self._solve):
            return False
        self._displacement.x.petsc_vec.axpy(1.0, self._step)
        self._displacement.x.scatter_forward()
        return True

    def _move_null_space(self) -> None:
        """Makes the rigid motions those of the body where it is now; PETSc locks the vectors of a null space."""
        before = self._motions
        self._motions = rigid_motions(self._solver.space, self._solver.planes, self._displacement)
        if self._motions.getVecs():
            self._tangent.setNullSpace(self._motions)
        before.destroy()

    def _solve(self, right: PETSc.Vec, solution: PETSc.Vec) -> bool:
        self._ksp.solve(right, solution)
        return self._ksp.getConvergedReason() > 0

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        if self._axial is not None:
            self._axial.destroy()
        for item in (self._ksp, self._tangent, self._force, self._step, self._motions):
            item.destroy()


class _AxialUnknown:
    """The stretch of a section along its normal as one more unknown (eq. 7.2)."""

    def __init__(
        self,
        comm: MPI.Comm,
        crystal: FiniteCrystal,
        virtual: Expr,
        measure: ufl.Measure,
        stretch: fem.Constant,
        radius: float,
    ) -> None:
        self._comm, self._stretch, self._radius = comm, stretch, radius
        self._force_form = compat.form(-crystal.work(AXIAL) * measure)
        self._border_form = compat.form(crystal.tangent(AXIAL, virtual) * measure)
        self._own_form = compat.form(crystal.tangent(AXIAL, AXIAL) * measure)
        self._border = compat.create_vector(self._border_form)
        self._response = self._border.duplicate()

    @property
    def value(self) -> float:
        """The stretch [-]."""
        return float(self._stretch.value)

    @value.setter
    def value(self, stretch: float) -> None:
        self._stretch.value = stretch

    def force_size(self) -> float:
        """Axial force out of balance as a force at the radius."""
        return abs(self._sum(self._force_form)) / self._radius

    def improve(self, step: PETSc.Vec, solve: Callable[[PETSc.Vec, PETSc.Vec], bool]) -> bool:
        """Changes the stretch, and the step of the displacement with it; whether the linear system was solved."""
        compat.assemble_vector(self._border, self._border_form)
        if not solve(self._border, self._response):
            return False
        force = self._sum(self._force_form) - self._border.dot(step)
        change = force / (self._sum(self._own_form) - self._border.dot(self._response))
        self.value += change
        step.axpy(-change, self._response)
        return True

    def _sum(self, form: fem.Form) -> float:
        return float(self._comm.allreduce(compat.assemble_scalar(form)))

    def destroy(self) -> None:
        """Frees the PETSc objects."""
        for vector in (self._border, self._response):
            vector.destroy()
