"""Edges of a cross-section that lie against a hole: which they are, and through which of them lithium passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.particle_mesh import OUTER, PORE_WALL, WETTED_PORE_WALL, ParticleMesh, areas_of

_STREAM = 8
_NEAR = 0.3  # of an edge: as far its middle may be from the curve it belongs to
_TANGENT = 0.8  # cosine between an edge and that curve


@dataclass(frozen=True)
class Walls:
    """Edges against the outside of a section.

    Args:
        facets: Their numbers among the tagged facets of the mesh, shape (k,).
        lengths: Their lengths [µm], shape (k,).
        rim: Whether they are on the outline, shape (k,).
        void: Whether they are on the void at the centre, shape (k,).
        hole: Which connected chain of wall edges they belong to, -1 on the outline, shape (k,).
        is_open: Whether that chain begins at the outline, shape (k,).
    """

    facets: Indices
    lengths: Array
    rim: Array
    void: Array
    hole: Indices
    is_open: Array


def find_walls(mesh: ParticleMesh, radius: float, void_radius: float) -> Walls:
    """Tell the outline and the holes of a round section apart.

    Args:
        mesh: The section, its edges against the outside tagged `OUTER`.
        radius: Radius of the section [µm].
        void_radius: Radius of the void at its centre [µm], 0 without one.
    """
    outside = np.flatnonzero(mesh.facet_tags == OUTER)
    facets = mesh.facets[outside]
    rim = _on_circle(mesh.points, facets, radius)
    void = _on_circle(mesh.points, facets, void_radius) if void_radius else np.zeros(len(outside), dtype=bool)
    hole = np.full(len(outside), -1)
    hole[~rim] = _chains(facets[~rim])
    touches = np.isin(facets, facets[rim]).any(axis=1) & ~rim
    is_open = np.isin(hole, hole[touches]) & ~rim
    return Walls(outside, areas_of(mesh.points, facets), rim, void & ~rim, hole, is_open)


def _on_circle(points: Array, facets: Indices, radius: float) -> Array:
    """Which edges follow a circle about the origin, shape (k,)."""
    ends = points[facets, :2]
    middle, along = ends.mean(axis=1), ends[:, 1] - ends[:, 0]
    length, distance = np.linalg.norm(along, axis=1), np.linalg.norm(middle, axis=1)
    sagitta = length**2 / (8.0 * radius)
    across = np.abs(middle[:, 0] * along[:, 1] - middle[:, 1] * along[:, 0])
    return (np.abs(distance - radius) < _NEAR * length + sagitta) & (across > _TANGENT * length * distance)


def _chains(facets: Indices) -> Indices:
    """Number of the connected chain of every edge, shape (k,)."""
    if not len(facets):
        return np.empty(0, dtype=np.int64)
    nodes, local = np.unique(facets, return_inverse=True)
    local = local.reshape(facets.shape)
    graph = coo_matrix((np.ones(len(local)), (local[:, 0], local[:, 1])), shape=(len(nodes), len(nodes)))
    node_piece = connected_components(graph, directed=False)[1]
    return np.unique(node_piece[local[:, 0]], return_inverse=True)[1]


def wall_tags(mesh: ParticleMesh, walls: Walls, wetted: str | float, void_wetted: bool, seed: int) -> Indices:
    """Facet tags with holes told from the outline, and wet walls from dry ones, shape (facets,).

    Args:
        mesh: The section.
        walls: Its edges against the outside.
        wetted: Which pores are wet: "none", "connected", "all" or a share of the wall length.
        void_wetted: Whether the wall of the void is.
        seed: Decides which pores make up a share.
    """
    match wetted:
        case "none":
            wet = np.zeros_like(walls.rim)
        case "connected":
            wet = walls.is_open
        case "all":
            wet = ~walls.rim
        case share:
            wet = _share(walls, float(share), np.random.default_rng([seed, _STREAM]))
    wet = np.where(walls.void, void_wetted, wet)
    tags = mesh.facet_tags.copy()
    tags[walls.facets] = np.where(walls.rim, OUTER, np.where(wet, WETTED_PORE_WALL, PORE_WALL))
    return tags


def _share(walls: Walls, share: float, random: np.random.Generator) -> Array:
    """Whole pores, in random order, whose walls come closest to a share of all."""
    pores = ~walls.rim & ~walls.void
    lengths = np.bincount(walls.hole[pores], walls.lengths[pores], int(walls.hole.max(initial=-1)) + 1)
    order = random.permutation(len(lengths))
    reached = np.concatenate([[0.0], np.cumsum(lengths[order])])
    chosen = order[: int(np.argmin(np.abs(reached - share * reached[-1])))]
    return pores & np.isin(walls.hole, chosen)
