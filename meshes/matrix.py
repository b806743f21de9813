"""The matrix around a particle: a sphere or a box of the right volume, and what fills the space between.

Elements grow from those of the particle's surface to larger ones outside. Cross-sections get a circle or a square, an
eighth its part of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meshes.arrays import Array, Indices
from meshes.coating import Problem
from meshes.designs import Matrix
from meshes.errors import MeshError, Unmeshable
from meshes.matrix_filling import fill_ring, fill_volume, sector_planes
from meshes.matrix_outline import outer_surface
from meshes.particle import Particle
from meshes.particle_mesh import cell_volumes
from meshes.surface_mesh import Runner

# Smallest distance between particle and outer surface over half the width of the matrix.
_CLEARANCE = 0.02
_GROWTH = 0.35  # of the element size, per distance from the particle
_VOLUME_TOLERANCE = 1e-6  # of the filling
_COARSEST = 0.5  # element size over half the width
# Volume of the ball and of the cube of half width 1, areas of disc and square.
_VOLUMES = {("sphere", 3): 4.0 / 3.0 * math.pi, ("box", 3): 8.0, ("sphere", 2): math.pi, ("box", 2): 4.0}
# A ball takes 52 % of a cube that it touches, a disc 79 % of a square; this leaves room for elements.
_MOST_IN_BOX = {3: 0.45, 2: 0.65}


@dataclass(frozen=True)
class Filling:
    """The matrix as it was filled.

    Args:
        points: All points, those of the particle first [µm], shape (n, 3).
        cells: Its cells, shape (m, dimension + 1).
        outer: Its facets on the outside, shape (k, dimension).
        planes: Of an eighth, its facets in the planes x = 0, y = 0, z = 0, three arrays (k, 3).
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
    fraction, most = float(matrix.volume_fraction), _MOST_IN_BOX[particle.dimension]
    if matrix.shape == "box" and fraction > most:
        text = f"a particle of {100 * fraction:.3g} % does not fit into a box; write at most {100 * most:g} %"
        yield ("matrix", "volume_fraction"), text
    dry = "no liquid reaches the pores of a particle in a solid electrolyte"
    if particle.pores is not None and particle.pores.wetted not in ("none", "connected"):
        yield ("pores", "wetted"), f"{dry}; write none"
    if particle.void is not None and particle.void.wetted:
        yield ("void", "wetted"), f"{dry}; write false"


def fill_around(
    points: Array, inner: Indices, volume: float, matrix: Matrix, centre: Array, sector: bool, run: Runner
) -> Filling:
    """Fill the space between a particle and the outer surface.

    Args:
        points: Points of the particle [µm], shape (n, 3).
        inner: Its surface, turned outwards, shape (k, dimension); closed, or that of an octant.
        volume: Volume within the outer surface [µm³].
        matrix: The description.
        centre: Centre of the matrix [µm], shape (3,); the origin if it is an eighth.
        sector: Whether it is an eighth.
        run: Runs a job in the child process.

    Raises:
        MeshError: If the particle does not fit in, or the space cannot be filled.
    """
    dimension = inner.shape[1]
    shape, facets, size = _outer_surface(points, inner, 8.0 * volume if sector else volume, matrix, centre, sector)
    outer, finest = facets + len(points), _edge_length(points, inner)
    points = np.concatenate([points, shape])
    planes: list[Indices] = []
    try:
        if sector:
            points, planes = sector_planes(points, inner, outer, (finest, size), run)
        if dimension == 2:
            points, cells = fill_ring(points, inner, outer, size, run)
        else:
            points, cells = fill_volume(points, [inner, outer, *planes], size, run)
    except Unmeshable as failure:
        raise MeshError(f"particle.matrix: the space around the particle could not be filled ({failure})") from failure
    wanted = volume_within(points, outer) - volume_within(points, inner)
    if abs(cell_volumes(points, cells).sum() - wanted) > _VOLUME_TOLERANCE * wanted:
        raise MeshError(
            "particle.matrix: the space around the particle could not be filled, its surface crosses itself; write "
            "another particle.grains.seed or a smoother surface"
        )
    reach = np.linalg.norm(shape - centre, axis=1) if matrix.shape == "sphere" else np.abs(shape - centre)
    return Filling(points, cells, outer, tuple(planes), float(reach.max()))


def _outer_surface(
    points: Array, inner: Indices, volume: float, matrix: Matrix, centre: Array, sector: bool
) -> tuple[Array, Indices, float]:
    """Points and facets of an outer surface that encloses a volume, and its element size.

    Raises:
        MeshError: If it would cut the particle.
    """
    dimension = inner.shape[1]
    places = points[np.unique(inner)] - centre
    distances = np.linalg.norm(places, axis=1)
    reach = distances.max() if matrix.shape == "sphere" else np.abs(places).max()
    half_width = (volume / _VOLUMES[matrix.shape, dimension]) ** (1.0 / dimension)
    if half_width * (1.0 - _CLEARANCE) < reach:
        fraction = float(matrix.volume_fraction)
        most = fraction * (half_width * (1.0 - _CLEARANCE) / reach) ** dimension
        raise MeshError(
            f"particle.matrix.volume_fraction: a {matrix.shape} of {100 * fraction:.3g} % would cut the particle; "
            f"write at most {math.floor(100 * most)} %"
        )
    gap = half_width * (1.0 if matrix.shape == "sphere" else 1.2) - float(distances.mean())
    size = min(_edge_length(points, inner) + _GROWTH * gap, _COARSEST * half_width)
    shape, outer = outer_surface(matrix.shape, half_width, size, dimension, sector)
    built = volume_within(shape, outer) * (8.0 if sector else 1.0)
    return shape * (volume / built) ** (1.0 / dimension) + centre, outer, size


def volume_within(points: Array, facets: Indices) -> float:
    """Volume between triangles turned outwards and the origin [µm³]; of edges, the area [µm²]."""
    corners = [points[facets[:, corner]] for corner in range(facets.shape[1])]
    if len(corners) == 2:
        return float(np.cross(corners[0], corners[1])[:, 2].sum() / 2.0)
    return float(np.einsum("ij,ij->i", corners[0], np.cross(corners[1], corners[2])).sum() / 6.0)


def _edge_length(points: Array, facets: Indices) -> float:
    """Median length of edges [µm]."""
    return float(np.median(np.linalg.norm(points[facets] - points[np.roll(facets, 1, axis=1)], axis=2)))
