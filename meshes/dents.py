"""Dents in the outer surface of a carved particle, filled: where a node of a grain boundary is bare below it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np

from meshes.arrays import Array, Indices, as_ints
from meshes.label_field import LabelField
from meshes.mending import Carving
from meshes.particle_mesh import all_facets
from meshes.quality import inverse_condition

# Nodes deeper than this below the outline, over the radius, are not on it.
_DEPTH = 2e-3
# Flatter dents stay: what fills them would be poor.
_WORST_SICN = 0.1


def without_dents(carving: Carving, field: LabelField) -> Carving:
    """A carving with a few tetrahedra more, where single nodes below the outer surface are bare.

    Such a node with a ring of nodes on the outline around it is covered by a fan of tetrahedra, each of the grain of
    the facet it lies on.

    Args:
        carving: What the mesher of labels has left.
        field: What was carved; nothing is filled in pores and voids.
    """
    bare = carving.facets.uses == 1
    corners, owner = carving.facets.corners[bare], carving.grain[carving.facets.cells[bare, 0]]
    deep = (np.linalg.norm(field.outline.to_ball(carving.points), axis=1) < 1.0 - _DEPTH)[corners]
    crowded = set(as_ints(np.unique(corners[deep.sum(axis=1) > 1])))
    rings: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for row in as_ints(np.flatnonzero(deep.sum(axis=1) == 1)):
        node, start, end = as_ints(np.roll(corners[row], -int(deep[row].argmax())))
        if node not in crowded:
            rings[node].append((start, end, int(owner[row])))
    fans = [fan for node, ring in rings.items() if (fan := _fan(carving.points, node, ring)) is not None]
    if not fans:
        return carving
    cells, grain = (np.concatenate(parts) for parts in zip(*fans))
    solid = field.is_solid(carving.points[cells].mean(axis=1))
    cells = np.concatenate([carving.cells, cells[solid]])
    return replace(carving, cells=cells, grain=np.concatenate([carving.grain, grain[solid]]), facets=all_facets(cells))


def _fan(points: Array, node: int, ring: list[tuple[int, int, int]]) -> tuple[Indices, Indices] | None:
    """Tetrahedra between a node and the ring around it, and their grains; None if they would be poor.

    Args:
        points: Coordinates [µm], shape (n, 3).
        node: The node below.
        ring: Edges of the ring, anticlockwise seen from outside, and the grain below each.
    """
    onwards = {start: (end, grain) for start, end, grain in ring}
    nodes: list[int] = [ring[0][0]]
    grains: list[int] = []
    while len(grains) < len(ring) and nodes[-1] in onwards:
        end, grain = onwards[nodes[-1]]
        nodes.append(end)
        grains.append(grain)
    if len(onwards) != len(ring) or nodes[-1] != nodes[0] or len(set(nodes)) != len(ring) or len(ring) < 3:
        return None
    best, worst = None, _WORST_SICN
    for turn in range(len(ring)):
        first, *others = as_ints(np.roll(nodes[:-1], -turn))
        cells = np.array([[first, later, sooner, node] for sooner, later in pairwise(others)])
        flattest = float(inverse_condition(points[cells]).min())
        if flattest > worst:
            best, worst = (cells, np.roll(grains, -turn)[1:-1]), flattest
    return best
