"""Triangles of a plane region: curves, net, labels, and what is left of pieces too small to be grains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.particle_mesh import ParticleMesh, all_facets, areas_of, cell_volumes, tagged_mesh
from meshes.planar_net import Size, sample_chains, triangulate
from meshes.quality import check_mesh
from meshes.section_outline import cut_curves

_SMALLEST_PIECE = 4.0  # in squares of the element size
_ROUNDS = 10

Labels = Callable[[Array], Indices]


@dataclass(frozen=True)
class Plane:
    """What is to be meshed.

    Args:
        solid: Polygons of the solid.
        boundaries: Ends of straight pieces of grain boundaries [µm], shape (m, 2, 2).
        grain: Grain (from 1) at points (n, 2) of the plane, shape (n,).
        size: Element size [µm] at points (n, 2).
        smallest: Smallest element size [µm].
        largest: Largest element size [µm].
    """

    solid: BaseGeometry
    boundaries: Array
    grain: Labels
    size: Size
    smallest: float
    largest: float


def mesh_plane(plane: Plane) -> ParticleMesh:
    """Triangles of the solid, tagged outside and at grain boundaries; grains numbered anew from 1.

    Raises:
        MeshError: If nothing is left, or the mesh is not sound.
    """
    edges, boundaries = cut_curves(plane.solid, plane.boundaries)
    curves = sample_chains([*edges, *boundaries], [1] * len(edges) + [2] * len(boundaries), plane.size)
    low, high = np.reshape(plane.solid.bounds, (2, 2))
    margin = 2.0 * plane.largest
    points, triangles = triangulate(curves, plane.size, low - margin, high + margin, plane.smallest, plane.largest)
    centre = points[triangles].mean(axis=1)
    shapely.prepare(plane.solid)
    triangles = triangles[shapely.contains_xy(plane.solid, centre[:, 0], centre[:, 1])]
    triangles = _largest_piece(triangles)
    if not len(triangles):
        raise MeshError("particle: nothing of the cross-section is left; choose fewer pores or a smaller mesh.size")
    centre = points[triangles].mean(axis=1)
    grain = _without_fragments(points, triangles, plane.grain(centre), plane.size)
    grain = np.unique(grain, return_inverse=True)[1].astype(np.int32) + 1
    used, corners = np.unique(triangles, return_inverse=True)
    spatial = np.column_stack([points[used], np.zeros(len(used))])
    mesh = tagged_mesh(spatial, corners.reshape(-1, 3).astype(np.int64), grain)
    check_mesh(mesh, one_piece_grains=False)
    return mesh


def _pieces(pairs: Indices, count: int) -> Indices:
    graph = coo_matrix((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _largest_piece(triangles: Indices) -> Indices:
    """The triangles that hang together, through edges, with the most others."""
    if not len(triangles):
        return triangles
    cells = all_facets(triangles).cells
    piece = _pieces(cells[cells[:, 1] >= 0], len(triangles))
    return triangles[piece == np.bincount(piece).argmax()]


def _without_fragments(points: Array, triangles: Indices, grain: Indices, size: Size) -> Indices:
    """Grains, small pieces that lie apart from the rest of their grain given to the neighbour they share most with."""
    facets = all_facets(triangles)
    inner = facets.uses == 2
    cells, corners = facets.cells[inner], facets.corners[inner]
    length = areas_of(points, corners)
    weight = cell_volumes(points, triangles) / size(points[triangles].mean(axis=1)) ** 2
    for _ in range(_ROUNDS):
        piece = _pieces(cells[grain[cells[:, 0]] == grain[cells[:, 1]]], len(triangles))
        small = np.bincount(piece, weight) < _SMALLEST_PIECE
        between = piece[cells]
        away = between[:, 0] != between[:, 1]
        if not small.any() or not away.any():
            break
        pair, other, shared = (
            np.concatenate([between[away, 0], between[away, 1]]),
            np.concatenate([between[away, 1], between[away, 0]]),
            np.tile(length[away], 2),
        )
        chosen = small[pair] & ~small[other]
        if not chosen.any():
            break
        grain_of_piece = np.empty(len(small), dtype=np.int64)
        grain_of_piece[piece] = grain
        total = coo_matrix((shared[chosen], (pair[chosen], other[chosen])), shape=(len(small), len(small))).tocsr()
        rows = np.unique(pair[chosen])
        grain_of_piece[rows] = grain_of_piece[np.asarray(total[rows].argmax(axis=1)).ravel()]
        grain = grain_of_piece[piece]
    return grain


def mesh_polygon(mesh: ParticleMesh) -> BaseGeometry:
    """What the triangles of a mesh cover, as polygons."""
    return shapely.coverage_union_all(shapely.polygons(mesh.points[mesh.cells][:, :, :2]))
