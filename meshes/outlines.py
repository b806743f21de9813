"""Curves divided into nodes, faces laid flat, and the check that every outline can be meshed.

The check is what makes the mesher reliable: Gmsh can loop for ever on an outline that crosses itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from meshes.arrays import Array, Indices
from meshes.cell_complex import OUTSIDE, CellComplex, FaceKey, Loop
from meshes.frames import Frame, PlaneFrame, signed_area
from meshes.patches import best_frame
from meshes.regularise import curve_sizes, face_size

_SMALLEST_AREA = 0.02  # in squares of the element size
_THINNEST = 0.005  # area over squared perimeter; 0.08 for a disc
_MOST_WARPED = 0.08  # distance from the plane over the perimeter


class Fault(NamedTuple):
    """Why a face cannot be meshed well; the reason completes "a face that …"."""

    face: FaceKey
    reason: str

    @property
    def cells(self) -> tuple[int, ...]:
        """The cells at the face."""
        return (self.face.cell,) if self.face.other < 0 else (self.face.cell, self.face.other)


@dataclass(frozen=True)
class FaceOutline:
    """One face, ready for the surface mesher.

    Args:
        key: Which face.
        frame: Its flat picture.
        loops: Node numbers of the loops, the outer one first, shapes (n,).
        flat: Flat coordinates of these nodes [µm], shapes (n, 2).
        size: Element size [µm].
    """

    key: FaceKey
    frame: Frame
    loops: list[Indices]
    flat: list[Array]
    size: float


@dataclass(frozen=True)
class Outlines:
    """All nodes on curves [µm], shape (n, 3), and all faces."""

    nodes: Array
    faces: list[FaceOutline]


def trace_outlines(complex_: CellComplex, cell_sizes: Array) -> Outlines:
    """Divide all curves by the element size and lay all faces flat.

    Args:
        complex_: The mended complex.
        cell_sizes: Element size in each cell [µm], shape (N,).
    """
    nodes, nodes_of_curve = _divide_curves(complex_, cell_sizes)
    faces = []
    for key, loops in complex_.faces.items():
        numbers = [_nodes_of_loop(loop, nodes_of_curve) for loop in loops]
        points = [nodes[loop] for loop in numbers]
        frame: Frame = best_frame(complex_.domain, points) if key.other == OUTSIDE else PlaneFrame.fit(points[0])
        flat = [frame.flatten(loop) for loop in points]
        faces.append(FaceOutline(key, frame, numbers, flat, face_size(key, cell_sizes)))
    return Outlines(nodes, faces)


def _divide_curves(complex_: CellComplex, cell_sizes: Array) -> tuple[Array, dict[int, list[int]]]:
    sizes = curve_sizes(complex_, cell_sizes)
    counts = {n: max(1, round(complex_.length(n) / sizes[n])) for n in complex_.curves if n in sizes}
    _avoid_degenerate(complex_, counts)
    nodes: list[Array] = []
    node_of_vertex: dict[int, int] = {}
    nodes_of_curve: dict[int, list[int]] = {}
    for number, count in counts.items():
        curve = complex_.curves[number]
        for vertex in (curve.start, curve.end):
            if vertex not in node_of_vertex:
                node_of_vertex[vertex] = len(nodes)
                nodes.append(complex_.positions[vertex])
        inner = range(len(nodes), len(nodes) + count - 1)
        if count > 1:
            nodes.extend(complex_.points_along(number, count)[1:-1])
        nodes_of_curve[number] = [node_of_vertex[curve.start], *inner, node_of_vertex[curve.end]]
    return np.array(nodes), nodes_of_curve


def _avoid_degenerate(complex_: CellComplex, counts: dict[int, int]) -> None:
    """Closed curves, two curves between the same vertices and loops of two sides need nodes in between."""
    between: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in counts:
        curve = complex_.curves[number]
        if curve.start == curve.end:
            counts[number] = max(3, counts[number])
        between[min(curve.start, curve.end), max(curve.start, curve.end)].append(number)
    for twins in between.values():
        if len(twins) > 1:
            for number in twins:
                counts[number] = max(2, counts[number])


def _nodes_of_loop(loop: Loop, nodes_of_curve: dict[int, list[int]]) -> Indices:
    numbers: list[int] = []
    for side in loop:
        along = nodes_of_curve[side.curve]
        numbers += along[:-1] if side.sign > 0 else along[:0:-1]
    return np.array(numbers, dtype=np.int64)


def outline_faults(outlines: Outlines) -> list[Fault]:
    """Faces whose outline the surface mesher must not see, or would mesh badly."""
    faults = []
    for face in outlines.faces:
        reason = _face_fault(face, outlines.nodes)
        if reason:
            faults.append(Fault(face.key, reason))
    return faults


def _face_fault(face: FaceOutline, nodes: Array) -> str:
    numbers = np.concatenate(face.loops)
    if min(len(loop) for loop in face.loops) < 3:
        return "has fewer than three nodes"
    if len(np.unique(numbers)) < len(numbers):
        return "touches itself"
    areas = [signed_area(flat) for flat in face.flat]
    if areas[0] <= 0.0 or any(area >= 0.0 for area in areas[1:]):
        return "is turned inside out"
    start = np.concatenate(face.flat)
    end = np.concatenate([np.roll(flat, -1, axis=0) for flat in face.flat])
    if _crosses_itself(start, end):
        return "crosses itself"
    perimeter = float(np.linalg.norm(end - start, axis=1).sum())
    area = sum(areas)
    if area < _SMALLEST_AREA * face.size**2 or area < _THINNEST * perimeter**2:
        return "is too thin"
    if isinstance(face.frame, PlaneFrame) and face.frame.warp(nodes[numbers]) > _MOST_WARPED * perimeter:
        return "is too warped"
    return ""


def _crosses_itself(start: Array, end: Array) -> bool:
    """Whether any two edges of a flat outline cross; shapes (n, 2).

    Edges on one straight line are no crossing, whatever round-off says: a corner counts as beside an edge only when it
    is a visible part of the edge away.
    """
    along = end - start
    to_start = start[None] - start[:, None]
    to_end = end[None] - start[:, None]
    side_of_start = along[:, None, 0] * to_start[..., 1] - along[:, None, 1] * to_start[..., 0]
    side_of_end = along[:, None, 0] * to_end[..., 1] - along[:, None, 1] * to_end[..., 0]
    visible = 1e-9 * (along**2).sum(axis=1)[:, None]
    left = (side_of_start > visible) & (side_of_end < -visible)
    right = (side_of_start < -visible) & (side_of_end > visible)
    separated = left | right
    return bool((separated & separated.T).any())
