"""Triangles in a plane from curves, an element size and labels: a net of points, its Delaunay triangulation, labels.

Points are kept at a distance of the element size from one another and fill the plane, so the triangulation has no
sharp angles, whatever the curves do; where curves leave no room for their own points, their course is simplified.
Labels decide which triangle belongs to what, hence any input gives a mesh: there is nothing that can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.spatial import Delaunay, cKDTree

from meshes.arrays import Array, Indices

Size = Callable[[Array], Array]

# Distances in element sizes: between points of curves, and from a free point to any other.
_CURVE_DISTANCE = 0.5
_FREE_DISTANCE = 0.78
_SWEEPS = 10
_RELAXATION = 0.7
_MENDING_ROUNDS = 4
# A lattice is of use next to curves where its spacing is at least the size over this.
_COARSEST_USE = 6.0
_CHILDREN = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [1, -1], [-1, 1]])


@dataclass(frozen=True)
class Curves:
    """Points along curves.

    Args:
        points: Positions [µm], shape (n, 2).
        rank: The smaller, the more important a point is where there is not room for all, shape (n,).
        segments: Neighbours along the curves, shape (m, 2).
    """

    points: Array
    rank: Indices
    segments: Indices


def sample_chains(chains: list[Array], ranks: list[int], size: Size) -> Curves:
    """Points along polylines at distances of the element size; ends of chains (junctions) first in rank.

    Args:
        chains: Polylines [µm], each of shape (k, 2); they meet at their ends only.
        ranks: Rank of each chain, at least 1.
        size: Element size [µm] at points (n, 2).
    """
    points: list[Array] = []
    rank: list[Array] = []
    segments: list[Array] = []
    count = 0
    for chain, chain_rank in zip(chains, ranks):
        along = _even_points(chain, size)
        inner = np.full(len(along), 2 * chain_rank)
        inner[[0, -1]] = 2 * chain_rank - 1
        points.append(along)
        rank.append(inner)
        numbers = count + np.arange(len(along))
        segments.append(np.column_stack([numbers[:-1], numbers[1:]]))
        count += len(along)
    if not points:
        return Curves(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.int64))
    return Curves(np.concatenate(points), np.concatenate(rank), np.concatenate(segments))


def _even_points(chain: Array, size: Size) -> Array:
    """Points on a polyline, its ends included, whose distances follow the element size; shape (n, 2)."""
    lengths = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(lengths)])
    fine = np.linspace(0.0, arc[-1], max(9, 4 * len(chain)))
    middle = 0.5 * (fine[1:] + fine[:-1])
    local = size(_on_polyline(chain, arc, middle))
    steps = np.concatenate([[0.0], np.cumsum(np.diff(fine) / local)])
    closed = bool(np.linalg.norm(chain[0] - chain[-1]) < 1e-9 * arc[-1])
    number = max(4 if closed else 1, round(float(steps[-1])))
    return _on_polyline(chain, arc, np.interp(np.linspace(0.0, steps[-1], number + 1), steps, fine))


def _on_polyline(chain: Array, arc: Array, at: Array) -> Array:
    return np.column_stack([np.interp(at, arc, chain[:, axis]) for axis in range(2)])


def triangulate(
    curves: Curves, size: Size, low: Array, high: Array, smallest: float, largest: float
) -> tuple[Array, Indices]:
    """Triangles that fill a rectangle and follow the curves.

    Args:
        curves: Points along the curves.
        size: Element size [µm] at points (n, 2).
        low: Lower corner of the rectangle, shape (2,).
        high: Upper corner, shape (2,).
        smallest: Smallest element size [µm].
        largest: Largest element size [µm].

    Returns:
        Points (n, 2) and triangles (m, 3) with positive areas.
    """
    order = np.lexsort((np.arange(len(curves.points)), curves.rank))
    given = curves.points[order]
    kept = _spread(given, _CURVE_DISTANCE * size(given), np.arange(len(given)))
    fixed = given[kept]
    survivor = np.full(len(given), -1, dtype=np.int64)
    survivor[order[kept]] = np.arange(len(kept))
    nearest = cKDTree(fixed).query(curves.points)[1] if len(fixed) else survivor
    segments = np.where(survivor >= 0, survivor, nearest)[curves.segments]
    segments = np.unique(np.sort(segments[segments[:, 0] != segments[:, 1]], axis=1), axis=0)
    free = _free_points(fixed, size, low, high, smallest, largest)
    points = _relaxed(fixed, free, size)
    return _with_segments(points, len(fixed), segments)


def _spread(points: Array, reach: Array, rank: Indices) -> Indices:
    """The points that remain when each, in the order of rank, removes those nearer than its reach; their numbers."""
    if not len(points):
        return np.empty(0, dtype=np.int64)
    pairs = cKDTree(points).query_pairs(float(reach.max()), output_type="ndarray")
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = pairs[distance < np.minimum(reach[pairs[:, 0]], reach[pairs[:, 1]])]
    swap = rank[pairs[:, 0]] > rank[pairs[:, 1]]
    pairs[swap] = pairs[swap][:, ::-1]
    kept, gone = np.zeros(len(points), dtype=bool), np.zeros(len(points), dtype=bool)
    while len(pairs):
        beaten = np.zeros(len(points), dtype=bool)
        beaten[pairs[:, 1]] = True
        kept[pairs[:, 0]] |= ~beaten[pairs[:, 0]]
        gone[pairs[kept[pairs[:, 0]], 1]] = True
        pairs = pairs[~(gone[pairs].any(axis=1) | kept[pairs[:, 0]])]
    return np.flatnonzero(~gone)


def _free_points(fixed: Array, size: Size, low: Array, high: Array, smallest: float, largest: float) -> Array:
    """Triangular lattices, the coarsest first, each point kept where no other one is near; shape (n, 2)."""
    levels = max(0, int(np.ceil(np.log2(largest / smallest)))) + 2
    found = fixed
    for level, candidates in enumerate(_lattices(low, high, largest, levels, size)):
        reach = _FREE_DISTANCE * size(candidates)
        if len(found):
            far = cKDTree(found).query(candidates)[0] >= reach
            candidates, reach = candidates[far], reach[far]
        kept = _spread(candidates, reach, np.random.default_rng(level).permutation(len(candidates)))
        found = np.concatenate([found, candidates[kept]])
    return found[len(fixed) :]


def _lattices(low: Array, high: Array, spacing: float, levels: int, size: Size) -> Iterator[Array]:
    """Points of lattices of equilateral triangles, each with half the spacing of the one before, where it is of use."""
    centre = 0.5 * (low + high)
    # A little tilted: no row is parallel to an axis, where degenerate cases live.
    basis = np.array([[np.cos(0.1), np.sin(0.1)], [np.cos(0.1 + np.pi / 3.0), np.sin(0.1 + np.pi / 3.0)]])
    reach = int(1.2 * float(np.linalg.norm(high - low)) / spacing) + 2
    steps = np.arange(-reach, reach + 1)
    coordinates = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    for _ in range(levels + 1):
        points = centre + spacing * coordinates @ basis
        inside = ((points >= low) & (points <= high)).all(axis=1)
        coordinates, points = coordinates[inside], points[inside]
        yield points
        spacing *= 0.5
        parents = coordinates[size(points) < _COARSEST_USE * spacing]
        coordinates = np.unique((2 * parents[:, None] + _CHILDREN).reshape(-1, 2), axis=0)


def _relaxed(fixed: Array, free: Array, size: Size) -> Array:
    """All points, the free ones moved towards the middle of their neighbours; shape (n, 2)."""
    points = np.concatenate([fixed, free])
    rim = np.unique(Delaunay(points).convex_hull)
    movable = np.arange(len(points)) >= len(fixed)
    movable[rim] = False
    wanted = size(points)
    for _ in range(_SWEEPS):
        triangles = Delaunay(points).simplices
        centre = points[triangles].mean(axis=1)
        # Triangles count by how large they are for their place, which keeps the grading.
        weight: Array = np.repeat(np.abs(signed_areas(points, triangles)) / wanted[triangles].mean(axis=1) ** 2, 3)
        node = triangles.ravel()
        total = np.bincount(node, weight, len(points))
        goal = np.column_stack([np.bincount(node, weight * np.repeat(centre[:, a], 3), len(points)) for a in range(2)])
        step = goal / np.maximum(total, 1e-300)[:, None] - points
        points[movable] += _RELAXATION * step[movable]
    return points


def _with_segments(points: Array, fixed: int, segments: Indices) -> tuple[Array, Indices]:
    """Triangulation in which free points that keep a segment of a curve out of it are left out."""
    for _ in range(_MENDING_ROUNDS):
        triangles = Delaunay(points).simplices.astype(np.int64)
        missing = segments[~_has_edges(triangles, segments, len(points))]
        free = points[fixed:]
        if not len(missing) or not len(free):
            break
        start, end = points[missing[:, 0]], points[missing[:, 1]]
        radius = 0.5 * np.linalg.norm(end - start, axis=1)
        inside = cKDTree(free).query_ball_point(0.5 * (start + end), radius)
        blamed = np.unique(np.concatenate([np.asarray(row, dtype=np.int64) for row in inside]))
        if not len(blamed):
            break
        points = np.concatenate([points[:fixed], np.delete(free, blamed, axis=0)])
    triangles = Delaunay(points).simplices.astype(np.int64)
    area = signed_areas(points, triangles)
    triangles[area < 0.0] = triangles[area < 0.0][:, [0, 2, 1]]
    return points, triangles[np.abs(area) > 0.0]


def _has_edges(triangles: Indices, edges: Indices, count: int) -> Array:
    """Which edges (n, 2), smaller node first, a triangulation has."""
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    have = coo_matrix((np.ones(len(sides), dtype=bool), (sides[:, 0], sides[:, 1])), shape=(count, count)).tocsr()
    return np.asarray(have[edges[:, 0], edges[:, 1]]).ravel().astype(bool) if len(edges) else np.empty(0, dtype=bool)


def signed_areas(points: Array, triangles: Indices) -> Array:
    """Areas of triangles, positive when anticlockwise [µm²], shape (m,)."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
