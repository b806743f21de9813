"""How lithium enters through the outer surface: evenly, where it is taken most easily, or as a held surface needs."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from dolfinx import fem
from petsc4py import PETSc

from solver.solve.domain import Domain


class Surface(Protocol):
    """A surface condition, as a constraint on vectors of P1 degrees of freedom."""

    def constrain(self, vector: PETSc.Vec) -> None:
        """Maps a residual (or a lumped integral) to the constrained system, in place."""


class UniformFlux:
    """The same flux everywhere on the surface, whatever the crystal orientation below it."""

    def constrain(self, vector: PETSc.Vec) -> None:
        """Leaves every degree of freedom its own."""


class SurfaceRows:
    """The owned degrees of freedom on the tagged surface, and how many there are on all ranks."""

    def __init__(self, domain: Domain, space: fem.FunctionSpace, tag: int) -> None:
        found = fem.locate_dofs_topological(space, 2, domain.facet_tags.find(tag))
        self.owned = found[found < space.dofmap.index_map.size_local]
        self.comm = domain.comm
        self.count = domain.comm.allreduce(len(self.owned))


class Equipotential:
    """One potential, hence one stoichiometry, all over the surface: the limit of a fast reaction.

    The current is shared out by diffusion alone: grains that meet the surface with their layers edge-on take most of
    it, those that turn their c axis outward take little. The surface degrees of freedom act as a single unknown, kept
    as equal entries; their rows are replaced by the mean row, which conserves lithium exactly.
    """

    def __init__(self, rows: SurfaceRows) -> None:
        self._rows = rows

    def constrain(self, vector: PETSc.Vec) -> None:
        """Replaces the entries on the surface by their mean."""
        rows = self._rows
        values = vector.array
        values[rows.owned] = rows.comm.allreduce(float(np.sum(values[rows.owned]))) / rows.count


class Held:
    """A surface kept at the stoichiometry it has: a held potential with a fast reaction."""

    def __init__(self, rows: SurfaceRows) -> None:
        self._rows = rows

    def constrain(self, vector: PETSc.Vec) -> None:
        """Clears the entries on the surface."""
        vector.array[self._rows.owned] = 0.0
