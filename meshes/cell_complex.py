"""The grains as a complex of vertices, curves and faces: straight segments inside, arcs on the outer surface.

A face lies between two cells, or between a cell and the outside (`OUTSIDE`) or a symmetry plane (`PLANES`). Its loops
run anticlockwise seen from the second cell (holes clockwise). The complex is the mutable work piece of the mesher:
`clipping` makes it, `regularise` mends it.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array
from meshes.spheroid import Spheroid

OUTSIDE = -1
PLANES = (-2, -3, -4)  # beyond the symmetry planes x = 0, y = 0, z = 0 of an octant
_ARC_SAMPLES = 16


class FaceKey(NamedTuple):
    """A face: its two cells (the second may be `OUTSIDE`) and a running number, for cells that meet more than once."""

    cell: int
    other: int
    part: int = 0


class Side(NamedTuple):
    """One curve of a loop and the direction (+1, -1) in which the loop runs along it."""

    curve: int
    sign: int


Loop = list[Side]


@dataclass
class Curve:
    """A segment, or an arc on the surface; arcs keep the circle (ball coordinates) on which they were made.

    Args:
        start: Vertex at the beginning.
        end: Vertex at the end.
        centre: Centre of the circle in ball coordinates, None for a segment.
        normal: Unit normal of the circle's plane; the arc runs anticlockwise about it.
        angle: Angle of the arc when it was made; keeps its turning direction when end points move.
    """

    start: int
    end: int
    centre: Array | None = None
    normal: Array | None = None
    angle: float = 0.0

    @property
    def is_arc(self) -> bool:
        """Whether the curve lies on the outer surface."""
        return self.centre is not None


@dataclass
class CellComplex:
    """Vertices, curves and faces of the clipped power diagram.

    Args:
        domain: The outer shape.
        cell_count: Number of cells (grains).
        positions: Vertices [µm], one array of shape (3,) each.
        on_surface: Whether each vertex lies on the outer surface.
        on_planes: On which symmetry planes each vertex must stay, arrays of shape (3,).
        curves: Curve number → curve.
        faces: Face → loops.
    """

    domain: Spheroid
    cell_count: int
    positions: list[Array] = field(default_factory=list)
    on_surface: list[bool] = field(default_factory=list)
    on_planes: list[NDArray[np.bool_]] = field(default_factory=list)
    curves: dict[int, Curve] = field(default_factory=dict)
    faces: dict[FaceKey, list[Loop]] = field(default_factory=dict)
    collapsed_curves: int = 0
    removed_faces: int = 0
    _curve_numbers: Iterator[int] = field(default_factory=itertools.count)

    def add_vertex(self, position: Array, on_surface: bool) -> int:
        """Number of a new vertex."""
        self.positions.append(np.asarray(position, dtype=float))
        self.on_surface.append(on_surface)
        self.on_planes.append(np.zeros(3, dtype=bool))
        return len(self.positions) - 1

    def bonds(self, vertex: int) -> NDArray[np.bool_]:
        """Whether a vertex must stay on the symmetry planes of x, y, z, and on the outer surface, shape (4,)."""
        return np.append(self.on_planes[vertex], self.on_surface[vertex])

    def add_curve(self, curve: Curve) -> int:
        """Number of a new curve."""
        number = next(self._curve_numbers)
        self.curves[number] = curve
        if curve.is_arc:
            curve.angle = self._arc_frame(curve)[3]
        return number

    def ends(self, side: Side) -> tuple[int, int]:
        """First and last vertex in the direction of travel."""
        curve = self.curves[side.curve]
        return (curve.start, curve.end) if side.sign > 0 else (curve.end, curve.start)

    def faces_of_cells(self) -> dict[int, list[FaceKey]]:
        """Faces around every cell."""
        around: dict[int, list[FaceKey]] = defaultdict(list)
        for key in self.faces:
            around[key.cell].append(key)
            if key.other >= 0:
                around[key.other].append(key)
        return around

    def points_along(self, number: int, segments: int) -> Array:
        """Points of a curve, evenly spaced along its length [µm], shape (segments + 1, 3)."""
        curve = self.curves[number]
        start, end = self.positions[curve.start], self.positions[curve.end]
        fractions = np.linspace(0.0, 1.0, segments + 1)
        if not curve.is_arc:
            return start + (end - start) * fractions[:, None]
        if self.domain.aspect_ratio != 1.0:
            fractions = self._even_fractions(curve, fractions)
        points = self._arc_points(curve, fractions)
        points[0], points[-1] = start, end
        return points

    def length(self, number: int) -> float:
        """Length of a curve [µm]."""
        curve = self.curves[number]
        start, end = self.positions[curve.start], self.positions[curve.end]
        if not curve.is_arc:
            return math.dist(start, end)
        points = self._arc_points(curve, np.linspace(0.0, 1.0, _ARC_SAMPLES + 1))
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def _arc_frame(self, curve: Curve) -> tuple[Array, Array, float, float]:
        """In-plane unit vectors (the first towards the start), radius, and angle from start to end."""
        assert curve.normal is not None
        start = self.domain.to_ball(self.positions[curve.start]) - curve.centre
        end = self.domain.to_ball(self.positions[curve.end]) - curve.centre
        start = start - (start @ curve.normal) * curve.normal
        radius = math.sqrt(start @ start) or 1e-300
        first = start / radius
        second = _cross(curve.normal, first)
        angle = math.atan2(end @ second, end @ first)
        if curve.angle == 0.0:
            return first, second, radius, angle if angle > 1e-12 else angle + 2.0 * math.pi
        return first, second, radius, angle - 2.0 * math.pi * round((angle - curve.angle) / (2.0 * math.pi))

    def _arc_points(self, curve: Curve, fractions: Array) -> Array:
        """Points on the (possibly distorted) circle, end points met, pulled back onto the surface."""
        first, second, radius, angle = self._arc_frame(curve)
        turn = angle * fractions[:, None]
        points = curve.centre + radius * (np.cos(turn) * first + np.sin(turn) * second)
        start = self.domain.to_ball(self.positions[curve.start])
        end = self.domain.to_ball(self.positions[curve.end])
        points = points + (start - points[0]) * (1.0 - fractions[:, None]) + (end - points[-1]) * fractions[:, None]
        return self.domain.from_ball(points / np.linalg.norm(points, axis=1)[:, None])

    def _even_fractions(self, curve: Curve, fractions: Array) -> Array:
        """Fractions of the angle at which the physical length is divided evenly."""
        fine = np.linspace(0.0, 1.0, 4 * len(fractions) + _ARC_SAMPLES)
        steps = np.linalg.norm(np.diff(self._arc_points(curve, fine), axis=0), axis=1)
        travelled = np.concatenate([[0.0], np.cumsum(steps)])
        return np.interp(fractions * travelled[-1], travelled, fine)


def _cross(a: Array, b: Array) -> Array:
    """Cross product of two single vectors (numpy's is slow on small arrays)."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
