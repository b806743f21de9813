"""Coatings without thickness: elasticity of the surface below them (eqs. 8.4, 8.5).

Several layers share the strain of the surface, so that their tensions add up. What a layer would like to be, a share of
the lattice strain of the grain below and a misfit, is taken along the surface.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.core.expr import Expr

from meshes.particle_mesh import MEMBRANE_SURFACE
from solver.materials import Layer
from solver.model.elasticity import eigenstrain
from solver.solve.domain import Domain
from solver.solve.facet_forms import OnFacet, facets_tagged, over_facets
from solver.solve.solids import Solids

_DEGREE = 2


@dataclass(frozen=True)
class Film:
    """A layer on the surface and its thickness [µm]."""

    layer: Layer
    thickness: float

    def effective_thickness(self, domain: Domain) -> float:
        """Thickness that gives a film on the surface the tension of this layer on a particle of this size [µm]."""
        relative = self.thickness / domain.radius
        return self.thickness * curvature_factor(relative, self.layer.poisson_ratio, domain.dimension)


class Membrane:
    """One film as an addition to the elasticity of the cells (`ElasticTerm`).

    Args:
        domain: The particle.
        film: The layer.
        solids: What the grains below are made of.
    """

    def __init__(self, domain: Domain, film: Film, solids: Solids) -> None:
        self._domain, self._film, self._solids = domain, film, solids
        # Constants of the forms, so that one compiled form serves every film.
        stiffness = film.effective_thickness(domain) * film.layer.plane_strain_modulus
        numbers = (stiffness, film.layer.poisson_ratio, film.layer.host_strain_share, film.layer.misfit)
        self._stiffness, self._ratio, self._share, self._misfit = (
            fem.Constant(domain.mesh, PETSc.ScalarType(number)) for number in numbers
        )
        corners = fem.functionspace(domain.mesh, ("DG", 1))
        # Zero but in the grains at the surface.
        self._strain_a, self._strain_c = fem.Function(corners), fem.Function(corners)
        to_cells = domain.mesh.topology.connectivity(domain.dimension - 1, domain.dimension)
        facets = facets_tagged(domain, MEMBRANE_SURFACE)
        touching = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *map(to_cells.links, facets)]))
        self._cells = touching[domain.is_grain[touching]].astype(np.intp)
        self._rows = corners.dofmap.list[self._cells]

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """Work of the film's tension in the strain along the surface."""
        return self._over(lambda on: ufl.inner(self._tension(on, on(first)), _along(self._domain, on, on(second))))

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """Work of the tension that would take the film's own strain away."""
        lattice = eigenstrain(self._strain_a, self._strain_c, self._domain.cell_axis)

        def integrand(on: OnFacet) -> Expr:
            own = self._share * on.sum(lattice) + self._misfit * ufl.Identity(3)
            return ufl.inner(self._tension(on, own), _along(self._domain, on, on(strain)))

        return self._over(integrand)

    def eigenstrain(self) -> Expr | None:
        """None: the cells do not strain."""
        return None

    def update(self, stoichiometry: NDArray[np.float64]) -> None:
        """Sets the lattice strain of the grains at the surface."""
        if self._film.layer.host_strain_share > 0.0:
            strains = self._solids.corner_strains(stoichiometry[self._cells], self._cells)
            self._strain_a.x.array[self._rows] = strains[..., 0]
            self._strain_c.x.array[self._rows] = strains[..., 1]

    def _over(self, integrand: Callable[[OnFacet], Expr]) -> ufl.Form | None:
        return over_facets(self._domain, MEMBRANE_SURFACE, integrand, _DEGREE)

    def _tension(self, on: OnFacet, strain: Expr) -> Expr:
        """Thickness times the plane stress of a strain [MPa µm], shape (3, 3)."""
        along = _along(self._domain, on, strain)
        across = self._ratio * ufl.tr(along) * _projector(self._domain, on)
        return self._stiffness * ((1 - self._ratio) * along + across)


def curvature_factor(relative: float, poisson_ratio: float, dimension: int) -> float:
    """Tension of a shell over that of a film without thickness, to first order, on a sphere or cylinder (eq. 8.6).

    A shell of finite thickness is widened less on its outside than at the surface it sits on.

    Args:
        relative: Thickness over radius.
        poisson_ratio: Of the layer.
        dimension: 3 for the sphere, 2 for the cylinder.
    """
    slope = 2 * poisson_ratio if dimension == 3 else (1 + poisson_ratio) / 2
    return 1 - relative * slope / (1 - poisson_ratio)


def _projector(domain: Domain, on: OnFacet) -> Expr:
    """I − ν ⊗ ν."""
    normal = on(ufl.FacetNormal(domain.mesh))
    return ufl.Identity(3) - ufl.outer(normal, normal)


def _along(domain: Domain, on: OnFacet, strain: Expr) -> Expr:
    """Part of a strain along the surface."""
    projector = _projector(domain, on)
    return ufl.dot(projector, ufl.dot(strain, projector))
