"""Which points lie within a distance of a set of facets (triangles, or edges in a section), also of other ranks."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from solver.indicators.halo import Halo

# Points looked at together; bounds the memory, not the result.
_CHUNK = 4096


def near_facets(
    points: NDArray[np.float64], facets: NDArray[np.float64], distance: float, comm: MPI.Comm
) -> NDArray[np.bool_]:
    """Whether each point lies within `distance` of a facet held by any rank; collective.

    Args:
        points: (n, 3) points of this rank [µm].
        facets: (k, 3, 3) corners of this rank's triangles, or (k, 2, 3) ends of its edges [µm].
        distance: Largest distance that counts as near [µm].
        comm: Ranks holding the facets.

    Returns:
        (n,) booleans.
    """
    distance_of = triangle_distance if facets.shape[1] == 3 else edge_distance
    centres = facets.mean(axis=1)
    reach = float(np.linalg.norm(facets - centres[:, None], axis=2).max(initial=0.0))
    reach = comm.allreduce(reach, op=MPI.MAX)
    corners = Halo(centres, points, distance + reach, comm).extend(facets)
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
        gap = distance_of(points[part[pairs["i"]]], corners[pairs["j"]])
        near[part[pairs["i"][gap <= distance]]] = True
    return near


def triangle_distance(points: NDArray[np.float64], triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of (n, 3) points from (n, 3, 3) triangles, row by row, shape (n,)."""
    first, second, third = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(second - first, third - first)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    inside = np.ones(len(points), dtype=bool)
    nearest_edge = np.full(len(points), np.inf)
    for ends in ([0, 1], [1, 2], [2, 0]):
        edge = triangles[:, ends]
        inside &= np.einsum("ni,ni->n", np.cross(normal, edge[:, 1] - edge[:, 0]), points - edge[:, 0]) >= 0.0
        nearest_edge = np.minimum(nearest_edge, edge_distance(points, edge))
    above = np.abs(np.einsum("ni,ni->n", points - first, normal))
    return np.where(inside, above, nearest_edge)


def edge_distance(points: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of (n, 3) points from edges with ends (n, 2, 3), row by row, shape (n,)."""
    along, offset = edges[:, 1] - edges[:, 0], points - edges[:, 0]
    fraction = np.einsum("ni,ni->n", offset, along) / np.einsum("ni,ni->n", along, along)
    foot = np.clip(fraction, 0.0, 1.0)[:, None] * along
    return np.linalg.norm(offset - foot, axis=1)
