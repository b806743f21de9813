"""Lids over the mouths of pores: they close an open surface before something is filled around it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely

from meshes.arrays import Array, Indices, as_ints
from meshes.matrix_filling import fill_flat
from meshes.surface_mesh import Runner


def lids(points: Array, surface: Indices, run: Runner) -> tuple[Array, Indices]:
    """Flat triangulations that close the holes of a surface.

    Args:
        points: Coordinates [µm], shape (n, 3).
        surface: Triangles (k, 3), turned outwards.
        run: Runs a job in the child process.

    Returns:
        All points, the given ones first, and triangles turned outwards (l, 3), none if the surface is closed.

    Raises:
        Unmeshable: If a mouth cannot be triangulated.
    """
    rim = _rim(surface)
    if not len(rim):
        return points, np.empty((0, 3), dtype=np.int64)
    normals = _normals(points, surface)
    outlines = [part for loop in _loops(points, rim, normals) for part in _simple(loop)]
    upward = [float(_area_normal(points[nodes]) @ normals[nodes].sum(axis=0)) for nodes in outlines]
    islands = [nodes for nodes, up in zip(outlines, upward) if up <= 0.0]
    flat, folded = [], []
    for mouth in (nodes for nodes, up in zip(outlines, upward) if up > 0.0):
        if not _plane_outline(points, mouth).is_valid:
            folded.append(mouth)
            continue
        inside = _within(points, mouth, islands)
        flat.append([mouth, *inside])
        islands = [nodes for nodes in islands if not any(nodes is other for other in inside)]
    # Islands that are in no mouth are holes in folds of the surface, seen from behind.
    covers = [least_area(points[nodes], nodes) for nodes in (*folded, *islands)]
    if flat:
        frames = np.array([_frame(_area_normal(points[face[0]])) for face in flat])
        size = float(np.linalg.norm(points[rim[:, 1]] - points[rim[:, 0]], axis=1).mean())
        points, parts = fill_flat(points, flat, frames, size, run)
        covers += [_turned(points, part, frame) for part, frame in zip(parts, frames)]
    return points, np.concatenate(covers)


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


def _frame(normal: Array) -> Array:
    """Two unit vectors across a normal, anticlockwise about it, shape (2, 3)."""
    upward = normal / np.linalg.norm(normal)
    first = np.cross(upward, np.eye(3)[np.abs(upward).argmin()])
    first /= np.linalg.norm(first)
    return np.array([first, np.cross(upward, first)])


def _plane_outline(points: Array, mouth: Indices) -> shapely.Polygon:
    """A mouth in the plane of its area normal, about its centre."""
    return shapely.Polygon((points[mouth] - points[mouth].mean(axis=0)) @ _frame(_area_normal(points[mouth])).T)


def _within(points: Array, mouth: Indices, islands: list[Indices]) -> list[Indices]:
    """Pieces of surface inside a mouth, by their outlines."""
    centre, frame = points[mouth].mean(axis=0), _frame(_area_normal(points[mouth]))
    outline = _plane_outline(points, mouth)
    reach = np.linalg.norm(points[mouth] - centre, axis=1).max()
    near = [nodes for nodes in islands if np.linalg.norm(points[nodes] - centre, axis=1).max() < reach]
    return [nodes for nodes in near if outline.covers(shapely.MultiPoint((points[nodes] - centre) @ frame.T))]


def least_area(places: Array, nodes: Indices) -> Indices:
    """Triangles of least area that span a closed outline in space (Barequet and Sharir 1995), shape (n − 2, 3)."""
    count = len(nodes)
    cost = np.zeros((count, count))
    split = np.zeros((count, count), dtype=np.int64)
    for span in range(2, count):
        for start in range(count - span):
            end = start + span
            between = np.arange(start + 1, end)
            crosses = np.cross(places[between] - places[start], places[end] - places[start])
            costs = cost[start, between] + cost[between, end] + 0.5 * np.linalg.norm(crosses, axis=1)
            split[start, end] = between[costs.argmin()]
            cost[start, end] = costs.min()
    triangles, open_spans = [], [(0, count - 1)]
    while open_spans:
        start, end = open_spans.pop()
        if end - start > 1:
            middle = int(split[start, end])
            triangles.append([start, middle, end])
            open_spans += [(start, middle), (middle, end)]
    return nodes[np.array(triangles)]


def _turned(points: Array, triangles: Indices, frame: Array) -> Indices:
    """Triangles with their corners anticlockwise about the normal of a frame."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    inwards = np.cross(b - a, c - a) @ np.cross(*frame) < 0.0
    return np.where(inwards[:, None], triangles[:, ::-1], triangles)
