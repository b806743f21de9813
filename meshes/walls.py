"""Which facets of a carved particle lie on its outer surface, and which on the walls of its pores and its void."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshes.arrays import Array
from meshes.label_field import LabelField
from meshes.particle_mesh import OUTER, PORE_WALL, PORE_WALLS, ParticleMesh


def tag_walls(mesh: ParticleMesh, field: LabelField) -> ParticleMesh:
    """The mesh with the facets that face pores, void or channel tagged `PORE_WALL` instead of `OUTER`.

    Nodes lie on the walls they stand for, so the wall of a facet is the one all its nodes are closest to.

    Args:
        mesh: A mesh with `OUTER` and `GRAIN_BOUNDARY` only.
        field: What it was made from.
    """
    exposed = np.flatnonzero(mesh.facet_tags == OUTER)
    corners = mesh.points[mesh.facets[exposed]]
    to_hole = field.hole_distance(corners.reshape(-1, 3)).reshape(-1, 3).max(axis=1)
    depth = np.abs(1.0 - np.linalg.norm(field.outline.to_ball(corners), axis=2)).max(axis=1) * field.outline.radius
    tags = mesh.facet_tags.copy()
    tags[exposed[to_hole < depth]] = PORE_WALL
    return replace(mesh, facet_tags=tags)


def on_void(mesh: ParticleMesh, field: LabelField) -> Array:
    """Which facets are on the wall of the void or its channel, shape (k,); pores that cut into it do not count."""
    walls = np.flatnonzero(np.isin(mesh.facet_tags, PORE_WALLS))
    corners = mesh.points[mesh.facets[walls]].reshape(-1, 3)
    to_void = field.void_distance(corners).reshape(-1, 3).max(axis=1)
    to_pore = replace(field, void_radius=0.0, channel_radius=None).hole_distance(corners).reshape(-1, 3).max(axis=1)
    found = np.zeros(len(mesh.facets), dtype=bool)
    found[walls[to_void < to_pore]] = True
    return found
