"""Linear elastic solver for a constant stiffness: CG with two-level p-multigrid (eqs. 2.4, 2.5, 5.1, 5.2).

P2 displacement in 3×3 blocks, smoothed by Chebyshev over point blocks; P1 below it, solved by one V-cycle of smoothed
aggregation. The free particle's rigid motions are the null space of both levels, so nothing is pinned; planes of
symmetry take some or all of them away. Everything is set up once; the solutions of earlier right-hand sides give the
first guess of the next (docs/numerics.md has figures).
The displacement of a section has three components too, which depend on the place in the plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from petsc4py import PETSc
from ufl.core.expr import Expr

from meshes.particle_mesh import INTERFACE
from solver import compat
from solver.model.elasticity import StiffnessFields, strain, stress
from solver.solve.domain import Domain
from solver.solve.elastic_term import ElasticTerm, joined
from solver.solve.phases import Phases
from solver.solve.symmetry import Planes

_prefixes = count()

_OPTIONS = {
    "ksp_type": "cg",
    "pc_type": "mg",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_ksp_max_it": "2",
    "mg_levels_pc_type": "pbjacobi",
    "mg_coarse_ksp_type": "preonly",
    "mg_coarse_pc_type": "gamg",
    "mg_coarse_mg_levels_ksp_type": "chebyshev",
    "mg_coarse_mg_levels_ksp_max_it": "2",
    "mg_coarse_mg_levels_pc_type": "jacobi",
    # PETSc's grouping of equal rows slows its plain CSR product on generic builds.
    "coarse_mat_no_inode": "",
}
# Guesses from earlier solutions, for a matrix that does not change; otherwise the latest solution is the guess.
_OPTIONS_OF_CONSTANT_STIFFNESS = {"ksp_guess_type": "pod", "ksp_guess_pod_size": "10"}
# A layer a hundredth of the radius thick that is open, or slides, couples points across it strongly along one direction
# and hardly along others: point blocks smooth that poorly (190 iterations where these take 11).
# Incomplete factors of such matrices need not be positive, so conjugate gradients would stop.
_OPTIONS_OF_THIN_LAYERS = {
    "ksp_type": "gmres",
    "ksp_gmres_restart": "60",
    "mg_levels_pc_type": "bjacobi",
    "mg_levels_sub_pc_type": "icc",
    "mg_levels_sub_pc_factor_shift_type": "positive_definite",
    "mg_coarse_pc_gamg_threshold": "0.02",
    "mg_coarse_mg_levels_pc_type": "bjacobi",
    "mg_coarse_mg_levels_sub_pc_type": "icc",
    "mg_coarse_mg_levels_sub_pc_factor_shift_type": "positive_definite",
}
# Flat cells of thin layers take up to a hundred and more; a good mesh of grains takes 16.
_MAXIMUM_ITERATIONS = 500
# How many more iterations a preconditioner of an earlier stiffness may cost before it is made anew.
_STALE = 1.3
_FEW_ITERATIONS = 5


@dataclass(frozen=True)
class LinearReport:
    """Outcome of a linear solve: iterations, whether it converged, and PETSc's reason number."""

    iterations: int
    converged: bool
    reason: int


class ElasticSolver:
    """Solves K u = b for displacements of a free particle, again and again.

    Args:
        domain: The particle.
        stiffness: Elastic constants of the cells.
        tolerance: Relative residual at which solves stop [-].
        phases: Stopwatch.
        terms: What is added to the elasticity of the cells.
        is_constant: Whether the stiffness stays the same, but for a few jumps.

    Attributes:
        space: P2 vector space of the displacement [µm].
        stiffness: Elastic constants the matrix was assembled with.
        matrix: Stiffness matrix K (block AIJ).
        null_space: Rigid motions of the P2 space that planes of symmetry allow.
    """

    def __init__(
        self,
        domain: Domain,
        stiffness: StiffnessFields,
        tolerance: float,
        phases: Phases,
        terms: Sequence[ElasticTerm] = (),
        is_constant: bool = True,
    ) -> None:
        self.stiffness, self._domain, self._terms = stiffness, domain, terms
        self._is_constant, self._is_stale, self._usual_iterations = is_constant, False, 0
        self.space = fem.functionspace(domain.mesh, ("Lagrange", 2, (3,)))
        coarse_space = fem.functionspace(domain.mesh, ("Lagrange", 1, (3,)))
        prefix = f"vegard_elastic_{next(_prefixes)}_"
        has_thin_layer = domain.comm.allreduce(bool((domain.grain == INTERFACE).any()), op=MPI.LOR)
        chosen = _OPTIONS | _OPTIONS_OF_THIN_LAYERS if has_thin_layer else _OPTIONS
        chosen = chosen | _OPTIONS_OF_CONSTANT_STIFFNESS if is_constant else chosen
        options = PETSc.Options()
        for name, value in chosen.items():
            options[prefix + name] = value
        with phases.measure("compile forms"):
            self._forms = self._form(self.space, 2), self._form(coarse_space, 0)
        self._planes, self._coarse_planes = Planes.of(domain, self.space), Planes.of(domain, coarse_space)
        with phases.measure("stiffness assembly"):
            self.matrix = compat.create_matrix(self._forms[0], "baij")
            self._coarse = compat.create_matrix(self._forms[1], "aij")
            self._coarse.setOptionsPrefix(prefix + "coarse_")
            self._coarse.setFromOptions()
            self.reassemble()
        with phases.measure("elastic solver set-up"):
            self._interpolation = compat.interpolation_matrix(coarse_space, self.space)
            self._solution = self.matrix.createVecRight()
            self.null_space = self._set_null_spaces(coarse_space)
            self._ksp = self._set_up(domain, prefix, tolerance)
        for name in chosen:
            options.delValue(prefix + name)

    def work(self, first: Expr, second: Expr, degree: int = 2) -> ufl.Form:
        """Work that the stress of one strain does in another, each of shape (3, 3): the form that K is assembled from.

        Args:
            first: Strain that causes the stress.
            second: Strain it works in.
            degree: Quadrature degree in the cells.
        """
        cells = ufl.dx(self._domain.mesh, metadata={"quadrature_degree": degree})
        own = ufl.inner(stress(first, self._domain.cell_axis, self.stiffness), second) * cells
        return joined(own, (term.energy(first, second) for term in self._terms))

    def _form(self, space: fem.FunctionSpace, degree: int) -> fem.Form:
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        return compat.form(self.work(strain(trial), strain(test), degree))

    def reassemble(self) -> None:
        """Assembles both levels again, after `stiffness` or a coefficient of a term has changed."""
        compat.assemble_matrix(self.matrix, self._forms[0], self._planes.conditions)
        self._renew()

    def follow(self) -> None:
        """Takes up a `stiffness` that has changed a little; the coarse level waits until solves become slow."""
        compat.assemble_matrix(self.matrix, self._forms[0], self._planes.conditions)
        self._is_stale = True

    def _renew(self) -> None:
        compat.assemble_matrix(self._coarse, self._forms[1], self._coarse_planes.conditions)
        self._is_stale, self._usual_iterations = False, 0

    def _set_null_spaces(self, coarse_space: fem.FunctionSpace) -> PETSc.NullSpace:
        """Tells both levels of the rigid motions; returns those of the fine one."""
        near = rigid_motions(coarse_space)
        self._coarse.setNearNullSpace(near)
        if not self._planes.axes:
            self._coarse.setNullSpace(near)
            null_space = rigid_motions(self.space)
            self.matrix.setNullSpace(null_space)
            return null_space
        null_space, coarse = rigid_motions(self.space, self._planes), rigid_motions(coarse_space, self._coarse_planes)
        if null_space.getVecs():
            self.matrix.setNullSpace(null_space)
            self._coarse.setNullSpace(coarse)
        # Fixed displacements take no part in the exchange between the levels.
        columns = self._coarse_planes.mask(self._coarse.createVecRight())
        self._interpolation.diagonalScale(self._planes.mask(self._solution), columns)
        return null_space

    def _set_up(self, domain: Domain, prefix: str, tolerance: float) -> PETSc.KSP:
        ksp = PETSc.KSP().create(domain.comm)
        ksp.setOptionsPrefix(prefix)
        ksp.setOperators(self.matrix)
        multigrid = ksp.getPC()
        multigrid.setType("mg")
        multigrid.setMGLevels(2)
        multigrid.setMGInterpolation(1, self._interpolation)
        multigrid.getMGCoarseSolve().setOperators(self._coarse)
        multigrid.getMGSmoother(1).setOperators(self.matrix)
        ksp.setTolerances(rtol=tolerance, atol=0.0, max_it=_MAXIMUM_ITERATIONS)
        ksp.setInitialGuessNonzero(not self._is_constant)
        ksp.setFromOptions()
        ksp.setUp()
        return ksp

    def solve(self, load: PETSc.Vec, displacement: fem.Function) -> LinearReport:
        """Solves for one right-hand side.

        Args:
            load: Right-hand side; its part along rigid motions and planes of symmetry is removed in place.
            displacement: Takes the solution, ghosts included; left as it was when the solve fails.
        """
        self.constrain(load)
        if load.norm() == 0.0:
            displacement.x.array[:] = 0.0
            return LinearReport(0, True, int(PETSc.KSP.ConvergedReason.CONVERGED_ATOL))
        report = self._iterate(load, displacement)
        is_slow = 0 < _STALE * self._usual_iterations < report.iterations
        if self._is_stale and (is_slow or not report.converged):
            self._renew()
            report = report if report.converged else self._iterate(load, displacement)
        elif self._usual_iterations == 0:
            self._usual_iterations = max(report.iterations, _FEW_ITERATIONS)
        if report.converged:
            self._solution.copy(displacement.x.petsc_vec)
            displacement.x.scatter_forward()
        return report

    def _iterate(self, load: PETSc.Vec, guess: fem.Function) -> LinearReport:
        if not self._is_constant:
            guess.x.petsc_vec.copy(self._solution)
        self._ksp.solve(load, self._solution)
        reason = int(self._ksp.getConvergedReason())
        return LinearReport(self._ksp.getIterationNumber(), reason > 0, reason)

    def constrain(self, load: PETSc.Vec) -> None:
        """Removes from a load, in place, what rigid motions and planes of symmetry take up."""
        self.null_space.remove(load)
        load.array[self._planes.fixed] = 0.0

    @property
    def method(self) -> str:
        """PETSc's name of the iteration that suits the preconditioner."""
        return str(self._ksp.getType())

    @property
    def preconditioner(self) -> PETSc.PC:
        """The multigrid cycle."""
        return self._ksp.getPC()

    @property
    def planes(self) -> Planes:
        """The planes of symmetry of the body."""
        return self._planes

    @property
    def conditions(self) -> list[fem.DirichletBC]:
        """What planes of symmetry fix."""
        return self._planes.conditions

    def set_tolerance(self, tolerance: float) -> None:
        """Changes the relative residual at which solves stop."""
        self._ksp.setTolerances(rtol=tolerance)

    def destroy(self) -> None:
        """Frees the PETSc objects; Python's collector would be late in parallel."""
        for item in (self._ksp, self._solution, self.matrix, self._coarse, self._interpolation, self.null_space):
            item.destroy()


def rigid_motions(
    space: fem.FunctionSpace, planes: Planes | None = None, displacement: fem.Function | None = None
) -> PETSc.NullSpace:
    """The translations and rotations of a vector space, orthonormal (eq. 2.5), without those that planes forbid.

    With a displacement in the same space they are those of the displaced body (eq. 15.8). A section turns in its plane
    only: turned out of it, it would be sheared, as its motion is the same for every z.
    """
    index_map = space.dofmap.index_map
    x = space.tabulate_dof_coordinates()[: index_map.size_local]
    if displacement is not None:
        x = x + displacement.x.array[: x.size].reshape(-1, 3)
    units = np.eye(3)
    shifts = [axis for axis in range(3) if planes is None or planes.allow_shift(axis)]
    turns = range(3) if space.mesh.topology.dim == 3 else [2]
    fields = [np.broadcast_to(units[axis], x.shape) for axis in shifts]
    fields += [np.cross(units[axis], x) for axis in turns if planes is None or planes.allow_turn(axis)]
    sizes = (3 * index_map.size_local, 3 * index_map.size_global)
    vectors: list[PETSc.Vec] = []
    for values in fields:
        vector = PETSc.Vec().createMPI(sizes, bsize=3, comm=space.mesh.comm)
        vector.array[:] = values.reshape(-1)
        for _ in range(2):  # Gram-Schmidt twice: once leaves rounding errors of the size of the rotations' overlap
            for other in vectors:
                vector.axpy(-vector.dot(other), other)
        vector.normalize()
        vectors.append(vector)
    return PETSc.NullSpace().create(vectors=vectors, comm=space.mesh.comm)
