"""The particle's mesh distributed over the ranks, with grains, tagged facets and crystal axes."""

from __future__ import annotations

from dataclasses import dataclass

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import ParticleMesh
from solver import compat
from solver.errors import MeshError


@dataclass(frozen=True)
class Domain:
    """A distributed particle.

    Attributes:
        mesh: DOLFINx mesh, coordinates in µm; neighbours across facets are ghosted.
        grain: (local and ghost cells,) grain number 1..N.
        facet_tags: Facets tagged `meshes.particle_mesh.OUTER` or `GRAIN_BOUNDARY`.
        c_axes: (N, 3) unit vectors, row g−1 for grain g.
        cell_axis: c axis as a piecewise constant vector field.
        cell_vertices: (local and ghost cells, 4) rows of `mesh.geometry.x`.
        input_cells: (local and ghost cells,) number of each cell in the mesh file.
        owned: Number of owned cells.
        volume: Volume of the whole particle [µm³].
        centroid: (3,) centre of mass [µm].
        radius: Radius of the sphere of the same volume [µm].
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
    points = source.points if source else np.zeros((0, 3))
    cells = source.cells if source else np.zeros((0, 4), dtype=np.int64)
    mesh = compat.create_tetrahedral_mesh(comm, cells, points)
    mesh.topology.create_connectivity(2, 3)
    mesh.topology.create_connectivity(3, 2)
    input_cells = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    grain = comm.bcast(source.grain if source else None, root=0)[input_cells].astype(np.int32)
    cell_axis = fem.Function(fem.functionspace(mesh, ("DG", 0, (3,))), name="c_axis")
    # DG0 numbers its block of components by cell, ghosts included.
    cell_axis.x.array.reshape(-1, 3)[cell_axis.function_space.dofmap.list[:, 0]] = axes[grain - 1]
    owned = mesh.topology.index_map(3).size_local
    vertices = compat.cell_vertices(mesh)
    volume, centroid = _mass(comm, np.asarray(mesh.geometry.x, dtype=np.float64)[vertices[:owned]])
    return Domain(
        mesh=mesh,
        grain=grain,
        facet_tags=_facet_tags(mesh, source),
        c_axes=axes,
        cell_axis=cell_axis,
        cell_vertices=vertices,
        input_cells=input_cells,
        owned=owned,
        volume=volume,
        centroid=centroid,
        radius=float((3.0 * volume / (4.0 * np.pi)) ** (1.0 / 3.0)),
    )


def _mass(comm: MPI.Comm, corners: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Volume and centre of mass over all ranks from the (cells, 4, 3) corners of the owned cells."""
    edges = corners[:, 1:] - corners[:, :1]
    volumes = np.abs(np.linalg.det(edges)) / 6.0
    local = np.append(volumes[:, None] * corners.mean(axis=1), volumes[:, None], axis=1).sum(axis=0)
    total = np.zeros(4)
    comm.Allreduce(local, total)
    return float(total[3]), total[:3] / total[3]


def _facet_tags(mesh: dolfinx.mesh.Mesh, source: ParticleMesh | None) -> dolfinx.mesh.MeshTags:
    facets = source.facets if source else np.zeros((0, 3), dtype=np.int64)
    values = source.facet_tags if source else np.zeros(0, dtype=np.int32)
    tags = compat.distribute_facet_tags(mesh, facets, values)
    owned = int(np.count_nonzero(tags.indices < mesh.topology.index_map(2).size_local))
    found, asked = mesh.comm.allreduce(owned), mesh.comm.allreduce(len(facets))
    if found != asked:
        raise MeshError(
            f"{asked - found} of {asked} tagged facets are no facets of the tetrahedra; check the mesh file"
        )
    return tags
