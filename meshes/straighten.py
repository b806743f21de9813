"""Straightens the lines where grains meet one another or a wall, which a mesher of labels leaves ragged.

CGAL puts nodes on walls and boundaries, but not on the lines where these meet: along them tetrahedra stand out like
teeth. First, teeth are given to the grain they stand in; then nodes are moved to the line they stand for, as far as the
tetrahedra around them allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, count

import numpy as np

from meshes.arrays import Array, Indices
from meshes.label_field import LabelField
from meshes.mending import Carving
from meshes.particle_mesh import OUTER, PORE_WALL, ParticleMesh, areas_of
from meshes.quality import inverse_condition

_ROUNDS = 6
_NEWTON_STEPS = 3
_FARTHEST = 0.5  # of the mean edge around a node
_HALVINGS = 5
_GOOD_SICN = 0.15
_MOST_GRAINS = 4
_PARALLEL = 0.2  # conditions more nearly parallel than this count as one


def without_teeth(carving: Carving) -> Indices:
    """Grains after every cell that shares more area with another grain than with its own was given to that one.

    Args:
        carving: The cells.

    Returns:
        Grains, shape (m,); volumes hardly change, as teeth point both ways.
    """
    pairs, grain = carving.neighbours, carving.grain
    inner = carving.facets.cells[:, 1] >= 0
    areas = areas_of(carving.points, carving.facets.corners[inner])
    both, weight = np.concatenate([pairs, pairs[:, ::-1]]), np.tile(areas, 2)
    for _ in range(_ROUNDS):
        gain, heir = _gains(both, weight, grain, len(grain))
        # Only one of two neighbours at a time: together they might trade places.
        strongest: Array = np.zeros(len(grain))
        np.maximum.at(strongest, both[:, 0], gain[both[:, 1]])
        moves = (gain > 0.0) & (gain > strongest)
        if not moves.any():
            break
        grain = np.where(moves, heir, grain)
    return grain


def _gains(both: Indices, weight: Array, grain: Indices, count: int) -> tuple[Array, Indices]:
    """By how much area the boundaries shrink when a cell changes to its best other grain, and that grain."""
    own = grain[both[:, 0]] == grain[both[:, 1]]
    kept = np.bincount(both[own, 0], weight[own], count)
    cell, other, area = both[~own, 0], grain[both[~own, 1]], weight[~own]
    order = np.lexsort((other, cell))
    cell, other, area = cell[order], other[order], area[order]
    changes = np.concatenate([[True], (cell[1:] != cell[:-1]) | (other[1:] != other[:-1])])
    first = np.flatnonzero(changes[: len(cell)])  # one grain alone has no boundary
    shared = np.add.reduceat(area, first) if len(first) else np.empty(0)
    gain, heir = np.full(count, -np.inf), grain.copy()
    order = np.argsort(shared, kind="stable")  # the last written wins: the largest
    gain[cell[first][order]] = shared[order]
    heir[cell[first][order]] = other[first][order]
    return gain - kept, heir


def straightened(mesh: ParticleMesh, field: LabelField) -> Array:
    """Points of a mesh with the nodes of boundaries and walls moved to where the field has them, shape (n, 3).

    Args:
        mesh: The mesh, walls of holes tagged `PORE_WALL`.
        field: What it was made from.
    """
    places = _places(mesh)
    start = mesh.points[places.nodes]
    target = start.copy()
    for _ in range(_NEWTON_STEPS):
        target = target - _newton_step(target, places, field)
    offset = target - start
    too_far = np.linalg.norm(offset, axis=1) > _FARTHEST * _mean_edges(mesh)[places.nodes]
    return _moved(mesh, places.nodes, np.where(too_far[:, None], 0.0, offset))


@dataclass(frozen=True)
class _Places:
    """What nodes on boundaries and walls stand for.

    Args:
        nodes: The nodes, shape (k,).
        grains: Up to four grains that meet there, from 0, the first repeated where there are fewer, shape (k, 4).
        on_outer: Whether they are on the outer surface, shape (k,).
        on_hole: Whether they are on the wall of a hole, shape (k,).
    """

    nodes: Indices
    grains: Indices
    on_outer: Array
    on_hole: Array


def _places(mesh: ParticleMesh) -> _Places:
    size = len(mesh.points)
    # Every grain at every node once.
    highest = int(mesh.grain.max())
    node, grain = np.divmod(np.unique(mesh.cells * highest + mesh.grain[:, None] - 1), highest)
    rank = np.arange(len(node)) - np.searchsorted(node, node)
    grains = np.repeat(grain[np.searchsorted(node, np.arange(size))][:, None], _MOST_GRAINS, axis=1)
    few = rank < _MOST_GRAINS
    grains[node[few], rank[few]] = grain[few]
    on_outer, on_hole = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    on_outer[mesh.facets[mesh.facet_tags == OUTER].ravel()] = True
    on_hole[mesh.facets[mesh.facet_tags == PORE_WALL].ravel()] = True
    nodes = np.flatnonzero(on_outer | on_hole | (grains[:, 1] != grains[:, 0]))
    return _Places(nodes, grains[nodes], on_outer[nodes], on_hole[nodes])


def _newton_step(points: Array, places: _Places, field: LabelField) -> Array:
    """Shortest step to where all conditions hold to first order, shape (k, 3); each is a distance and its slope."""
    values: Array = np.zeros((len(points), _MOST_GRAINS + 1))
    slopes: Array = np.zeros((len(points), _MOST_GRAINS + 1, 3))
    first, first_slope = field.distance_to(points, places.grains[:, 0])
    for number in range(1, _MOST_GRAINS):
        other, other_slope = field.distance_to(points, places.grains[:, number])
        values[:, number - 1], slopes[:, number - 1] = _unit(other - first, other_slope - first_slope)
    ball = field.outline.to_ball(points)
    outer = _unit((ball**2).sum(axis=1) - 1.0, 2.0 * ball / field.outline.semi_axes)
    hole = field.nearest_wall(points)
    for row, there, (value, slope) in ((-2, places.on_outer, outer), (-1, places.on_hole, hole)):
        values[there, row], slopes[there, row] = value[there], slope[there]
    return np.einsum("kij,kj->ki", np.linalg.pinv(slopes, rcond=_PARALLEL), values)


def _unit(value: Array, slope: Array) -> tuple[Array, Array]:
    """A condition as a distance [µm] and a unit vector; both zero where there is no slope."""
    length = np.linalg.norm(slope, axis=1)
    factor = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)
    return value * factor, slope * factor[:, None]


def _mean_edges(mesh: ParticleMesh) -> Array:
    """Mean length of the edges at every node [µm], shape (n,)."""
    total, number = np.zeros(len(mesh.points)), np.zeros(len(mesh.points))
    for one, other in combinations(range(4), 2):
        ends = mesh.cells[:, one], mesh.cells[:, other]
        edge = np.linalg.norm(mesh.points[ends[0]] - mesh.points[ends[1]], axis=1)
        for end in ends:
            total += np.bincount(end, edge, len(total))
            number += np.bincount(end, minlength=len(total))
    return total / np.maximum(number, 1.0)


def _moved(mesh: ParticleMesh, nodes: Indices, offset: Array) -> Array:
    """Points with these nodes moved, by less or not at all where a tetrahedron would become poor."""
    full: Array = np.zeros_like(mesh.points)
    full[nodes] = offset
    fraction: Array = np.ones(len(mesh.points))
    touched = mesh.cells[(full[mesh.cells] != 0.0).any(axis=(1, 2))]
    allowed = np.minimum(inverse_condition(mesh.points[touched]), _GOOD_SICN)
    points = mesh.points + full
    for halving in count():
        poor = inverse_condition(points[touched]) < allowed
        held = np.unique(touched[poor])
        if not (fraction[held] > 0.0).any():
            return points
        fraction[held] *= 0.5 if halving < _HALVINGS else 0.0
        points[held] = mesh.points[held] + fraction[held, None] * full[held]
        # Only cells around nodes that were held back have changed.
        changed = np.isin(touched, held).any(axis=1)
        touched, allowed = touched[changed], allowed[changed]
    raise AssertionError("unreachable")
