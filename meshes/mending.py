"""Makes a body of what a mesher of labels returns: no loose tetrahedra, every grain in one piece, no node unused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.particle_mesh import Facets, all_facets, cell_volumes

_ROUNDS = 20


@dataclass(frozen=True)
class Carving:
    """Cells with all their facets.

    Args:
        points: Coordinates [µm], shape (n, 3).
        cells: Corners of tetrahedra or triangles, shape (m, dimension + 1).
        grain: Grain of every cell 1..N, shape (m,).
        facets: Every facet of the cells once.
    """

    points: Array
    cells: Indices
    grain: Indices
    facets: Facets

    @property
    def neighbours(self) -> Indices:
        """Pairs of cells that share a facet, shape (f, 2)."""
        return self.facets.cells[self.facets.cells[:, 1] >= 0]


def without_islets(points: Array, cells: Indices, grain: Indices) -> Carving:
    """The largest piece that is connected through facets; arguments as in `Carving`."""
    facets = all_facets(cells)
    whole = Carving(points, cells, grain, facets)
    piece = _pieces(whole.neighbours, len(cells))
    kept = piece == np.bincount(piece, cell_volumes(points, cells)).argmax()
    if kept.all():
        return whole
    number = np.cumsum(kept) - 1
    # No facet has kept cells on one side and lost ones on the other.
    stays = kept[facets.cells[:, 0]]
    between = facets.cells[stays]
    of_cells, of_facets = cells[kept], facets.corners[stays]
    points, joined = compacted(points, np.concatenate([of_cells.ravel(), of_facets.ravel()]))
    corners = joined[: of_cells.size].reshape(of_cells.shape)
    of_facets = joined[of_cells.size :].reshape(of_facets.shape)
    facets = Facets(of_facets, np.where(between < 0, -1, number[between]), facets.uses[stays])
    return Carving(points, corners, grain[kept], facets)


def joined_grains(carving: Carving) -> Indices:
    """Grains with all but their largest piece given to the neighbour they share most facets with.

    Args:
        carving: One body connected through facets.

    Returns:
        Grains in one piece each, shape (m,).
    """
    pairs, grain = carving.neighbours, carving.grain
    volumes = cell_volumes(carving.points, carving.cells)
    for _ in range(_ROUNDS):
        same = grain[pairs[:, 0]] == grain[pairs[:, 1]]
        piece = _pieces(pairs[same], len(grain))
        loose = _loose_pieces(piece, grain, volumes)
        if not loose.any():
            break
        grain = _given_away(grain, piece, loose, pairs[~same])
    return grain


def compacted(points: Array, cells: Indices) -> tuple[Array, Indices]:
    """Only the points that cells have, and the cells in their numbers."""
    used, corners = np.unique(cells, return_inverse=True)
    return points[used], corners.reshape(cells.shape)


def _pieces(pairs: Indices, count: int) -> Indices:
    links = coo_matrix((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _loose_pieces(piece: Indices, grain: Indices, volumes: Array) -> Array:
    """Which pieces are not the largest of their grain, shape (pieces,)."""
    size = np.bincount(piece, volumes)
    owner = np.zeros(len(size), dtype=np.int64)
    owner[piece] = grain
    order = np.lexsort((size, owner))
    is_last = np.concatenate([owner[order][1:] != owner[order][:-1], [True]])
    loose = np.ones(len(size), dtype=bool)
    loose[order[is_last]] = False
    return loose


def _given_away(grain: Indices, piece: Indices, loose: Array, pairs: Indices) -> Indices:
    """Every loose piece takes the grain across most of its facets; `pairs` are cells of different grains."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[loose[piece[both[:, 0]]] & ~loose[piece[both[:, 1]]]]
    meetings, facets = np.unique(np.column_stack([piece[both[:, 0]], grain[both[:, 1]]]), axis=0, return_counts=True)
    taken = np.full(len(loose), -1, dtype=np.int64)
    order = np.argsort(facets, kind="stable")  # of several neighbours the last written wins: the largest
    taken[meetings[order, 0]] = meetings[order, 1]
    heir = taken[piece]
    return np.where(heir >= 0, heir, grain)
