"""Which facets of a carved particle lie on its outer surface, and which on the walls of its pores and its void."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshes.label_field import LabelField
from meshes.particle_mesh import OUTER, PORE_WALL, ParticleMesh


def tag_walls(mesh: ParticleMesh, field: LabelField) -> ParticleMesh:
    """The mesh with the facets that face pores, void or channel tagged `PORE_WALL` instead of `OUTER`.

    Nodes lie on the walls they stand for, so the wall of a facet is the one all its nodes are closest to.

    Args:
        mesh: A mesh with `OUTER` and `GRAIN_BOUNDARY` only.
        field: What it was made from.
    """
    exposed = np.flatnonzero(mesh.facet_tags == OUTER)
    corners = mesh.points[mesh.facets[exposed]]
    to_hole = field.hole_distance(corners.reshape(-1, 3)).reshape(corners.shape[:2]).max(axis=1)
    depth = np.abs(1.0 - np.linalg.norm(field.outline.to_ball(corners), axis=2)).max(axis=1) * field.outline.radius
    tags = mesh.facet_tags.copy()
    tags[exposed[to_hole < depth]] = PORE_WALL
    return replace(mesh, facet_tags=tags)
