"""The mesh of a particle as arrays, and measures of it that everybody needs: volumes, centroids, facets, their regions.

A mesh has tetrahedra in three dimensions, triangles in two (a cross-section at z = 0, one µm thick: what is called a
volume or an area below is then one of that slab). Every cell belongs to a *region*: a grain, a coating layer, the
interface layer or the matrix. Every facet between two regions, or between a region and the outside, has a tag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices

# Facet tags.
OUTER = 10001  # grains against the outside, bare
GRAIN_BOUNDARY = 10002
PORE_WALL = 10003  # of pores and voids, dry
WETTED_PORE_WALL = 10004
COATED_SURFACE = 10005  # grains against the outside, under a membrane
COATING_INNER = 10006  # grains against a shell
COATING_LAYER = 10007  # one shell against the next
COATING_OUTER = 10008  # a shell against the outside, the matrix or its interface layer
CONTACT = 10009  # the particle against the matrix or its interface layer, in contact
BLOCKED = 10010  # the same where no lithium passes
SYMMETRY = (10011, 10012, 10013)  # planes x = 0, y = 0, z = 0 of a sector
MATRIX_OUTER = 10014
INTERFACE_OUTER = 10015  # the interface layer against the matrix
COATING_INNER_BLOCKED = 10016
COATED_CONTACT = 10017  # contact under a membrane
COATED_BLOCKED = 10018

FACET_GROUPS = {
    OUTER: "outer",
    GRAIN_BOUNDARY: "grain_boundary",
    PORE_WALL: "pore_wall",
    WETTED_PORE_WALL: "wetted_pore_wall",
    COATED_SURFACE: "coated_surface",
    COATING_INNER: "coating_inner",
    COATING_LAYER: "coating_layer",
    COATING_OUTER: "coating_outer",
    CONTACT: "contact",
    BLOCKED: "blocked",
    **dict(zip(SYMMETRY, ("symmetry_x", "symmetry_y", "symmetry_z"))),
    MATRIX_OUTER: "matrix_outer",
    INTERFACE_OUTER: "interface_outer",
    COATING_INNER_BLOCKED: "coating_inner_blocked",
    COATED_CONTACT: "coated_contact",
    COATED_BLOCKED: "coated_blocked",
}
# Facets of grains that lithium passes, and those that carry a membrane.
LITHIUM_SURFACE = (OUTER, WETTED_PORE_WALL, COATED_SURFACE, COATING_INNER, CONTACT, COATED_CONTACT)
MEMBRANE_SURFACE = (COATED_SURFACE, COATED_CONTACT, COATED_BLOCKED)
PORE_WALLS = (PORE_WALL, WETTED_PORE_WALL)

# Regions of cells: grains are 1..N.
MOST_GRAINS = 20_000
COATING = 20_001  # innermost layer; the next is 20002
MATRIX = 30_001
INTERFACE = 40_001  # thin layer between particle and matrix that may open

# Facet i is opposite to corner i; its corners run anticlockwise seen from outside a positively oriented cell.
_FACETS = {3: np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]]), 2: np.array([[1, 2], [2, 0], [0, 1]])}


@dataclass(frozen=True)
class ParticleMesh:
    """A tagged mesh of simplices.

    Args:
        points: Coordinates [µm], shape (n, 3); z = 0 in two dimensions.
        cells: Corners of the tetrahedra (or triangles), positively oriented, shape (m, dimension + 1).
        grain: Region of every cell: grain 1..N, `COATING` + layer, `MATRIX` or `INTERFACE`, shape (m,).
        facets: Corners of all tagged facets, shape (k, dimension).
        facet_tags: Tags, shape (k,).
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    grain: NDArray[np.int32]
    facets: NDArray[np.int64]
    facet_tags: NDArray[np.int32]

    @property
    def dimension(self) -> int:
        """3 for tetrahedra, 2 for triangles."""
        return self.cells.shape[1] - 1

    @property
    def grain_count(self) -> int:
        """Number of grains."""
        return int(self.grain.max(where=self.is_grain, initial=0))

    @property
    def is_grain(self) -> NDArray[np.bool_]:
        """Which cells are in grains, shape (m,)."""
        return self.grain <= MOST_GRAINS


@dataclass(frozen=True)
class Facets:
    """Distinct facets of a mesh.

    Args:
        corners: Corners, turned outwards of the first cell, shape (f, dimension).
        cells: First and second cell, -1 where there is none, shape (f, 2).
        uses: How many cells have the facet, shape (f,).
    """

    corners: Indices
    cells: Indices
    uses: Indices


def all_facets(cells: Indices) -> Facets:
    """Every facet of the cells once, with the cells on its sides.

    Args:
        cells: Corners of tetrahedra or triangles, shape (m, dimension + 1).
    """
    dimension = cells.shape[1] - 1
    corners = cells[:, _FACETS[dimension]].reshape(-1, dimension)
    key = np.sort(corners, axis=1)
    packed = key[:, 0] * (int(cells.max()) + 1 if len(cells) else 1) + key[:, 1]
    order = np.lexsort((key[:, -1], packed))
    packed, last = packed[order], key[order, -1]
    first = np.flatnonzero(np.concatenate([[True], (packed[1:] != packed[:-1]) | (last[1:] != last[:-1])]))
    uses = np.diff(np.concatenate([first, [len(order)]]))
    owner = order // (dimension + 1)
    second = np.where(uses > 1, owner[np.minimum(first + 1, len(owner) - 1)], -1)
    return Facets(corners[order[first]], np.column_stack([owner[first], second]), uses)


def tagged_mesh(
    points: Array, cells: Indices, grain: NDArray[np.integer], facets: Facets | None = None
) -> ParticleMesh:
    """Mesh with all its facets between regions found and tagged `OUTER` or `GRAIN_BOUNDARY`.

    Args:
        points: Coordinates [µm], shape (n, 3).
        cells: Corners, positively oriented, shape (m, dimension + 1).
        grain: Regions, shape (m,).
        facets: All facets of the cells, if they are known already.

    Returns:
        The mesh; facets are ordered by pair of regions, outer ones last, and turned outwards of the smaller region.
    """
    facets = all_facets(cells) if facets is None else facets
    pair = _region_pairs(facets, grain)
    tagged = np.flatnonzero(pair[:, 0] != pair[:, 1])
    corners, pair = facets.corners[tagged], pair[tagged]
    swap = (pair[:, 1] > 0) & (pair[:, 0] > pair[:, 1])
    corners[swap] = corners[swap][:, [1, 0, *range(2, corners.shape[1])]]
    pair = np.where(swap[:, None], pair[:, ::-1], pair)
    is_outer = pair[:, 1] == 0
    order = np.lexsort((pair[:, 1], pair[:, 0], is_outer))
    tags = np.where(is_outer, OUTER, GRAIN_BOUNDARY).astype(np.int32)
    return ParticleMesh(points, cells, grain.astype(np.int32), corners[order], tags[order])


def _region_pairs(facets: Facets, grain: NDArray[np.integer]) -> Indices:
    """Regions on both sides of every facet, 0 for the outside, shape (f, 2)."""
    outside = facets.cells[:, 1] < 0
    second = np.where(outside, 0, grain[facets.cells[:, 1]])
    return np.column_stack([grain[facets.cells[:, 0]], second]).astype(np.int64)


def facet_grains(mesh: ParticleMesh) -> Indices:
    """The two regions at every tagged facet, the smaller first (0 for the outside comes second), shape (k, 2)."""
    facets = all_facets(mesh.cells)
    pair = _region_pairs(facets, mesh.grain)
    tagged = np.flatnonzero(pair[:, 0] != pair[:, 1])
    found = _match_rows(np.sort(mesh.facets, axis=1), np.sort(facets.corners[tagged], axis=1))
    pair = pair[tagged][found]
    swap = (pair[:, 1] > 0) & (pair[:, 0] > pair[:, 1])
    return np.where(swap[:, None], pair[:, ::-1], pair)


def _match_rows(wanted: Indices, rows: Indices) -> Indices:
    """Position in `rows` of every row of `wanted`; both hold the same rows, shape (k, dimension)."""
    if len(wanted) != len(rows):
        raise ValueError("the tagged facets are not all outer and grain-boundary facets of the mesh")
    wanted_order, row_order = np.lexsort(wanted.T), np.lexsort(rows.T)
    if not np.array_equal(wanted[wanted_order], rows[row_order]):
        raise ValueError("the tagged facets are not all outer and grain-boundary facets of the mesh")
    found = np.empty(len(rows), dtype=np.int64)
    found[wanted_order] = row_order
    return found


def cell_volumes(points: Array, cells: Indices) -> Array:
    """Signed volumes of tetrahedra [µm³] (areas of triangles in the plane z = 0 [µm²]), shape (m,)."""
    if cells.shape[1] == 3:
        a, b, c = (points[cells[:, corner], :2] for corner in range(3))
        return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    a, b, c, d = (points[cells[:, corner]] for corner in range(4))
    return np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0


def grain_volumes(mesh: ParticleMesh) -> Array:
    """Volume of every grain [µm³], shape (N,)."""
    grains = mesh.is_grain
    return np.bincount(mesh.grain[grains] - 1, cell_volumes(mesh.points, mesh.cells[grains]), mesh.grain_count)


def grain_centroids(mesh: ParticleMesh) -> Array:
    """Centroid of every grain [µm], shape (N, 3)."""
    cells, grain = mesh.cells[mesh.is_grain], mesh.grain[mesh.is_grain] - 1
    volumes = cell_volumes(mesh.points, cells)
    weighted = volumes[:, None] * mesh.points[cells].mean(axis=1)
    moments = np.column_stack([np.bincount(grain, weighted[:, axis], mesh.grain_count) for axis in range(3)])
    return moments / np.bincount(grain, volumes, mesh.grain_count)[:, None]


def facet_areas(mesh: ParticleMesh) -> Array:
    """Area of every tagged facet [µm²] (length in two dimensions [µm]), shape (k,)."""
    return areas_of(mesh.points, mesh.facets)


def areas_of(points: Array, facets: Indices) -> Array:
    """Area of triangles [µm²] (length of edges [µm]) with corners (k, dimension), shape (k,)."""
    if facets.shape[1] == 2:
        return np.linalg.norm(points[facets[:, 1]] - points[facets[:, 0]], axis=1)
    a, b, c = (points[facets[:, corner]] for corner in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def enclosed_volume(mesh: ParticleMesh) -> float:
    """Volume inside the facets against the outside by the divergence theorem [µm³]; independent of the cells inside."""
    facets = mesh.facets[facet_grains(mesh)[:, 1] == 0]
    if mesh.dimension == 2:
        a, b = (mesh.points[facets[:, corner]] for corner in range(2))
        return float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2.0)
    a, b, c = (mesh.points[facets[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)
