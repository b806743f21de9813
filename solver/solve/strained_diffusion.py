"""Diffusivity that depends on elastic strain (`electrochemistry.strained_diffusion`; eqs. 14.3, 14.4).

Works on top of any way in which chemistry and mechanics answer each other: after every accepted step it asks for the
stress, and tells the transport by how much each cell conducts better or worse until the end of the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from solver.errors import SolveError
from solver.solve.coupling import Coupling, Response
from solver.solve.memory import Memory
from solver.solve.stress import StressSample
from solver.solve.transport import Attempt

Array = NDArray[np.float64]

_PERCENT = 100.0


@dataclass(frozen=True)
class StrainedDiffusivity:
    """The law of a crystal (eq. 14.3).

    Attributes:
        per_percent_c: Λ_c per percent of elastic strain along c.
        per_percent_ab: Λ_ab per percent of elastic strain along each direction in the layers.
        largest_factor: By which the diffusivity grows or shrinks at most.
    """

    per_percent_c: float
    per_percent_ab: float
    largest_factor: float

    def exponent(self, sample: StressSample, axes: Array) -> Array:
        """λ of every local and ghost cell, before it is limited.

        Args:
            sample: Elastic strain at the Gauss points.
            axes: (cells, 3) c axes.
        """
        weights = sample.weights / sample.weights.sum(axis=1, keepdims=True)
        xx, yy, zz, yz, xz, xy = np.einsum("cq,cqi->ic", weights, sample.elastic_strain)
        x, y, z = axes.T
        along = xx * x * x + yy * y * y + zz * z * z + 2.0 * (yz * y * z + xz * x * z + xy * x * y)
        across = xx + yy + zz - along
        found: Array = _PERCENT * (self.per_percent_c * along + self.per_percent_ab * across)
        return found

    def factor(self, exponent: Array) -> Array:
        """Factor of the diffusivity for λ, limited."""
        limit = math.log(self.largest_factor)
        found: Array = np.exp(np.clip(exponent, -limit, limit))
        return found


class StrainedDiffusion:
    """A coupling whose transport feels the elastic strain.

    Args:
        inner: Lithium, and the mechanics that answers it.
        law: The diffusivity of a strained crystal.

    Attributes:
        transport: Lithium.
    """

    def __init__(self, inner: Coupling, law: StrainedDiffusivity) -> None:
        self._inner, self._law = inner, law
        self.transport = inner.transport
        domain = inner.transport.medium.domain
        rows = domain.cell_axis.function_space.dofmap.list[:, 0]
        self._axes = domain.cell_axis.x.array.reshape(-1, 3)[rows]
        self._comm = domain.comm
        self._response = Response()
        self._answered: Array | None = None  # lithium that the response belongs to
        self._exponent: Array | None = None
        self._before: tuple[float, Array] | None = None  # step [s] to the accepted state, and λ at its start
        self._step = 0.0

    def attempt(self, step: float) -> Attempt:
        """Tries a step with the diffusivities that the strain will have led to at its end, by extrapolation."""
        exponent = self._accepted_exponent()
        if not self.transport.has_history:
            self._before = None
        if self._before is not None:
            last, before = self._before
            exponent = exponent + step / last * (exponent - before)
        self.transport.rescale(self._law.factor(exponent))
        self._step = step
        return self._inner.attempt(step)

    def commit(self) -> None:
        """Accepts the latest attempt."""
        self._before = (self._step, self._accepted_exponent())
        self._inner.commit()

    def response(self) -> Response:
        """Mechanical fields of the accepted state; found once.

        Raises:
            SolveError: When the elastic solve fails.
        """
        x = self.transport.stoichiometry.x.array
        is_new = self._answered is None or not np.array_equal(self._answered, x)
        if self._comm.allreduce(is_new, op=MPI.LOR):
            self._response, self._answered, self._exponent = self._inner.response(), x.copy(), None
        return self._response

    def _accepted_exponent(self) -> Array:
        stress = self.response().stress
        if self._exponent is None:
            if stress is None:
                raise SolveError("a diffusivity that depends on strain needs mechanics; write `coupling: one-way`")
            self._exponent = self._law.exponent(stress, self._axes)
        return self._exponent

    def memory(self) -> Memory:
        """That of lithium and mechanics, and the strain of the state before."""
        inner = self._inner.memory()
        if inner is None or self._before is None:
            return inner
        step, exponent = self._before
        return inner.joined(Memory({"strain_step": step}, cells={"strain_exponent": exponent}))

    def recall(self, memory: Memory) -> None:
        """Goes back to a remembered state."""
        self._inner.recall(memory)
        self._answered = self._before = None
        if "strain_step" in memory.numbers:
            self._before = memory.numbers["strain_step"], memory.cells["strain_exponent"]
