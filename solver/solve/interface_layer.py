"""The layer between particle and matrix that may open: its columns on all ranks, and their state (eqs. 9.6, 9.7).

A column is what lies over one facet of the particle: a prism of three tetrahedra (a quadrilateral of two triangles),
whose cells may be on different ranks. Its means are summed over all ranks, so that every rank decides alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

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
    cell_volumes,
)
from solver.model.elasticity import StiffnessFields
from solver.model.interface import BONDED, OPEN, InterfaceLaw, States, next_states
from solver.solve.domain import Domain
from solver.solve.surroundings_state import Bond

Array = NDArray[np.float64]

# Rows and columns of the 3 × 3 tensor as components xx, yy, zz, yz, xz, xy.
_TENSOR = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


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
    """Tracks which columns are bonded and gives the cells of each the stiffness of its state.

    Args:
        domain: The particle in its matrix; its cell axes in the layer are set to the normals of the columns.
        columns: The columns.
        law: Stiffness and strength.

    Attributes:
        cells: Local and ghost cells of the layer.
        states: (columns,) present states.
    """

    def __init__(self, domain: Domain, columns: Columns, law: InterfaceLaw) -> None:
        self._domain, self._columns, self._law = domain, columns.layer, law
        self._stiffnesses = law.stiffness()
        self.cells = np.flatnonzero(domain.grain == INTERFACE).astype(np.int32)
        of_cell = np.zeros(int(columns.layer.cells.max(initial=0)) + 1, dtype=np.int64)
        of_cell[columns.layer.cells] = columns.layer.columns
        self._column = of_cell[domain.input_cells[self.cells]]
        self._rows = domain.cell_axis.function_space.dofmap.list[self.cells, 0]
        domain.cell_axis.x.array.reshape(-1, 3)[self._rows] = columns.layer.normals[self._column]
        volumes = np.abs(cell_volumes(domain.mesh.geometry.x, domain.cell_vertices[self.cells]))
        self._volumes = np.where(self.cells < domain.owned, volumes, 0.0)
        self._column_volumes = self._summed(self._volumes[:, None])[:, 0]
        # Where there was no contact nothing was ever bonded.
        self.states: States = np.where(columns.touches, BONDED, OPEN).astype(np.int8)

    @property
    def volumes(self) -> Array:
        """(columns,) volumes of the columns [µm³]."""
        return self._column_volumes

    def respond(self, strain: Array) -> bool:
        """Moves on to the states that follow from a strain in equilibrium; whether any column changed.

        Args:
            strain: (cells, points, 6) total strain of the layer.
        """
        bond = self.bond(strain)
        normal_strain = self._means(strain)[:, 0]
        adhesion = self._law.adhesion
        after = next_states(self.states, bond.normal_traction, bond.shear_traction, normal_strain, adhesion)
        changed = bool((after != self.states).any())
        self.states = after
        return changed

    def bond(self, strain: Array) -> Bond:
        """Tractions and openings of the present states under a strain, (cells, points, 6)."""
        along, trace, shear = self._means(strain).T
        constants = np.array([[item.C33, item.C13, item.C44] for item in self._stiffnesses])[self.states]
        normal = constants[:, 0] * along + constants[:, 1] * (trace - along)
        thickness = self._column_volumes / self._columns.areas
        opening = np.where(self.states == OPEN, along * thickness, 0.0)
        return Bond(self.states, opening, normal, 2.0 * constants[:, 2] * shear, self._columns.areas)

    def apply(self, stiffness: StiffnessFields) -> None:
        """Sets the elastic constants of the layer's cells to those of their states."""
        states = self.states[self._column]
        for name in ("C11", "C12", "C13", "C33", "C44"):
            field = getattr(stiffness, name)
            values = np.array([getattr(item, name) for item in self._stiffnesses])
            rows = field.function_space.dofmap.list[self.cells, 0]
            field.x.array[rows] = values[states]

    def _means(self, strain: Array) -> Array:
        """Per column: normal strain, trace, length of the shear strain vector on the facet, (columns, 3)."""
        tensor = strain.mean(axis=1)[:, _TENSOR]  # strain is linear in a cell
        mean: Array = self._summed((self._volumes[:, None, None] * tensor).reshape(-1, 9)).reshape(-1, 3, 3)
        mean = mean / self._column_volumes[:, None, None]
        normal = self._columns.normals
        pulled = np.einsum("cij,cj->ci", mean, normal)
        along = np.einsum("ci,ci->c", pulled, normal)
        shear = np.linalg.norm(pulled - along[:, None] * normal, axis=1)
        return np.column_stack([along, np.trace(mean, axis1=1, axis2=2), shear])

    def _summed(self, values: Array) -> Array:
        """Sums by column over the cells of all ranks of (cells, n) values."""
        count = len(self._columns.areas)
        local = np.stack([np.bincount(self._column, part, count).astype(np.float64) for part in values.T], axis=1)
        total: Array = np.zeros(local.shape)
        self._domain.comm.Allreduce(local, total, op=MPI.SUM)
        return total
