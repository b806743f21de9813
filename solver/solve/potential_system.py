"""The linear system of one Newton step between masters, matrix-free (eq. 13.5).

Entries of a pool are one unknown, kept as equal entries; their rows are replaced by the mean row, which conserves
lithium exactly. Rows of held masters are those of the diagonal alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.solve.diffusion import VERTICES
from solver.solve.potential_flux import PotentialFlux
from solver.solve.site_map import SiteMap, SiteState
from solver.solve.surface import Places
from solver.solve.vertex_preconditioner import VertexPreconditioner

Array = NDArray[np.float64]

# Each of Newton's steps begins with what the one before has left, so this is of what one step leaves.
_TOLERANCE = 1e-8
_MAXIMUM_ITERATIONS = 2000
_prefixes = count()


@dataclass(frozen=True)
class PoolFilms:
    """Films that end in the pool: derivatives of what they carry, by x at their sites and by the pool's mean x."""

    by_stoichiometry: Array
    by_pool: Array


class PotentialSystem:
    """Jacobian of the residual of a step: accumulation, diffusion with drift, passage through the surface.

    Args:
        flux: Flux between sites, linearised at the present state.
        sites: Sites and masters.
        comm: Ranks.
        between_masters: Diffusion matrix between masters, for the preconditioner.
        bare: Masters on the bare surface.

    Attributes:
        accumulation: (owned masters,) factor of the accumulation at the present state.
    """

    def __init__(
        self,
        flux: PotentialFlux,
        sites: SiteMap,
        comm: MPI.Comm,
        between_masters: PETSc.Mat | None,
        bare: NDArray[np.int64],
    ) -> None:
        self._flux, self._sites = flux, sites
        self._weight: Array = np.ones(len(sites.master_of_site))
        self._slope: Array = np.zeros(len(sites.master_of_site))
        self._stored: Array = np.zeros(len(sites.master_of_site))
        self.accumulation: Array = np.zeros(sites.owned)
        self._films: PoolFilms | None = None
        self._comm = comm
        self._operator = PETSc.Mat().createPython(((sites.owned, None), (sites.owned, None)), self, comm=comm)
        self._operator.setUp()
        self._ksp = _krylov(self._operator)
        self._between_masters, self._bare = between_masters, Places(comm, bare)
        self.take_stiffness()

    def take_stiffness(self) -> None:
        """Takes up entries of the matrix between masters that have changed; collective."""
        between = self._between_masters
        vertices = None if between is None else between.query(VERTICES)
        if between is None or vertices is None:  # one master at every vertex: nothing ties two of them
            return
        preconditioner = VertexPreconditioner(vertices, between, _Shifted(self), self._bare)
        self._ksp.getPC().setType("python")
        self._ksp.getPC().setPythonContext(preconditioner)

    def set_state(self, state: SiteState, slope: Array, diagonal: Array, films: PoolFilms | None) -> None:
        """Takes the state at which the flux was linearised.

        Args:
            state: Sites in equilibrium.
            slope: (owned sites,) derivative by x of what leaves through the surface.
            diagonal: (owned masters,) factor of the accumulation.
            films: Those that end in the pool.
        """
        self._weight, self._slope, self.accumulation, self._films = state.weight, slope, diagonal, films
        self._stored = self._sites.stored(diagonal)

    def constrain(self, rows: Array, places: Places | None = None) -> None:
        """Replaces the rows of a pool by their mean, and clears those of held masters, in place; collective.

        Args:
            rows: One per owned master.
            places: Masters to take for the bare surface; by default those on it.
        """
        places = places or self._bare
        if self._sites.is_held:
            rows[places.index] = 0.0
        elif self._sites.has_pool:
            rows[places.index] = places.mean(rows)

    def vector(self) -> PETSc.Vec:
        """A vector of the masters."""
        return self._operator.createVecRight()

    def change(self, move: Array) -> Array:
        """Change of x at the owned sites for a change of the masters' unknowns; collective."""
        return self._weight * self._sites.spread(move)

    def mult(self, matrix: PETSc.Mat | None, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts the Jacobian times x into y; PETSc calls it."""
        sites, move = self._sites, x.array_r
        change = self.change(move)
        leaving = self._flux.apply(change) + self._slope * change
        if sites.has_pool and not sites.is_held:
            y.array[:] = self._pooled(leaving + self._stored * change, change, move)
            return
        rows = sites.gather(leaving)
        self.constrain(rows)
        y.array[:] = rows + self.accumulation * move

    def _pooled(self, leaving: Array, change: Array, move: Array) -> Array:
        """Rows where a pool takes what leaves through films."""
        films = self._films
        if films is not None:
            by_pool = films.by_pool * (self._sites.pool_total(move) / self._sites.pool_count)
            carried = self._comm.allreduce(float((films.by_stoichiometry * change + by_pool).sum()))
            leaving = leaving + by_pool
        rows = self._sites.gather(leaving)
        if films is not None:
            rows[self._sites.pool_masters] -= carried / self._sites.pool_count
        self.constrain(rows)
        return rows

    def getDiagonal(self, matrix: PETSc.Mat, result: PETSc.Vec) -> None:
        """Diagonal for the Jacobi preconditioner, without the exchange inside a pool; PETSc calls it."""
        result.array[:] = self.diagonal()

    def diagonal(self) -> Array:
        """(owned masters,) diagonal of the Jacobian, roughly; positive; collective."""
        rows = np.maximum(self._sites.gather(self._weight * (self._flux.diagonal + self._slope)), 0.0)
        if self._sites.is_held:
            self.constrain(rows)
            return rows + self.accumulation
        rows += self.accumulation
        self.constrain(rows)  # equal entries of a pool stay equal
        return rows

    def solve(self, right: PETSc.Vec, answer: PETSc.Vec, is_symmetric: bool) -> tuple[bool, int]:
        """Solves from zero; returns whether it converged, and the iterations.

        Args:
            right: Right side, constrained.
            answer: Gets the solution.
            is_symmetric: Whether the Jacobian is symmetric and positive definite.
        """
        self._operator.assemble()  # tells the preconditioner that the diagonal may be new
        self._ksp.setOperators(self._operator)
        self._ksp.setType("cg" if is_symmetric else "bcgs")
        self._ksp.solve(right, answer)
        return self._ksp.getConvergedReason() > 0, self._ksp.getIterationNumber()


class _Shifted:
    """The system as its preconditioner sees it: diffusion without stress, and the accumulation."""

    def __init__(self, system: PotentialSystem) -> None:
        self._system, self._accumulation = system, system.vector()

    @property
    def diagonal(self) -> PETSc.Vec:
        """The accumulation."""
        self._accumulation.array[:] = self._system.accumulation
        return self._accumulation

    @property
    def surface(self) -> _Shifted:
        """This object: it knows the pool."""
        return self

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """Treats all that sits at the vertices of a pool as the pool."""
        self._system.constrain(values, places)

    def add_diagonal(self, diagonal: Array) -> None:
        """Nothing: what passes the surface is no part of the sums."""

    def getDiagonal(self, matrix: PETSc.Mat | None, result: PETSc.Vec) -> None:
        """That of the system."""
        self._system.getDiagonal(matrix, result)


def _krylov(operator: PETSc.Mat) -> PETSc.KSP:
    ksp = PETSc.KSP().create(operator.comm)
    ksp.setOptionsPrefix(f"vegard_potential_{next(_prefixes)}_")
    ksp.setOperators(operator)
    ksp.setType("bcgs")
    ksp.getPC().setType("jacobi")
    ksp.setTolerances(rtol=_TOLERANCE, atol=1e-300, max_it=_MAXIMUM_ITERATIONS)
    ksp.setFromOptions()
    return ksp
