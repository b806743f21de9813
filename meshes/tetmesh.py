"""The tetrahedral mesh as arrays, and measures of it that everybody needs: volumes, centroids, facets, their grains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices

OUTER = 10001
GRAIN_BOUNDARY = 10002

# Facet i is opposite to corner i; its corners run anticlockwise seen from outside a positively oriented tetrahedron.
_FACETS = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


@dataclass(frozen=True)
class TetMesh:
    """A tagged tetrahedral mesh.

    Args:
        points: Coordinates [µm], shape (n, 3).
        cells: Corners of the tetrahedra, positively oriented, shape (m, 4).
        grain: Grain of every tetrahedron, 1..N, shape (m,).
        facets: Corners of all tagged facets, shape (k, 3).
        facet_tags: `OUTER` or `GRAIN_BOUNDARY`, shape (k,).
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    grain: NDArray[np.int32]
    facets: NDArray[np.int64]
    facet_tags: NDArray[np.int32]

    @property
    def grain_count(self) -> int:
        """Number of grains."""
        return int(self.grain.max())


@dataclass(frozen=True)
class Facets:
    """Distinct triangles of a tetrahedral mesh.

    Args:
        corners: Corners, turned outwards of the first cell, shape (f, 3).
        cells: First and second cell, -1 where there is none, shape (f, 2).
        uses: How many cells have the facet, shape (f,).
    """

    corners: Indices
    cells: Indices
    uses: Indices


def all_facets(cells: Indices) -> Facets:
    """Every facet of the tetrahedra once, with the cells on its sides.

    Args:
        cells: Corners of tetrahedra, shape (m, 4).
    """
    corners = cells[:, _FACETS].reshape(-1, 3)
    key = np.sort(corners, axis=1)
    packed = key[:, 0] * (int(cells.max()) + 1 if len(cells) else 1) + key[:, 1]
    order = np.lexsort((key[:, 2], packed))
    packed, last = packed[order], key[order, 2]
    first = np.flatnonzero(np.concatenate([[True], (packed[1:] != packed[:-1]) | (last[1:] != last[:-1])]))
    uses = np.diff(np.concatenate([first, [len(order)]]))
    owner = order // 4
    second = np.where(uses > 1, owner[np.minimum(first + 1, len(owner) - 1)], -1)
    return Facets(corners[order[first]], np.column_stack([owner[first], second]), uses)


def tagged_mesh(points: Array, cells: Indices, grain: NDArray[np.integer]) -> TetMesh:
    """Mesh with all its outer and grain-boundary facets found and tagged.

    Args:
        points: Coordinates [µm], shape (n, 3).
        cells: Corners, positively oriented, shape (m, 4).
        grain: Grain numbers 1..N, shape (m,).

    Returns:
        The mesh; facets are ordered by grain pair, outer ones last, and turned outwards of the smaller grain number.
    """
    facets = all_facets(cells)
    pair = _grain_pairs(facets, grain)
    tagged = np.flatnonzero(pair[:, 0] != pair[:, 1])
    corners, pair = facets.corners[tagged], pair[tagged]
    swap = (pair[:, 1] > 0) & (pair[:, 0] > pair[:, 1])
    corners[swap] = corners[swap][:, [0, 2, 1]]
    pair = np.where(swap[:, None], pair[:, ::-1], pair)
    is_outer = pair[:, 1] == 0
    order = np.lexsort((pair[:, 1], pair[:, 0], is_outer))
    tags = np.where(is_outer, OUTER, GRAIN_BOUNDARY).astype(np.int32)
    return TetMesh(points, cells, grain.astype(np.int32), corners[order], tags[order])


def _grain_pairs(facets: Facets, grain: NDArray[np.integer]) -> Indices:
    """Grains on both sides of every facet, 0 for the outside, shape (f, 2)."""
    outside = facets.cells[:, 1] < 0
    second = np.where(outside, 0, grain[facets.cells[:, 1]])
    return np.column_stack([grain[facets.cells[:, 0]], second]).astype(np.int64)


def facet_grains(mesh: TetMesh) -> Indices:
    """The two grains at every tagged facet (0 for the outside as the second), shape (k, 2)."""
    facets = all_facets(mesh.cells)
    pair = _grain_pairs(facets, mesh.grain)
    tagged = np.flatnonzero(pair[:, 0] != pair[:, 1])
    found = _match_rows(np.sort(mesh.facets, axis=1), np.sort(facets.corners[tagged], axis=1))
    pair = pair[tagged][found]
    swap = (pair[:, 1] > 0) & (pair[:, 0] > pair[:, 1])
    return np.where(swap[:, None], pair[:, ::-1], pair)


def _match_rows(wanted: Indices, rows: Indices) -> Indices:
    """Position in `rows` of every row of `wanted`; both hold the same rows, shape (k, 3)."""
    if len(wanted) != len(rows):
        raise ValueError("the tagged facets are not all outer and grain-boundary facets of the mesh")
    wanted_order, row_order = np.lexsort(wanted.T), np.lexsort(rows.T)
    if not np.array_equal(wanted[wanted_order], rows[row_order]):
        raise ValueError("the tagged facets are not all outer and grain-boundary facets of the mesh")
    found = np.empty(len(rows), dtype=np.int64)
    found[wanted_order] = row_order
    return found


def cell_volumes(points: Array, cells: Indices) -> Array:
    """Signed volumes of tetrahedra [µm³], shape (m,)."""
    a, b, c, d = (points[cells[:, corner]] for corner in range(4))
    return np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0


def grain_volumes(mesh: TetMesh) -> Array:
    """Volume of every grain [µm³], shape (N,)."""
    return np.bincount(mesh.grain - 1, cell_volumes(mesh.points, mesh.cells), mesh.grain_count)


def grain_centroids(mesh: TetMesh) -> Array:
    """Centroid of every grain [µm], shape (N, 3)."""
    volumes = cell_volumes(mesh.points, mesh.cells)
    weighted = volumes[:, None] * mesh.points[mesh.cells].mean(axis=1)
    moments = np.column_stack([np.bincount(mesh.grain - 1, weighted[:, axis], mesh.grain_count) for axis in range(3)])
    return moments / np.bincount(mesh.grain - 1, volumes, mesh.grain_count)[:, None]


def facet_areas(mesh: TetMesh) -> Array:
    """Area of every tagged facet [µm²], shape (k,)."""
    a, b, c = (mesh.points[mesh.facets[:, corner]] for corner in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def enclosed_volume(mesh: TetMesh) -> float:
    """Volume inside the outer facets by the divergence theorem [µm³]; independent of the tetrahedra."""
    outer = mesh.facets[mesh.facet_tags == OUTER]
    a, b, c = (mesh.points[outer[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)
