"""The matrix around a particle: a sphere or a box of the right volume, filled with tetrahedra between it and the skin.

The outer surface is triangulated here, octant by octant; the filling is Gmsh's, from the small triangles of the
particle to the larger ones outside.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meshes.arrays import Array, Indices
from meshes.coating import Problem
from meshes.designs import Matrix
from meshes.errors import MeshError, Unmeshable
from meshes.particle import Particle
from meshes.surface_mesh import Runner

# Smallest distance between particle and outer surface over the radius of the matrix.
_CLEARANCE = 0.02
# A ball in a cube that it touches takes 52 %; this leaves room for elements.
_MOST_IN_BOX = 0.45
_GROWTH = 0.35  # of the element size, per distance from the particle
_COARSEST = 0.5  # element size over the distance of the outer surface from the centre
_SNAP = 1e-9


@dataclass(frozen=True)
class Filling:
    """The matrix as it was filled.

    Args:
        points: All points, those of the particle first [µm], shape (n, 3).
        cells: Its tetrahedra, shape (m, 4).
        outer: Its facets on the outside, shape (k, 3).
        planes: Its facets in the planes x = 0, y = 0, z = 0, if it is a sector, three arrays (k, 3).
        half_width: Radius of the sphere, or half the edge of the box [µm].
    """

    points: Array
    cells: Indices
    outer: Indices
    planes: tuple[Indices, ...]
    half_width: float


def matrix_problems(particle: Particle) -> Iterator[Problem]:
    """What is wrong with the matrix of a particle: the key it is about, and what to write instead."""
    matrix = particle.matrix
    if matrix is None:
        return
    fraction = float(matrix.volume_fraction)
    if matrix.shape == "box" and fraction > _MOST_IN_BOX:
        text = f"a particle of {100 * fraction:.3g} % does not fit into a box; write at most {100 * _MOST_IN_BOX:g} %"
        yield ("matrix", "volume_fraction"), text
    dry = "no liquid reaches the pores of a particle in a solid electrolyte"
    if particle.pores is not None and particle.pores.wetted not in ("none", "connected"):
        yield ("pores", "wetted"), f"{dry}; write none"
    if particle.void is not None and particle.void.wetted:
        yield ("void", "wetted"), f"{dry}; write false"


def fill_around(points: Array, inner: Indices, volume: float, matrix: Matrix, centre: Array, run: Runner) -> Filling:
    """Fill the space between a closed surface and the outer surface.

    Args:
        points: Points of the particle [µm], shape (n, 3).
        inner: The closed surface, turned outwards, shape (k, 3).
        volume: Volume within the outer surface [µm³].
        matrix: The description.
        centre: Centre of the matrix [µm], shape (3,).
        run: Runs a job in the child process.

    Returns:
        The matrix.

    Raises:
        MeshError: If the particle does not fit in, or the space cannot be filled.
    """
    shape, outer = _outer_surface(points, inner, volume, matrix, centre)
    job_points = np.concatenate([points, shape])
    faces = [inner, outer + len(points)]
    filled_points, cells = _filled(job_points, faces, _edge_length(shape, outer), run)
    reach = np.linalg.norm(shape - centre, axis=1) if matrix.shape == "sphere" else np.abs(shape - centre)
    return Filling(filled_points, cells, faces[1], (), float(reach.max()))


def _outer_surface(
    points: Array, inner: Indices, volume: float, matrix: Matrix, centre: Array
) -> tuple[Array, Indices]:
    """Points and triangles of the outer surface, of the right volume.

    Raises:
        MeshError: If it would cut the particle.
    """
    fraction = float(matrix.volume_fraction)
    places = points[np.unique(inner)] - centre
    distances = np.linalg.norm(places, axis=1)
    reach = distances.max() if matrix.shape == "sphere" else np.abs(places).max()
    half_width = (volume / (4.0 / 3.0 * math.pi if matrix.shape == "sphere" else 8.0)) ** (1 / 3)
    if half_width * (1.0 - _CLEARANCE) < reach:
        most = fraction * (half_width * (1.0 - _CLEARANCE) / reach) ** 3
        raise MeshError(
            f"particle.matrix.volume_fraction: a {matrix.shape} of {100 * fraction:.3g} % would cut the particle; "
            f"write at most {math.floor(100 * most)} %"
        )
    gap = half_width * (1.0 if matrix.shape == "sphere" else 1.2) - distances.mean()
    size = min(_edge_length(points, inner) + _GROWTH * gap, _COARSEST * half_width)
    octant, triangles = (_sphere_octant if matrix.shape == "sphere" else _box_octant)(half_width, size)
    shape, outer = mirrored(octant, triangles)
    shape *= (volume / volume_within(shape, outer)) ** (1 / 3)
    return shape + centre, outer


def _sphere_octant(radius: float, size: float) -> tuple[Array, Indices]:
    """One octant of a sphere [µm], triangles turned outwards."""
    count = max(2, math.ceil(0.5 * math.pi * radius / size))
    grid, triangles = _triangle_grid(count)
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


def _box_octant(half_edge: float, size: float) -> tuple[Array, Indices]:
    """The three squares of a cube in one octant [µm], triangles turned outwards."""
    count = max(2, math.ceil(half_edge / size))
    number = np.arange((count + 1) ** 2).reshape(count + 1, count + 1)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    square = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    first, second = np.divmod(np.arange((count + 1) ** 2), count + 1)
    plane = np.column_stack([first, second, np.full(len(first), count)])
    points = np.concatenate([np.roll(plane, turn, axis=1) for turn in range(3)])
    triangles = np.concatenate([square + turn * len(plane) for turn in range(3)])
    return _merged(points * (half_edge / count), triangles)


def mirrored(octant: Array, triangles: Indices) -> tuple[Array, Indices]:
    """A surface from its part in the octant of positive coordinates, shapes as there."""
    points, corners = [], []
    for number, signs in enumerate(itertools.product((1.0, -1.0), repeat=3)):
        points.append(octant * signs)
        turned = triangles if np.prod(signs) > 0.0 else triangles[:, ::-1]
        corners.append(turned + number * len(octant))
    return _merged(np.concatenate(points), np.concatenate(corners))


def _merged(points: Array, triangles: Indices) -> tuple[Array, Indices]:
    """Points that coincide made one."""
    scale = _SNAP * np.abs(points).max()
    _, first, number = np.unique(
        np.round(points / scale).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    return points[first], number.reshape(-1)[triangles]


def volume_within(points: Array, triangles: Indices) -> float:
    """Volume between triangles turned outwards and the origin [µm³]."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def _edge_length(points: Array, triangles: Indices) -> float:
    """Median length of edges [µm]."""
    return float(np.median(np.linalg.norm(points[triangles] - points[np.roll(triangles, 1, axis=1)], axis=2)))


def _filled(points: Array, faces: list[Indices], size: float, run: Runner) -> tuple[Array, Indices]:
    """Points and tetrahedra between closed faces."""
    used, corners = np.unique(np.concatenate(faces), return_inverse=True)
    job = {
        "size": np.array(size),
        "points": points[used],
        "triangles": corners.reshape(-1, 3),
        "face_triangles": np.array([len(face) for face in faces]),
        "cell_faces": np.arange(len(faces)),
        "cell_face_counts": np.array([len(faces)]),
    }
    try:
        answer = run("volumes", job)
    except Unmeshable as failure:
        raise MeshError(f"particle.matrix: the space around the particle could not be filled ({failure})") from failure
    number = np.concatenate([used, len(points) + np.arange(len(answer["points"]) - len(used))])
    return np.concatenate([points, answer["points"][len(used) :]]), number[answer["tetrahedra"]]
