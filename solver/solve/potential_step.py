"""Steps of nonlinear transport: stress in the chemical potential, diffusivity that depends on lithium (eqs. 13.1-13.5).

Newton's method on the mean x of every master, with the sites in local equilibrium on the way; how lithium passes the
surface is as without stress: evenly, with one potential where it is bare, held, or by a reaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.materials import DiffusivityProfile, EquilibriumVoltage
from solver.model.chemical_potential import ChemicalLaw, stoichiometry_at
from solver.model.kinetics import ButlerVolmer
from solver.solve.diffusion import Diffusion
from solver.solve.grainwise import grainwise_space
from solver.solve.phases import Phases
from solver.solve.potential_flux import PotentialFlux, Shift
from solver.solve.potential_system import PoolFilms, PotentialSystem
from solver.solve.reaction_flow import EvenFlow, FilmFlow, Flow, ReactionFlow
from solver.solve.site_map import SiteMap, SiteState, StressShift
from solver.solve.step_solver import Drive, Solved, bound_guess
from solver.solve.surface import SurfaceRows

Array = NDArray[np.float64]

_NEWTON_STEPS = 25
# Of the first residual, and of x where the first guess was all but the solution; each row over its diagonal.
_REDUCTION, _RESIDUAL = 1e-7, 1e-12
_BALANCE = 1e-8  # of what moves; what is left is balanced at the end
_LARGEST_CHANGE = 0.1  # of x in one Newton step
_LARGEST_MOVE = 0.2  # of the potential in one [V]


class SurfaceFlow(Protocol):
    """What leaves through the surface, with at most one unknown for the whole of it."""

    def at(self, x: Array, unknown: float, shift: Shift | None) -> Flow:
        """What leaves at the owned sites."""


@dataclass(frozen=True)
class Transmission:
    """What the flux of lithium follows inside the grains.

    Attributes:
        law: Chemical part of the potential.
        profile: d(x), by which diffusivities are multiplied; None for constant ones.
        voltage: U(x), when the potential of the particle is wanted.
    """

    law: ChemicalLaw
    profile: DiffusivityProfile | None = None
    voltage: EquilibriumVoltage | None = None


@dataclass(frozen=True)
class _Passage:
    """How lithium passes during a stretch.

    Attributes:
        flow: What leaves, but for bare places with one potential, through which the rest enters.
        inflow: Lithium that enters in all [µm³/s]; None where it follows.
        given: The unknown of the surface; None where it is found from the inflow or from the pool.
    """

    flow: SurfaceFlow
    inflow: float | None = None
    given: float | None = None


class PotentialStepSolver:
    """Steps under a law for the chemical potential; see `StepSolver`.

    The vectors of `Transport` hold one entry per master. `begin`, `rate` and `state` are given the accepted vector,
    `solve` turns a first guess into a trial one; with every one of them `sites.field` becomes what x is at the sites
    *for the vector just handed in, under the shift of the moment*. So after `solve` it shows the trial state, after
    `state` of an accepted vector the accepted one. A new shift takes effect at the next call.

    Args:
        stiffness: Diffusion matrix K between sites.
        rows: Places where lithium passes, on the space of the sites.
        sites: Sites and masters. Its masses are taken from `prepare_mass` where every site is its own master.
        medium: What the flux follows.
        equipotential: One potential for what is bare of the surface; otherwise the flux is the same everywhere.
        kinetics: The reaction, if there is one; it sets how lithium passes.
        between_masters: Diffusion matrix between masters where they are not the sites, for the preconditioner.
        reassemble: Puts changed diffusivities into the stiffness, where nobody else does.

    Attributes:
        shift: Stress part of the potential over RT at the owned sites; None without.
        sites: Sites and masters; its `field` shows x at the sites.
    """

    def __init__(
        self,
        stiffness: PETSc.Mat,
        rows: SurfaceRows,
        sites: SiteMap,
        medium: Transmission,
        equipotential: bool = True,
        kinetics: ButlerVolmer | None = None,
        reassemble: Callable[[], None] = lambda: None,
        between_masters: PETSc.Mat | None = None,
    ) -> None:
        self.shift: StressShift | None = None
        self._reassemble = reassemble
        self._comm: MPI.Comm = rows.comm
        self.sites, self._medium, self._rows, self._equipotential = sites, medium, rows, equipotential
        self._films, self._even = FilmFlow(rows, medium.law), EvenFlow(rows)
        self._reaction = None if kinetics is None else ReactionFlow(rows, kinetics, medium.law)
        self._voltage = kinetics.equilibrium if kinetics is not None else medium.voltage
        is_bare = np.zeros(len(rows.areas))
        is_bare[rows.bare] = 1.0
        self._bare = np.flatnonzero(sites.gather(is_bare) > 0.0)
        self._flux = PotentialFlux(stiffness, medium.law, medium.profile)
        between = stiffness if sites.is_identity else between_masters
        self._system = PotentialSystem(self._flux, sites, rows.comm, between, self._bare)
        self._right, self._answer, self._border = (self._system.vector() for _ in range(3))
        self._x: Array = np.full(len(rows.areas), np.nan)
        self._passage, self._unknown = self._passage_of(Drive(inflow=0.0)), float("nan")
        self._mass: Array = np.zeros(sites.owned)

    def take_stiffness(self) -> None:
        """Takes up diffusivities that have changed; collective."""
        self._reassemble()
        self._flux.take_stiffness()
        self._system.take_stiffness()

    def prepare_mass(self, mass: Array) -> None:
        """Every master keeps its own, also in a pool."""
        self._mass = mass.copy()
        if self.sites.is_identity:
            self.sites.take_masses(self._mass)

    def begin(self, drive: Drive, x: PETSc.Vec) -> None:
        """Takes a new drive; what is bare of the surface takes a common potential, its own or a held one, at once."""
        self._passage = self._passage_of(drive)
        state = self._settle(x)
        self._write(x, state)
        self._unknown = self._unknown_at(state)

    def _passage_of(self, drive: Drive) -> _Passage:
        """How lithium passes under a drive; tells the sites which of them have one potential."""
        if self._reaction is not None:
            self.sites.free()
            if drive.outside is not None and self._voltage is not None:
                return _Passage(self._reaction, given=float(self._voltage(drive.outside)))
            return _Passage(self._reaction, drive.inflow, drive.potential)
        outside = drive.outside
        if drive.potential is not None:
            outside = self._voltage.stoichiometry(drive.potential) if self._voltage is not None else float("nan")
        if outside is not None:
            self.sites.hold(self._bare, outside)
            return _Passage(self._films, given=outside)
        inflow = drive.inflow or 0.0
        if not self._equipotential:
            self.sites.free()
            return _Passage(self._even, given=inflow)
        self.sites.pool(self._bare)
        return _Passage(self._films, inflow)

    def rate(self, x: PETSc.Vec, result: PETSc.Vec) -> None:
        """Source less what diffuses away; in a pool it moves the sites' common potential."""
        state = self._settle(x)
        flow = self._passage.flow.at(state.x, self._unknown_at(state), state.shift)
        rows = -self.sites.gather(self._flux.flow(state.x, state.shift) + flow.value)
        self._system.constrain(rows)
        self._feed_pool(rows, flow)
        if self._is_pooled:
            inside = self.sites.pool_masters
            rate = rows[inside] * self.sites.pool_count / self.sites.pool_total(self._mass)
            rows[inside] = self._mass[inside] * self.sites.means(state.weight)[inside] * rate
        result.array[:] = rows

    def diffusing(self) -> Array:
        """What leaves the owned sites by diffusion [µm³/s] in the state shown; collective."""
        return self._flux.flow(self._x, Shift(*self.shift(self._x)) if self.shift is not None else None)

    def keep_integrated(self, change: PETSc.Vec) -> None:
        """Of a pool its mean: what its sites exchange through the outside settles at once, if need be with a jump."""
        if self._is_pooled:
            inside = self.sites.pool_masters
            mean = self.sites.pool_total(self._mass * change.array_r) / self.sites.pool_total(self._mass)
            change.array[inside] = mean

    def state(self, x: PETSc.Vec) -> tuple[float, float]:
        """Outside stoichiometry and potential; the potential is known only with a voltage curve."""
        return self._readings(self._unknown_at(self._settle(x)))

    def _readings(self, unknown: float) -> tuple[float, float]:
        if self._passage.flow is self._reaction:
            return float("nan"), unknown
        outside = unknown if self._passage.flow is self._films else float("nan")
        return outside, float("nan") if self._voltage is None else float(self._voltage(outside))

    @property
    def _is_pooled(self) -> bool:
        return self.sites.has_pool and not self.sites.is_held

    def _settle(self, x: PETSc.Vec, guess: Array | None = None) -> SiteState:
        """Sites in equilibrium for a vector of the masters; keeps and shows them."""
        known = self._x if guess is None else guess
        start = np.where(np.isfinite(known), known, self.sites.spread(x.array_r))
        state = self.sites.equilibrate(x.array_r, start, self._medium.law, self.shift)
        if state.converged:
            self._x = state.x
            self.sites.show(state.x)
        return state

    def _write(self, x: PETSc.Vec, state: SiteState) -> None:
        """Gives the masters of a pool what their own sites have of it; the pool keeps its lithium."""
        inside = self.sites.pool_masters
        x.array[inside] = self.sites.means(state.x)[inside]

    def _unknown_at(self, state: SiteState) -> float:
        """The unknown of the surface that belongs to a state; collective."""
        passage = self._passage
        if passage.given is not None:
            return passage.given
        if self._is_pooled:
            return stoichiometry_at(self._medium.law, state.pool_potential)
        flow = self._films if self._reaction is None else self._reaction
        return flow.unknown_of(state.x, passage.inflow or 0.0, self._unknown, state.shift)

    def solve(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> Solved:
        """Newton's method on x and, where a current is given, on the unknown of the surface."""
        bound_guess(diagonal, load, x)
        state = self._settle(x)
        self._write(x, state)
        unknown, first, iterations = self._unknown_at(state), 0.0, 0
        for newton in range(_NEWTON_STEPS + 1):
            if not state.converged:
                return Solved(False, iterations, newton)
            flow = self._linearise(diagonal, load, x, state, unknown)
            size = self._size()
            first = max(first, size) if newton == 0 else first
            if size <= max(_REDUCTION * first, _RESIDUAL) and self._is_balanced(diagonal, load, x, flow):
                self._unknown = unknown
                self._balance(diagonal, load, x, state)
                outside, potential = self._readings(unknown)
                return Solved(True, iterations, newton, outside, potential)
            converged, used, move = self._newton_step(flow)
            iterations += used
            if not converged or not np.isfinite(move):
                return Solved(False, iterations, newton + 1)
            state = self._add(x, state)
            unknown = self._unknown_at(state) if self._is_pooled else unknown + move
        return Solved(False, iterations, _NEWTON_STEPS)

    def _linearise(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, state: SiteState, unknown: float) -> Flow:
        """Residual load − d y − flow into the right side, Jacobian into the system; returns the surface's flow."""
        flow = self._passage.flow.at(state.x, unknown, state.shift)
        leaving = self._flux.linearise(state.x, state.shift) + flow.value
        rows = load.array_r - diagonal.array_r * x.array_r - self.sites.gather(leaving)
        films = None
        slope = flow.by_stoichiometry
        if self._is_pooled and self._rows.total_conductance > 0.0:
            by_pool = flow.by_unknown * (state.pool_slope / float(self._medium.law.slope(unknown)))
            films = PoolFilms(flow.by_stoichiometry, by_pool)
        else:
            # A falling exchange current can make the reaction's slope negative; without it the system stays definite.
            slope = np.maximum(slope, 0.0)
        self._system.set_state(state, slope, diagonal.array_r.copy(), films)
        self._system.constrain(rows)
        self._feed_pool(rows, flow)
        self._right.array[:] = rows
        return flow

    def _feed_pool(self, rows: Array, flow: Flow) -> None:
        """The current enters a pool, and with it what films have let out."""
        if self._is_pooled:
            total = (self._passage.inflow or 0.0) + self._total(flow.value)
            rows[self.sites.pool_masters] += total / self.sites.pool_count

    def _newton_step(self, flow: Flow) -> tuple[bool, int, float]:
        """Puts the change of the masters into the answer; returns success, iterations, change of the unknown."""
        is_symmetric = self.shift is None and self._flux.is_linear
        converged, used = self._system.solve(self._right, self._answer, is_symmetric)
        if not converged or self._passage.given is not None or self._is_pooled:
            return converged, used, 0.0
        self._right.array[:] = -self.sites.gather(flow.by_unknown)
        converged, more = self._system.solve(self._right, self._border, is_symmetric)
        slope = np.maximum(flow.by_stoichiometry, 0.0)
        own, border = (self._system.change(part.array_r) for part in (self._answer, self._border))
        left = self._total(flow.value + slope * own) + (self._passage.inflow or 0.0)
        move = float(np.clip(-left / self._total(flow.by_unknown + slope * border), -_LARGEST_MOVE, _LARGEST_MOVE))
        self._answer.axpy(move, self._border)
        return converged, used + more, move

    def _add(self, x: PETSc.Vec, state: SiteState) -> SiteState:
        """Moves the masters by the answer, held back where it is large, and settles their sites."""
        # Place by place: holding back all of the field for one place would stall the iteration.
        change = self._system.change(np.clip(self._answer.array_r, -_LARGEST_CHANGE, _LARGEST_CHANGE))
        x.array[:] += self.sites.means(change)
        moved = self._settle(x, state.x + change)
        self._write(x, moved)
        return moved

    def _size(self) -> float:
        """Largest residual over its diagonal."""
        scaled = np.abs(self._right.array_r / self._system.diagonal())
        return self._comm.allreduce(float(scaled.max(initial=0.0)), op=MPI.MAX)

    def _is_balanced(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, flow: Flow) -> bool:
        """Whether lithium made or lost, and current that does not pass, are nothing against what moves."""
        gained = diagonal.array_r * x.array_r - load.array_r
        scale = self._total(np.abs(gained)) + self._total(np.abs(flow.value))
        rounding = 1e-14 * self._total(np.abs(diagonal.array_r * x.array_r))  # of the lithium, when the step is tiny
        missing = abs(self._right.sum())
        if self._passage.given is None and not self._is_pooled:
            missing = max(missing, abs(self._total(flow.value) + (self._passage.inflow or 0.0)))
        return missing <= _BALANCE * scale + rounding

    def _balance(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, state: SiteState) -> None:
        """Moves all x by the lithium that the iteration has left over; nothing to balance where x itself is held."""
        if self.sites.is_held:
            return
        inflow = self._passage.inflow if self._passage.flow is not self._even else self._passage.given
        missing = self._right.sum() if inflow is None else load.sum() - diagonal.dot(x) + inflow
        move = np.where(self._mass > 0.0, missing / self._total(diagonal.array_r[self._mass > 0.0]), 0.0)
        x.array[:] += move
        self._write(x, self._settle(x, state.x + self.sites.spread(move)))

    def _total(self, values: Array) -> float:
        return self._comm.allreduce(float(values.sum()))


def on_masters(
    diffusion: Diffusion,
    rows: SurfaceRows,
    medium: Transmission,
    equipotential: bool = True,
    kinetics: ButlerVolmer | None = None,
) -> PotentialStepSolver:
    """A solver whose degrees of freedom are all on their own: no stress, but a diffusivity that depends on x."""
    sites = SiteMap(rows.comm, np.arange(len(rows.areas)))
    return PotentialStepSolver(diffusion.stiffness, rows, sites, medium, equipotential, kinetics)


def on_sites(
    diffusion: Diffusion,
    rows: SurfaceRows,
    medium: Transmission,
    equipotential: bool = True,
    kinetics: ButlerVolmer | None = None,
    *,
    phases: Phases,
) -> PotentialStepSolver:
    """A solver with sites of their own in every grain, as stress needs them; collective.

    Args:
        diffusion: Diffusion between the masters.
        rows: Places where lithium passes, on the space of the masters.
        medium: What the flux follows.
        equipotential: As for `PotentialStepSolver`.
        kinetics: As for `PotentialStepSolver`.
        phases: Stopwatch.
    """
    space = grainwise_space(diffusion.medium.domain, 1)
    between = Diffusion(diffusion.medium, space, phases)
    sites = SiteMap.of_spaces(space, diffusion.space)
    sites.take_masses(between.mass.array.copy())
    return PotentialStepSolver(
        between.stiffness,
        rows.on(space),
        sites,
        medium,
        equipotential,
        kinetics,
        between.reassemble,
        diffusion.stiffness,
    )
