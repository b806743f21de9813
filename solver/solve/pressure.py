"""Pressure on whatever is outermost: the matrix, the coating, or the bare particle (eq. 9.1)."""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.core.expr import Expr

from meshes.particle_mesh import COATED_SURFACE, COATING_OUTER, MATRIX_OUTER, OUTER
from solver.solve.domain import Domain
from solver.solve.facet_forms import over_facets

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

    def eigenstrain(self) -> Expr | None:
        """None: pressure is no strain."""
        return None

    def update(self, stoichiometry: NDArray[np.float64]) -> None:
        """Nothing depends on lithium."""
