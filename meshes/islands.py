"""Parts of a surface: seeded islands of a given size that cover a given share of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.particle_mesh import areas_of

_WAVES = 128


def islands(points: Array, facets: Indices, share: float, size: float, seed: list[int]) -> NDArray[np.bool_]:
    """Choose facets that cover a share of the area, in islands.

    A smooth random field is cut off at the height that gives the share: a sum of plane waves in all directions, whose
    half wavelength is the size of the islands.

    Args:
        points: Coordinates [µm], shape (n, 3).
        facets: Triangles or edges, shape (k, dimension).
        share: Share of the area to cover.
        size: Typical width of the islands [µm].
        seed: Numbers that decide where they are.

    Returns:
        Which facets are covered, shape (k,); their area is the share of the whole to within half a facet.
    """
    if share >= 1.0:
        return np.ones(len(facets), dtype=bool)
    areas = areas_of(points, facets)
    highest_first = np.argsort(-random_field(points[facets].mean(axis=1), size, seed), kind="stable")
    covered = np.concatenate([[0.0], np.cumsum(areas[highest_first])])
    count = int(np.clip(np.argmin(np.abs(covered - share * covered[-1])), 1, len(facets) - 1))
    chosen = np.zeros(len(facets), dtype=bool)
    chosen[highest_first[:count]] = True
    return chosen


def random_field(points: Array, size: float, seed: list[int]) -> Array:
    """Smooth random field with hills of a given width, mean 0 and variance 1, at points (n, 3): shape (n,)."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    phases = random.uniform(0.0, 2.0 * np.pi, _WAVES)
    return np.sqrt(2.0 / _WAVES) * np.cos(np.pi / size * points @ directions.T + phases).sum(axis=1)


def patch_count(facets: Indices, chosen: NDArray[np.bool_]) -> int:
    """Number of pieces that the chosen facets (k, dimension) make; facets that share a node are one piece."""
    if not chosen.any():
        return 0
    _, node = np.unique(facets[chosen], return_inverse=True)
    node = node.reshape(-1, facets.shape[1])
    pairs = np.concatenate([node[:, [0, other]] for other in range(1, facets.shape[1])])
    count = int(node.max()) + 1
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return int(connected_components(graph, directed=False)[0])
