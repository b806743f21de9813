"""Balls of nested spheres with shells, cavities and pores, and their octants: meshes of the region cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from boxes import ball
from numpy.typing import NDArray

from meshes.particle_mesh import (
    COATED_SURFACE,
    COATING,
    COATING_INNER,
    COATING_OUTER,
    GRAIN_BOUNDARY,
    OUTER,
    PORE_WALL,
    SYMMETRY,
    ParticleMesh,
    tagged_mesh,
)

Array = NDArray[np.float64]


def coated_ball(levels: int, core_levels: int, radius: float = 1.0) -> ParticleMesh:
    """A ball of one grain up to level `core_levels`, in a shell that is a coating."""
    mesh = ball(levels, radius, core_levels)
    region = np.where(mesh.grain == 2, COATING, 1).astype(np.int32)
    coated = tagged_mesh(mesh.points, mesh.cells, region)
    tags = np.select(
        [coated.facet_tags == GRAIN_BOUNDARY, coated.facet_tags == OUTER],
        [COATING_INNER, COATING_OUTER],
        coated.facet_tags,
    )
    return replace(coated, facet_tags=tags.astype(np.int32))


def filmed_ball(levels: int, radius: float = 1.0, above: float = -np.inf) -> ParticleMesh:
    """A ball of one grain, under a membrane where the centroid of a facet has z > `above`."""
    mesh = ball(levels, radius)
    filmed = (mesh.facet_tags == OUTER) & (mesh.points[mesh.facets].mean(axis=1)[:, 2] > above)
    return replace(mesh, facet_tags=np.where(filmed, COATED_SURFACE, mesh.facet_tags).astype(np.int32))


def hollow_ball(levels: int, hollow_levels: int, inner: float, outer: float) -> ParticleMesh:
    """A ball without its inner levels; radii grow from `inner` to `outer`, the more the farther out."""
    mesh = ball(levels)
    level = np.linalg.norm(mesh.points, axis=1) * levels
    share = np.maximum(level - hollow_levels, 0.0) / (levels - hollow_levels)
    grown = inner * (outer / inner) ** (share**1.6)
    points = mesh.points * (grown / np.maximum(level, 1e-12) * levels)[:, None]
    return _carved(points, mesh.cells, level[mesh.cells].max(axis=1) > hollow_levels + 0.5, 0.5 * (inner + outer))


def porous_ball(levels: int, centres: Array, size: float) -> ParticleMesh:
    """A ball of radius 1 with eight grains (octants), without the cells within `size` of any centre."""
    mesh = ball(levels)
    centroids = mesh.points[mesh.cells].mean(axis=1)
    kept = (np.linalg.norm(centroids[:, None] - centres, axis=2) > size).all(axis=1)
    carved = _carved(mesh.points, mesh.cells, kept, 1.0 - 1e-9)
    grain = ((carved.points[carved.cells].mean(axis=1) > 0) @ [1, 2, 4] + 1).astype(np.int32)
    parts = tagged_mesh(carved.points, carved.cells, grain)
    return replace(parts, facet_tags=_walls(parts, 1.0 - 1e-9))


def octant(mesh: ParticleMesh) -> ParticleMesh:
    """The part with x, y, z > 0 of a mesh that has facets on the three planes, with its planes of symmetry tagged."""
    inside = (mesh.points[mesh.cells].mean(axis=1) > 0).all(axis=1)
    used, cells = np.unique(mesh.cells[inside], return_inverse=True)
    part = tagged_mesh(mesh.points[used], cells.reshape(-1, 4), mesh.grain[inside])
    before = {tuple(facet): tag for facet, tag in zip(np.sort(mesh.facets, axis=1).tolist(), mesh.facet_tags)}
    corners = part.points[part.facets]
    on_plane = [(np.abs(corners[:, :, axis]) < 1e-9).all(axis=1) for axis in range(3)]
    old = [before.get(tuple(facet), OUTER) for facet in np.sort(used[part.facets], axis=1).tolist()]
    return replace(part, facet_tags=np.select(on_plane, SYMMETRY, old).astype(np.int32))


def _carved(points: Array, cells: NDArray[np.int64], kept: NDArray[np.bool_], within: float) -> ParticleMesh:
    """Some cells as one grain; facets within a radius are walls of pores."""
    used, numbers = np.unique(cells[kept], return_inverse=True)
    mesh = tagged_mesh(points[used], numbers.reshape(-1, 4), np.ones(int(kept.sum()), dtype=np.int32))
    return replace(mesh, facet_tags=_walls(mesh, within))


def _walls(mesh: ParticleMesh, within: float) -> NDArray[np.int32]:
    inner = (np.linalg.norm(mesh.points[mesh.facets], axis=2) < within).any(axis=1)
    return np.where(inner & (mesh.facet_tags == OUTER), PORE_WALL, mesh.facet_tags).astype(np.int32)
