"""Small meshes of sections without a mesher: a block of triangles, or one bent into a disc; grains by any rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import ParticleMesh, tagged_mesh
from solver.solve.domain import Domain, build_domain

GrainRule = Callable[[NDArray[np.float64]], NDArray[np.int32]]


def rectangle(counts: tuple[int, int], sides: tuple[float, float], grain_of: GrainRule | None = None) -> ParticleMesh:
    """Rectangle [0, sides] of `counts` squares, two triangles each; `grain_of` gives grains 1..N from centroids."""
    points, square, place = _squares(counts, sides)
    # Both diagonals by turns: no direction is preferred.
    return _tagged(points, _halved(square, place.sum(axis=1) % 2 == 0), grain_of)


def _squares(
    counts: tuple[int, int], sides: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Points (n, 3), corners of the squares (m, 4) anticlockwise, and their column and row (m, 2)."""
    axes = [np.linspace(0.0, side, count + 1) for side, count in zip(sides, counts, strict=True)]
    y, x = np.meshgrid(axes[1], axes[0], indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    j, i = (part.ravel() for part in np.meshgrid(np.arange(counts[1]), np.arange(counts[0]), indexing="ij"))
    corner = i + (counts[0] + 1) * j
    return points, corner[:, None] + np.array([0, 1, counts[0] + 2, counts[0] + 1]), np.column_stack([i, j])


def _halved(square: NDArray[np.int64], rising: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Two triangles of each square, cut along the rising or the falling diagonal."""
    up = rising[:, None]
    first = np.where(up, square[:, [0, 1, 2]], square[:, [0, 1, 3]])
    second = np.where(up, square[:, [0, 2, 3]], square[:, [1, 2, 3]])
    return np.concatenate([first, second])


def disc(levels: int, radius: float = 1.0, grain_of: GrainRule | None = None) -> ParticleMesh:
    """Disc of `levels` rings about its centre; the rings are circles, as a grid of squares pushed outwards."""
    points, square, place = _squares((2 * levels, 2 * levels), (2.0, 2.0))
    grid = points - [1.0, 1.0, 0.0]
    reach, length = np.abs(grid).max(axis=1), np.linalg.norm(grid, axis=1)
    points = radius * grid * np.divide(reach, length, out=np.ones_like(length), where=length > 0.0)[:, None]
    # Diagonals run outwards: one that cuts off a corner of the square would leave a flat triangle in the disc.
    right, upper = (place >= levels).T
    return _tagged(points, _halved(square, right == upper), grain_of)


def _tagged(points: NDArray[np.float64], cells: NDArray[np.int64], grain_of: GrainRule | None) -> ParticleMesh:
    grain = grain_of(points[cells].mean(axis=1)) if grain_of else np.ones(len(cells), dtype=np.int32)
    return tagged_mesh(points, cells, grain)


def nearest_seed(seeds: NDArray[np.float64]) -> GrainRule:
    """Grains as the cells nearest to seeds (N, 3); seeds without cells are left out of the numbering."""

    def grain_of(centroids: NDArray[np.float64]) -> NDArray[np.int32]:
        nearest = np.argmin(np.linalg.norm(centroids[:, None] - seeds, axis=2), axis=1)
        return (np.unique(nearest, return_inverse=True)[1] + 1).astype(np.int32)

    return grain_of


def polycrystal_mesh(levels: int = 12, radius: float = 2.0, grains: int = 9) -> ParticleMesh:
    """A disc of grains."""
    seeds = np.random.default_rng(3).uniform(-radius, radius, (grains, 3)) * [1.0, 1.0, 0.0]
    return disc(levels, radius, nearest_seed(seeds))


def polycrystal(comm: MPI.Comm = MPI.COMM_WORLD, **options: int) -> Domain:
    """`polycrystal_mesh` with random c axes, distributed over the ranks."""
    mesh = polycrystal_mesh(**options) if comm.rank == 0 else None
    axes = None
    if mesh is not None:
        axes = np.random.default_rng(5).normal(size=(mesh.grain_count, 3))
        axes /= np.linalg.norm(axes, axis=1)[:, None]
    return build_domain(comm, mesh, axes)
