"""Planes of symmetry of a sector: no displacement across them, and the rigid motions that are left (eq. 8.7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from meshes.particle_mesh import SYMMETRY
from solver.solve.domain import Domain
from solver.solve.facet_forms import facets_tagged


@dataclass(frozen=True)
class Planes:
    """What the planes of symmetry forbid in a vector space.

    Attributes:
        axes: Directions 0..2 across which there is a plane, on any rank.
        conditions: The conditions for assembly.
        fixed: Owned entries of a vector that are zero.
    """

    axes: tuple[int, ...]
    conditions: list[fem.DirichletBC]
    fixed: NDArray[np.int32]

    @classmethod
    def of(cls, domain: Domain, space: fem.FunctionSpace) -> Planes:
        """The planes tagged in a domain; collective."""
        axes, conditions, fixed = [], [], []
        for axis, tag in enumerate(SYMMETRY):
            facets = facets_tagged(domain, [tag])
            if not domain.comm.allreduce(len(facets)):
                continue
            part = space.sub(axis)
            entries = fem.locate_dofs_topological(part, domain.dimension - 1, facets)
            condition = fem.dirichletbc(PETSc.ScalarType(0.0), entries, part)
            found, owned = condition.dof_indices()
            axes.append(axis)
            conditions.append(condition)
            fixed.append(found[:owned])
        return cls(tuple(axes), conditions, np.concatenate([np.zeros(0, dtype=np.int32), *fixed]))

    def allow_shift(self, axis: int) -> bool:
        """Whether the body may move along an axis."""
        return axis not in self.axes

    def allow_turn(self, axis: int) -> bool:
        """Whether it may turn about an axis: only within a plane of symmetry, and only if there is no other."""
        return all(plane == axis for plane in self.axes)

    def mask(self, vector: PETSc.Vec) -> PETSc.Vec:
        """A vector of the layout of another: 0 where the displacement is fixed, 1 elsewhere."""
        mask = vector.duplicate()
        mask.set(1.0)
        mask.array[self.fixed] = 0.0
        return mask
