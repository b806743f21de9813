"""Lithium at grain boundaries: what hinders it on the way across, and what carries it along (eqs. 12.2-12.4).

A boundary with a transfer coefficient k lets j = k (c⁻ − c⁺) across, so that lithium jumps there; every other one is no
obstacle. Along a boundary runs a path of some width; one half of it is in equilibrium with each of the two grains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.core.expr import Expr

from meshes.particle_mesh import GRAIN_BOUNDARY
from solver import compat
from solver.solve.domain import Domain
from solver.solve.facet_forms import facets_tagged
from solver.solve.grainwise import grainwise_space


@dataclass(frozen=True)
class BoundaryLaw:
    """Lithium at one kind of grain boundary.

    Attributes:
        transfer: Transfer coefficient k across [µm/s]; None where the boundary is no obstacle.
        path: Width of the path along the boundary times the diffusivity in it [µm³/s]; zero where there is none.
    """

    transfer: float | None = None
    path: float = 0.0


class BoundaryTransport:
    """What grain boundaries of several kinds add to diffusion.

    Args:
        domain: The particle.
        facets: Local and ghost facets between grains.
        kinds: (facets,) kind of each, from 0.
        laws: One per kind.

    Attributes:
        laws: As given.
        counts: Number of facets of each kind over all ranks.
    """

    def __init__(
        self, domain: Domain, facets: NDArray[np.int32], kinds: NDArray[np.int32], laws: Sequence[BoundaryLaw]
    ) -> None:
        self._domain, self.laws, self._facets = domain, laws, facets
        self._is_obstacle = np.array([law.transfer is not None for law in laws])[kinds]
        owned = facets < domain.mesh.topology.index_map(domain.dimension - 1).size_local
        self.counts = sum(domain.comm.allgather(np.bincount(kinds[owned], minlength=len(laws))))
        self._tags = dolfinx.mesh.meshtags(domain.mesh, domain.dimension - 1, facets, kinds)

    @classmethod
    def by_angle(cls, domain: Domain, high: BoundaryLaw, low: BoundaryLaw, limit: float) -> BoundaryTransport:
        """Boundaries of two kinds: those whose c axes differ by more than an angle `limit` [rad], and all others."""
        facets = facets_tagged(domain, [GRAIN_BOUNDARY])
        to_cells = domain.mesh.topology.connectivity(domain.dimension - 1, domain.dimension)
        facets = facets[np.diff(to_cells.offsets)[facets] == 2]  # the other cell of some ghosts is not here
        grains = domain.grain[to_cells.array[to_cells.offsets[facets][:, None] + np.arange(2)]]
        angle = angle_between_axes(domain.c_axes[grains[:, 0] - 1], domain.c_axes[grains[:, 1] - 1])
        return cls(domain, facets, (angle <= limit + 1e-12).astype(np.int32), (high, low))

    def space(self) -> fem.FunctionSpace:
        """P1 space of the lithium, broken where boundaries hinder it; collective."""
        if not any(count for count, law in zip(self.counts, self.laws, strict=True) if law.transfer is not None):
            return fem.functionspace(self._domain.mesh, ("Lagrange", 1))
        return grainwise_space(self._domain, 1, joined=self._facets[~self._is_obstacle])

    def form(self, trial: Expr, test: Expr, sites: fem.Function) -> ufl.Form | None:
        """What boundaries add to the diffusion form; None when they add nothing.

        Args:
            trial: Lithium of a space that is broken at least where boundaries hinder it.
            test: Test function of the same space.
            sites: Lithium sites per volume over their mean, by cell.
        """
        parts = []
        for kind, law in enumerate(self.laws):
            on_kind = ufl.Measure("dS", domain=self._domain.mesh, subdomain_data=self._tags, subdomain_id=kind)
            if law.transfer is not None:
                # Lumped, so that only the two sites of a vertex exchange lithium and no x is driven out of its bounds.
                lumped = on_kind(metadata=compat.facet_vertex_rule(self._domain.dimension))
                parts.append(self._constant(law.transfer) * ufl.avg(sites) * ufl.jump(trial) * ufl.jump(test) * lumped)
            if law.path > 0.0:
                even = on_kind(metadata={"quadrature_degree": 0})
                parts.append(self._constant(law.path / 2) * self._along(trial, test, sites) * even)
        return sum(parts[1:], parts[0]) if parts else None

    def _constant(self, number: float) -> fem.Constant:
        """A number that does not become part of the compiled code."""
        return fem.Constant(self._domain.mesh, PETSc.ScalarType(number))

    def _along(self, trial: Expr, test: Expr, sites: fem.Function) -> Expr:
        """Gradients along the boundary, multiplied and weighted with the sites, summed over both sides."""
        normal = ufl.FacetNormal(self._domain.mesh)("+")
        projector = ufl.Identity(3) - ufl.outer(normal, normal)
        sides = (
            sites(side) * ufl.inner(projector * ufl.grad(trial)(side), projector * ufl.grad(test)(side))
            for side in ("+", "-")
        )
        return sum(sides, ufl.as_ufl(0.0))


def angle_between_axes(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles [rad] between lines along unit vectors (k, 3): 0 to π/2."""
    cosine = np.abs(np.einsum("ki,ki->k", first, second))
    sine = np.linalg.norm(np.cross(first, second), axis=1)
    return np.asarray(np.arctan2(sine, cosine))  # exact for small angles, where the cosine alone is not
