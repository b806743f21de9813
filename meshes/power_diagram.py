"""Power (Laguerre) diagram of weighted seeds, and the exact measures of its cells clipped by a spheroid.

The diagram is the lower hull of the seeds lifted to four dimensions. Cell volumes and face areas inside the spheroid
are closed expressions: each face is cut into right triangles that share the foot of the perpendicular from the centre,
so no topology is needed and everything is vectorised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, cKDTree

from meshes.arrays import Array, Indices
from meshes.spheroid import Spheroid

_GHOSTS = 64
_GHOST_DISTANCE = 8.0  # in units of the largest semi-axis: ghost faces stay far outside the particle


@dataclass(frozen=True)
class PowerDiagram:
    """Combinatorics and vertices of a power diagram; seeds beyond `count` are far ghosts that bound the real cells.

    Args:
        seeds: Seed positions with ghosts [µm], shape (n, 3).
        weights: Weights [µm²], shape (n,).
        count: Number of real seeds.
        vertices: Power centres, one per simplex [µm], shape (t, 3).
        edges: Seeds (i < j < k) whose cells share a diagram edge, shape (e, 3); i is always real.
        edge_ends: The vertices at both ends of each edge, shape (e, 2).
    """

    seeds: Array
    weights: Array
    count: int
    vertices: Array
    edges: Indices
    edge_ends: Indices


def power_diagram(seeds: Array, weights: Array, domain: Spheroid) -> PowerDiagram:
    """Power diagram of seeds in a spheroid.

    Args:
        seeds: Positions [µm], shape (N, 3).
        weights: Weights [µm²], shape (N,).
        domain: The particle; only its size is used.

    Returns:
        The unclipped diagram.
    """
    reach = _GHOST_DISTANCE * float(domain.semi_axes.max())
    points = np.vstack([seeds, _ghost_seeds(reach)])
    all_weights = np.concatenate([weights, np.full(_GHOSTS, weights.mean())])
    height = (points**2).sum(axis=1) - all_weights
    hull = ConvexHull(np.column_stack([points, height / reach]), qhull_options="Qt")
    simplices = np.sort(hull.simplices[hull.equations[:, 3] < -1e-12], axis=1).astype(np.int64)
    simplices = simplices[simplices[:, 0] < len(seeds)]
    simplices = simplices[np.lexsort(simplices.T[::-1])]
    difference = points[simplices[:, 1:]] - points[simplices[:, :1]]
    right = height[simplices[:, 1:]] - height[simplices[:, :1]]
    vertices = np.linalg.solve(2.0 * difference, right[..., None])[..., 0]
    edges, ends = _shared_triangles(simplices, len(seeds))
    return PowerDiagram(points, all_weights, len(seeds), vertices, edges, ends)


def _ghost_seeds(reach: float) -> Array:
    """Points on a golden spiral, slightly uneven in radius so that no five seeds share a sphere."""
    number = np.arange(_GHOSTS) + 0.5
    polar = np.arccos(1.0 - 2.0 * number / _GHOSTS)
    azimuth = np.pi * (1.0 + 5.0**0.5) * number
    direction = np.column_stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)])
    return reach * direction * (1.0 + 0.01 * np.sin(7.0 * number))[:, None]


def _shared_triangles(simplices: Indices, count: int) -> tuple[Indices, Indices]:
    """Triangles shared by two simplices (at least one real seed), and these simplices."""
    triangles = np.concatenate([np.delete(simplices, corner, axis=1) for corner in range(4)])
    owner = np.tile(np.arange(len(simplices)), 4)
    keep = triangles[:, 0] < count
    triangles, owner = triangles[keep], owner[keep]
    order = np.lexsort(triangles.T[::-1])
    triangles, owner = triangles[order], owner[order]
    first = np.flatnonzero((triangles[1:] == triangles[:-1]).all(axis=1))
    return triangles[first], np.column_stack([owner[first], owner[first + 1]])


@dataclass(frozen=True)
class CellMeasures:
    """Exact measures of the clipped cells.

    Args:
        volumes: Volume of each cell inside the particle [µm³], shape (N,).
        pairs: Cells (i < j) whose shared face reaches into the particle, shape (f, 2).
        areas: Area of these faces inside the particle [µm²], shape (f,).
    """

    volumes: Array
    pairs: Indices
    areas: Array


def cell_measures(diagram: PowerDiagram, domain: Spheroid) -> CellMeasures:
    """Volumes of the cells and areas of the faces inside the spheroid."""
    face, opposite, edge = _face_edges(diagram)
    normal, offset = _face_planes(diagram, face)
    axes = domain.semi_axes
    ball_normal = normal * axes
    stretch = np.linalg.norm(ball_normal, axis=1)
    ball_normal /= stretch[:, None]
    distance = offset / stretch
    across = (diagram.seeds[opposite] - diagram.seeds[face[:, 0]]) * axes
    # Directions transform with the planes: the half-space of k is (x_k - x_i)·x < …, a covector as well.
    across -= (across * ball_normal).sum(axis=1)[:, None] * ball_normal
    across /= np.linalg.norm(across, axis=1)[:, None]
    ends = diagram.vertices[diagram.edge_ends[edge]] / axes
    along = np.cross(ball_normal, across)
    from_foot = ends - (distance[:, None] * ball_normal)[:, None, :]
    height = (from_foot[:, 0] * across).sum(axis=1)
    position = np.sort((from_foot * along[:, None, :]).sum(axis=2), axis=1)
    area0, cone0 = _right_triangle(np.abs(distance), np.abs(height), position[:, 0])
    area1, cone1 = _right_triangle(np.abs(distance), np.abs(height), position[:, 1])
    side = np.sign(height)
    cone = side * np.sign(distance) * (cone1 - cone0) * axes.prod()
    area = side * (area1 - area0) * axes.prod() / stretch
    volumes = np.zeros(len(diagram.seeds))
    np.add.at(volumes, face[:, 0], cone)
    np.add.at(volumes, face[:, 1], -cone)
    real = face[:, 1] < diagram.count
    pairs, member = np.unique(face[real], axis=0, return_inverse=True)
    areas = np.bincount(member.ravel(), area[real], len(pairs))
    inside = areas > 1e-12 * domain.radius**2  # round-off is no face
    return CellMeasures(volumes[: diagram.count], pairs[inside], areas[inside])


def _face_edges(diagram: PowerDiagram) -> tuple[Indices, Indices, Indices]:
    """Every (face, diagram edge) incidence: the face's seeds, the third seed of the edge, the edge."""
    faces, opposite = [], []
    for first, second, third in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        faces.append(diagram.edges[:, [first, second]])
        opposite.append(diagram.edges[:, third])
    face, third_seed = np.concatenate(faces), np.concatenate(opposite)
    edge = np.tile(np.arange(len(diagram.edges)), 3)
    real = face[:, 0] < diagram.count
    return face[real], third_seed[real], edge[real]


def _face_planes(diagram: PowerDiagram, face: Indices) -> tuple[Array, Array]:
    """Unit normal from the first to the second seed and offset of the plane that separates two cells."""
    first, second = diagram.seeds[face[:, 0]], diagram.seeds[face[:, 1]]
    normal = second - first
    distance = np.linalg.norm(normal, axis=1)
    height = (diagram.seeds**2).sum(axis=1) - diagram.weights
    offset = (height[face[:, 1]] - height[face[:, 0]]) / (2.0 * distance)
    return normal / distance[:, None], offset


def _right_triangle(distance: Array, height: Array, position: Array) -> tuple[Array, Array]:
    """Area in the unit disc, and volume of the cone from the centre in the unit ball, of a right triangle.

    The triangle lies in a plane at `distance` from the centre of the ball. One corner is the foot of the
    perpendicular; the right angle is at `height` from it; the other leg has the (signed) length `position`.
    """
    sign, leg = np.sign(position), np.abs(position)
    angle = np.arctan2(leg, height)
    disc = np.sqrt(np.maximum(1.0 - distance**2, 0.0))
    inner_leg = np.minimum(np.sqrt(np.maximum(disc**2 - height**2, 0.0)), leg)
    cut = height < disc
    inner_angle = np.where(cut, np.arctan2(inner_leg, height), 0.0)
    inner_leg = np.where(cut, inner_leg, 0.0)
    area = 0.5 * height * inner_leg + 0.5 * (angle - inner_angle) * disc**2
    within = _solid_angle(distance, height, inner_angle) + (angle - inner_angle) * (1.0 - distance)
    beyond = _solid_angle(distance, height, angle) - np.where(distance < 1.0, within, 0.0)
    area = np.where(distance < 1.0, area, 0.0)
    return sign * area, sign * (distance * area + beyond) / 3.0


def _solid_angle(distance: Array, height: Array, angle: Array) -> Array:
    """Solid angle under which the right triangle with this angle at the foot is seen from the centre."""
    hypotenuse = np.hypot(distance, height)
    ratio = np.divide(distance * np.sin(angle), hypotenuse, out=np.zeros_like(hypotenuse), where=hypotenuse > 0.0)
    return angle - np.arcsin(np.clip(ratio, -1.0, 1.0))


class PowerLabels:
    """Which cell a point lies in: nearest neighbour in four dimensions, exact and about 1 µs per point."""

    def __init__(self, seeds: Array, weights: Array) -> None:
        self._tree = cKDTree(np.column_stack([seeds, np.sqrt(weights.max() - weights)]))

    def __call__(self, points: Array) -> Indices:
        """Index of the cell of each point, shape (n,) for points of shape (n, 3)."""
        return np.asarray(self._tree.query(np.column_stack([points, np.zeros(len(points))]))[1], dtype=np.int64)


def power_neighbours(seeds: Array, weights: Array, points: Array, count: int) -> tuple[Array, Indices]:
    """The seeds of smallest power distance to each point.

    Args:
        seeds: Positions [µm], shape (N, 3).
        weights: Weights [µm²], shape (N,).
        points: Points [µm], shape (n, 3).
        count: How many seeds per point.

    Returns:
        Their power distances [µm²] and their numbers, shape (n, count) each.
    """
    tree = cKDTree(np.column_stack([seeds, np.sqrt(weights.max() - weights)]))
    distances, numbers = tree.query(np.column_stack([points, np.zeros(len(points))]), list(range(1, count + 1)))
    return distances**2 - weights.max(), np.asarray(numbers, dtype=np.int64)
