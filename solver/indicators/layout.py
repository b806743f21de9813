"""Where things are in the particle, worked out once: grain-boundary facets, regions, cells near boundaries.

In a section the facets are edges; their lengths count as areas, because the section is a slab one µm thick.

Every grain-boundary facet is kept by exactly one rank, its owner, so that sums over ranks count it once. Both its cells
are on that rank because the domain ghosts the neighbours across facets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshes.particle_mesh import GRAIN_BOUNDARY, areas_of
from solver.errors import MeshError
from solver.indicators.nonlocal_average import NonlocalAverage
from solver.indicators.proximity import near_facets
from solver.solve.domain import Domain, axes_of
from solver.solve.grain_facets import outward_normals
from solver.solve.stress import GAUSS

REGIONS = ("core", "middle", "rim")
# Bounds between the regions in r/R (eq. 4.8).
REGION_BOUNDS = (0.5, 0.8)

# Vertices of a cell's facet f, which lies opposite vertex f, by dimension.
_FACET_VERTICES = {2: np.array([[1, 2], [0, 2], [0, 1]]), 3: np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])}


@dataclass(frozen=True)
class BoundaryFacets:
    """Grain-boundary facets owned by this rank; side 0 is the grain with the smaller number.

    Attributes:
        cells: (k, 2) local cells on both sides.
        local: (k, 2) number of the facet in each cell.
        grains: (k, 2) grain numbers, ascending.
        normal: (k, 3) unit normals pointing out of side 0.
        area: (k,) [µm²].
        centroid: (k, 3) [µm].
        vertices: (k, dimension) rows of `mesh.geometry.x`.
        region: (k,) index into `REGIONS`.
        pair: (k,) index of the pair of grains in the table of all pairs of the particle.
        pair_grains: (pairs, 2) that table, the same on every rank.
    """

    cells: NDArray[np.int32]
    local: NDArray[np.int32]
    grains: NDArray[np.int32]
    normal: NDArray[np.float64]
    area: NDArray[np.float64]
    centroid: NDArray[np.float64]
    vertices: NDArray[np.int32]
    region: NDArray[np.int8]
    pair: NDArray[np.int64]
    pair_grains: NDArray[np.int32]


@dataclass(frozen=True)
class CellPlaces:
    """Owned cells in grains; coatings and surroundings are left out of everything that describes the particle.

    Attributes:
        index: (cells,) their local numbers, rising.
        volume: (cells,) [µm³].
        centroid: (cells, 3) [µm].
        grain: (cells,) grain number, from 1.
        axis: (cells, 3) c axis.
        radius: (cells,) distance of the centroid from the particle's centre over the particle's radius [-].
        region: (cells,) index into `REGIONS`.
        near_boundary: (cells, points) which Gauss points lie within the declared length of a grain boundary.
    """

    index: NDArray[np.intp]
    volume: NDArray[np.float64]
    centroid: NDArray[np.float64]
    grain: NDArray[np.int32]
    axis: NDArray[np.float64]
    radius: NDArray[np.float64]
    region: NDArray[np.int8]
    near_boundary: NDArray[np.bool_]


@dataclass(frozen=True)
class Layout:
    """Geometry that all indicators share.

    Attributes:
        domain: The particle.
        facets: Owned grain-boundary facets.
        cells: Owned cells in grains.
        nonlocal_average: Mean over the declared length, inside grains.
    """

    domain: Domain
    facets: BoundaryFacets
    cells: CellPlaces
    nonlocal_average: NonlocalAverage


def build_layout(domain: Domain, length: float) -> Layout:
    """Works out the geometry once per run; collective.

    Args:
        domain: The distributed particle.
        length: Declared length ℓ [µm]: diameter of averages, width of the zone that counts as near a grain boundary.

    Raises:
        MeshError: When a facet tagged as grain boundary does not separate two grains.
    """
    facets = _boundary_facets(domain)
    points = np.asarray(domain.mesh.geometry.x, dtype=np.float64)
    index = np.flatnonzero(domain.is_grain[: domain.owned])
    corners = points[domain.cell_vertices[index]]
    centroid = corners.mean(axis=1)
    volume = domain.cell_volumes[index]
    gauss = np.einsum("qv,cvi->cqi", GAUSS[domain.dimension].barycentric, corners)
    near = near_facets(gauss.reshape(-1, 3), points[facets.vertices], length, domain.comm)
    grain = domain.grain[index]
    cells = CellPlaces(
        index=index,
        volume=volume,
        centroid=centroid,
        grain=grain,
        axis=axes_of(grain, domain.c_axes),
        radius=domain.relative_radius(centroid),
        region=_region(domain, centroid),
        near_boundary=near.reshape(gauss.shape[:2]),
    )
    average = NonlocalAverage(centroid[:, : domain.dimension], volume, grain, length, domain.comm)
    return Layout(domain, facets, cells, average)


def _region(domain: Domain, points: NDArray[np.float64]) -> NDArray[np.int8]:
    return np.digitize(domain.relative_radius(points), REGION_BOUNDS).astype(np.int8)


def _boundary_facets(domain: Domain) -> BoundaryFacets:
    cells, local = _two_sides(domain)
    swap = domain.grain[cells[:, 0]] > domain.grain[cells[:, 1]]
    cells[swap], local[swap] = cells[swap][:, ::-1], local[swap][:, ::-1]
    grains = domain.grain[cells]
    points = np.asarray(domain.mesh.geometry.x, dtype=np.float64)
    vertices = domain.cell_vertices[cells[:, :1], _FACET_VERTICES[domain.dimension][local[:, 0]]]
    corner = points[vertices]
    opposite = points[domain.cell_vertices[cells[:, 0], local[:, 0]]]
    centroid = corner.mean(axis=1)
    pair_grains, pair = _pairs(domain, grains)
    return BoundaryFacets(
        cells=cells,
        local=local,
        grains=grains,
        normal=outward_normals(corner, opposite),
        area=areas_of(points, vertices),
        centroid=centroid,
        vertices=vertices,
        region=_region(domain, centroid),
        pair=pair,
        pair_grains=pair_grains,
    )


def _two_sides(domain: Domain) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Cells (k, 2) on both sides of each owned grain-boundary facet, and the facet's number (k, 2) within them."""
    topology, dimension = domain.mesh.topology, domain.dimension
    tags, owned = domain.facet_tags, topology.index_map(dimension - 1).size_local
    facets = tags.indices[(tags.values == GRAIN_BOUNDARY) & (tags.indices < owned)]
    to_cells = topology.connectivity(dimension - 1, dimension)
    starts, counts = to_cells.offsets[facets], np.diff(to_cells.offsets)[facets]
    inside = counts == 2
    cells = to_cells.array[starts[inside][:, None] + np.arange(2)].astype(np.int32)
    different = domain.grain[cells[:, 0]] != domain.grain[cells[:, 1]]
    wrong = domain.comm.allreduce(int(np.count_nonzero(~inside) + np.count_nonzero(~different)))
    if wrong:
        raise MeshError(f"{wrong} facets tagged as grain boundary do not separate two grains; check the mesh file")
    facets_of_cells = topology.connectivity(dimension, dimension - 1).array.reshape(-1, dimension + 1)
    local = np.argmax(facets_of_cells[cells] == facets[:, None, None], axis=2).astype(np.int32)
    return cells, local


def _pairs(domain: Domain, grains: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Table of neighbouring grains over all ranks, and the row in it of each local facet."""
    key = (grains[:, 0].astype(np.int64) << 32) | grains[:, 1]
    # A few thousand integers even for a thousand grains: this table may be everywhere.
    table = np.unique(np.concatenate(domain.comm.allgather(np.unique(key))))
    pair_grains = np.stack([table >> 32, table & 0xFFFFFFFF], axis=1).astype(np.int32)
    return pair_grains, np.searchsorted(table, key)
