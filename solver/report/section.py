"""Plane sections of tetrahedra and triangles, as polygons and lines to draw; plain numpy.

What already lies in the plane, the mesh of a cross-section, is drawn as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.report.saved import SavedGrid

# Edges of a tetrahedron as pairs of corners, and the order in which four cut edges go round the section.
_EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
_TRIANGLE_EDGES = np.array([[0, 1], [0, 2], [1, 2]])


@dataclass(frozen=True)
class Section:
    """A plane cut through cells.

    Attributes:
        corners: (m, k, 2) places of the polygon's corners in the plane [µm]; of four, triangles repeat the last.
        cells: (m,) number of the cell each polygon was cut from.
        edges: (m, k, 2) for every corner, the two mesh points whose connection it lies on.
        weights: (m, k, 2) linear weights of those two points.
    """

    corners: NDArray[np.float64]
    cells: NDArray[np.int64]
    edges: NDArray[np.int64]
    weights: NDArray[np.float64]

    def part(self, chosen: NDArray[np.bool_]) -> Section:
        """Only the chosen polygons, (m,)."""
        return Section(self.corners[chosen], self.cells[chosen], self.edges[chosen], self.weights[chosen])

    def interpolate(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Point values (n,) at the polygons' corners, (m, k)."""
        return np.einsum("mke,mke->mk", self.weights, values[self.edges])


def flat(grid: SavedGrid, origin: NDArray[np.float64], frame: NDArray[np.float64]) -> Section:
    """Triangles or edges in the plane itself, seen as `cut` shows a section.

    Args:
        grid: Cells with three or two corners.
        origin: (3,) point of the plane [µm].
        frame: (3, 3) rows: the two axes of the drawing, and the plane's normal.
    """
    edges = np.stack([grid.cells, grid.cells], axis=-1)
    weights = np.broadcast_to([1.0, 0.0], edges.shape)
    return Section((grid.points - origin)[grid.cells] @ frame[:2].T, np.arange(len(grid.cells)), edges, weights)


def cut(grid: SavedGrid, origin: NDArray[np.float64], frame: NDArray[np.float64]) -> Section:
    """Section of tetrahedra (polygons) or triangles (lines) with a plane.

    Args:
        grid: Cells with four or three corners.
        origin: (3,) point of the plane [µm].
        frame: (3, 3) rows: the two axes of the drawing, and the plane's normal.
    """
    # A point exactly on the plane would give polygons without area; moved by a hair it lies on one side. It is the side
    # that a sector, whose face lies in the plane, has none of its cells on: they are cut next to that face.
    height = (grid.points - origin) @ frame[2]
    height = np.where(np.abs(height) < 1e-9 * np.abs(height).max(initial=1.0), -1e-9, height)
    above = height[grid.cells] > 0.0
    cells = np.flatnonzero(above.any(axis=1) & ~above.all(axis=1))
    pairs = _EDGES if grid.cells.shape[1] == 4 else _TRIANGLE_EDGES
    edges = grid.cells[cells][:, pairs]
    is_cut = above[cells][:, pairs[:, 0]] != above[cells][:, pairs[:, 1]]
    order = _round_order(is_cut) if grid.cells.shape[1] == 4 else np.argsort(~is_cut, axis=1, kind="stable")[:, :2]
    edges = np.take_along_axis(edges, order[..., None], axis=1)
    low, high = height[edges[..., 0]], height[edges[..., 1]]
    fraction = -low / (high - low)
    weights = np.stack([1.0 - fraction, fraction], axis=-1)
    places = np.einsum("mke,mkei->mki", weights, grid.points[edges] - origin)
    return Section(places @ frame[:2].T, cells, edges, weights)


def _round_order(is_cut: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each tetrahedron the numbers of its cut edges in an order that goes round the polygon, (m, 4)."""
    # Going round, consecutive edges share a corner of the tetrahedron, so opposite edges (0-5, 1-4, 2-3) are never
    # neighbours: with four cut edges, two opposite pairs are cut, and alternating between the pairs goes round.
    order = np.empty((len(is_cut), 4), dtype=np.int64)
    four = is_cut.sum(axis=1) == 4
    pairs = np.array([[0, 5], [1, 4], [2, 3]])
    whole = np.argsort(~is_cut[:, pairs[:, 0]], axis=1, kind="stable")[:, :2]
    first, second = pairs[whole[:, 0]], pairs[whole[:, 1]]
    order[:] = np.stack([first[:, 0], second[:, 0], first[:, 1], second[:, 1]], axis=1)
    three = np.argsort(~is_cut, axis=1, kind="stable")[:, :3]
    order[~four] = three[~four][:, [0, 1, 2, 2]]
    return order
