"""A structured box of tetrahedra with any grains: small exact geometries for closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, ParticleMesh
from solver.solve.domain import Domain, build_domain

# The six tetrahedra of a cube around its diagonal 0-7, corners numbered by bits xyz.
_SPLIT = np.array([[0, 1, 3, 7], [0, 1, 7, 5], [0, 5, 7, 4], [0, 3, 2, 7], [0, 6, 4, 7], [0, 2, 6, 7]])


def box(
    counts: tuple[int, int, int],
    sides: tuple[float, float, float] = (1.0, 1.0, 1.0),
    grain_of: Callable[[NDArray[np.float64]], NDArray[np.int32]] | None = None,
) -> ParticleMesh:
    """Box [0, sides] of `counts` cubes; `grain_of` gives grains 1..N from (cells, 3) centroids."""
    axes = [np.linspace(0.0, side, count + 1) for side, count in zip(sides, counts, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(len(points)).reshape([count + 1 for count in counts])
    corners = [
        number[i : counts[0] + i, j : counts[1] + j, k : counts[2] + k].reshape(-1)
        for k in (0, 1)
        for j in (0, 1)
        for i in (0, 1)
    ]
    cells = np.stack(corners, axis=1)[:, _SPLIT].reshape(-1, 4)
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    flipped = np.linalg.det(edges) < 0
    cells[flipped] = cells[flipped][:, [0, 1, 3, 2]]
    grain = grain_of(points[cells].mean(axis=1)) if grain_of else np.ones(len(cells))
    return with_facets(points, cells, grain.astype(np.int32))


def with_facets(points: NDArray[np.float64], cells: NDArray[np.int64], grain: NDArray[np.int32]) -> ParticleMesh:
    """Adds the outer and grain-boundary facets."""
    facets = np.sort(np.concatenate([np.delete(cells, i, axis=1) for i in range(4)]), axis=1)
    owner = np.tile(np.arange(len(cells)), 4)
    order = np.lexsort(facets.T[::-1])
    facets, owner = facets[order], owner[order]
    twin = (facets[1:] == facets[:-1]).all(axis=1)
    outer = facets[~np.append(twin, False) & ~np.append(False, twin)]
    pairs = np.flatnonzero(twin)
    boundary = facets[pairs[grain[owner[pairs]] != grain[owner[pairs + 1]]]]
    tags = np.repeat([OUTER, GRAIN_BOUNDARY], [len(outer), len(boundary)]).astype(np.int32)
    return ParticleMesh(points, cells.astype(np.int64), grain, np.concatenate([outer, boundary]), tags)


def domain_of(mesh: ParticleMesh, c_axes: list[list[float]], comm: MPI.Comm = MPI.COMM_SELF) -> Domain:
    """Domain with the given (not necessarily unit) axes, one per grain."""
    axes = np.asarray(c_axes, dtype=float)
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    return build_domain(comm, mesh, axes) if comm.rank == 0 else build_domain(comm, None, None)


def ball(levels: int, radius: float = 1.0, core_levels: int | None = None) -> ParticleMesh:
    """Ball of nested spheres (a cube grid pushed outwards); grain 1 inside sphere `core_levels`, 2 outside it.

    Args:
        levels: Number of shells between centre and surface.
        radius: Outer radius.
        core_levels: Shell at which grain 2 begins; None for a single grain.
    """
    cube = box((2 * levels,) * 3, (2.0, 2.0, 2.0))
    grid = cube.points - 1.0
    reach = np.abs(grid).max(axis=1)
    length = np.linalg.norm(grid, axis=1)
    points = radius * grid * (reach / np.where(length > 0, length, 1.0))[:, None]
    # The Kuhn diagonal of a cube must run outwards in every octant, or cells along the cube's edges go flat.
    cells = _outward_diagonals(cube, grid, levels)
    volumes = np.linalg.det(points[cells[:, 1:]] - points[cells[:, :1]])
    cells[volumes < 0] = cells[volumes < 0][:, [0, 1, 3, 2]]
    grain = np.ones(len(cells), dtype=np.int32)
    if core_levels is not None:
        level = reach[cells].max(axis=1) * levels
        grain[level > core_levels + 0.5] = 2
    return with_facets(points, cells, grain)


def _outward_diagonals(cube: ParticleMesh, grid: NDArray[np.float64], levels: int) -> NDArray[np.int64]:
    """Cells of the octant x, y, z > 0 mirrored into the other seven."""
    first = cube.cells[(grid[cube.cells].mean(axis=1) > 0).all(axis=1)]
    side = 2 * levels + 1
    index = np.stack(np.unravel_index(first, (side,) * 3), axis=-1) - levels
    mirrored = [index * sign for sign in np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, 8).T]
    placed = np.concatenate(mirrored) + levels
    return np.ravel_multi_index(tuple(np.moveaxis(placed, -1, 0)), (side,) * 3).astype(np.int64)
