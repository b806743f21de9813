"""Sites of lithium, one per grain at every vertex, and the unknowns that several of them may share (eq. 13.5).

Sites that exchange lithium without hindrance have one chemical potential and together one unknown, a *master*: the mean
of x over them. Under stress x differs between them. What lies on a bare surface can be added to the same: then all
masters there have one potential as well, that of a *pool* of given lithium, or a *held* one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray

from solver.model.chemical_potential import ChemicalLaw
from solver.solve.potential_flux import Shift

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Stress part of the potential over RT, and its slope by x with the strain frozen, for x at the owned sites.
StressShift = Callable[[Array], tuple[Array, Array]]

_STEPS = 80
_TOLERANCE = 1e-11  # of x in a Newton step; its error is the square
# Of the slope of the chemical part: stress may make the whole potential fall with x, which no local equilibrium stands.
_LEAST_SHARE = 0.05
_LARGEST_MOVE = 0.1
# Where lattice tables bend, Newton's method may go to and fro between two sides; every other step is then shorter.
_CAREFUL_AFTER, _CAREFUL_SHARE, _CAREFUL_ABOVE = 12, 0.4, 1e-6


@dataclass(frozen=True)
class SiteState:
    """Sites in local equilibrium.

    Attributes:
        x: (owned sites,) stoichiometry.
        shift: (owned sites,) stress part of the potential; None without stress.
        weight: (owned sites,) derivative of x by the mean x of the sites with the same potential (eq. 13.5).
        pool_potential: Potential over RT of the pool; NaN without one.
        pool_slope: Its derivative by the mean x of the pool; NaN without one.
        converged: Whether the potentials are equal.
    """

    x: Array
    shift: Shift | None
    weight: Array
    pool_potential: float = float("nan")
    pool_slope: float = float("nan")
    converged: bool = True


class SiteMap:
    """Which sites belong to which master, and what x is at them.

    Args:
        comm: Ranks that share the sites.
        master_of_site: (owned sites,) local number of the master.
        exchange: Vector of the masters with its ghosts; None when every site is its own master.
        field: x at the sites as the solver last found it, ghosts up to date; None when nobody looks at it.

    Attributes:
        pool_masters: Owned masters in the pool, or held.
        has_pool: Whether masters have one potential, of their own or held.
        pool_count: How many, over all ranks.
    """

    def __init__(
        self,
        comm: MPI.Comm,
        master_of_site: Integers,
        exchange: la.Vector | None = None,
        field: fem.Function | None = None,
    ) -> None:
        self._comm, self._exchange, self.field = comm, exchange, field
        self.master_of_site = master_of_site
        self._owned = len(master_of_site) if exchange is None else exchange.index_map.size_local
        self._local = len(master_of_site) if exchange is None else len(exchange.array)
        self._pool: NDArray[np.bool_] = np.zeros(self._local, dtype=bool)  # local and ghost masters on the bare surface
        self._held_at: float | None = None
        self.take_masses(np.ones(len(master_of_site)))

    @classmethod
    def of_spaces(cls, sites: fem.FunctionSpace, masters: fem.FunctionSpace) -> SiteMap:
        """Sites and masters as degrees of freedom of P1 spaces with the same cells."""
        index_map = sites.dofmap.index_map
        of_site = np.zeros(index_map.size_local + index_map.num_ghosts, dtype=np.int64)
        of_site[sites.dofmap.list.ravel()] = masters.dofmap.list.ravel()
        exchange = la.vector(masters.dofmap.index_map, 1, np.float64)
        field = fem.Function(sites, name="site_stoichiometry")
        return cls(sites.mesh.comm, of_site[: index_map.size_local], exchange, field)

    def take_masses(self, masses: Array) -> None:
        """Takes the lumped mass of the owned sites [µm³], zero at sites without lithium; collective."""
        self.masses, self._has_lithium = masses, masses > 0.0
        self._safe_masses = np.where(self._has_lithium, masses, 1.0)
        self._own_masses = self.gather(masses)
        per_master = self._known(self._own_masses)[self.master_of_site]
        self._share = masses / np.where(per_master > 0.0, per_master, 1.0)
        count = self.gather(self._has_lithium.astype(float))
        self._all_single = not self._comm.allreduce(bool((count > 1.0).any()), op=MPI.LOR)
        self._take_groups()

    def free(self) -> None:
        """Leaves every master its own potential; collective."""
        self._set_pool(np.zeros(0, dtype=np.int64), None)

    def pool(self, masters: Integers) -> None:
        """Gives the owned masters, together with those of the other ranks, one potential; collective."""
        self._set_pool(masters, None)

    def hold(self, masters: Integers, stoichiometry: float) -> None:
        """Holds owned masters at the potential of an unstressed crystal of some stoichiometry; collective."""
        self._set_pool(masters, stoichiometry)

    def _set_pool(self, masters: Integers, held_at: float | None) -> None:
        inside = np.zeros(self._owned)
        inside[masters] = 1.0
        self._held_at = held_at
        self._pool = self._known(inside) > 0.0
        self._take_groups()

    def _take_groups(self) -> None:
        self.pool_masters: Integers = np.flatnonzero(self._pool[: self._owned])
        self.pool_count: int = self._comm.allreduce(len(self.pool_masters))
        self.has_pool = self.pool_count > 0
        masses = self._group_sums(self.masses)
        self._group_masses = np.where(masses > 0.0, masses, 1.0)
        self._site_in_pool = self._pool[self.master_of_site]

    def show(self, x: Array) -> None:
        """Puts x of the owned sites into the field; collective."""
        if self.field is not None:
            self.field.x.array[: len(x)] = x
            self.field.x.scatter_forward()

    @property
    def owned(self) -> int:
        """Number of masters this rank owns."""
        return self._owned

    @property
    def is_identity(self) -> bool:
        """Whether every site is its own master, by construction."""
        return self._exchange is None

    @property
    def is_held(self) -> bool:
        """Whether the masters of the pool are held."""
        return self._held_at is not None

    def gather(self, values: Array) -> Array:
        """Sums over the sites of every owned master, (owned masters,); collective."""
        return self._sums(values)[: self._owned]

    def spread(self, values: Array) -> Array:
        """Values of the masters (owned,) at their sites, (owned sites,); collective."""
        return self._known(values)[self.master_of_site]

    def means(self, values: Array) -> Array:
        """Mean of values at sites over those of every master, weighted by mass, (owned masters,); collective."""
        return self.gather(self._share * values)

    def stored(self, factors: Array) -> Array:
        """Factors of the masters' means (owned,), as factors of x at their sites, (owned sites,); collective."""
        return self.spread(factors) * self._share

    def pool_total(self, values: Array) -> float:
        """Sum of values of owned masters over the pool; collective."""
        return self._comm.allreduce(float(values[self.pool_masters].sum()))

    def equilibrate(self, y: Array, guess: Array, law: ChemicalLaw, shift: StressShift | None) -> SiteState:
        """X at the sites with equal potentials, given the means over masters (owned,); collective.

        Args:
            y: Means over the sites of each master; of a pool only its own mean matters, of held ones nothing.
            guess: (owned sites,) x to begin with.
            law: Chemical part of the potential.
            shift: Stress part; None without.
        """
        amounts = self._group_means(y)
        even = amounts[self.master_of_site]
        if self._held_at is not None:
            even = np.where(self._site_in_pool, self._held_at, even)
        if shift is None or (self._all_single and not self.has_pool):
            return self._state(even, law, shift, True)
        # A group moves alike to its mean before it settles.
        mean = self._group_sums(self.masses * guess) / self._group_masses
        moved = guess + (amounts - mean)[self.master_of_site]
        if self._held_at is not None:
            moved = np.where(self._site_in_pool, guess, moved)
        x = np.where(self._has_lithium, moved, even)
        for step in range(_STEPS):
            move = self._move(x, amounts, law, shift)
            largest = self._comm.allreduce(float(np.abs(move).max(initial=0.0)), op=MPI.MAX)
            if not np.isfinite(largest):
                return self._state(even, law, shift, False)
            # Held back everywhere alike, so that no group loses lithium.
            is_careful = step >= _CAREFUL_AFTER and step % 2 == 1 and largest > _CAREFUL_ABOVE
            share = _CAREFUL_SHARE if is_careful else 1.0
            x = x + min(share, _LARGEST_MOVE / max(largest, _TOLERANCE)) * move
            if largest < _TOLERANCE:
                return self._state(x, law, shift, True)
        return self._state(x, law, shift, False)

    def _move(self, x: Array, amounts: Array, law: ChemicalLaw, shift: StressShift) -> Array:
        """Newton step towards equal potentials, with which every group gets its lithium (eq. 13.5)."""
        value, slope = shift(x)
        softness, potential = self._softness(law, x, slope), law(x) + value
        total = self._group_sums(softness)
        missing = self._group_masses * amounts - self._group_sums(self.masses * x)
        level = (self._group_sums(softness * potential) + missing) / np.where(total > 0.0, total, 1.0)
        if self._held_at is not None:
            level = np.where(self._pool, float(law(self._held_at)), level)
        return (level[self.master_of_site] - potential) * softness / self._safe_masses

    def _softness(self, law: ChemicalLaw, x: Array, stress: Array) -> Array:
        """Mass over the slope of the potential, which is kept positive."""
        chemical = law.slope(x)
        return self.masses / np.maximum(chemical + stress, _LEAST_SHARE * chemical)

    def _state(self, x: Array, law: ChemicalLaw, shift: StressShift | None, converged: bool) -> SiteState:
        stress = Shift(*shift(x)) if shift is not None else None
        if self._all_single and not self.has_pool:
            return SiteState(x, stress, np.ones_like(x), converged=converged)
        softness = self._softness(law, x, stress.slope if stress is not None else np.zeros_like(x))
        mean = self._group_sums(softness) / self._group_masses
        mean = np.where(mean > 0.0, mean, 1.0)
        weight = np.where(self._has_lithium, softness / self._safe_masses / mean[self.master_of_site], 1.0)
        if self._held_at is not None:
            return SiteState(x, stress, np.where(self._site_in_pool, 0.0, weight), converged=converged)
        if not self.has_pool:
            return SiteState(x, stress, weight, converged=converged)
        potential = law(x) + (stress.value if stress is not None else 0.0)
        inside = self._site_in_pool * softness
        sums = self._all_sums(
            float(inside @ potential), float(inside.sum()), float(self._own_masses[self.pool_masters].sum())
        )
        return SiteState(x, stress, weight, sums[0] / sums[1], sums[2] / sums[1], converged)

    def _group_means(self, y: Array) -> Array:
        """Means over groups of equal potential, for local and ghost masters."""
        known = self._known(y)
        if not self.has_pool:
            return known
        inside = self.pool_masters
        sums = self._all_sums(float(self._own_masses[inside] @ y[inside]), float(self._own_masses[inside].sum()))
        return np.where(self._pool, sums[0] / sums[1], known)

    def _group_sums(self, values: Array) -> Array:
        """Sums over sites of equal potential, for local and ghost masters."""
        sums = self._sums(values)
        if not self.has_pool:
            return sums
        return np.where(self._pool, self.pool_total(sums[: self._owned]), sums)

    def _all_sums(self, *values: float) -> Array:
        total = np.zeros(len(values))
        self._comm.Allreduce(np.array(values, dtype=np.float64), total)
        return total

    def _sums(self, values: Array) -> Array:
        """Sums over the sites of every master, for local and ghost masters."""
        sums = np.asarray(np.bincount(self.master_of_site, weights=values, minlength=self._local), dtype=np.float64)
        if self._exchange is None:
            return sums
        self._exchange.array[:] = sums
        self._exchange.scatter_reverse(la.InsertMode.add)
        self._exchange.scatter_forward()
        return self._exchange.array.copy()

    def _known(self, values: Array) -> Array:
        """Values of owned masters at local and ghost ones."""
        if self._exchange is None:
            return np.array(values)
        self._exchange.array[: self._owned] = values
        self._exchange.scatter_forward()
        return self._exchange.array.copy()
