"""Lithium diffusion in time: lumped P1 in space, BDF2 with variable steps in time (eqs. 3.1-3.8, 8.2, 11.7).

Degrees of freedom that touch no grain have no lithium sites; they keep their first value.

Two states are kept apart: the *accepted* one, with the history BDF2 needs, and the *trial* one of the latest attempt.
An attempt changes nothing until it is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from dolfinx import fem
from numpy.typing import ArrayLike
from petsc4py import PETSc

from meshes.particle_mesh import LITHIUM_SURFACE
from solver.errors import SolveError
from solver.solve.boundary_transport import BoundaryTransport
from solver.solve.diffusion import Diffusion, Medium
from solver.solve.domain import Domain
from solver.solve.memory import Memory, at_corners, from_corners
from solver.solve.phases import Phases
from solver.solve.step_solver import Drive, Solved, StepSolver
from solver.solve.surface import SurfaceRows

_HISTORY = 3

# Makes a solver of steps from diffusion and the places where lithium passes.
SurfaceChoice = Callable[[Diffusion, SurfaceRows], StepSolver]


class Course(Protocol):
    """A current that varies in time, as the mean stoichiometry x̄ it drives."""

    def gain(self, start: float, end: float) -> float:
        """Change of x̄ between two times [s] of the course."""

    def rate(self, time: float, before: bool = False) -> float:
        """dx̄/dt [1/s] at a time [s]; where it jumps the one after, or the one before."""


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
        potential: Potential of the particle [V]; NaN when the material has no voltage.
        inflow: Rate of the mean stoichiometry in the step [1/s].
        newton: Newton steps of the surface reaction; 1 without.
        outer: How often lithium and stress were solved in turn; 1 where stress does not act back.
        problem: Why it has not converged, where that is known.
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
    potential: float = float("nan")
    inflow: float = float("nan")
    newton: int = 1
    outer: int = 1
    problem: str = ""


class Transport:
    """Lithium field of a particle that carries a given current.

    Args:
        domain: The particle.
        diffusivity_ab: Diffusivity within the layers [µm²/s]: one number, or one per local and ghost cell.
        diffusivity_c: Diffusivity across them [µm²/s], likewise.
        sites: Lithium sites per volume over their mean in the grains [-], likewise.
        initial: Stoichiometry at the start.
        surface: Makes the solver of steps from diffusion and the places where lithium passes.
        resistances: Resistance of the film on facets with a tag [s/µm].
        boundaries: Grain boundaries that hinder lithium or carry it; None where they are like the grains.
        phases: Stopwatch.

    Attributes:
        medium: Where lithium diffuses.
        stoichiometry: Accepted x, P1 and broken where boundaries hinder lithium, ghosts up to date.
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
        surface: SurfaceChoice,
        resistances: Mapping[int, float] | None = None,
        boundaries: BoundaryTransport | None = None,
        phases: Phases,
    ) -> None:
        self._phases = phases
        self.medium = Medium(domain, diffusivity_ab, diffusivity_c, sites, boundaries)
        space = self.medium.space()
        self.stoichiometry = fem.Function(space, name="stoichiometry")
        self.stoichiometry.x.array[:] = initial
        with phases.measure("compile forms"):
            self._rows = SurfaceRows(domain, space, LITHIUM_SURFACE, resistances or {})
        self.area = domain.comm.allreduce(float(self._rows.areas.sum()))
        if self.area <= 0.0:
            raise SolveError("lithium passes no facet of the particle; check the mesh file, `coverage` and `wetted`")
        self._diffusion = Diffusion(self.medium, space, phases)
        with phases.measure("diffusion set-up"):
            self._mass = self._diffusion.mass.copy()
            self._solver = surface(self._diffusion, self._rows)
            self._solver.prepare_mass(self._mass.array)
            self._capacity = self._mass.copy()
            self._capacity.array[self._mass.array_r == 0.0] = 1.0  # outside the grains, where nothing happens
        self.volume = self._mass.sum()
        self._accepted = self.stoichiometry.x.petsc_vec
        self._trial = self._accepted.duplicate()
        self._load, self._work, self._predicted, self._diagonal = (self._accepted.duplicate() for _ in range(4))
        self._past: deque[tuple[float, PETSc.Vec]] = deque(maxlen=_HISTORY - 1)
        self._spare = [self._accepted.duplicate() for _ in range(_HISTORY)]
        self._step, self._order, self._leading = 0.0, 1, 0.0
        self._drive = Drive(inflow=0.0)
        self._course: Course | None = None
        self._clock = self._gain = 0.0  # time in the course, and what the latest step brought

    def lithium(self) -> float:
        """Volume integral of x [µm³], weighted by the lithium sites."""
        return self._mass.dot(self._accepted)

    @property
    def outside(self) -> float:
        """Stoichiometry the outside is in equilibrium with [-] (eq. 8.3); NaN where it has none; collective."""
        return self._solver.state(self._accepted)[0]

    def drive(self, rate: float) -> None:
        """Begins a stretch of constant current.

        Args:
            rate: Rate of the mean stoichiometry, dx̄/dt [1/s] (eq. 3.4).
        """
        self._begin(Drive(inflow=rate * self.volume))

    def follow(self, course: Course, start: float) -> None:
        """Begins a stretch of a current that varies, at a time [s] of its course.

        The lithium that enters over every step is the integral of the course, exactly (eq. 11.7).
        """
        self._begin(Drive(inflow=course.rate(start) * self.volume), course, start)

    def hold(self, stoichiometry: float) -> None:
        """Begins a stretch with the outside at a fixed stoichiometry, which bare surfaces take at once."""
        self._begin(Drive(outside=stoichiometry))

    def hold_potential(self, potential: float) -> None:
        """Begins a stretch at a fixed potential [V]."""
        self._begin(Drive(potential=potential))

    def potential(self) -> float:
        """Potential of the accepted state under the present drive [V]; NaN when the material has no voltage."""
        return self._solver.state(self._accepted)[1]

    def _begin(self, drive: Drive, course: Course | None = None, start: float = 0.0) -> None:
        self._drive, self._course, self._clock, self._gain = drive, course, start, 0.0
        self.settle()
        self.forget()

    def settle(self) -> None:
        """Puts the accepted state under the present drive again, after what acts on its lithium has changed."""
        self._solver.begin(self._drive, self._accepted)
        self.stoichiometry.x.scatter_forward()

    def rescale(self, factors: ArrayLike) -> None:
        """Multiplies the diffusivities that the transport was made with by factors, one per local and ghost cell."""
        with self._phases.measure("diffusion set-up"):
            self.medium.rescale(factors)
            self._diffusion.reassemble()
            self._solver.take_stiffness()

    @property
    def has_history(self) -> bool:
        """Whether a step has been accepted since the drive began."""
        return bool(self._past)

    def forget(self) -> None:
        """Drops the history, as after a jump of the current: the next step is one of backward Euler."""
        while self._past:
            self._spare.append(self._past.pop()[1])

    def attempt(self, step: float) -> Attempt:
        """Solves one step [s] into the trial state."""
        self.begin_step(step)
        return self.try_step()

    def memory(self) -> Memory:
        """What is needed to go on from the accepted state; collective."""
        space = self.stoichiometry.function_space
        numbers = {"clock": self._clock, "gain": self._gain, "past": float(len(self._past))}
        corners = {"stoichiometry": at_corners(space, self._accepted.array_r)}
        for number, (step, values) in enumerate(self._past):
            numbers[f"past_step_{number}"] = step
            corners[f"past_{number}"] = at_corners(space, values.array_r)
        return Memory(numbers, corners)

    def recall(self, memory: Memory) -> None:
        """Goes back to a state that was remembered, under the present drive."""
        space, owned = self.stoichiometry.function_space, self._accepted.getLocalSize()
        self.stoichiometry.x.array[:] = from_corners(space, memory.corners["stoichiometry"])
        self.settle()
        self.forget()
        self._clock, self._gain = memory.numbers["clock"], memory.numbers["gain"]
        for number in range(int(memory.numbers["past"])):
            values = self._spare.pop()
            values.array[:] = from_corners(space, memory.corners[f"past_{number}"])[:owned]
            self._past.append((memory.numbers[f"past_step_{number}"], values))

    def begin_step(self, step: float) -> None:
        """Sets up a step [s] from the accepted state; the trial state becomes its extrapolation."""
        with self._phases.measure("diffusion solves"):
            self._step, self._order = step, 2 if self._past else 1
            self._leading = self._assemble_step(step)
            self._predict(step)
            self._predicted.copy(self._trial)

    def try_step(self) -> Attempt:
        """Solves the step that was begun, from the trial state into the trial state; may be repeated."""
        with self._phases.measure("diffusion solves"):
            solved = self._solve(self._step)
            if not solved.converged:
                return Attempt(converged=False, iterations=solved.iterations, newton=solved.newton)
            error = self._leading * self._distance_from(self._predicted)
            change = self._distance_from(self._accepted)
            lowest, highest = self._trial.min()[1], self._trial.max()[1]
            lithium = self._mass.dot(self._trial)
            inflow = (self._diagonal.dot(self._trial) - self._load.sum()) / self.volume
            if self._course is not None:
                inflow = self._course.rate(self._clock + self._step, before=True)
            return Attempt(
                converged=True,
                iterations=solved.iterations,
                error=error,
                order=self._order,
                change=change,
                lowest=lowest,
                highest=highest,
                lithium=lithium,
                outside=solved.outside,
                potential=solved.potential,
                inflow=inflow,
                newton=solved.newton,
            )

    def _distance_from(self, x: PETSc.Vec) -> float:
        """Largest difference of the trial state to another."""
        self._work.waxpy(-1.0, x, self._trial)
        self._solver.keep_integrated(self._work)
        return float(self._work.norm(PETSc.NormType.INFINITY))

    def _solve(self, step: float) -> Solved:
        """Solves the assembled step; along a course it gains the integral of the course (eq. 11.7)."""
        solver, course = self._solver, self._course
        if course is None:
            return solver.solve(self._diagonal, self._load, self._trial)
        now, earlier, _ = self._coefficients(step)
        entering = (now * course.gain(self._clock, self._clock + step) - earlier * self._gain) / step
        solver.begin(Drive(inflow=entering * self.volume), self._accepted)
        solved = solver.solve(self._diagonal, self._load, self._trial)
        # The formula's mean current makes the lithium right; voltage and outside are those of the current at the end.
        solver.begin(Drive(inflow=course.rate(self._clock + step, before=True) * self.volume), self._trial)
        outside, potential = solver.state(self._trial)
        return replace(solved, outside=outside, potential=potential)

    def _assemble_step(self, step: float) -> float:
        """Sets up matrix and load of the step; returns the factor from the predictor's miss to the local error."""
        now, earlier, factor = self._coefficients(step)
        load = self._load
        load.axpby(now + earlier, 0.0, self._accepted)
        if self._past:
            load.axpy(-earlier, self._past[-1][1])
        load.pointwiseMult(load, self._capacity)
        load.scale(1.0 / step)
        self._capacity.copy(self._diagonal)
        self._diagonal.scale(now / step)
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
        if self._course is not None:
            self._solver.begin(Drive(inflow=self._course.rate(self._clock) * self.volume), accepted)
        rate = self._work  # dx/dt from the equation itself: M dx/dt = source − K x
        self._solver.rate(accepted, rate)
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
        if self._course is not None:
            self._gain = self._course.gain(self._clock, self._clock + self._step)
            self._clock += self._step
        self._trial.copy(self._accepted)
        self.stoichiometry.x.scatter_forward()
