"""Whether free energy is accounted for: what lithium brings in, what diffusion wastes, what is stored (eq. 13.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from solver.model.chemical_potential import ChemicalLaw

Array = NDArray[np.float64]

# Gauss-Legendre points and weights on [0, 1], for the chemical energy between two stoichiometries.
_GAUSS = [
    ((1.0 + place) / 2.0, weight / 2.0) for place, weight in zip(*np.polynomial.legendre.leggauss(4), strict=True)
]


@dataclass(frozen=True)
class EnergyState:
    """Accepted lithium and what it means for energy.

    Attributes:
        x: (owned sites,) stoichiometry.
        potential: (owned sites,) chemical potential over RT.
        flow: (owned sites,) what leaves by diffusion [µm³/s].
        elastic: Elastic energy of all ranks [pJ].
    """

    x: Array
    potential: Array
    flow: Array
    elastic: float


_ADDED = ("missing", "first", "largest_elastic")


class EnergyBalance:
    """Adds up the balance of free energy over accepted steps.

    Args:
        comm: Ranks that share the sites.
        law: Chemical part of the potential.
        masses: (owned sites,) lumped mass, weighted by lithium sites [µm³].
        unit: Mean of c_max R T [MPa], the energy per volume that potentials over RT stand for.
        start: State the balance begins with.

    Attributes:
        dissipated: Energy that diffusion has wasted since the start [pJ].
    """

    def __init__(self, comm: MPI.Comm, law: ChemicalLaw, masses: Array, unit: float, start: EnergyState) -> None:
        self._comm, self._law, self._masses, self._unit = comm, law, masses, unit
        self._latest, self._first = start, start.elastic
        self._missing = self.dissipated = self._largest_elastic = 0.0

    def add(self, step: float, state: EnergyState) -> None:
        """Takes the state after an accepted step of `step` seconds; collective."""
        before = self._latest
        brought = 0.5 * (before.potential + state.potential) @ (self._masses * (state.x - before.x))
        wasted = 0.5 * step * (before.potential @ before.flow + state.potential @ state.flow)
        sums = self._unit * np.array([brought, wasted, self._chemical(before.x, state.x)])
        total = np.empty_like(sums)
        self._comm.Allreduce(sums, total)
        self._missing += state.elastic - before.elastic + total[2] - total[0]
        self.dissipated += total[1]
        self._largest_elastic = max(self._largest_elastic, abs(state.elastic - self._first))
        self._latest = state

    def begin_at(self, state: EnergyState) -> None:
        """Goes on from another state, which was reached at once: what that wasted is not counted."""
        self._latest = state

    @property
    def imbalance(self) -> float:
        """Energy that appeared from nowhere, over what was dissipated and stored elastically; 0 before both."""
        scale = self.dissipated + self._largest_elastic
        return abs(self._missing) / scale if scale > 0.0 else 0.0

    def memory(self) -> dict[str, float]:
        """What has been added up so far."""
        return {f"energy_{name}": getattr(self, f"_{name}") for name in _ADDED} | {"energy_dissipated": self.dissipated}

    def recall(self, numbers: Mapping[str, float], latest: EnergyState) -> None:
        """Goes on from what was added up, with the state it was added up to."""
        for name in _ADDED:
            setattr(self, f"_{name}", numbers[f"energy_{name}"])
        self.dissipated, self._latest = numbers["energy_dissipated"], latest

    def _chemical(self, before: Array, after: Array) -> float:
        """Change of the chemical free energy on this rank over `unit`."""
        change = after - before
        mean = sum(weight * self._law(before + place * change) for place, weight in _GAUSS)
        return float(self._masses @ (mean * change))
