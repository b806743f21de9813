"""Which points lie within a distance of a set of triangles, triangles of other ranks included."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from solver.indicators.halo import Halo

# Points looked at together; bounds the memory, not the result.
_CHUNK = 4096


def near_triangles(
    points: NDArray[np.float64], triangles: NDArray[np.float64], distance: float, comm: MPI.Comm
) -> NDArray[np.bool_]:
    """Whether each point lies within `distance` of a triangle held by any rank; collective.

    Args:
        points: (n, 3) points of this rank [µm].
        triangles: (k, 3, 3) corners of this rank's triangles [µm].
        distance: Largest distance that counts as near [µm].
        comm: Ranks holding the triangles.

    Returns:
        (n,) booleans.
    """
    centres = triangles.mean(axis=1)
    reach = float(np.linalg.norm(triangles - centres[:, None], axis=2).max(initial=0.0))
    reach = comm.allreduce(reach, op=MPI.MAX)
    corners = Halo(centres, points, distance + reach, comm).extend(triangles)
    near = np.zeros(len(points), dtype=bool)
    if not len(points) or not len(corners):
        return near
    tree = cKDTree(corners.mean(axis=1))
    to_centre, _ = tree.query(points, distance_upper_bound=distance + reach)
    # A centre within the distance settles it; only points with a centre a little further out need exact distances.
    near = to_centre <= distance
    unclear = np.flatnonzero(~near & np.isfinite(to_centre))
    for start in range(0, len(unclear), _CHUNK):
        part = unclear[start : start + _CHUNK]
        pairs = cKDTree(points[part]).sparse_distance_matrix(tree, distance + reach, output_type="ndarray")
        gap = triangle_distance(points[part[pairs["i"]]], corners[pairs["j"]])
        near[part[pairs["i"][gap <= distance]]] = True
    return near


def triangle_distance(points: NDArray[np.float64], triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of (n, 3) points from (n, 3, 3) triangles, row by row, shape (n,)."""
    first, second, third = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(second - first, third - first)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    edges = ((first, second), (second, third), (third, first))
    inside = np.ones(len(points), dtype=bool)
    nearest_edge = np.full(len(points), np.inf)
    for start, end in edges:
        along, offset = end - start, points - start
        inside &= np.einsum("ni,ni->n", np.cross(normal, along), offset) >= 0.0
        fraction = np.einsum("ni,ni->n", offset, along) / np.einsum("ni,ni->n", along, along)
        foot = np.clip(fraction, 0.0, 1.0)[:, None] * along
        nearest_edge = np.minimum(nearest_edge, np.linalg.norm(offset - foot, axis=1))
    above = np.abs(np.einsum("ni,ni->n", points - first, normal))
    return np.where(inside, above, nearest_edge)
