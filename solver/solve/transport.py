"""Lithium diffusion in time: lumped P1 in space, BDF2 with variable steps in time (eqs. 3.1-3.8).

Two states are kept apart: the *accepted* one, with the history BDF2 needs, and the *trial* one of the latest attempt.
An attempt changes nothing until it is committed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count

import numpy as np
import ufl
from dolfinx import fem
from petsc4py import PETSc

from meshes.particle_mesh import OUTER
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
        lithium: Volume integral of the trial x [µm³].
    """

    converged: bool
    iterations: int
    error: float = 0.0
    order: int = 1
    change: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    lithium: float = 0.0


class _System:
    """Matrix-free operator K + diagonal with the surface condition applied; PETSc calls it for products."""

    def __init__(self, stiffness: PETSc.Mat, surface: Surface) -> None:
        self.stiffness, self.surface = stiffness, surface
        self.stiffness_diagonal = stiffness.getDiagonal()
        surface.constrain(self.stiffness_diagonal)
        self.diagonal = self.stiffness_diagonal.duplicate()

    def mult(self, matrix: PETSc.Mat | None, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts (K + diagonal) x into y."""
        self.diffuse(x, y)
        y.array[:] += self.diagonal.array_r * x.array_r

    def diffuse(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts K x into y."""
        self.stiffness.mult(x, y)
        self.surface.constrain(y)

    def getDiagonal(self, matrix: PETSc.Mat, result: PETSc.Vec) -> None:
        """Diagonal for the Jacobi preconditioner."""
        result.waxpy(1.0, self.diagonal, self.stiffness_diagonal)


class Transport:
    """Lithium field of a particle that carries a given current.

    Attributes:
        stoichiometry: Accepted x, P1, ghosts up to date.
        volume: Volume of the particle as the lumped mass sees it [µm³].
        area: Area through which lithium passes [µm²].
    """

    def __init__(
        self,
        domain: Domain,
        diffusivity_ab: float,
        diffusivity_c: float,
        *,
        initial: float,
        equipotential: bool,
        phases: Phases,
    ) -> None:
        self._phases = phases
        space = fem.functionspace(domain.mesh, ("Lagrange", 1))
        self._rows = SurfaceRows(domain, space, OUTER)
        self._driven: Surface = Equipotential(self._rows) if equipotential else UniformFlux()
        self.stoichiometry = fem.Function(space, name="stoichiometry")
        self.stoichiometry.x.array[:] = initial
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        along, across = (fem.Constant(domain.mesh, np.float64(value)) for value in (diffusivity_ab, diffusivity_c))
        tensor = diffusivity_tensor(along, across, domain.cell_axis)
        cells = ufl.dx(domain.mesh, metadata={"quadrature_degree": 1})
        outside = ufl.Measure("ds", domain=domain.mesh, subdomain_data=domain.facet_tags, subdomain_id=OUTER)
        with phases.measure("compile forms"):
            stiffness = compat.form(ufl.inner(tensor * ufl.grad(trial), ufl.grad(test)) * cells)
            mass = compat.form(test * cells)
            influx = compat.form(test * outside)
        with phases.measure("diffusion set-up"):
            matrix = compat.create_matrix(stiffness, "aij")
            compat.assemble_matrix(matrix, stiffness)
            self._mass = _assembled(mass)  # the integral of a P1 test function is its row of the lumped mass matrix
            self._influx = _assembled(influx)
            self._driven.constrain(self._mass)
            self._driven.constrain(self._influx)
            self._system = _System(matrix, self._driven)
        self.volume, self.area = self._mass.sum(), self._influx.sum()
        if self.area <= 0.0:
            raise SolveError("the particle has no facets tagged as outer surface; check the mesh file")
        self._accepted = self.stoichiometry.x.petsc_vec
        self._trial = self._accepted.duplicate()
        self._load, self._work, self._predicted = (self._accepted.duplicate() for _ in range(3))
        self._past: deque[tuple[float, PETSc.Vec]] = deque(maxlen=_HISTORY - 1)
        self._spare = [self._accepted.duplicate() for _ in range(_HISTORY)]
        self._step = self._flux = 0.0
        self._operator = PETSc.Mat().createPython(matrix.getSizes(), self._system, comm=domain.comm)
        self._operator.setUp()
        self._ksp = _conjugate_gradients(self._operator)

    def lithium(self) -> float:
        """Volume integral of x [µm³]."""
        return self._mass.dot(self._accepted)

    def drive(self, rate: float) -> None:
        """Begins a stretch of constant current.

        Args:
            rate: Rate of the mean stoichiometry, dx̄/dt [1/s] (eq. 3.4).
        """
        self._flux, self._system.surface = rate * self.volume / self.area, self._driven
        self._forget()

    def hold(self, stoichiometry: float) -> None:
        """Begins a stretch at a fixed surface stoichiometry, reached at once."""
        self._flux, self._system.surface = 0.0, Held(self._rows)
        self._accepted.array[self._rows.owned] = stoichiometry
        self.stoichiometry.x.scatter_forward()
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
            return Attempt(True, iterations, error, order, change, lowest, highest, self._mass.dot(self._trial))

    def _assemble_step(self, step: float) -> float:
        """Sets up matrix and load of the step; returns the factor from the predictor's miss to the local error."""
        now, earlier, factor = self._coefficients(step)
        load = self._load
        load.axpby(now + earlier, 0.0, self._accepted)
        if self._past:
            load.axpy(-earlier, self._past[-1][1])
        load.pointwiseMult(load, self._mass)
        load.axpby(self._flux, 1.0 / step, self._influx)
        self._mass.copy(self._system.diagonal)
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
        rate = self._work  # dx/dt from the equation itself: M dx/dt = flux − K x
        self._system.diffuse(accepted, rate)
        rate.axpby(self._flux, -1.0, self._influx)
        rate.pointwiseDivide(rate, self._mass)
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
