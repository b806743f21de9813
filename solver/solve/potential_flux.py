"""Flux of lithium between sites under diffusion and stress, on entries of the diffusion matrix (eqs. 13.3 and 13.4).

Every entry K_ij beside the diagonal couples two sites. What it carries is a function of the two sites alone, with the
opposite sign for the other one, so that lithium is conserved whatever the mobility. Nothing is assembled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import csr_array

from solver.materials import DiffusivityProfile
from solver.model.chemical_potential import ChemicalLaw, Chord, Nodes, chord, mobility, nodes_of
from solver.solve.diffusion import VERTICES

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Shift:
    """Stress part of the chemical potential over RT at owned sites, and its slope by x with the strain frozen."""

    value: Array
    slope: Array


@dataclass(frozen=True)
class _Coupling:
    """What is linearised at an entry: the carried difference times K, and its derivatives by the two sites."""

    flow: Array
    by_row: Array
    by_column: Array


class PotentialFlux:
    """What leaves every owned site by diffusion, and its derivative.

    Args:
        stiffness: Diffusion matrix K between sites, rows of sum zero [µm³/s].
        law: Chemical part f of the potential.
        profile: d(x), by which the diffusivity in K is multiplied; None for a constant one.
    """

    def __init__(self, stiffness: PETSc.Mat, law: ChemicalLaw, profile: DiffusivityProfile | None = None) -> None:
        self._law, self._profile, self._stiffness = law, profile, stiffness
        starts, columns, _ = stiffness.getValuesCSR()
        begin, end = stiffness.getOwnershipRange()
        self._owned = end - begin
        rows = np.repeat(np.arange(self._owned), np.diff(starts))
        beside = columns != rows + begin
        self._entries = np.flatnonzero(beside)
        self._rows: Integers = rows[beside].astype(np.int64)
        foreign = (columns < begin) | (columns >= end)
        ghosts = np.unique(columns[foreign])
        local = np.where(foreign, self._owned + np.searchsorted(ghosts, columns), columns - begin)
        self._columns: Integers = local[beside].astype(np.int64)
        self._ghosted = PETSc.Vec().createGhost(ghosts, (self._owned, None), comm=stiffness.comm)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(self._rows, minlength=self._owned))])
        self._shape = (self._owned, self._owned + len(ghosts))
        self._crosses = self._crossing()
        self.take_stiffness()

    @property
    def is_linear(self) -> bool:
        """Whether diffusion without stress is linear in x."""
        return self._profile is None

    def take_stiffness(self) -> None:
        """Takes up entries of K that have changed."""
        self._values = self._stiffness.getValuesCSR()[2][self._entries]
        self._set_derivative(-self._values, self._values)

    def flow(self, x: Array, shift: Shift | None) -> Array:
        """What leaves the owned sites [µm³/s], shape (owned,), for x and shift at them; collective."""
        return self._summed(self._coupling(x, shift).flow)

    def linearise(self, x: Array, shift: Shift | None) -> Array:
        """The same, and keeps the derivative by x for `apply`; collective."""
        coupling = self._coupling(x, shift)
        if self._profile is not None or shift is not None:
            self._set_derivative(coupling.by_row, coupling.by_column)
        return self._summed(coupling.flow)

    def apply(self, change: Array) -> Array:
        """Change of the flow for a change of x at the owned sites, by the kept derivative; collective."""
        return self._derivative @ self._known(change) + self.diagonal * change

    def _set_derivative(self, by_row: Array, by_column: Array) -> None:
        self.diagonal: Array = self._summed(by_row)
        self._derivative = csr_array((by_column, self._columns, self._starts), shape=self._shape)

    def _coupling(self, x: Array, shift: Shift | None) -> _Coupling:
        """Entries of the flow (eq. 13.4): by what the column's site exceeds the row's, times K_ij, mostly negative."""
        x = self._known(x)
        rows, columns = self._rows, self._columns
        first, second = x[rows], x[columns]
        carried, by_row, by_column = second - first, np.full_like(first, -1.0), np.ones_like(first)
        if shift is not None:
            drift = self._drift(x, shift)
            carried, by_row, by_column = carried + drift.flow, by_row + drift.by_row, by_column + drift.by_column
        if self._profile is not None:
            mean = self._relative_diffusivity(x, self._profile)
            by_row = by_row * mean.value + carried * mean.by_first
            by_column = by_column * mean.value + carried * mean.by_second
            carried = carried * mean.value
        return _Coupling(self._values * carried, self._values * by_row, self._values * by_column)

    def _drift(self, x: Array, shift: Shift) -> _Coupling:
        """m_ij (s_j − s_i) and its derivatives."""
        rows, columns = self._rows, self._columns
        value, slope = self._known(shift.value), self._known(shift.slope)
        at = nodes_of(self._law, x)
        mean = mobility(x[rows], x[columns], at.at(rows), at.at(columns))
        difference = value[columns] - value[rows]
        return _Coupling(
            mean.value * difference,
            mean.by_first * difference - mean.value * slope[rows],
            mean.by_second * difference + mean.value * slope[columns],
        )

    def _relative_diffusivity(self, x: Array, profile: DiffusivityProfile) -> Chord:
        """d_ij, the mean of d(x) between two sites (eq. 14.1); 1 where a boundary with a coefficient of its own is."""
        integral = Nodes(profile.integral(x), profile(x), profile.slope(x))
        rows, columns = self._rows, self._columns
        mean = chord(x[rows], x[columns], integral.at(rows), integral.at(columns))
        if not self._crosses.any():
            return mean
        return Chord(
            np.where(self._crosses, 1.0, mean.value),
            np.where(self._crosses, 0.0, mean.by_first),
            np.where(self._crosses, 0.0, mean.by_second),
        )

    def _crossing(self) -> NDArray[np.bool_]:
        """(entries,) whether an entry couples two sites of one vertex, across a boundary; collective."""
        vertices = self._stiffness.query(VERTICES)
        if vertices is None:
            return np.zeros(len(self._rows), dtype=bool)
        number, at_sites = vertices.createVecs()
        number.array[:] = np.arange(*number.getOwnershipRange())
        vertices.mult(number, at_sites)
        of_site = np.rint(self._known(at_sites.array_r))
        return np.asarray(of_site[self._rows] == of_site[self._columns])

    def _summed(self, entries: Array) -> Array:
        return np.asarray(np.bincount(self._rows, weights=entries, minlength=self._owned), dtype=np.float64)

    def _known(self, values: Array) -> Array:
        """Values at owned sites and at the others their rows reach; collective."""
        self._ghosted.array[:] = values
        self._ghosted.ghostUpdate(addv=PETSc.InsertMode.INSERT, mode=PETSc.ScatterMode.FORWARD)
        with self._ghosted.localForm() as local:
            return local.array.copy()
