"""Grains in the plane z = 0, and the boundaries between them.

Cells of a power diagram are again those of a power diagram, of the seeds' places in the plane: the squared distance of
a point of the plane to a seed is that to the seed's place plus z², so weights become w − z².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from meshes.arrays import Array, Indices
from meshes.label_contours import label_contours
from meshes.label_field import LabelField

_GHOSTS = 24
_GHOST_DISTANCE = 8.0
# Boundaries of long grains are bent: they are found on a grid of this over the element size, a little beyond the rim.
_FINENESS, _BEYOND = 0.4, 1.03


def section_edges(positions: Array, weights: Array, reach: float) -> Array:
    """Straight edges between the cells in the plane z = 0, not clipped.

    Args:
        positions: Seeds [µm], shape (N, 3).
        weights: Their weights [µm²], shape (N,).
        reach: No point of interest is farther from the origin [µm].

    Returns:
        Ends of the edges [µm], shape (m, 2, 2).
    """
    if len(positions) < 2:
        return np.empty((0, 2, 2))
    flat_weights = weights - positions[:, 2] ** 2
    distance = _GHOST_DISTANCE * reach
    angle = 2.0 * np.pi * (np.arange(_GHOSTS) + 0.37) / _GHOSTS
    ghosts = distance * (1.0 + 0.01 * np.sin(7.0 * angle))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    places = np.vstack([positions[:, :2], ghosts])
    height = (places**2).sum(axis=1) - np.concatenate([flat_weights, np.full(_GHOSTS, flat_weights.mean())])
    hull = ConvexHull(np.column_stack([places, height / distance]), qhull_options="Qt")
    triangles = np.sort(hull.simplices[hull.equations[:, 2] < -1e-12], axis=1).astype(np.int64)
    difference = places[triangles[:, 1:]] - places[triangles[:, :1]]
    right = height[triangles[:, 1:]] - height[triangles[:, :1]]
    centres = np.linalg.solve(2.0 * difference, right[..., None])[..., 0]
    return centres[_neighbours(triangles, len(positions))]


def _neighbours(triangles: Indices, count: int) -> Indices:
    """Pairs of triangles that share an edge between two real seeds, shape (m, 2)."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [0, 2]], triangles[:, [1, 2]]])
    owner = np.tile(np.arange(len(triangles)), 3)
    real = (edges < count).all(axis=1)
    edges, owner = edges[real], owner[real]
    order = np.lexsort(edges.T[::-1])
    edges, owner = edges[order], owner[order]
    first = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1))
    return np.column_stack([owner[first], owner[first + 1]])


@dataclass(frozen=True)
class SectionGrains:
    """Grains in the plane.

    Args:
        boundaries: Ends of straight pieces of the boundaries between them [µm], shape (m, 2, 2); may reach outside.
        label: Grain (from 1) at points (n, 2), shape (n,).
    """

    boundaries: Array
    label: Callable[[Array], Indices]


def cut_grains(field: LabelField, size: float) -> SectionGrains:
    """The grains of a particle in the plane z = 0.

    Args:
        field: The grains in space.
        size: Element size [µm]; bent boundaries are followed as closely as that asks for.
    """

    def label(points: Array) -> Indices:
        return field.grain(np.column_stack([points, np.zeros(len(points))]))

    reach = float(field.outline.semi_axes[0])
    if field.shapes is None:
        return SectionGrains(section_edges(field.positions, field.weights, reach), label)
    return SectionGrains(label_contours(label, _BEYOND * reach, _FINENESS * size), label)
