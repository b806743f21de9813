"""From a power diagram to the complex of the grains inside the particle.

Every grain boundary is a convex polygon cut by the disc in which its plane meets the particle: segments and arcs. The
outer patch of a grain is bounded by its arcs. All steps are exact; nothing is sampled.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np

from meshes.arrays import Array, Indices, as_ints
from meshes.cell_complex import OUTSIDE, CellComplex, Curve, FaceKey, Loop, Side
from meshes.errors import Unmeshable
from meshes.patches import group_loops
from meshes.power_diagram import PowerDiagram, power_diagram
from meshes.seeds import Seeds
from meshes.spheroid import Spheroid


def clipped_complex(seeds: Seeds, domain: Spheroid) -> CellComplex:
    """Complex of the cells of the seeds inside the particle.

    Args:
        seeds: Seeds with weights.
        domain: The outer shape.

    Returns:
        A complex whose cells are numbered like the seeds.

    Raises:
        Unmeshable: If the outline of a grain's outer surface does not close.
    """
    complex_ = CellComplex(domain, len(seeds.positions))
    if complex_.cell_count == 1:
        return _single_cell(complex_)
    diagram = power_diagram(seeds.positions, seeds.weights, domain)
    curve_of_edge = _add_segments(complex_, diagram)
    patch_sides = _add_faces(complex_, diagram, curve_of_edge)
    for cell, sides in sorted(patch_sides.items()):
        loops = _chain(complex_, sides, cell)
        for part, patch in enumerate(group_loops(complex_, loops)):
            complex_.faces[FaceKey(cell, OUTSIDE, part)] = patch
    return complex_


def _single_cell(complex_: CellComplex) -> CellComplex:
    """One grain: its surface is divided into octants, only to have outlines for the surface mesher."""
    domain = complex_.domain
    corners = [complex_.add_vertex(domain.from_ball(sign * axis), True) for axis in np.eye(3) for sign in (1.0, -1.0)]
    arcs: dict[tuple[int, int], int] = {}
    for first, second in itertools.combinations(range(6), 2):
        if first // 2 != second // 2:
            normal = np.cross(domain.to_ball(complex_.positions[first]), domain.to_ball(complex_.positions[second]))
            arcs[first, second] = complex_.add_curve(Curve(corners[first], corners[second], np.zeros(3), normal))
    for part, (x, y, z) in enumerate(itertools.product((0, 1), (2, 3), (4, 5))):
        loop = [Side(arcs[x, y], 1), Side(arcs[y, z], 1), Side(arcs[x, z], -1)]
        if (x + y + z) % 2:
            loop = [Side(side.curve, -side.sign) for side in reversed(loop)]
        complex_.faces[FaceKey(0, OUTSIDE, part)] = [loop]
    return complex_


def _add_segments(complex_: CellComplex, diagram: PowerDiagram) -> dict[int, int]:
    """Add the part of every diagram edge inside the particle; returns diagram edge → curve (from its first end)."""
    ball = complex_.domain.to_ball(diagram.vertices)
    start, end = ball[diagram.edge_ends[:, 0]], ball[diagram.edge_ends[:, 1]]
    along = end - start
    squared = (along**2).sum(axis=1)
    half = (start * along).sum(axis=1)
    root = half**2 - squared * ((start**2).sum(axis=1) - 1.0)
    crosses = (root > 0.0) & (squared > 0.0)
    safe, root = np.where(crosses, squared, 1.0), np.sqrt(np.where(crosses, root, 0.0))
    enter, leave = (-half - root) / safe, (-half + root) / safe
    visible = np.flatnonzero(crosses & (np.minimum(leave, 1.0) - np.maximum(enter, 0.0) > 1e-14))
    vertex_of_simplex: dict[int, int] = {}
    curve_of_edge: dict[int, int] = {}

    def end_vertex(edge: int, which: int, parameter: float, clipped: bool) -> int:
        if clipped:
            point = start[edge] + parameter * along[edge]
            return complex_.add_vertex(complex_.domain.from_ball(point / math.sqrt(point @ point)), True)
        simplex = int(diagram.edge_ends[edge, which])
        if simplex not in vertex_of_simplex:
            vertex_of_simplex[simplex] = complex_.add_vertex(diagram.vertices[simplex], False)
        return vertex_of_simplex[simplex]

    for edge in as_ints(visible):
        first = end_vertex(edge, 0, enter[edge], enter[edge] >= 0.0)
        last = end_vertex(edge, 1, leave[edge], leave[edge] <= 1.0)
        curve_of_edge[edge] = complex_.add_curve(Curve(first, last))
    return curve_of_edge


def _add_faces(complex_: CellComplex, diagram: PowerDiagram, curve_of_edge: dict[int, int]) -> dict[int, list[Side]]:
    """Add every grain-boundary face; returns the arcs around the outer surface of each cell."""
    sides_of_face = _visible_sides(diagram, curve_of_edge)
    patch_sides: dict[int, list[Side]] = defaultdict(list)
    for (cell, other), sides in sorted(sides_of_face.items()):
        centre, normal = _circle(diagram, complex_.domain, cell, other)
        if sides:
            loop = _close_with_arcs(complex_, sides, centre, normal)
        elif _is_whole_disc(diagram, complex_.domain, cell, other, centre):
            loop = _full_circle(complex_, centre, normal)
        else:
            continue
        complex_.faces[FaceKey(cell, other)] = [loop]
        for side in loop:
            if complex_.curves[side.curve].is_arc:
                patch_sides[cell].append(Side(side.curve, -1))
                patch_sides[other].append(Side(side.curve, 1))
    return patch_sides


def _visible_sides(diagram: PowerDiagram, curve_of_edge: dict[int, int]) -> dict[tuple[int, int], list[Side]]:
    """Segments of every face in anticlockwise order: sorted by the direction in which they face outwards."""
    edges = np.array(sorted(curve_of_edge), dtype=np.int64)
    sides_of_face: dict[tuple[int, int], list[Side]] = {}
    real = diagram.edges[:, 1] < diagram.count
    for cell, other in map(as_ints, np.unique(_pairs_of(diagram.edges[real], diagram.count), axis=0)):
        sides_of_face[cell, other] = []
    if not len(edges):
        return sides_of_face
    triple = diagram.edges[edges]
    along = diagram.vertices[diagram.edge_ends[edges, 1]] - diagram.vertices[diagram.edge_ends[edges, 0]]
    unsorted: dict[tuple[int, int], list[tuple[float, Side]]] = defaultdict(list)
    for first, second, third in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        pair = triple[:, [first, second]]
        normal = diagram.seeds[pair[:, 1]] - diagram.seeds[pair[:, 0]]
        normal /= np.linalg.norm(normal, axis=1)[:, None]
        across = diagram.seeds[triple[:, third]] - diagram.seeds[pair[:, 0]]
        horizontal = np.cross(normal, np.eye(3)[np.abs(normal).argmin(axis=1)])
        vertical = np.cross(normal, horizontal)
        direction = np.arctan2((across * vertical).sum(axis=1), (across * horizontal).sum(axis=1))
        forward = (np.cross(normal, across) * along).sum(axis=1) > 0.0
        for row, edge in enumerate(as_ints(edges)):
            side = Side(curve_of_edge[edge], 1 if forward[row] else -1)
            unsorted[int(pair[row, 0]), int(pair[row, 1])].append((float(direction[row]), side))
    for key, entries in unsorted.items():
        sides_of_face[key] = [side for _, side in sorted(entries)]
    return sides_of_face


def _pairs_of(edges: Indices, count: int) -> Indices:
    pairs = np.concatenate([edges[:, [0, 1]], edges[:, [0, 2]], edges[:, [1, 2]]])
    return pairs[pairs[:, 1] < count]


def _circle(diagram: PowerDiagram, domain: Spheroid, cell: int, other: int) -> tuple[Array, Array]:
    """Centre and unit normal, in ball coordinates, of the circle in which a face's plane meets the surface."""
    difference = diagram.seeds[other] - diagram.seeds[cell]
    height = (diagram.seeds[[cell, other]] ** 2).sum(axis=1) - diagram.weights[[cell, other]]
    normal = difference * domain.semi_axes
    length = math.sqrt(normal @ normal)
    return normal * (0.5 * (height[1] - height[0]) / length**2), normal / length


def _is_whole_disc(diagram: PowerDiagram, domain: Spheroid, cell: int, other: int, centre: Array) -> bool:
    """Whether a face without any segment inside is a full disc (and not outside the particle altogether)."""
    if centre @ centre >= 1.0:
        return False
    power = ((diagram.seeds - domain.from_ball(centre)) ** 2).sum(axis=1) - diagram.weights
    power[[cell, other]] = np.inf
    return bool(power.min() > ((diagram.seeds[cell] - domain.from_ball(centre)) ** 2).sum() - diagram.weights[cell])


def _close_with_arcs(complex_: CellComplex, sides: list[Side], centre: Array, normal: Array) -> Loop:
    loop: Loop = []
    for position, side in enumerate(sides):
        loop.append(side)
        leave = complex_.ends(side)[1]
        enter = complex_.ends(sides[(position + 1) % len(sides)])[0]
        if leave != enter:
            loop.append(Side(complex_.add_curve(Curve(leave, enter, centre, normal)), 1))
    return loop


def _full_circle(complex_: CellComplex, centre: Array, normal: Array) -> Loop:
    """Three arcs around a face that is a whole disc."""
    radius = math.sqrt(1.0 - centre @ centre)
    first = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    angles = 2.0 * math.pi / 3.0 * np.arange(3)
    points = centre + radius * (np.outer(np.cos(angles), first) + np.outer(np.sin(angles), second))
    corners = [complex_.add_vertex(complex_.domain.from_ball(point), True) for point in points]
    arcs = [Curve(corners[turn], corners[(turn + 1) % 3], centre, normal) for turn in range(3)]
    return [Side(complex_.add_curve(arc), 1) for arc in arcs]


def _chain(complex_: CellComplex, sides: list[Side], cell: int) -> list[Loop]:
    """Join the arcs around a cell's outer surface end to end."""
    leaving: dict[int, list[Side]] = defaultdict(list)
    for side in reversed(sides):
        leaving[complex_.ends(side)[0]].append(side)
    loops: list[Loop] = []
    for first in sides:
        if first not in leaving[complex_.ends(first)[0]]:
            continue
        leaving[complex_.ends(first)[0]].remove(first)
        loop, (origin, here) = [first], complex_.ends(first)
        while here != origin:
            if not leaving[here]:
                raise Unmeshable("the outline of its outer surface does not close", cell)
            loop.append(leaving[here].pop())
            here = complex_.ends(loop[-1])[1]
        loops.append(loop)
    return loops
