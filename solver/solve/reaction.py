"""Diffusion steps under the Butler-Volmer reaction: one unknown potential, Newton with a bordered system (eq. 11.6).

The reaction sits on the lumped surface degrees of freedom, so a Newton step changes only the diagonal of the system:
nothing is assembled. The potential is eliminated by a second solve with the same matrix.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.model.kinetics import ButlerVolmer
from solver.solve.diffusion import Diffusion
from solver.solve.reaction_flow import Flow, ReactionFlow
from solver.solve.step_solver import Drive, ShiftedDiffusion, Solved, bound_guess
from solver.solve.surface import SurfaceRows, UniformFlux

Array = NDArray[np.float64]

_NEWTON_STEPS = 25
_TOLERANCE = 1e-7  # of x in the last step; what is left is about the square of it
_POTENTIAL_TOLERANCE = 1e-7  # [V]
_LARGEST_CHANGE = 0.1  # of x at the surface in one Newton step


class ReactionStepSolver:
    """Steps with a surface reaction, under a given current or a given potential.

    Args:
        diffusion: Diffusion in the grains.
        rows: Places where lithium passes, and diffusion films on them (in series with the reaction).
        kinetics: The reaction.
    """

    def __init__(self, diffusion: Diffusion, rows: SurfaceRows, kinetics: ButlerVolmer) -> None:
        self._rows, self._kinetics, self._flow = rows, kinetics, ReactionFlow(rows, kinetics)
        self._system = ShiftedDiffusion(diffusion.stiffness, UniformFlux(rows), rows.places)
        self._residual, self._right, self._answer, self._border = (self._system.diagonal.duplicate() for _ in range(4))
        self._drive, self._potential = Drive(inflow=0.0), float("nan")

    def prepare_mass(self, mass: Array) -> None:
        """Every degree of freedom has its own."""

    def take_stiffness(self) -> None:
        """Takes up entries of the diffusion matrix that have changed; collective."""
        self._system.take_stiffness()

    def begin(self, drive: Drive, x: PETSc.Vec) -> None:
        """Takes a current or a potential; the potential a current needs is found from the field."""
        if drive.outside is not None:
            drive = Drive(potential=float(self._kinetics.equilibrium(drive.outside)))
        self._drive = drive
        _, self._potential = self.state(x)

    def keep_integrated(self, change: PETSc.Vec) -> None:
        """All of it."""

    def state(self, x: PETSc.Vec) -> tuple[float, float]:
        """The potential at which the field carries the current; the outside is in no equilibrium."""
        potential = self._drive.potential
        if potential is None:
            potential = self._flow.unknown_of(x.array_r, float(self._drive.inflow or 0.0), self._potential)
        return float("nan"), potential

    def rate(self, x: PETSc.Vec, result: PETSc.Vec) -> None:
        """What diffusion brings, less what leaves."""
        _, potential = self.state(x)
        self._system.diffuse(x, result)
        result.scale(-1.0)
        result.array[:] -= self._flow.at(x.array_r, potential).value

    def solve(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec) -> Solved:
        """Newton's method on x and, under a given current, on the potential."""
        bound_guess(diagonal, load, x)
        _, potential = self.state(x)
        iterations = 0
        for newton in range(1, _NEWTON_STEPS + 1):
            flow = self._flow.at(x.array_r, potential)
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

    def _set_residual(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, flow: Flow) -> None:
        """Load − (d + K) x − flow."""
        self._system.diffuse(x, self._residual)
        self._residual.array[:] = load.array_r - self._residual.array_r - diagonal.array_r * x.array_r - flow.value

    def _potential_step(self, flow: Flow) -> tuple[float, bool, int]:
        """Change of the potential with which the surface passes the current, put into the answer as well."""
        self._right.array[:] = -flow.by_unknown
        self._border.set(0.0)
        converged, used = self._system.solve(self._right, self._border)
        slope = np.maximum(flow.by_stoichiometry, 0.0)
        sums = np.array(
            [
                flow.value.sum() + float(slope @ self._answer.array_r),
                flow.by_unknown.sum() + float(slope @ self._border.array_r),
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
        moved[self._flow.open] = np.clip(moved[self._flow.open], -_LARGEST_CHANGE, _LARGEST_CHANGE)
        x.array[:] += moved
        return self._rows.comm.allreduce(float(np.abs(moved).max(initial=0.0)), op=MPI.MAX)

    def _is_balanced(self, diagonal: PETSc.Vec, load: PETSc.Vec, x: PETSc.Vec, potential: float) -> bool:
        """Whether the sum of the residual, lithium made or lost, is nothing against what moves."""
        flow = self._flow.at(x.array_r, potential)
        self._set_residual(diagonal, load, x, flow)
        scale = self._rows.comm.allreduce(float(np.abs(flow.value).sum()))
        rounding = 1e-14 * diagonal.dot(x)  # of the lithium itself, when the step is tiny
        return abs(self._residual.sum()) <= 1e-9 * scale + rounding
