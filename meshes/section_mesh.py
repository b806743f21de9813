"""Triangles of a plane region: curves, net, labels, and what is left of pieces too small to be grains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.particle_mesh import Facets, ParticleMesh, all_facets, areas_of, cell_volumes, tagged_mesh
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
    triangles = _without_hinges(_largest_piece(triangles))
    if not len(triangles):
        raise MeshError("particle: nothing of the cross-section is left; choose fewer pores or a smaller mesh.size")
    centre = points[triangles].mean(axis=1)
    grain = _in_one_piece(points, triangles, plane.grain(centre), plane.size)
    grain = np.unique(grain, return_inverse=True)[1].astype(np.int32) + 1
    used, corners = np.unique(triangles, return_inverse=True)
    spatial = np.column_stack([points[used], np.zeros(len(used))])
    mesh = tagged_mesh(spatial, corners.reshape(-1, 3).astype(np.int64), grain)
    check_mesh(mesh)
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


def _without_hinges(triangles: Indices) -> Indices:
    """Triangles without places where the solid hangs together by a single point: the smaller fan there is left out."""
    for _ in range(_ROUNDS):
        facets = all_facets(triangles)
        nodes, uses = np.unique(facets.corners[facets.uses == 1], return_counts=True)
        hinges = nodes[uses > 2]
        if not len(hinges):
            break
        inner = facets.uses == 2
        gone = np.unique(np.concatenate([_smaller_fans(triangles, facets, inner, int(node)) for node in hinges]))
        triangles = _largest_piece(np.delete(triangles, gone, axis=0))
    return triangles


def _smaller_fans(triangles: Indices, facets: Facets, inner: NDArray[np.bool_], node: int) -> Indices:
    """Triangles around a node that are not in its largest fan."""
    around = np.flatnonzero((triangles == node).any(axis=1))
    spokes = inner & (facets.corners == node).any(axis=1)
    fan = _pieces(np.searchsorted(around, facets.cells[spokes]), len(around))
    return around[fan != np.bincount(fan).argmax()]


def _in_one_piece(points: Array, triangles: Indices, grain: Indices, size: Size) -> Indices:
    """Grains in one piece each: all but the largest pieces, and slivers, go to the grain they share most with."""
    facets = all_facets(triangles)
    inner = facets.uses == 2
    cells, length = facets.cells[inner], areas_of(points, facets.corners[inner])
    weight = cell_volumes(points, triangles) / size(points[triangles].mean(axis=1)) ** 2
    for _ in range(_ROUNDS):
        piece = _pieces(cells[grain[cells[:, 0]] == grain[cells[:, 1]]], len(triangles))
        lost = _lost_pieces(piece, grain, weight)
        between = piece[cells]
        away = between[:, 0] != between[:, 1]
        pair = np.concatenate([between[away], between[away][:, ::-1]])
        chosen = lost[pair[:, 0]] & ~lost[pair[:, 1]]
        if not chosen.any():
            break
        shared = np.tile(length[away], 2)[chosen]
        total = coo_matrix((shared, pair[chosen].T), shape=(len(lost), len(lost))).tocsr()
        rows = np.unique(pair[chosen, 0])
        grain_of_piece = np.empty(len(lost), dtype=np.int64)
        grain_of_piece[piece] = grain
        grain_of_piece[rows] = grain_of_piece[np.asarray(total[rows].argmax(axis=1)).ravel()]
        grain = grain_of_piece[piece]
    return grain


def _lost_pieces(piece: Indices, grain: Indices, weight: Array) -> Array:
    """Which pieces are too small, or not the largest of their grain, shape (pieces,)."""
    extent = np.bincount(piece, weight)
    owner = np.empty(len(extent), dtype=np.int64)
    owner[piece] = grain
    order = np.lexsort((extent, owner))
    lost = np.ones(len(extent), dtype=bool)
    lost[order[np.append(owner[order][1:] != owner[order][:-1], True)]] = False
    small = extent < _SMALLEST_PIECE
    return lost if (lost | small).all() else lost | small


def mesh_polygon(mesh: ParticleMesh) -> BaseGeometry:
    """What the triangles of a mesh cover, as polygons."""
    return shapely.coverage_union_all(shapely.polygons(mesh.points[mesh.cells][:, :, :2]))
