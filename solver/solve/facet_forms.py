"""Integrals over tagged facets, whether they lie on the outside or between two cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.core.expr import Expr

from solver.solve.domain import Domain


@dataclass(frozen=True)
class OnFacet:
    """Takes expressions to what they are on a facet."""

    is_inner: bool

    def __call__(self, value: Expr) -> Expr:
        """The value itself outside; from either side, whichever, between two cells."""
        return value("+") if self.is_inner else value

    def sum(self, value: Expr) -> Expr:
        """The value itself outside; the sum of both sides between two cells, for what vanishes on one of them."""
        return value("+") + value("-") if self.is_inner else value


def facets_tagged(domain: Domain, tags: Sequence[int]) -> NDArray[np.int32]:
    """Local and ghost facets with one of the tags."""
    found = domain.facet_tags
    return found.indices[np.isin(found.values, tags)]


def over_facets(
    domain: Domain, tags: Sequence[int], integrand: Callable[[OnFacet], Expr], degree: int | None = None
) -> ufl.Form | None:
    """Integral over all facets with one of the tags, each counted once; collective.

    Args:
        domain: The particle.
        tags: Facet tags.
        integrand: Gives the integrand, which must be the same from both sides of a facet. Whatever depends on the place
            in it must go through the `OnFacet` it is handed.
        degree: Quadrature degree; estimated when None.

    Returns:
        The form, or None when no rank has such a facet.
    """
    metadata = {} if degree is None else {"quadrature_degree": degree}
    options = {"domain": domain.mesh, "subdomain_data": domain.facet_tags, "metadata": metadata}
    outer, inner = _present(domain, tags)
    parts = []
    if outer:
        parts.append(integrand(OnFacet(is_inner=False)) * ufl.Measure("ds", subdomain_id=outer, **options))
    if inner:
        parts.append(integrand(OnFacet(is_inner=True)) * ufl.Measure("dS", subdomain_id=inner, **options))
    return sum(parts[1:], parts[0]) if parts else None


def _present(domain: Domain, tags: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tags that occur on the outside, and those that occur between cells, on any rank."""
    facets, topology = domain.facet_tags, domain.mesh.topology
    dimension = domain.dimension - 1
    owned = facets.indices < topology.index_map(dimension).size_local
    sides = np.diff(topology.connectivity(dimension, dimension + 1).offsets)[facets.indices]
    here = [set(facets.values[owned & (sides == count)].tolist()) & set(tags) for count in (1, 2)]
    outer, inner = (sorted(set().union(*found)) for found in zip(*domain.comm.allgather(here), strict=True))
    return tuple(outer), tuple(inner)
