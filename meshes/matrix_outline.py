"""Outer surfaces of a matrix as triangles (in two dimensions edges): sphere and box, octant by octant."""

from __future__ import annotations

import itertools
import math

import numpy as np

from meshes.arrays import Array, Indices

_SNAP = 1e-9  # of the size; points nearer than this are one
_FEWEST = 2  # elements along an octant's edge


def outer_surface(shape: str, half_width: float, size: float, dimension: int, sector: bool) -> tuple[Array, Indices]:
    """A sphere or a box about the origin (a circle or a square).

    Args:
        shape: "sphere" or "box".
        half_width: Radius, or half the edge [µm].
        size: Element size [µm].
        dimension: 3 for triangles, 2 for edges in the plane z = 0.
        sector: Whether only the octant of positive coordinates is wanted.

    Returns:
        Points [µm] (n, 3), and facets turned outwards (k, dimension).
    """
    octants = {("sphere", 3): _sphere, ("box", 3): _box, ("sphere", 2): _circle, ("box", 2): _square}
    points, facets = octants[shape, dimension](half_width, size)
    return (points, facets) if sector else _mirrored(points, facets)


def _sphere(radius: float, size: float) -> tuple[Array, Indices]:
    count = max(_FEWEST, math.ceil(0.5 * math.pi * radius / size))
    grid, triangles = _triangle_grid(count)
    # Sines space the points evenly along the edges of the octant.
    points = np.sin(0.5 * math.pi * grid / count)
    return radius * points / np.linalg.norm(points, axis=1, keepdims=True), triangles


def _triangle_grid(count: int) -> tuple[Indices, Indices]:
    """Lattice points (i, j, k) with i + j + k = count, and the triangles between them."""
    grid = np.array([(i, j, count - i - j) for i in range(count + 1) for j in range(count + 1 - i)])
    number = np.full((count + 2, count + 2), -1)
    number[grid[:, 0], grid[:, 1]] = np.arange(len(grid))
    i, j = grid[grid[:, 2] > 0, :2].T
    upright = np.column_stack([number[i, j], number[i + 1, j], number[i, j + 1]])
    i, j = grid[grid[:, 2] > 1, :2].T
    turned = np.column_stack([number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]])
    return grid, np.concatenate([upright, turned])


def _box(half_edge: float, size: float) -> tuple[Array, Indices]:
    count = max(_FEWEST, math.ceil(half_edge / size))
    number = np.arange((count + 1) ** 2).reshape(count + 1, count + 1)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    square = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    first, second = np.divmod(np.arange((count + 1) ** 2), count + 1)
    plane = np.column_stack([first, second, np.full(len(first), count)])
    points = np.concatenate([np.roll(plane, turn, axis=1) for turn in range(3)])
    triangles = np.concatenate([square + turn * len(plane) for turn in range(3)])
    return _merged(points * (half_edge / count), triangles)


def _circle(radius: float, size: float) -> tuple[Array, Indices]:
    count = max(_FEWEST, math.ceil(0.5 * math.pi * radius / size))
    angle = 0.5 * math.pi * np.arange(count + 1) / count
    points = radius * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count + 1)])
    points[-1, 0] = 0.0
    return points, _chain(count)


def _square(half_edge: float, size: float) -> tuple[Array, Indices]:
    count = max(_FEWEST, math.ceil(half_edge / size))
    steps = half_edge * np.arange(count + 1) / count
    side, zero = np.full(count + 1, half_edge), np.zeros(count + 1)
    upward = np.column_stack([side, steps, zero])
    back = np.column_stack([steps[::-1], side, zero])
    return np.concatenate([upward, back[1:]]), _chain(2 * count)


def _chain(count: int) -> Indices:
    return np.column_stack([np.arange(count), np.arange(1, count + 1)])


def _mirrored(octant: Array, facets: Indices) -> tuple[Array, Indices]:
    """A closed surface from its part in the octant (quadrant) of positive coordinates, shapes as there."""
    points, corners = [], []
    for number, signs in enumerate(itertools.product((1.0, -1.0), repeat=facets.shape[1])):
        points.append(octant * [*signs, 1.0][:3])
        corners.append((facets if np.prod(signs) > 0.0 else facets[:, ::-1]) + number * len(octant))
    return _merged(np.concatenate(points), np.concatenate(corners))


def _merged(points: Array, facets: Indices) -> tuple[Array, Indices]:
    """Points that coincide made one."""
    places = np.round(points / (_SNAP * np.abs(points).max())).astype(np.int64)
    _, first, number = np.unique(places, axis=0, return_index=True, return_inverse=True)
    return points[first], number.reshape(-1)[facets]
