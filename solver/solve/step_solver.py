"""The algebraic system of one diffusion step, for surfaces whose condition is linear: fast reaction, films, even flux.

A step asks for x with (d + K) x + flow(x) = load, where d is a diagonal, K the diffusion matrix and flow what leaves
through the surface. How lithium passes the surface is the step solver's business; time is `solver.solve.transport`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.model.kinetics import EquilibriumVoltage
from solver.solve.diffusion import VERTICES, Diffusion
from solver.solve.surface import Equipotential, Held, Places, Surface, SurfaceRows, UniformFlux
from solver.solve.vertex_preconditioner import VertexPreconditioner

Array = NDArray[np.float64]

_LINEAR_TOLERANCE = 1e-10
_MAXIMUM_ITERATIONS = 2000
_prefixes = count()


@dataclass(frozen=True)
class Drive:
    """What is imposed on the particle from outside; one of the three.

    Attributes:
        inflow: Lithium that enters, as a volume integral of dx/dt [µm³/s].
        potential: Potential of the particle [V].
        outside: Stoichiometry the outside is in equilibrium with [-].
    """

    inflow: float | None = None
    potential: float | None = None
    outside: float | None = None


@dataclass(frozen=True)
class Solved:
    """Outcome of one system.

    Attributes:
        converged: Whether x holds the solution.
        iterations: Linear iterations, of all Newton steps.
        newton: Newton steps; 1 for a linear system.
        outside: Stoichiometry the outside is in equilibrium with [-]; NaN when there is no single one.
        potential: Potential of the particle [V]; NaN when it is not known.
    """

    converged: bool
    iterations: int
    newton: int = 1
    outside: float = float("nan")
    potential: float = float("nan")


class StepSolver(Protocol):
    """Solves the system of a step for one kind of surface."""

    def prepare_mass(self, mass: Array) -> None:
        """Maps the lumped mass to the constrained system, in place."""

    def take_stiffness(self) -> None:
        """Takes up entries of the diffusion matrix that have changed; collective."""

    def begin(self, drive: Drive, x: PETSc.Vec) -> None:
        """Takes a new drive; may set entries of x that the drive fixes."""

    def rate(self, x: PETSc.Vec, result: PETSc.Vec) -> None:
        """Puts lithium gained per time at every degree of freedom [µm³/s] into result."""

    def solve(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> Solved:
        """Solves for x, which holds the first guess."""

    def state(self, x: PETSc.Vec) -> tuple[float, float]:
        """Outside stoichiometry and potential of an accepted field under the present drive."""

    def keep_integrated(self, change: PETSc.Vec) -> None:
        """Leaves of a change of x, in place, what is integrated in time, without what settles at once; collective."""


def bound_guess(diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> None:
    """Replaces entries of a first guess beyond empty or full by the history, kept inside, in place.

    An extrapolation can be far out where a long step follows a jump. The exponentials of a reaction, and logarithms,
    let Newton's method come back from there by small steps only.
    """
    history = np.clip(load.array_r / diagonal.array_r, 0.0, 1.0)
    x.array[:] = np.where(np.abs(x.array_r - 0.5) <= 0.5, x.array_r, history)


class ShiftedDiffusion:
    """Matrix-free K + diagonal with a linear surface condition, and conjugate gradients for it.

    Args:
        stiffness: Diffusion matrix K.
        surface: The condition; can be replaced.
        bare: Places where lithium passes without a film.
    """

    def __init__(self, stiffness: PETSc.Mat, surface: Surface, bare: Places) -> None:
        self._stiffness, self._bare = stiffness, bare
        self.surface = self._usual_surface = surface
        self._stiffness_diagonal = stiffness.createVecLeft()
        self._set_stiffness_diagonal()
        self.diagonal = self._stiffness_diagonal.duplicate()
        self._operator = PETSc.Mat().createPython(stiffness.getSizes(), self, comm=stiffness.comm)
        self._operator.setUp()
        self._ksp = _conjugate_gradients(self._operator, self._preconditioner())

    def _set_stiffness_diagonal(self) -> None:
        self._stiffness.getDiagonal(self._stiffness_diagonal)
        self._usual_surface.constrain(self._stiffness_diagonal.array)
        self._usual_surface.add_diagonal(self._stiffness_diagonal.array)

    def take_stiffness(self) -> None:
        """Takes up entries of K that have changed."""
        self._set_stiffness_diagonal()
        if (preconditioner := self._preconditioner()) is not None:
            self._ksp.getPC().setPythonContext(preconditioner)

    def _preconditioner(self) -> VertexPreconditioner | None:
        """Where several degrees of freedom share a vertex; the diagonal serves everywhere else."""
        vertices = self._stiffness.query(VERTICES)
        return None if vertices is None else VertexPreconditioner(vertices, self._stiffness, self, self._bare)

    def mult(self, matrix: PETSc.Mat | None, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts (K + diagonal) x into y; PETSc calls it."""
        self.diffuse(x, y)
        y.array[:] += self.diagonal.array_r * x.array_r

    def diffuse(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Puts K x into y, with what leaves through films."""
        self._stiffness.mult(x, y)
        residual = y.array
        self.surface.exchange(x.array_r, residual)
        self.surface.constrain(residual)

    def getDiagonal(self, matrix: PETSc.Mat | None, result: PETSc.Vec) -> None:
        """Diagonal for the Jacobi preconditioner; PETSc calls it."""
        result.waxpy(1.0, self.diagonal, self._stiffness_diagonal)

    def solve(self, load: PETSc.Vec, x: PETSc.Vec) -> tuple[bool, int]:
        """Solves (K + diagonal) x = load from the guess in x; returns whether it converged, and the iterations."""
        self._operator.assemble()  # tells the preconditioner that the diagonal may be new
        self._ksp.setOperators(self._operator)
        self._ksp.solve(load, x)
        return self._ksp.getConvergedReason() > 0, self._ksp.getIterationNumber()


class LinearStepSolver:
    """Steps under a fast reaction (one outside stoichiometry) or an even flux.

    Args:
        diffusion: Diffusion in the grains.
        rows: Places where lithium passes.
        equipotential: One outside stoichiometry for all; otherwise the flux is the same everywhere.
        voltage: U(x), when the potential is wanted.
    """

    def __init__(
        self,
        diffusion: Diffusion,
        rows: SurfaceRows,
        equipotential: bool = True,
        voltage: EquilibriumVoltage | None = None,
    ) -> None:
        self._rows, self._voltage = rows, voltage
        self._driven: Surface = Equipotential(rows) if equipotential else UniformFlux(rows)
        self._system = ShiftedDiffusion(diffusion.stiffness, self._driven, rows.places)
        self._source = self._system.diagonal.duplicate()
        self._load = self._source.duplicate()
        self._inflow = 0.0
        self._sites = self._source.duplicate()  # 1 where there is lithium, 0 outside the grains

    def prepare_mass(self, mass: Array) -> None:
        """The entries of a bare equipotential surface act as one."""
        self._driven.constrain(mass)
        self._sites.array[:] = mass > 0.0

    def take_stiffness(self) -> None:
        """Takes up entries of the diffusion matrix that have changed; collective."""
        self._system.take_stiffness()

    def begin(self, drive: Drive, x: PETSc.Vec) -> None:
        """Takes a current or a held outside; a held one is taken by bare surfaces at once."""
        if drive.potential is not None:
            drive = Drive(outside=self._voltage.stoichiometry(drive.potential) if self._voltage else float("nan"))
        if drive.outside is None:
            self._system.surface, self._inflow = self._driven, drive.inflow or 0.0
        else:
            x.array[self._rows.bare] = drive.outside
            self._system.surface, self._inflow = Held(self._rows, drive.outside), 0.0
        self._source.array[:] = self._system.surface.source(self._inflow)

    def rate(self, x: PETSc.Vec, result: PETSc.Vec) -> None:
        """Source less what diffuses away."""
        self._system.diffuse(x, result)
        result.aypx(-1.0, self._source)

    def solve(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> Solved:
        """One linear system."""
        diagonal.copy(self._system.diagonal)
        self._load.waxpy(1.0, load, self._source)
        converged, iterations = self._system.solve(self._load, x)
        if self._system.surface is self._driven:
            self._balance(diagonal, x)
        outside, potential = self.state(x)
        return Solved(converged, iterations, outside=outside, potential=potential)

    def _balance(self, diagonal: PETSc.Vec, x: PETSc.Vec) -> None:
        """Moves all x by what the linear solver lost of the lithium: diffusion itself sums up to zero."""
        lost = self._load.sum() - diagonal.dot(x)
        x.axpy(lost / diagonal.dot(self._sites), self._sites)

    def keep_integrated(self, change: PETSc.Vec) -> None:
        """All of it."""

    def state(self, x: PETSc.Vec) -> tuple[float, float]:
        """The outside stoichiometry; the potential is known only with a voltage curve."""
        outside = self._system.surface.outside(x.array_r, self._inflow)
        return outside, float("nan") if self._voltage is None else float(self._voltage(outside))


def fast_reaction(diffusion: Diffusion, rows: SurfaceRows) -> LinearStepSolver:
    """One outside stoichiometry, no voltage."""
    return LinearStepSolver(diffusion, rows)


def even_flux(diffusion: Diffusion, rows: SurfaceRows) -> LinearStepSolver:
    """The same flux everywhere."""
    return LinearStepSolver(diffusion, rows, equipotential=False)


def _conjugate_gradients(operator: PETSc.Mat, preconditioner: VertexPreconditioner | None) -> PETSc.KSP:
    ksp = PETSc.KSP().create(operator.comm)
    ksp.setOptionsPrefix(f"vegard_diffusion_{next(_prefixes)}_")
    ksp.setOperators(operator)
    ksp.setType("cg")
    if preconditioner is None:
        ksp.getPC().setType("jacobi")
    else:
        ksp.getPC().setType("python")
        ksp.getPC().setPythonContext(preconditioner)
    ksp.setTolerances(rtol=_LINEAR_TOLERANCE, atol=0.0, max_it=_MAXIMUM_ITERATIONS)
    ksp.setInitialGuessNonzero(True)
    ksp.setFromOptions()
    return ksp
