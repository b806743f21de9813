"""Lids over the mouths of pores: what closes an open surface before something is filled around it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely

from meshes.arrays import Array, Indices, as_ints
from meshes.errors import MeshError


def lids(points: Array, surface: Indices) -> Indices:
    """Triangles that close the holes of a surface, without new points.

    Args:
        points: Coordinates [µm], shape (n, 3).
        surface: Triangles (k, 3), turned outwards.

    Returns:
        Triangles turned outwards, shape (l, 3); none if the surface is closed.

    Raises:
        MeshError: If a hole has no simple outline.
    """
    rim = _rim(surface)
    if not len(rim):
        return np.empty((0, 3), dtype=np.int64)
    normals = _normals(points, surface)
    outlines = [part for loop in _loops(points, rim, normals) for part in _simple(loop)]
    upward = [float(_area_normal(points[nodes]) @ normals[nodes].sum(axis=0)) for nodes in outlines]
    mouths = [nodes for nodes, up in zip(outlines, upward) if up > 0.0]
    islands = [nodes for nodes, up in zip(outlines, upward) if up <= 0.0]
    return np.concatenate([_lid(points, mouth, islands) for mouth in mouths])


def _rim(surface: Indices) -> Indices:
    """Directed edges that only one triangle has, shape (r, 2)."""
    edges = surface[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    _, row, uses = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    return edges[uses[row.reshape(-1)] == 1]


def _normals(points: Array, surface: Indices) -> Array:
    """Mean normals at nodes, not normalised, shape (n, 3)."""
    a, b, c = (points[surface[:, corner]] for corner in range(3))
    normals = np.zeros_like(points)
    np.add.at(normals, surface.ravel(), np.repeat(np.cross(b - a, c - a), 3, axis=0))
    return normals


def _loops(points: Array, rim: Indices, normals: Array) -> list[list[int]]:
    """Outlines of the holes: nodes in turn, the hole on the right."""
    onwards: dict[int, list[int]] = defaultdict(list)
    for start, end in zip(as_ints(rim[:, 0]), as_ints(rim[:, 1])):
        onwards[start].append(end)
    loops = []
    for first in [start for start, ends in onwards.items() for _ in ends]:
        if not onwards[first]:
            continue
        loop = [first, onwards[first].pop()]
        while loop[-1] != first:
            before, here = loop[-2:]
            choices = onwards[here]
            turns = [_turn(points[before] - points[here], points[end] - points[here], normals[here]) for end in choices]
            loop.append(choices.pop(int(np.argmin(turns))))
        loops.append(loop[:-1])
    return loops


def _turn(start: Array, end: Array, normal: Array) -> float:
    """Anticlockwise angle from one direction to another about a normal, 0 to 2π."""
    upward = normal / np.linalg.norm(normal)
    start, end = (direction - (direction @ upward) * upward for direction in (start, end))
    return float(np.arctan2(np.cross(start, end) @ upward, start @ end) % (2.0 * np.pi))


def _simple(loop: list[int]) -> list[Indices]:
    """A loop parted where it comes back to a node, and turned so that the hole is on the left."""
    parts: list[Indices] = []
    path: list[int] = []
    for node in loop[::-1]:
        if node in path:
            start = path.index(node)
            parts.append(np.array(path[start:]))
            path = path[:start]
        path.append(node)
    return [*parts, np.array(path)]


def _area_normal(outline: Array) -> Array:
    """Twice the area that an outline (n, 3) goes around, as a vector."""
    places = outline - outline.mean(axis=0)
    return np.cross(places, np.roll(places, -1, axis=0)).sum(axis=0)


def _lid(points: Array, mouth: Indices, islands: list[Indices]) -> Indices:
    """Triangles over one mouth, around the pieces of surface within it, shape (l, 3)."""
    centre, normal = points[mouth].mean(axis=0), _area_normal(points[mouth])
    axes = np.linalg.svd(normal[None] / np.linalg.norm(normal))[2][1:]
    outline = shapely.Polygon((points[mouth] - centre) @ axes.T)
    reach = np.linalg.norm(points[mouth] - centre, axis=1).max()
    inside = [
        nodes
        for nodes in islands
        if np.linalg.norm(points[nodes] - centre, axis=1).max() < reach
        and outline.covers(shapely.MultiPoint((points[nodes] - centre) @ axes.T))
    ]
    polygon = shapely.Polygon(outline.exterior, [(points[nodes] - centre) @ axes.T for nodes in inside])
    if not polygon.is_valid:
        raise MeshError(
            "particle.matrix: a pore opens to the surface with an outline that cannot be closed; write another "
            "particle.pores.seed, or fewer pores at the surface"
        )
    nodes = np.concatenate([mouth, *inside])
    flat = (points[nodes] - centre) @ axes.T
    corners = shapely.get_coordinates(shapely.constrained_delaunay_triangles(polygon)).reshape(-1, 4, 2)[:, :3]
    triangles = nodes[np.linalg.norm(corners[:, :, None] - flat, axis=3).argmin(axis=2)]
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    inwards = np.cross(b - a, c - a) @ normal < 0.0
    return np.where(inwards[:, None], triangles[:, ::-1], triangles)
