"""How lithium enters: evenly, where it is taken most easily, or as a held potential needs; through films on the way.

A film of resistance r = t/D carries the flux (x_o − x)/r, where x_o is the stoichiometry that the outside would be in
equilibrium with: one number for the whole particle (eq. 8.3). Where there is no film, x = x_o.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from solver import compat
from solver.solve.domain import Domain
from solver.solve.facet_forms import over_facets

Array = NDArray[np.float64]


class Places:
    """Some owned degrees of freedom, on all ranks together.

    Args:
        comm: Communicator.
        index: (k,) their local numbers.

    Attributes:
        index: As given.
        count: How many there are on all ranks.
    """

    def __init__(self, comm: MPI.Comm, index: NDArray[np.intp]) -> None:
        self._comm, self.index = comm, index
        self.count: int = comm.allreduce(len(index))

    def mean(self, values: Array) -> float:
        """Mean over all ranks of values at the owned degrees of freedom."""
        return self._comm.allreduce(float(values[self.index].sum())) / self.count


class Surface(Protocol):
    """A surface condition, as operations on the owned entries of vectors of P1 degrees of freedom."""

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """Maps a residual (or a lumped integral) to the constrained system, in place.

        Args:
            values: One per owned degree of freedom.
            places: Degrees of freedom to take for the bare surface; by default the bare surface itself.
        """

    def exchange(self, x: Array, residual: Array) -> None:
        """Adds what leaves through films for a lithium field while there is no current."""

    def add_diagonal(self, diagonal: Array) -> None:
        """Adds the diagonal of `exchange` for a preconditioner, after `constrain`."""

    def source(self, current: float) -> Array:
        """What enters at each owned degree of freedom [µm³/s] for a total current [µm³/s]."""

    def outside(self, x: Array, current: float) -> float:
        """Stoichiometry the outside is in equilibrium with [-]; NaN when there is no single one."""


class SurfaceRows:
    """Owned degrees of freedom through which lithium passes, and the films on them.

    Args:
        domain: The particle.
        space: P1 space of the lithium; grains may have degrees of freedom of their own.
        tags: Facets that lithium passes.
        resistances: Resistance of the film on facets with a tag [s/µm]; none or zero is a bare surface.

    Attributes:
        places: Degrees of freedom without film; one bare facet suffices.
        areas: (owned,) integrals of the test functions over the surface [µm²].
        conductance: (owned,) the same over the resistance [µm³/s]; zero without film.
        total_conductance: Sum of the conductances over all ranks.
    """

    def __init__(
        self,
        domain: Domain,
        space: fem.FunctionSpace,
        tags: Sequence[int],
        resistances: Mapping[int, float],
    ) -> None:
        self.comm, self._domain, self._tags, self._resistances = domain.comm, domain, tags, resistances
        filmed = [tag for tag in tags if resistances.get(tag, 0.0) > 0.0]
        bare = [tag for tag in tags if tag not in filmed]
        self.places = Places(self.comm, np.flatnonzero(_facet_areas(domain, space, bare) > 0.0))
        self.areas = _facet_areas(domain, space, tags)
        self.conductance = np.zeros_like(self.areas)
        for tag in filmed:
            self.conductance += _facet_areas(domain, space, [tag]) / resistances[tag]
        self.conductance[self.bare] = 0.0
        self.total_conductance = self.comm.allreduce(float(self.conductance.sum()))

    @property
    def bare(self) -> NDArray[np.intp]:
        """Owned degrees of freedom without film."""
        return self.places.index

    @property
    def count(self) -> int:
        """How many there are on all ranks."""
        return self.places.count

    def on(self, space: fem.FunctionSpace) -> SurfaceRows:
        """The same surface on another P1 space of the same mesh; collective."""
        return SurfaceRows(self._domain, space, self._tags, self._resistances)

    def bare_mean(self, values: Array) -> float:
        """Mean over the bare degrees of freedom of all ranks."""
        return self.places.mean(values)

    def film_sum(self, values: Array) -> float:
        """Sum over all ranks, weighted by the conductances."""
        return self.comm.allreduce(float(self.conductance @ values))


def _facet_areas(domain: Domain, space: fem.FunctionSpace, tags: Sequence[int]) -> Array:
    """Integrals of the P1 test functions over tagged facets, seen from the grain [µm²], shape (owned,)."""
    test, in_grain = ufl.TestFunction(space), fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    in_grain.x.array[in_grain.function_space.dofmap.list[:, 0]] = domain.is_grain
    form = over_facets(domain, tags, lambda on: on.sum(in_grain * test))
    if form is None:
        return np.zeros(space.dofmap.index_map.size_local)
    compiled = compat.form(form)
    vector = compat.create_vector(compiled)
    compat.assemble_vector(vector, compiled)
    areas: Array = vector.array.copy()
    vector.destroy()
    return areas


class UniformFlux:
    """The same flux everywhere on the surface, whatever the crystal orientation below it and the film on it."""

    def __init__(self, rows: SurfaceRows) -> None:
        self._areas = rows.areas
        self._total = rows.comm.allreduce(float(rows.areas.sum()))

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """Leaves every degree of freedom its own."""

    def exchange(self, x: Array, residual: Array) -> None:
        """Nothing: the flux is given."""

    def add_diagonal(self, diagonal: Array) -> None:
        """Nothing."""

    def source(self, current: float) -> Array:
        """The current spread evenly over the area."""
        return self._areas * (current / self._total)

    def outside(self, x: Array, current: float) -> float:
        """Every place has its own."""
        return float("nan")


class Equipotential:
    """One potential outside the whole surface: the limit of a fast reaction.

    The current is shared out by diffusion and by the films: grains that meet the surface with their layers edge-on take
    most of it, those that turn their c axis outward take little. The bare degrees of freedom act as a single unknown,
    kept as equal entries; their rows are replaced by the mean row, which conserves lithium exactly. Without any bare
    ones, the outside stoichiometry is eliminated by the total current.
    """

    def __init__(self, rows: SurfaceRows) -> None:
        self._rows = rows

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """Replaces the entries of the bare surface by their mean."""
        places = places or self._rows.places
        if places.count:
            values[places.index] = places.mean(values)

    def exchange(self, x: Array, residual: Array) -> None:
        """Adds g (x − x_o) on films, and takes the sum from the bare surface, which all of it enters."""
        rows = self._rows
        if rows.total_conductance == 0.0:
            return
        leaving = rows.conductance * (x - self.outside(x, 0.0))
        residual += leaving
        if rows.count:
            residual[rows.bare] -= rows.comm.allreduce(float(leaving.sum())) / rows.count

    def add_diagonal(self, diagonal: Array) -> None:
        """Adds the conductances."""
        rows = self._rows
        diagonal += rows.conductance
        if rows.count:
            diagonal[rows.bare] += rows.total_conductance / rows.count

    def source(self, current: float) -> Array:
        """The current enters the bare surface, or the films in the proportion of their conductances."""
        rows = self._rows
        if not rows.count:
            return rows.conductance * (current / rows.total_conductance)
        entering = np.zeros_like(rows.areas)
        entering[rows.bare] = current / rows.count
        return entering

    def outside(self, x: Array, current: float) -> float:
        """That of the bare surface, or the one at which the films carry the current."""
        rows = self._rows
        return rows.bare_mean(x) if rows.count else (current + rows.film_sum(x)) / rows.total_conductance


class Held:
    """An outside held at one stoichiometry: a held potential with a fast reaction."""

    def __init__(self, rows: SurfaceRows, stoichiometry: float) -> None:
        self._rows, self._stoichiometry = rows, stoichiometry

    def constrain(self, values: Array, places: Places | None = None) -> None:
        """Clears the entries of the bare surface, whose lithium stays what it is."""
        values[(places or self._rows.places).index] = 0.0

    def exchange(self, x: Array, residual: Array) -> None:
        """Adds g x on films."""
        residual += self._rows.conductance * x

    def add_diagonal(self, diagonal: Array) -> None:
        """Adds the conductances."""
        diagonal += self._rows.conductance

    def source(self, current: float) -> Array:
        """What the held outside gives to the films, whatever the current."""
        return self._rows.conductance * self._stoichiometry

    def outside(self, x: Array, current: float) -> float:
        """The held one."""
        return self._stoichiometry
