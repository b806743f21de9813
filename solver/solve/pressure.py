"""Pressure on whatever is outermost: the matrix, the coating, or the bare particle (eq. 9.1)."""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.core.expr import Expr

from meshes.particle_mesh import COATED_SURFACE, COATING_OUTER, MATRIX_OUTER, OUTER
from solver import compat
from solver.solve.domain import Domain
from solver.solve.facet_forms import OnFacet, over_facets

OUTSIDE = (OUTER, COATED_SURFACE, COATING_OUTER, MATRIX_OUTER)


class StackPressure:
    """A constant pressure, as an addition to the elasticity of the cells (`ElasticTerm`).

    Args:
        domain: The particle.
        pressure: Pressure [MPa].

    Attributes:
        share: Share of the pressure that is applied.
    """

    def __init__(self, domain: Domain, pressure: float) -> None:
        self._domain, self._pressure = domain, pressure
        self.share = fem.Constant(domain.mesh, PETSc.ScalarType(1.0))

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """None: pressure adds no stiffness."""
        return None

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """Work of the pressure in a virtual displacement."""
        normal = ufl.FacetNormal(self._domain.mesh)
        return over_facets(
            self._domain, OUTSIDE, lambda on: -self.share * self._pressure * ufl.dot(on(displacement), on(normal))
        )

    def moment(self) -> NDArray[np.float64]:
        """Moment −p ∫ X ⊗ ν dA over this rank, components xx, yy, zz, yz, xz, xy [MPa µm³].

        Without other tractions it is the volume integral of the stress.
        """
        place, normal = ufl.SpatialCoordinate(self._domain.mesh), ufl.FacetNormal(self._domain.mesh)
        values = []
        for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):

            def arm(on: OnFacet, i: int = i, j: int = j) -> Expr:
                return -self._pressure / 2 * (on(place)[i] * on(normal)[j] + on(place)[j] * on(normal)[i])

            form = over_facets(self._domain, OUTSIDE, arm)
            values.append(0.0 if form is None else compat.assemble_scalar(compat.form(form)))
        return np.array(values)

    def eigenstrain(self) -> Expr | None:
        """None: pressure is no strain."""
        return None

    def update(self, stoichiometry: NDArray[np.float64]) -> None:
        """Nothing depends on lithium."""
