"""The particle's mesh distributed over the ranks, with grains, tagged facets and crystal axes.

A section (triangles) is a slab one µm thick: its areas count as volumes, the lengths of its edges as areas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.extent import extent
from meshes.particle_mesh import MOST_GRAINS, ParticleMesh, cell_volumes
from solver import compat
from solver.errors import MeshError


@dataclass(frozen=True)
class Domain:
    """A distributed particle.

    Attributes:
        mesh: DOLFINx mesh, coordinates in µm; neighbours across facets are ghosted.
        grain: (local and ghost cells,) region: grain 1..N, or one of the other regions of `meshes.particle_mesh`.
        facet_tags: Facets tagged as in `meshes.particle_mesh`.
        c_axes: (N, 3) unit vectors, row g−1 for grain g.
        cell_axis: c axis as a piecewise constant vector field; z outside the grains.
        cell_vertices: (local and ghost cells, corners) rows of `mesh.geometry.x`.
        input_cells: (local and ghost cells,) number of each cell in the mesh file.
        owned: Number of owned cells.
        volume: Volume of all grains, without pores [µm³].
        centroid: (3,) their centre of mass [µm]; the centre of the whole particle for a sector.
        radius: Radius of the sphere (the circle, for a section) that holds the grains and their pores [µm].
    """

    mesh: dolfinx.mesh.Mesh
    grain: NDArray[np.int32]
    facet_tags: dolfinx.mesh.MeshTags
    c_axes: NDArray[np.float64]
    cell_axis: fem.Function
    cell_vertices: NDArray[np.int32]
    input_cells: NDArray[np.int64]
    owned: int
    volume: float
    centroid: NDArray[np.float64]
    radius: float

    @property
    def comm(self) -> MPI.Comm:
        """Communicator of the mesh."""
        return self.mesh.comm

    @property
    def dimension(self) -> int:
        """3 for tetrahedra, 2 for triangles."""
        return int(self.mesh.topology.dim)

    @property
    def is_grain(self) -> NDArray[np.bool_]:
        """(local and ghost cells,) whether a cell is in a grain."""
        return self.grain <= MOST_GRAINS

    @cached_property
    def cell_volumes(self) -> NDArray[np.float64]:
        """(local and ghost cells,) [µm³]."""
        return np.abs(cell_volumes(np.asarray(self.mesh.geometry.x, dtype=np.float64), self.cell_vertices))

    @cached_property
    def cell_radius(self) -> NDArray[np.float64]:
        """(local and ghost cells,) r/R of the cells' centroids."""
        return self.relative_radius(self.mesh.geometry.x[self.cell_vertices].mean(axis=1))

    def relative_radius(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance of points (…, 3) from the particle's centre over its radius, (…,)."""
        return np.linalg.norm(points - self.centroid, axis=-1) / self.radius

    @property
    def grain_count(self) -> int:
        """Number of grains in the particle."""
        return len(self.c_axes)


def build_domain(comm: MPI.Comm, source: ParticleMesh | None, c_axes: NDArray[np.float64] | None) -> Domain:
    """Distributes a particle mesh.

    Args:
        comm: Ranks to distribute over.
        source: The mesh on rank 0; None elsewhere.
        c_axes: (N, 3) crystal axes on rank 0; None elsewhere.

    Raises:
        MeshError: When a tagged facet of the file is not a facet of the mesh.
    """
    axes = comm.bcast(c_axes, root=0)
    dimension = comm.bcast(source.dimension if source else None, root=0)
    points = source.points if source else np.zeros((0, 3))
    cells = source.cells if source else np.zeros((0, dimension + 1), dtype=np.int64)
    mesh = compat.create_simplex_mesh(comm, cells, points)
    mesh.topology.create_connectivity(dimension - 1, dimension)
    mesh.topology.create_connectivity(dimension, dimension - 1)
    input_cells = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    grain = comm.bcast(source.grain if source else None, root=0)[input_cells].astype(np.int32)
    cell_axis = fem.Function(fem.functionspace(mesh, ("DG", 0, (3,))), name="c_axis")
    # DG0 numbers its block of components by cell, ghosts included.
    cell_axis.x.array.reshape(-1, 3)[cell_axis.function_space.dofmap.list[:, 0]] = axes_of(grain, axes)
    owned = mesh.topology.index_map(dimension).size_local
    vertices = compat.cell_vertices(mesh)
    place = comm.bcast(extent(source) if source else None, root=0)
    return Domain(
        mesh=mesh,
        grain=grain,
        facet_tags=_facet_tags(mesh, source),
        c_axes=axes,
        cell_axis=cell_axis,
        cell_vertices=vertices,
        input_cells=input_cells,
        owned=owned,
        volume=place.volume,
        centroid=place.centre,
        radius=place.radius,
    )


def axes_of(grain: NDArray[np.int32], c_axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Crystal axes of cells by their regions, (cells, 3); z outside the grains, where nothing depends on it."""
    axes = np.tile([0.0, 0.0, 1.0], (len(grain), 1))
    inside = grain <= MOST_GRAINS
    axes[inside] = c_axes[grain[inside] - 1]
    return axes


def _facet_tags(mesh: dolfinx.mesh.Mesh, source: ParticleMesh | None) -> dolfinx.mesh.MeshTags:
    dimension = mesh.topology.dim
    facets = source.facets if source else np.zeros((0, dimension), dtype=np.int64)
    values = source.facet_tags if source else np.zeros(0, dtype=np.int32)
    tags = compat.distribute_facet_tags(mesh, facets, values)
    owned = int(np.count_nonzero(tags.indices < mesh.topology.index_map(dimension - 1).size_local))
    found, asked = mesh.comm.allreduce(owned), mesh.comm.allreduce(len(facets))
    if found != asked:
        raise MeshError(f"{asked - found} of {asked} tagged facets are no facets of the cells; check the mesh file")
    return tags
