"""Boundaries between the labels of a plane as short straight pieces, whatever decides the labels.

Labels are asked for at the nodes of a fine grid of triangles. Where the ends of a grid edge differ, the place of the
change is found by bisection; triangles with three labels get a point where their boundaries meet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from meshes.arrays import Array, Indices

_BISECTIONS = 22


def label_contours(label: Callable[[Array], Indices], reach: float, spacing: float) -> Array:
    """Pieces of the boundaries in a square about the origin.

    Args:
        label: Label at points (n, 2), shape (n,).
        reach: Half the width of the square [µm].
        spacing: Distance of the grid nodes [µm]; what is smaller may be lost.

    Returns:
        Ends of the pieces [µm], shape (m, 2, 2).
    """
    nodes, triangles = _grid(reach, spacing)
    labels = label(nodes)
    triangles = triangles[(labels[triangles] != labels[triangles[:, :1]]).any(axis=1)]
    if not len(triangles):
        return np.empty((0, 2, 2))
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    edges, edge_of_side = np.unique(sides, axis=0, return_inverse=True)
    places = _changes(label, nodes, edges, labels)
    crossing = places[edge_of_side.ravel()].reshape(-1, 3, 2)
    changes = (labels[edges[:, 0]] != labels[edges[:, 1]])[edge_of_side.ravel()].reshape(-1, 3)
    two = changes.sum(axis=1) == 2
    middle = crossing[~two].mean(axis=1)
    spokes = np.stack([crossing[~two], np.repeat(middle[:, None], 3, axis=1)], axis=2).reshape(-1, 2, 2)
    return np.concatenate([crossing[two][changes[two]].reshape(-1, 2, 2), spokes])


def _grid(reach: float, spacing: float) -> tuple[Array, Indices]:
    count = int(np.ceil(2.0 * reach / spacing))
    axis = np.linspace(-reach, reach, count + 1)
    nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange((count + 1) ** 2).reshape(count + 1, count + 1)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    return nodes, np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])


def _changes(label: Callable[[Array], Indices], nodes: Array, edges: Indices, labels: Indices) -> Array:
    """Where on each edge the label of its first node ends, shape (n, 2)."""
    start, end = nodes[edges[:, 0]], nodes[edges[:, 1]]
    low: Array = np.zeros(len(edges))
    high: Array = np.ones(len(edges))
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        same = label(start + middle[:, None] * (end - start)) == labels[edges[:, 0]]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return start + high[:, None] * (end - start)
