"""Elasticity of a grain with its chemical strain; equations 1.1, 1.2 and 2.2 of docs/theory.md. Returns UFL only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem, mesh
from numpy.typing import NDArray
from ufl.core.expr import Expr

from solver.materials import TransverseStiffness

CONSTANTS = ("C11", "C12", "C13", "C33", "C44")


@dataclass(frozen=True)
class StiffnessFields:
    """The five elastic constants [MPa] as form coefficients: one compiled form serves every material.

    They are constant in each cell, or linear where they depend on lithium, which is linear itself (eq. 2.6).
    """

    C11: fem.Function
    C12: fem.Function
    C13: fem.Function
    C33: fem.Function
    C44: fem.Function

    @classmethod
    def of_cells(cls, domain: mesh.Mesh, constants: NDArray[np.float64], degree: int = 0) -> StiffnessFields:
        """Fields that are constant in every cell, to begin with.

        Args:
            domain: The mesh.
            constants: (local and ghost cells, 5) in the order of `CONSTANTS` [MPa].
            degree: 1 where `set` is to make them linear.
        """
        space = fem.functionspace(domain, ("DG", degree))
        fields = cls(*(fem.Function(space, name=name) for name in CONSTANTS))
        fields.set(np.arange(len(constants)), constants[:, None])
        return fields

    def set(self, cells: NDArray[np.integer], constants: NDArray[np.float64]) -> bool:
        """Sets the constants of some cells; returns whether any has changed.

        Args:
            cells: (k,) local numbers.
            constants: (k, corners, 5) or (k, 1, 5) in the order of `CONSTANTS` [MPa].
        """
        changed = False
        for number, name in enumerate(CONSTANTS):
            field = getattr(self, name)
            rows = field.function_space.dofmap.list[cells]
            values = np.broadcast_to(constants[..., number], rows.shape)
            changed |= not np.array_equal(field.x.array[rows], values)
            field.x.array[rows] = values
        return changed


# Unit stretch of a section along its normal (eq. 7.1).
AXIAL = ufl.as_tensor([[0, 0, 0], [0, 0, 0], [0, 0, 1]])


def strain(displacement: Expr) -> Expr:
    """Small strain, shape (3, 3) [-] (eq. 1.2); of a section without its axial strain (eq. 7.1)."""
    return ufl.sym(ufl.grad(displacement))


def eigenstrain(strain_a: Expr, strain_c: Expr, c_axis: Expr) -> Expr:
    """Strain of a stress-free grain (eq. 1.1).

    Args:
        strain_a: In-plane lattice strain ε_a [-], scalar.
        strain_c: Lattice strain ε_c along c [-], scalar.
        c_axis: Unit vector along the layer normal, shape (3,).

    Returns:
        Symmetric strain tensor [-], shape (3, 3).
    """
    along = ufl.outer(c_axis, c_axis)
    return strain_a * (ufl.Identity(3) - along) + strain_c * along


def stress(elastic_strain: Expr, c_axis: Expr, stiffness: StiffnessFields | TransverseStiffness) -> Expr:
    """Stress of a transversely isotropic crystal (eq. 2.2).

    Args:
        elastic_strain: Strain less eigenstrain [-], shape (3, 3), symmetric.
        c_axis: Symmetry axis, unit vector, shape (3,).
        stiffness: Elastic constants [MPa].

    Returns:
        Symmetric stress tensor [MPa], shape (3, 3).
    """
    s = stiffness
    c66 = (s.C11 - s.C12) / 2
    along = ufl.outer(c_axis, c_axis)
    pulled = ufl.dot(elastic_strain, c_axis)
    axial = ufl.dot(c_axis, pulled)
    trace = ufl.tr(elastic_strain)
    return (
        (s.C12 * trace + (s.C13 - s.C12) * axial) * ufl.Identity(3)
        + 2 * c66 * elastic_strain
        + ((s.C13 - s.C12) * trace + (s.C11 + s.C33 - 2 * s.C13 - 4 * s.C44) * axial) * along
        + 2 * (s.C44 - c66) * (ufl.outer(c_axis, pulled) + ufl.outer(pulled, c_axis))
    )


def components(tensor: Expr) -> list[Expr]:
    """The six independent components of a symmetric tensor: xx, yy, zz, yz, xz, xy."""
    return [tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
