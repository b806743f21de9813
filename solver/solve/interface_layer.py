"""The layer between particle and matrix that may open: its columns on all ranks, and their state (eqs. 9.6, 9.7).

A column is what lies over one facet of the particle: a prism of three tetrahedra (a quadrilateral of two triangles),
whose cells may be on different ranks. Its means are summed over all ranks, so that every rank decides alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from ufl.core.expr import Expr

from meshes.growth import last_match
from meshes.interface import InterfaceColumns, interface_columns
from meshes.particle_mesh import (
    BLOCKED,
    COATED_BLOCKED,
    COATING_INNER,
    COATING_INNER_BLOCKED,
    COATING_OUTER,
    INTERFACE,
    ParticleMesh,
)
from solver.model.elasticity import CONSTANTS, StiffnessFields
from solver.model.interface import InterfaceLaw, breaking
from solver.solve.domain import Domain
from solver.solve.memory import Memory
from solver.solve.surroundings_state import Bond

Array = NDArray[np.float64]

# Rows and columns of the 3 × 3 tensor as components xx, yy, zz, yz, xz, xy.
_TENSOR = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))

_DEGREE = 2
# How often a column may turn in one load step.
_MOST_TURNS = 6
# Share of the interface whose contacts may still turn when a load step is done.
_FEW = 0.01


@dataclass(frozen=True)
class Columns:
    """The columns of a mesh, the same on every rank.

    Attributes:
        layer: Cells, normals and areas.
        touches: (columns,) whether particle and matrix are bonded there at the start.
    """

    layer: InterfaceColumns
    touches: NDArray[np.bool_]


def columns_of(mesh: ParticleMesh) -> Columns:
    """The columns of a mesh; where its tags say that no lithium passes, particle and matrix are not bonded.

    Raises:
        MeshError: When the cells of the layer are not in the order in which they were made.
    """
    layer = interface_columns(mesh)
    below = mesh.cells[layer.cells[:: mesh.dimension], : mesh.dimension]
    tags = mesh.facet_tags[last_match(below, mesh.facets)]
    # Over a shell, the facet of a grain below it knows.
    over_shell = tags == COATING_OUTER
    if over_shell.any():
        skin = np.isin(mesh.facet_tags, (COATING_INNER, COATING_INNER_BLOCKED))
        centres = mesh.points[mesh.facets[skin]].mean(axis=1)
        nearest = cKDTree(centres).query(mesh.points[below[over_shell]].mean(axis=1))[1]
        tags[over_shell] = mesh.facet_tags[skin][nearest]
    return Columns(layer, ~np.isin(tags, (BLOCKED, COATED_BLOCKED, COATING_INNER_BLOCKED)))


class InterfaceLayer:
    """Tracks bonds and contacts: stiffness of the layer's cells, and an addition to their elasticity (`ElasticTerm`).

    Args:
        domain: The particle in its matrix; its cell axes in the layer are set to the normals of the columns.
        columns: The columns.
        law: Stiffness and strength.

    Attributes:
        cells: Local and ghost cells of the layer.
        bonded: (columns,) whether the bond still holds.
        touching: (columns,) whether particle and matrix touch without a bond.
    """

    def __init__(self, domain: Domain, columns: Columns, law: InterfaceLaw) -> None:
        self._domain, self._columns, self._law = domain, columns.layer, law
        self.cells = np.flatnonzero(domain.grain == INTERFACE).astype(np.int32)
        of_cell = np.zeros(int(columns.layer.cells.max(initial=0)) + 1, dtype=np.int64)
        of_cell[columns.layer.cells] = columns.layer.columns
        self._column = of_cell[domain.input_cells[self.cells]]
        self._rows = domain.cell_axis.function_space.dofmap.list[self.cells, 0]
        domain.cell_axis.x.array.reshape(-1, 3)[self._rows] = columns.layer.normals[self._column]
        self._volumes = np.where(self.cells < domain.owned, domain.cell_volumes[self.cells], 0.0)
        self._column_volumes = self._summed(self._volumes[:, None])[:, 0]
        element = basix.ufl.quadrature_element(domain.mesh.basix_cell(), degree=_DEGREE)
        self._contact = fem.Function(fem.functionspace(domain.mesh, element))
        self._points = self._contact.function_space.dofmap.list[self.cells]
        # Where there was no contact nothing was ever bonded.
        self.bonded: NDArray[np.bool_] = columns.touches.copy()
        self.touching: NDArray[np.bool_] = np.zeros(len(self.bonded), dtype=bool)
        self._turns = np.zeros(len(self.bonded), dtype=np.int64)

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """Work of the pressure of contacts (eq. 9.7)."""
        normal = self._domain.cell_axis
        along = ufl.inner(normal, ufl.dot(first, normal)) * ufl.inner(normal, ufl.dot(second, normal))
        cells = ufl.dx(self._domain.mesh, metadata={"quadrature_degree": _DEGREE})
        return self._contact * self._law.contact_stiffness * along * cells

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """None: bonds and contacts press on nothing by themselves."""
        return None

    def eigenstrain(self) -> Expr | None:
        """None."""
        return None

    def update(self, stoichiometry: Array) -> None:
        """Nothing depends on lithium."""

    @property
    def thickness(self) -> float:
        """Mean thickness of the layer [µm]."""
        return float(self._column_volumes.sum() / self._columns.areas.sum())

    def begin(self) -> None:
        """Begins a load step."""
        self._turns[:] = 0

    def respond(self, strain: Array) -> bool:
        """Moves on to the bonds and contacts that follow from a strain; whether it matters.

        A contact is decided upon by the mean of its column, while its pressure follows the strain point by point, so
        that columns at the edge of a contact may open and close in turn for ever. One that has turned often in a load
        step stays open from then on; what that costs is the `overlap` of its bond.

        Args:
            strain: (cells, points, 6) total strain of the layer, in equilibrium with the present ones.
        """
        bond = self.bond(strain)
        off = breaking(self.bonded, bond.normal_traction, bond.shear_traction, self._law.adhesion)
        self.bonded = self.bonded & ~off
        touching = ~self.bonded & (self._means(self._along(strain)[..., None])[:, 0] < 0.0)
        touching &= self._turns < _MOST_TURNS
        turned = touching != self.touching
        self._turns += turned
        areas = self._columns.areas
        matters = bool(off.any()) or float(areas @ turned) > _FEW * float(areas.sum())
        if matters:  # otherwise the state stays the one that the equilibrium belongs to
            self.touching = touching
        return matters

    def bond(self, strain: Array) -> Bond:
        """Tractions and openings with the present bonds and contacts under a strain, (cells, points, 6)."""
        tensor = strain[..., _TENSOR]
        mean = self._means(tensor.reshape(*strain.shape[:2], 9)).reshape(-1, 3, 3)
        normal = self._columns.normals
        pulled = np.einsum("cij,cj->ci", mean, normal)
        along = np.einsum("ci,ci->c", pulled, normal)
        shear = np.linalg.norm(pulled - along[:, None] * normal, axis=1)
        whole, rest = self._law.stiffness()
        constants = np.where(
            self.bonded[:, None], [[whole.C33, whole.C13, whole.C44]], [[rest.C33, rest.C13, rest.C44]]
        )
        pressing = self._law.contact_stiffness * self.touching * along
        apart = ~self.bonded & ~self.touching
        thickness = self._column_volumes / self._columns.areas
        free = self._law.free_strain
        across = np.trace(mean, axis1=1, axis2=2) - along
        traction = constants[:, 0] * (along - free) + constants[:, 1] * (across - 2.0 * free)
        return Bond(
            bonded=self.bonded,
            apart=apart,
            opening=apart * np.maximum(along, 0.0) * thickness,
            overlap=apart * np.maximum(-along, 0.0) * thickness,
            normal_traction=traction + pressing,
            shear_traction=2.0 * constants[:, 2] * shear,
            area=self._columns.areas,
        )

    def contact_stress(self, strain: Array) -> Array:
        """Stress of the present contacts under a strain, both (cells, points, 6) [MPa]."""
        normal = self._columns.normals[self._column]
        planes = np.stack([normal[:, i] * normal[:, j] for i, j in _PAIRS], axis=-1)
        pressing = self._law.contact_stiffness * self.touching[self._column][:, None] * self._along(strain)
        found: Array = pressing[..., None] * planes[:, None]
        return found

    def apply(self, stiffness: StiffnessFields) -> None:
        """Sets the elastic constants of the layer's cells to those of their states, and the contacts."""
        bonded, (whole, rest) = self.bonded[self._column], self._law.stiffness()
        states = np.array([[getattr(state, name) for name in CONSTANTS] for state in (rest, whole)])
        stiffness.set(self.cells, states[bonded.astype(np.int64)][:, None])
        self._contact.x.array[self._points] = self.touching[self._column][:, None]

    def memory(self) -> Memory:
        """Bonds and contacts, by the cells of their columns."""
        kept = np.zeros((2, len(self._domain.grain)))
        kept[:, self.cells] = self.bonded[self._column], self.touching[self._column]
        return Memory(cells={"bonded": kept[0], "touching": kept[1]})

    def recall(self, memory: Memory) -> None:
        """Goes back to bonds and contacts that were remembered; collective."""
        kept = np.stack([memory.cells[name][self.cells] for name in ("bonded", "touching")], axis=1)
        # Cells of a column may be on several ranks, each of which counts its own.
        found = self._summed(kept * (self.cells < self._domain.owned)[:, None]) > 0.0
        self.bonded, self.touching = found.T.copy()

    def _along(self, strain: Array) -> Array:
        """Strain along the normal, (cells, points)."""
        normal = self._columns.normals[self._column]
        found: Array = np.einsum("cqij,ci,cj->cq", strain[..., _TENSOR], normal, normal)
        return found

    def _means(self, values: Array) -> Array:
        """Means by column of (cells, points, n) values, (columns, n)."""
        found: Array = self._summed(self._volumes[:, None] * values.mean(axis=1)) / self._column_volumes[:, None]
        return found

    def _summed(self, values: Array) -> Array:
        """Sums by column over the cells of all ranks of (cells, n) values."""
        count = len(self._columns.areas)
        local = np.stack([np.bincount(self._column, part, count).astype(np.float64) for part in values.T], axis=1)
        total: Array = np.zeros(local.shape)
        self._domain.comm.Allreduce(local, total, op=MPI.SUM)
        return total
