"""Layers of even thickness on a surface: its facets are moved outwards, and what they sweep is split into simplices.

Triangles sweep prisms of three tetrahedra, edges (in two dimensions) quadrilaterals of two triangles. A prism is split
by the order of its corners' numbers, so that neighbours agree on the diagonal between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from meshes.arrays import Array, Indices
from meshes.particle_mesh import cell_volumes

# Normals that spread over more than this count as different faces around an edge or a corner, not as one curved
# surface: smallest over largest eigenvalue of their weighted second moment (0.08 is an edge of 33 degrees).
_CREASE = 0.08
_PLANE_TOLERANCE = 1e-6  # of the size of the surface
# Where a sweep turns cells inside out or makes them flat (volume over the median of its facet), directions are
# evened out, after some attempts farther and farther around.
_MENDINGS = 20
_MENDINGS_PER_RING = 5
_FLAT = 0.2
_LONGEST_MENDED = 1.2


@dataclass(frozen=True)
class Extrusion:
    """Layers that were put on a surface.

    Args:
        points: All points, the given ones first [µm], shape (n, 3).
        cells: Simplices of the layers, positively oriented, facet after facet from below upwards, shape
            (k * elements * dimension, dimension + 1).
        top: The facets of the surface in their new places, in their old order, shape (k, dimension).
        sides: Facets over the rim of the surface, if it has one, shape (s, dimension).
    """

    points: Array
    cells: Indices
    top: Indices
    sides: Indices


def extrude(points: Array, facets: Indices, thickness: float, elements: int, sector: bool = False) -> Extrusion:
    """Put layers on a surface.

    Args:
        points: Coordinates [µm], shape (n, 3).
        facets: Its triangles (or edges in the plane z = 0), turned outwards, shape (k, dimension).
        thickness: Distance of the new surface from the old one [µm].
        elements: Number of layers of simplices.
        sector: Whether points in the planes x = 0, y = 0 and z = 0 stay in them.

    Returns:
        The layers; where the surface is curved inwards more than the thickness allows, cells have no positive volume.
    """
    nodes, local = np.unique(facets, return_inverse=True)
    local = local.reshape(facets.shape)
    levels = [nodes, *(len(points) + level * len(nodes) + np.arange(len(nodes)) for level in range(elements))]
    swept = np.stack([_swept(lower[local], upper[local]) for lower, upper in pairwise(levels)], axis=1)
    cells = _turned(facets, swept)
    heights = np.arange(elements + 1)[:, None, None] / elements

    def raised(moves: Array) -> Array:
        return np.concatenate([points, (points[nodes] + heights[1:] * thickness * moves).reshape(-1, 3)])

    moves = offsets(points[nodes], local, sector)
    for attempt in range(_MENDINGS):
        volumes = cell_volumes(raised(moves), cells.reshape(-1, facets.shape[1] + 1)).reshape(len(facets), -1)
        poor = volumes.min(axis=1) < _FLAT * np.median(volumes, axis=1)
        if not poor.any():
            break
        for _ in range(attempt // _MENDINGS_PER_RING):
            poor = np.isin(local, local[poor]).any(axis=1)
        moves = _smoothed(moves, local, np.unique(local[poor]))
    rim = _rim(local)
    sides = [_swept(lower[rim], upper[rim]).reshape(-1, facets.shape[1]) for lower, upper in pairwise(levels)]
    return Extrusion(raised(moves), cells.reshape(-1, facets.shape[1] + 1), levels[-1][local], np.concatenate(sides))


def _smoothed(moves: Array, facets: Indices, nodes: Indices) -> Array:
    """Moves (n, 3) in which those of some nodes are replaced by the mean over the facets around them."""
    means = np.repeat(moves[facets].mean(axis=1), facets.shape[1], axis=0)
    sums = np.column_stack([np.bincount(facets.ravel(), means[:, axis], len(moves)) for axis in range(3)])
    smooth = moves.copy()
    smooth[nodes] = (sums / np.bincount(facets.ravel(), minlength=len(moves))[:, None])[nodes]
    # As long as it was, or as a plain normal where an edge had made it longer.
    length = np.clip(np.linalg.norm(moves[nodes], axis=1), 1.0, _LONGEST_MENDED)
    smooth[nodes] *= (length / np.linalg.norm(smooth[nodes], axis=1))[:, None]
    smooth[moves == 0.0] = 0.0  # in a plane of symmetry
    return smooth


def _swept(lower: Indices, upper: Indices) -> Indices:
    """Simplices between simplices (k, d) and their images, shape (k, d, d + 1).

    The first has all corners of the lower simplex and the last corner of the upper one; corners in order of their
    number, which is the same below and above.
    """
    order = np.argsort(lower, axis=1)
    lower, upper = np.take_along_axis(lower, order, 1), np.take_along_axis(upper, order, 1)
    width = lower.shape[1]
    return np.stack(
        [np.concatenate([lower[:, : width - step], upper[:, width - 1 - step :]], axis=1) for step in range(width)],
        axis=1,
    )


def _turned(facets: Indices, cells: Indices) -> Indices:
    """Cells (k, elements, dimension, dimension + 1), positive where the sweep goes outwards.

    Decided by the order of corners alone: by volumes, cells that are turned inside out would go unnoticed.
    """
    width = facets.shape[1]
    exchanges = np.zeros(len(facets), dtype=np.int64)
    for one in range(width):
        for two in range(one + 1, width):
            exchanges += facets[:, one] > facets[:, two]
    # Over sorted corners turned outwards, a prism gives tetrahedra of signs + − +, a quadrilateral triangles − +.
    negative = (exchanges[:, None] + np.arange(width) + (width == 2)) % 2 == 1
    return np.where(negative[:, None, :, None], cells[..., [1, 0, *range(2, width + 1)]], cells)


def offsets(points: Array, facets: Indices, sector: bool = False) -> Array:
    """Moves of surface points that shift every facet by one along its normal, as far as that is possible.

    Args:
        points: Points of the surface [µm], shape (n, 3); z = 0 if the facets are edges.
        facets: Facets, turned outwards, numbered like the points, shape (k, dimension).
        sector: Whether points in the planes x = 0, y = 0 and z = 0 stay in them.

    Returns:
        Moves, about unit vectors on a smooth surface and longer at edges and corners, shape (n, 3).
    """
    normals, weights = corner_normals(points, facets)
    node = facets.ravel()
    normals = np.repeat(normals, facets.shape[1], axis=0)
    weights = weights.ravel() / np.bincount(node, weights.ravel(), len(points))[node]
    moments = np.zeros((len(points), 3, 3))
    np.add.at(moments, node, weights[:, None, None] * normals[:, :, None] * normals[:, None, :])
    means = np.zeros((len(points), 3))
    np.add.at(means, node, weights[:, None] * normals)
    if sector:  # as if the mirror images of the facets were there
        fixed = np.abs(points) < _PLANE_TOLERANCE * np.ptp(points, axis=0).max()
        means[fixed] = 0.0
        moments[fixed[:, :, None] ^ fixed[:, None, :]] = 0.0
    values, vectors = np.linalg.eigh(moments)
    is_crease = values[:, 1] > _CREASE * values[:, 2]
    length = np.linalg.norm(means, axis=1)
    # On a smooth surface the mean normal, stretched by what it lost by averaging.
    moves = means / np.maximum(length, 1e-300)[:, None] ** 2
    inverse = np.where(values > _CREASE * values[:, 2:], 1.0 / np.maximum(values, 1e-300), 0.0)
    sharp = np.einsum("nij,nj,nkj,nk->ni", vectors, inverse, vectors, means)
    return np.where(is_crease[:, None], sharp, moves)


def corner_normals(points: Array, facets: Indices) -> tuple[Array, Array]:
    """Unit normals of facets (k, 3), and their weights at each of their corners (k, dimension).

    The weights give the exact normal where all points around are on one sphere (Max 1999).
    """
    if facets.shape[1] == 2:
        edges = points[facets[:, 1]] - points[facets[:, 0]]
        lengths = np.linalg.norm(edges, axis=1, keepdims=True)
        return np.column_stack([edges[:, 1], -edges[:, 0], edges[:, 2]]) / lengths, np.repeat(1.0 / lengths, 2, axis=1)
    corners = points[facets]
    forward = np.roll(corners, -1, axis=1) - corners
    backward = np.roll(corners, 1, axis=1) - corners
    crosses = np.cross(forward, backward)
    normal = crosses[:, 0] / np.linalg.norm(crosses[:, 0], axis=1, keepdims=True)
    weights = np.linalg.norm(crosses, axis=2) / ((forward**2).sum(axis=2) * (backward**2).sum(axis=2))
    return normal, weights


def _rim(facets: Indices) -> Indices:
    """Edges (end points in two dimensions) that only one facet has, shape (r, dimension - 1)."""
    width = facets.shape[1]
    if width == 2:
        nodes, uses = np.unique(facets, return_counts=True)
        return nodes[uses == 1][:, None]
    edges = np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]]), axis=1)
    edges, uses = np.unique(edges, axis=0, return_counts=True)
    return edges[uses == 1]
