"""Total strain at the sites of lithium, from the displacement (eq. 13.8).

A P2 displacement has a strain that is linear in a cell. At a site, the value is the mean over the cells of its grain
of what each says there, weighted by volume. That is as accurate as the L² projection at the cost of a sparse product;
the usual lumped projection averages over the cells instead, and so is biased inwards at surfaces.
"""

from __future__ import annotations

import dolfinx.la
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.core.expr import Expr

from solver import compat
from solver.materials import TransverseStiffness
from solver.model.elasticity import eigenstrain, stress
from solver.solve.domain import Domain
from solver.solve.mechanics import Mechanics
from solver.solve.stress import GAUSS

Array = NDArray[np.float64]


class SiteStrain:
    """Takes the strain of a solution to the sites.

    Args:
        domain: The particle.
        mechanics: Its solution is read.
        sites: Grain-wise P1 space whose degrees of freedom are the sites.
        softens: Stiffness at x = 1 of crystals that soften; None for a constant stiffness.

    Attributes:
        count: Numbers of a site.
    """

    def __init__(
        self,
        domain: Domain,
        mechanics: Mechanics,
        sites: fem.FunctionSpace,
        softens: TransverseStiffness | None = None,
    ) -> None:
        rule, axis, strain = GAUSS[domain.dimension], domain.cell_axis, mechanics.strain
        along = ufl.dot(axis, ufl.dot(strain, axis))
        across = ufl.tr(strain) - along
        others = (
            [] if softens is None else [_other_energy(strain - eigenstrain(across / 2, along, axis), axis, softens)]
        )
        self.count = 2 + len(others)
        self._numbers = compat.expression(ufl.as_vector([along, across, *others]), rule.points)
        self._to_corners = np.linalg.inv(rule.barycentric)
        self._mesh = domain.mesh
        self._cells = np.arange(domain.owned, dtype=np.int32)
        self._volumes = domain.cell_volumes[self._cells, None]
        self._places = sites.dofmap.list[self._cells]
        self._sum = fem.Function(sites)
        self._shares = 1.0 / self._summed(np.broadcast_to(self._volumes, self._places.shape))

    def __call__(self) -> Array:
        """Stretch along c and sum of both stretches of the layers at all local and ghost sites, (n, 2); collective.

        Crystals that soften have a third number: the energy of all other strain over C11.
        """
        values = compat.evaluate(self._numbers, self._mesh, self._cells)
        points = values.reshape(len(self._cells), -1, self.count)
        values = self._to_corners @ points
        # Quadratic in a cell: extrapolated, it could become negative.
        values[..., 2:] = points[..., 2:].mean(axis=1, keepdims=True)
        summed = [self._summed(self._volumes * values[..., number]) for number in range(self.count)]
        return np.stack(summed, axis=1) * self._shares[:, None]

    def _summed(self, at_corners: Array) -> Array:
        """Sum over the owned cells of all ranks, from (cells, corners) to (sites,)."""
        values = self._sum.x.array
        values[:] = np.bincount(self._places.ravel(), at_corners.ravel(), minlength=len(values))
        self._sum.x.scatter_reverse(dolfinx.la.InsertMode.add)
        self._sum.x.scatter_forward()
        return values.copy()


def _other_energy(strain: Expr, axis: Expr, stiffness: TransverseStiffness) -> Expr:
    """Energy density of a strain over C11 [-]."""
    return ufl.inner(stress(strain, axis, stiffness), strain) / (2.0 * stiffness.C11)
