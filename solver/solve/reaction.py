"""Diffusion steps under the Butler-Volmer reaction: one unknown potential, Newton with a bordered system (eq. 11.6).

The reaction sits on the lumped surface degrees of freedom, so a Newton step changes only the diagonal of the system:
nothing is assembled. The potential is eliminated by a second solve with the same matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.model.kinetics import ButlerVolmer, Outflow
from solver.solve.step_solver import Drive, ShiftedDiffusion, Solved
from solver.solve.surface import SurfaceRows, UniformFlux

Array = NDArray[np.float64]

_NEWTON_STEPS = 25
_TOLERANCE = 1e-11  # of x
_POTENTIAL_TOLERANCE = 1e-9  # [V]
_POTENTIAL_STEPS = 80
_LOCAL_STEPS = 40
_LARGEST_CHANGE = 0.1  # of x at the surface in one Newton step


@dataclass(frozen=True)
class _Flow:
    """What leaves at the owned degrees of freedom [µm³/s] and its derivatives; zero inside."""

    value: Array
    by_stoichiometry: Array
    by_potential: Array


class ReactionStepSolver:
    """Steps with a surface reaction, under a given current or a given potential.

    Args:
        stiffness: Diffusion matrix.
        rows: Places where lithium passes, and diffusion films on them (in series with the reaction).
        kinetics: The reaction.
    """

    def __init__(self, stiffness: PETSc.Mat, rows: SurfaceRows, kinetics: ButlerVolmer) -> None:
        self._rows, self._kinetics = rows, kinetics
        self._open = np.flatnonzero(rows.areas > 0.0)
        self._system = ShiftedDiffusion(stiffness, UniformFlux(rows))
        self._residual, self._right, self._answer, self._border = (self._system.diagonal.duplicate() for _ in range(4))
        self._drive, self._potential = Drive(inflow=0.0), float("nan")

    def prepare_mass(self, mass: Array) -> None:
        """Every degree of freedom has its own."""

    def begin(self, drive: Drive, x: PETSc.Vec) -> None:
        """Takes a current or a potential; the potential a current needs is found from the field."""
        if drive.outside is not None:
            drive = Drive(potential=float(self._kinetics.equilibrium(drive.outside)))
        self._drive = drive
        _, self._potential = self.state(x)

    def state(self, x: PETSc.Vec) -> tuple[float, float]:
        """The potential at which the field carries the current; the outside is in no equilibrium."""
        potential = self._drive.potential
        if potential is None:
            potential = self._potential_of(x.array_r, float(self._drive.inflow or 0.0))
        return float("nan"), potential

    def rate(self, x: PETSc.Vec, result: PETSc.Vec) -> None:
        """What diffusion brings, less what leaves."""
        _, potential = self.state(x)
        self._system.diffuse(x, result)
        result.scale(-1.0)
        result.array[:] -= self._flow(x.array_r, potential).value

    def solve(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> Solved:
        """Newton's method on x and, under a given current, on the potential."""
        potential, iterations = self._potential, 0
        if not np.isfinite(potential) or self._drive.potential is not None:
            _, potential = self.state(x)
        for newton in range(1, _NEWTON_STEPS + 1):
            flow = self._flow(x.array_r, potential)
            self._set_residual(diagonal, load, x, flow)
            # A falling exchange current can make the reaction's slope negative; without it the matrix stays definite.
            self._system.diagonal.array[:] = diagonal.array_r + np.maximum(flow.by_stoichiometry, 0.0)
            self._answer.set(0.0)
            converged, used = self._system.solve(self._residual, self._answer)
            iterations += used
            move = 0.0
            if converged and self._drive.potential is None:
                move, converged, used = self._potential_step(flow)
                iterations += used
            if not converged or not np.isfinite(move):
                return Solved(False, iterations, newton)
            change = self._add(x, self._answer)
            potential += move
            if (
                change < _TOLERANCE
                and abs(move) < _POTENTIAL_TOLERANCE
                and self._is_balanced(diagonal, load, x, potential)
            ):
                self._potential = potential
                return Solved(True, iterations, newton, potential=potential)
        return Solved(False, iterations, _NEWTON_STEPS)

    def _set_residual(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, flow: _Flow) -> None:
        """Load − (d + K) x − flow."""
        self._system.diffuse(x, self._residual)
        self._residual.array[:] = load.array_r - self._residual.array_r - diagonal.array_r * x.array_r - flow.value

    def _potential_step(self, flow: _Flow) -> tuple[float, bool, int]:
        """Change of the potential with which the surface passes the current, put into the answer as well."""
        self._right.array[:] = -flow.by_potential
        self._border.set(0.0)
        converged, used = self._system.solve(self._right, self._border)
        slope = np.maximum(flow.by_stoichiometry, 0.0)
        sums = np.array(
            [
                flow.value.sum() + float(slope @ self._answer.array_r),
                flow.by_potential.sum() + float(slope @ self._border.array_r),
            ]
        )
        total = np.zeros(2)
        self._rows.comm.Allreduce(sums, total)
        move = (-float(self._drive.inflow or 0.0) - total[0]) / total[1]
        self._answer.axpy(move, self._border)
        return move, converged, used

    def _add(self, x: PETSc.Vec, step: PETSc.Vec) -> float:
        """Adds a step, held back where the surface would move far; returns the largest change."""
        moved = step.array_r.copy()
        # Place by place: holding back all of the field for one place would stall the iteration.
        moved[self._open] = np.clip(moved[self._open], -_LARGEST_CHANGE, _LARGEST_CHANGE)
        x.array[:] += moved
        return self._rows.comm.allreduce(float(np.abs(moved).max(initial=0.0)), op=MPI.MAX)

    def _is_balanced(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, potential: float) -> bool:
        """Whether the sum of the residual, lithium made or lost, is nothing against what moves."""
        flow = self._flow(x.array_r, potential)
        self._set_residual(diagonal, load, x, flow)
        scale = self._rows.comm.allreduce(float(np.abs(flow.value).sum()))
        rounding = 1e-14 * diagonal.dot(x)  # of the lithium itself, when the step is tiny
        return abs(self._residual.sum()) <= 1e-9 * scale + rounding

    def _flow(self, x: Array, potential: float) -> _Flow:
        """Reaction and film in series at every open degree of freedom (eq. 11.5)."""
        rows, here = self._rows, x[self._open]
        area, conductance = rows.areas[self._open], rows.conductance[self._open]
        filmed = conductance > 0.0
        reaction = self._kinetics.outflow(here, potential)
        value, by_x, by_potential = (area * part for part in _parts(reaction))
        if filmed.any():
            behind = self._behind_film(here[filmed], area[filmed], conductance[filmed], potential)
            inner = [area[filmed] * part for part in _parts(self._kinetics.outflow(behind, potential))]
            shared = conductance[filmed] / (conductance[filmed] + np.maximum(inner[1], 0.0))
            value[filmed], by_x[filmed], by_potential[filmed] = inner[0], shared * inner[1], shared * inner[2]
        result = [np.zeros_like(x) for _ in range(3)]
        for whole, part in zip(result, (value, by_x, by_potential)):
            whole[self._open] = part
        return _Flow(*result)

    def _behind_film(self, here: Array, area: Array, conductance: Array, potential: float) -> Array:
        """Stoichiometry on the far side of the film, where the reaction is, by a bounded Newton iteration."""
        behind = here
        for _ in range(_LOCAL_STEPS):
            reaction = self._kinetics.outflow(behind, potential)
            miss = area * reaction.value - conductance * (here - behind)
            change = -miss / (area * np.maximum(reaction.by_stoichiometry, 0.0) + conductance)
            change = np.clip(change, -_LARGEST_CHANGE, _LARGEST_CHANGE)
            behind = behind + change
            if np.abs(change).max(initial=0.0) < 1e-14:
                break
        return behind

    def _potential_of(self, x: Array, inflow: float) -> float:
        """Potential at which the surface passes a current: what leaves rises with it, so bracketed Newton finds it."""
        comm, start = self._rows.comm, self._potential
        if not np.isfinite(start):
            sums = np.array([self._rows.areas @ self._kinetics.equilibrium(x), self._rows.areas.sum()])
            total = np.zeros(2)
            comm.Allreduce(sums, total)
            start = float(total[0] / total[1])
        low, high, potential = start - 5.0, start + 5.0, start
        for _ in range(_POTENTIAL_STEPS):
            flow = self._flow(x, potential)
            total = np.zeros(2)
            comm.Allreduce(np.array([flow.value.sum(), flow.by_potential.sum()]), total)
            miss = total[0] + inflow
            low, high = (low, potential) if miss > 0.0 else (potential, high)
            newton = potential - miss / total[1]
            following = newton if low < newton < high else 0.5 * (low + high)
            if abs(following - potential) < 1e-13:
                return following
            potential = following
        return potential


def _parts(outflow: Outflow) -> tuple[Array, Array, Array]:
    return outflow.value, outflow.by_stoichiometry, outflow.by_potential
