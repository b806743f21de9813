"""Lithium diffusion in time: lumped P1 in space, BDF2 with variable steps in time (eqs. 3.1-3.8, 8.2).

Lithium lives in the grains. Degrees of freedom that touch none have no lithium sites; they keep their first value.

Two states are kept apart: the *accepted* one, with the history BDF2 needs, and the *trial* one of the latest attempt.
An attempt changes nothing until it is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike
from petsc4py import PETSc

from meshes.particle_mesh import LITHIUM_SURFACE
from solver import compat
from solver.errors import SolveError
from solver.model.transport import diffusivity_tensor
from solver.solve.domain import Domain
from solver.solve.phases import Phases
from solver.solve.surface import Equipotential, Held, Surface, SurfaceRows, UniformFlux

_LINEAR_TOLERANCE = 1e-10
_MAXIMUM_ITERATIONS = 2000
_HISTORY = 3
_prefixes = count()


@dataclass(frozen=True)
class Attempt:
    """Outcome of one attempted step.

    Attributes:
        converged: Whether the linear solve converged; the numbers below mean nothing otherwise.
        iterations: Linear iterations.
        error: Largest estimated local error of x [-] (eq. 3.8).
        order: Order in time of the formula used: 1 for the first step after a change of current, then 2.
        change: Largest change of x in the step [-].
        lowest: Smallest trial x [-].
        highest: Largest trial x [-].
        lithium: Volume integral of the trial x [µm³], weighted by the lithium sites.
        outside: Stoichiometry the outside is in equilibrium with [-] (eq. 8.3); NaN when there is no single one.
    """

    converged: bool
    iterations: int
    error: float = 0.0
    order: int = 1
    change: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    lithium: float = 0.0
    outside: float = float("nan")


class _System:
    """Matrix-free operator K + diagonal with the surface condition applied; PETSc calls it for products."""

    def __init__(self, stiffness: PETSc.Mat, surface: Surface) -> None:
        self.stiffness, self.surface = stiffness, surface
        self.stiffness_diagonal = stiffness.getDiagonal()
        surface.constrain(self.stiffness_diagonal.array)
        surface.add_diagonal(self.stiffness_diagonal.array)
        self.diagonal = self.stiffness_diagonal.duplicate()

    def mult(self, matrix: PETSc.Mat | None, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts (K + diagonal) x into y."""
        self.diffuse(x, y)
        y.array[:] += self.diagonal.array_r * x.array_r

    def diffuse(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts K x into y, with what leaves through films."""
        self.stiffness.mult(x, y)
        residual = y.array
        self.surface.exchange(x.array_r, residual)
        self.surface.constrain(residual)

    def getDiagonal(self, matrix: PETSc.Mat, result: PETSc.Vec) -> None:
        """Diagonal for the Jacobi preconditioner."""
        result.waxpy(1.0, self.diagonal, self.stiffness_diagonal)


class Transport:
    """Lithium field of a particle that carries a given current.

    Args:
        domain: The particle.
        diffusivity_ab: Diffusivity within the layers [µm²/s]: one number, or one per local and ghost cell.
        diffusivity_c: Diffusivity across them [µm²/s], likewise.
        sites: Lithium sites per volume over their mean in the grains [-], likewise.
        initial: Stoichiometry at the start.
        equipotential: Whether the outside is at one potential; otherwise the flux is the same everywhere.
        resistances: Resistance of the film on facets with a tag [s/µm].
        phases: Stopwatch.

    Attributes:
        stoichiometry: Accepted x, P1, ghosts up to date.
        volume: Volume of the grains as the lumped mass sees it [µm³], weighted by `sites`.
        area: Area through which lithium passes [µm²].
    """

    def __init__(
        self,
        domain: Domain,
        diffusivity_ab: ArrayLike,
        diffusivity_c: ArrayLike,
        *,
        sites: ArrayLike = 1.0,
        initial: float,
        equipotential: bool,
        resistances: Mapping[int, float] | None = None,
        phases: Phases,
    ) -> None:
        self._phases = phases
        space = fem.functionspace(domain.mesh, ("Lagrange", 1))
        self.stoichiometry = fem.Function(space, name="stoichiometry")
        self.stoichiometry.x.array[:] = initial
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        along, across, capacity = (_in_grains(domain, field) for field in (diffusivity_ab, diffusivity_c, sites))
        tensor = diffusivity_tensor(along, across, domain.cell_axis)
        cells = ufl.dx(domain.mesh, metadata={"quadrature_degree": 1})
        with phases.measure("compile forms"):
            stiffness = compat.form(capacity * ufl.inner(tensor * ufl.grad(trial), ufl.grad(test)) * cells)
            mass = compat.form(capacity * test * cells)
            self._rows = SurfaceRows(domain, space, LITHIUM_SURFACE, resistances or {})
        self.area = domain.comm.allreduce(float(self._rows.areas.sum()))
        if self.area <= 0.0:
            raise SolveError("lithium passes no facet of the particle; check the mesh file, `coverage` and `wetted`")
        self._driven: Surface = Equipotential(self._rows) if equipotential else UniformFlux(self._rows)
        with phases.measure("diffusion set-up"):
            matrix = compat.create_matrix(stiffness, "aij")
            compat.assemble_matrix(matrix, stiffness)
            self._mass = _assembled(mass)  # the integral of a P1 test function is its row of the lumped mass matrix
            self._driven.constrain(self._mass.array)
            self._capacity = self._mass.copy()
            self._capacity.array[self._mass.array_r == 0.0] = 1.0  # outside the grains, where nothing happens
            self._system = _System(matrix, self._driven)
        self.volume = self._mass.sum()
        self._accepted = self.stoichiometry.x.petsc_vec
        self._trial = self._accepted.duplicate()
        self._load, self._work, self._predicted, self._source = (self._accepted.duplicate() for _ in range(4))
        self._past: deque[tuple[float, PETSc.Vec]] = deque(maxlen=_HISTORY - 1)
        self._spare = [self._accepted.duplicate() for _ in range(_HISTORY)]
        self._step = self._current = 0.0
        self._operator = PETSc.Mat().createPython(matrix.getSizes(), self._system, comm=domain.comm)
        self._operator.setUp()
        self._ksp = _conjugate_gradients(self._operator)

    def lithium(self) -> float:
        """Volume integral of x [µm³], weighted by the lithium sites."""
        return self._mass.dot(self._accepted)

    @property
    def outside(self) -> float:
        """Stoichiometry the outside is in equilibrium with [-] (eq. 8.3); NaN where it has none; collective."""
        return self._system.surface.outside(self._accepted.array_r, self._current)

    def drive(self, rate: float) -> None:
        """Begins a stretch of constant current.

        Args:
            rate: Rate of the mean stoichiometry, dx̄/dt [1/s] (eq. 3.4).
        """
        self._begin(self._driven, rate * self.volume)

    def hold(self, stoichiometry: float) -> None:
        """Begins a stretch with the outside at a fixed stoichiometry, which bare surfaces take at once."""
        self._accepted.array[self._rows.bare] = stoichiometry
        self.stoichiometry.x.scatter_forward()
        self._begin(Held(self._rows, stoichiometry), 0.0)

    def _begin(self, surface: Surface, current: float) -> None:
        self._current, self._system.surface = current, surface
        self._source.array[:] = surface.source(current)
        self._forget()

    def _forget(self) -> None:
        """Drops the history: the next step follows a jump of the current."""
        while self._past:
            self._spare.append(self._past.pop()[1])

    def attempt(self, step: float) -> Attempt:
        """Solves one step [s] into the trial state."""
        with self._phases.measure("diffusion solves"):
            self._step = step
            order = 2 if self._past else 1
            leading = self._assemble_step(step)
            self._predict(step)
            self._predicted.copy(self._trial)
            self._ksp.setOperators(self._operator)
            self._ksp.solve(self._load, self._trial)
            iterations = self._ksp.getIterationNumber()
            if self._ksp.getConvergedReason() <= 0:
                return Attempt(converged=False, iterations=iterations)
            self._predicted.axpby(1.0, -1.0, self._trial)  # trial − predicted
            error = leading * self._predicted.norm(PETSc.NormType.INFINITY)
            self._work.waxpy(-1.0, self._accepted, self._trial)
            change = self._work.norm(PETSc.NormType.INFINITY)
            lowest, highest = self._trial.min()[1], self._trial.max()[1]
            outside = self._system.surface.outside(self._trial.array_r, self._current)
            lithium = self._mass.dot(self._trial)
            return Attempt(True, iterations, error, order, change, lowest, highest, lithium, outside)

    def _assemble_step(self, step: float) -> float:
        """Sets up matrix and load of the step; returns the factor from the predictor's miss to the local error."""
        now, earlier, factor = self._coefficients(step)
        load = self._load
        load.axpby(now + earlier, 0.0, self._accepted)
        if self._past:
            load.axpy(-earlier, self._past[-1][1])
        load.pointwiseMult(load, self._capacity)
        load.axpby(1.0, 1.0 / step, self._source)
        self._capacity.copy(self._system.diagonal)
        self._system.diagonal.scale(now / step)
        self._operator.assemble()  # tells the preconditioner that the diagonal is new
        return factor

    def _coefficients(self, step: float) -> tuple[float, float, float]:
        """Weights of the new and the oldest state (eq. 3.7) and the error factor (eq. 3.8)."""
        if not self._past:  # backward Euler
            return 1.0, 0.0, 0.5
        last = self._past[-1][0]
        ratio = step / last
        own = step**2 * (step + last) ** 2 / (2 * step + last)
        before = step if len(self._past) == 1 else step + last + self._past[-2][0]
        predictor = step * (step + last) * before
        return (1 + 2 * ratio) / (1 + ratio), ratio**2 / (1 + ratio), own / (predictor + own)

    def _predict(self, step: float) -> None:
        """Extrapolates the accepted history to the end of the step, one order below the formula's error term."""
        predicted, accepted = self._predicted, self._accepted
        accepted.copy(predicted)
        if len(self._past) == 2:
            (first, before), (second, earlier) = self._past[-1], self._past[-2]
            slope, bend = step / first, step * (step + first) / (first + second)
            predicted.axpy(slope + bend / first, accepted)
            predicted.axpy(-slope - bend / first - bend / second, before)
            predicted.axpy(bend / second, earlier)
            return
        rate = self._work  # dx/dt from the equation itself: M dx/dt = source − K x
        self._system.diffuse(accepted, rate)
        rate.axpby(1.0, -1.0, self._source)
        rate.pointwiseDivide(rate, self._capacity)
        predicted.axpy(step, rate)
        if self._past:
            last, before = self._past[-1]
            curvature = step**2 / last
            predicted.axpy(curvature, rate)
            predicted.axpy(-curvature / last, accepted)
            predicted.axpy(curvature / last, before)

    def commit(self) -> None:
        """Makes the trial state the accepted one."""
        if len(self._past) == self._past.maxlen:
            self._spare.append(self._past.popleft()[1])
        kept = self._spare.pop()
        self._accepted.copy(kept)
        self._past.append((self._step, kept))
        self._trial.copy(self._accepted)
        self.stoichiometry.x.scatter_forward()


def _in_grains(domain: Domain, values: ArrayLike) -> fem.Function:
    """Piecewise constant field of one number or one per cell; zero outside the grains."""
    space = fem.functionspace(domain.mesh, ("DG", 0))
    field = fem.Function(space)
    field.x.array[space.dofmap.list[:, 0]] = np.where(domain.is_grain, values, 0.0)
    return field


def _assembled(compiled: fem.Form) -> PETSc.Vec:
    vector = compat.create_vector(compiled)
    compat.assemble_vector(vector, compiled)
    return vector


def _conjugate_gradients(operator: PETSc.Mat) -> PETSc.KSP:
    ksp = PETSc.KSP().create(operator.comm)
    ksp.setOptionsPrefix(f"vegard_diffusion_{next(_prefixes)}_")
    ksp.setOperators(operator)
    ksp.setType("cg")
    ksp.getPC().setType("jacobi")
    ksp.setTolerances(rtol=_LINEAR_TOLERANCE, atol=0.0, max_it=_MAXIMUM_ITERATIONS)
    ksp.setInitialGuessNonzero(True)
    ksp.setFromOptions()
    return ksp
