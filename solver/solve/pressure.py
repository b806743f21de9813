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

OUTSIDE = (OUTER, COATED_SURFACE, COATING_OUTER, MATRIX_OUTER)

# Rows and columns of the components xx, yy, zz, yz, xz, xy.
_ENTRIES = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class StackPressure:
    """A constant pressure, as an addition to the elasticity of the cells (`ElasticTerm`).

    Args:
        domain: The particle.
        pressure: Pressure [MPa].

    Attributes:
        share: Share of the pressure that is applied.
    """

    def __init__(self, domain: Domain, pressure: float) -> None:
        self._pressure = pressure
        self.share = fem.Constant(domain.mesh, PETSc.ScalarType(1.0))
        self._normal = ufl.FacetNormal(domain.mesh)
        # Only where there is no cell beyond: the outside of a shell may be inside a matrix.
        self._outside = ufl.Measure("ds", domain.mesh, subdomain_data=domain.facet_tags, subdomain_id=OUTSIDE)

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """None: pressure adds no stiffness."""
        return None

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """Work of the pressure in a virtual displacement."""
        return -self.share * self._pressure * ufl.dot(displacement, self._normal) * self._outside

    def moment(self) -> NDArray[np.float64]:
        """Moment −p ∫ X ⊗ ν dA over this rank, components xx, yy, zz, yz, xz, xy [MPa µm³].

        Without other tractions it is the volume integral of the stress.
        """
        place, normal = ufl.SpatialCoordinate(self._outside.ufl_domain()), self._normal
        arms = [(place[i] * normal[j] + place[j] * normal[i]) / 2 for i, j in _ENTRIES]
        forms = [compat.form(-self._pressure * arm * self._outside) for arm in arms]
        return np.array([compat.assemble_scalar(form) for form in forms])

    def eigenstrain(self) -> Expr | None:
        """None: pressure is no strain."""
        return None

    def update(self, stoichiometry: NDArray[np.float64]) -> None:
        """Nothing depends on lithium."""
