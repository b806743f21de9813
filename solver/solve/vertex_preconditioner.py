"""Preconditioner of diffusion where several degrees of freedom sit at a vertex and are tied together tightly.

A boundary that hardly hinders lithium ties the two sides of a vertex so strongly that a diagonal preconditioner sees
only the tie, and conjugate gradients need the more iterations the weaker the obstacle is. A second diagonal, that of
the sums over vertices, in which the ties cancel, restores the pace of the continuous field whatever the tie.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from solver.solve.surface import Places

Array = NDArray[np.float64]


class SurfaceRule(Protocol):
    """What a surface condition does to vectors."""

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """As for `Surface`."""

    def add_diagonal(self, diagonal: Array) -> None:
        """As for `Surface`."""


class ShiftedSystem(Protocol):
    """Stiffness and a diagonal under a surface condition."""

    @property
    def diagonal(self) -> PETSc.Vec:
        """What is added to the stiffness."""

    @property
    def surface(self) -> SurfaceRule:
        """The condition."""

    def getDiagonal(self, matrix: PETSc.Mat | None, result: PETSc.Vec) -> None:
        """Puts the diagonal of the whole system into result."""


class VertexPreconditioner:
    """z = (D⁻¹ + C V D_V⁻¹ Vᵀ C) r as PETSc asks for it: D the diagonal, V from vertices to what sits there.

    C treats all that sits at the vertices of a bare surface as the surface condition treats the bare surface.

    Args:
        vertices: V, degrees of freedom by vertices, entries 1.
        stiffness: Diffusion matrix.
        system: The system to be solved.
        bare: Degrees of freedom on the bare surface.
    """

    def __init__(self, vertices: PETSc.Mat, stiffness: PETSc.Mat, system: ShiftedSystem, bare: Places) -> None:
        self._vertices, self._system = vertices, system
        sums = stiffness.ptap(vertices)
        self._stiffness_of_vertices = sums.getDiagonal()
        sums.destroy()
        self._diagonal, self._work = stiffness.createVecRight(), stiffness.createVecRight()
        self._of_vertices, self._sums = (self._stiffness_of_vertices.duplicate() for _ in range(2))
        self._work.set(0.0)
        self._work.array[bare.index] = 1.0
        vertices.multTranspose(self._work, self._sums)
        vertices.mult(self._sums, self._work)
        self._places = Places(stiffness.comm.tompi4py(), (self._work.array_r > 0.0).nonzero()[0])

    def setUp(self, preconditioner: PETSc.PC) -> None:
        """Takes up the diagonals; PETSc calls it when the system has changed."""
        self._system.diagonal.copy(self._work)
        self._system.surface.add_diagonal(self._work.array)
        self._vertices.multTranspose(self._work, self._of_vertices)
        self._of_vertices.axpy(1.0, self._stiffness_of_vertices)
        self._system.getDiagonal(None, self._diagonal)

    def apply(self, preconditioner: PETSc.PC, right: PETSc.Vec, result: PETSc.Vec) -> None:
        """Puts the preconditioned residual into result; PETSc calls it."""
        surface = self._system.surface
        right.copy(self._work)
        surface.constrain(self._work.array, self._places)
        self._vertices.multTranspose(self._work, self._sums)
        self._sums.pointwiseDivide(self._sums, self._of_vertices)
        self._vertices.mult(self._sums, result)
        surface.constrain(result.array, self._places)
        result.array[:] += right.array_r / self._diagonal.array_r
