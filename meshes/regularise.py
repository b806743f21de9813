"""Remove what is too small to mesh: short curves are collapsed, faces squeezed flat by that vanish.

Shortest first, as Neper does. Vertices on the outer surface stay on it. A face left with two sides that lie close together is
removed and its two sides become one curve. What comes out may be spoilt in rare cases; `topology_faults` tells.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from meshes.cell_complex import OUTSIDE, CellComplex, FaceKey, Side

Array = NDArray[np.float64]

_THINNESS = 0.7  # two sides closer than this times the shortest allowed length are one curve
_SAMPLES = 6


def regularise(complex_: CellComplex, cell_sizes: Array, shortest: float) -> None:
    """Collapse curves shorter than `shortest` times the element size around them, in place.

    Args:
        complex_: The complex to mend.
        cell_sizes: Element size in each cell [µm], shape (N,).
        shortest: Shortest curve that may stay, in element sizes [-].
    """
    _Regulariser(complex_, cell_sizes, shortest).run()


def curve_sizes(complex_: CellComplex, cell_sizes: Array) -> dict[int, float]:
    """Element size along every curve: the smallest of the cells around it [µm]."""
    sizes: dict[int, float] = defaultdict(lambda: math.inf)
    for key, loops in complex_.faces.items():
        size = face_size(key, cell_sizes)
        for loop in loops:
            for side in loop:
                sizes[side.curve] = min(sizes[side.curve], size)
    return dict(sizes)


def face_size(key: FaceKey, cell_sizes: Array) -> float:
    """Element size on a face: the smaller of its two cells' [µm]."""
    size = float(cell_sizes[key.cell])
    return size if key.other == OUTSIDE else min(size, float(cell_sizes[key.other]))


def topology_faults(complex_: CellComplex) -> list[tuple[int, str]]:
    """Cells that are no longer simple bodies: (cell, what is wrong)."""
    around = complex_.faces_of_cells()
    faults = []
    for cell in range(complex_.cell_count):
        reason = _cell_fault(complex_, cell, around.get(cell, []))
        if reason:
            faults.append((cell, reason))
    return faults


def _cell_fault(complex_: CellComplex, cell: int, faces: list[FaceKey]) -> str:
    if len(faces) < 2:
        return "has vanished"
    balance: dict[int, int] = defaultdict(int)
    uses: dict[int, int] = defaultdict(int)
    vertices: set[int] = set()
    holes = 0
    for key in faces:
        loops = complex_.faces[key]
        holes += len(loops) - 1
        for side in (side for loop in loops for side in loop):
            balance[side.curve] += side.sign if key.cell == cell else -side.sign
            uses[side.curve] += 1
            curve = complex_.curves[side.curve]
            vertices.update((curve.start, curve.end))
    if any(balance.values()) or any(count != 2 for count in uses.values()):
        return "has a surface that does not close"
    if len(vertices) - len(uses) + len(faces) - holes != 2:
        return "is pinched"
    return ""


class _Regulariser:
    """Book-keeping of one pass: which faces use a curve, which curves meet at a vertex, lengths, and the queue."""

    def __init__(self, complex_: CellComplex, cell_sizes: Array, shortest: float) -> None:
        self.complex = complex_
        self.faces_of_curve: dict[int, set[FaceKey]] = defaultdict(set)
        self.curves_at_vertex: dict[int, set[int]] = defaultdict(set)
        for key, loops in complex_.faces.items():
            for side in (side for loop in loops for side in loop):
                self.faces_of_curve[side.curve].add(key)
        for number in list(complex_.curves):
            if number in self.faces_of_curve:
                curve = complex_.curves[number]
                self.curves_at_vertex[curve.start].add(number)
                self.curves_at_vertex[curve.end].add(number)
            else:
                del complex_.curves[number]
        self.limits = {n: shortest * size for n, size in curve_sizes(complex_, cell_sizes).items()}
        self.lengths = {number: complex_.length(number) for number in complex_.curves}
        self.queue = [(length, number) for number, length in self.lengths.items() if length < self.limits[number]]
        heapq.heapify(self.queue)

    def run(self) -> None:
        """Collapse until nothing is too short."""
        while self.queue:
            length, number = heapq.heappop(self.queue)
            if number in self.complex.curves and length == self.lengths[number]:
                self._collapse(number)

    def _collapse(self, number: int) -> None:
        curve = self.complex.curves[number]
        kept, merged = curve.start, curve.end
        affected = self._drop_curve(number)
        self.complex.collapsed_curves += 1
        if kept != merged:
            self._merge_vertices(kept, merged)
            for other in sorted(self.curves_at_vertex[kept]):
                self._update_length(other)
                affected |= self.faces_of_curve[other]
        self._tidy(affected)

    def _merge_vertices(self, kept: int, merged: int) -> None:
        complex_ = self.complex
        positions, on_surface = complex_.positions, complex_.on_surface
        if on_surface[kept] == on_surface[merged]:
            middle = 0.5 * (positions[kept] + positions[merged])
            positions[kept] = complex_.domain.onto_surface(middle) if on_surface[kept] else middle
        elif on_surface[merged]:
            positions[kept] = positions[merged]
            on_surface[kept] = True
        for number in self.curves_at_vertex.pop(merged):
            curve = complex_.curves[number]
            curve.start = kept if curve.start == merged else curve.start
            curve.end = kept if curve.end == merged else curve.end
            self.curves_at_vertex[kept].add(number)

    def _update_length(self, number: int) -> None:
        curve = self.complex.curves[number]
        closed_segment = curve.start == curve.end and not curve.is_arc
        self.lengths[number] = 0.0 if closed_segment else self.complex.length(number)
        if self.lengths[number] < self.limits[number]:
            heapq.heappush(self.queue, (self.lengths[number], number))

    def _tidy(self, faces: Iterable[FaceKey]) -> None:
        """Remove faces that have lost their extent, and what follows from that."""
        pending = sorted(faces, reverse=True)
        while pending:
            key = pending.pop()
            loops = self.complex.faces.get(key)
            if loops is None or len(loops) > 1:
                continue
            if not loops:
                self._remove_face(key)
            elif len(loops[0]) == 1:
                pending += sorted(self._tidy_one_sided(key, loops[0][0]), reverse=True)
            elif len(loops[0]) == 2:
                pending += sorted(self._tidy_two_sided(key, loops[0][0], loops[0][1]), reverse=True)

    def _tidy_one_sided(self, key: FaceKey, side: Side) -> set[FaceKey]:
        """A face bounded by one closed curve goes, with the curve, when it is small."""
        if self.lengths[side.curve] >= 3.0 * self.limits[side.curve]:
            return set()
        self._remove_face(key)
        return self._drop_curve(side.curve)

    def _tidy_two_sided(self, key: FaceKey, first: Side, second: Side) -> set[FaceKey]:
        """A face between two curves goes when they are the same or close; they become one."""
        if first.curve == second.curve:
            self._remove_face(key)
            return set()
        if not self._close_together(first, second):
            return set()
        self._remove_face(key)
        if self.complex.curves[first.curve].is_arc:
            first, second = second, first
        self._replace_curve(first.curve, second.curve, -first.sign * second.sign)
        return set(self.faces_of_curve[second.curve])

    def _close_together(self, first: Side, second: Side) -> bool:
        curves = self.complex.curves
        if not curves[first.curve].is_arc and not curves[second.curve].is_arc:
            return True
        one = self.complex.points_along(first.curve, _SAMPLES)
        two = self.complex.points_along(second.curve, _SAMPLES)
        two = two[::-1] if first.sign * second.sign > 0 else two
        limit = min(self.limits[first.curve], self.limits[second.curve])
        return float(np.linalg.norm(one - two, axis=1).max()) < _THINNESS * limit

    def _drop_curve(self, number: int) -> set[FaceKey]:
        """Take a curve out of all loops; returns the faces that had it."""
        faces = self.faces_of_curve.pop(number, set())
        for key in faces:
            loops = [[side for side in loop if side.curve != number] for loop in self.complex.faces[key]]
            self.complex.faces[key] = [loop for loop in loops if loop]
        self._forget_curve(number)
        return set(faces)

    def _replace_curve(self, old: int, new: int, turn: int) -> None:
        for key in self.faces_of_curve.pop(old, set()):
            self.complex.faces[key] = [
                [Side(new, side.sign * turn) if side.curve == old else side for side in loop]
                for loop in self.complex.faces[key]
            ]
            self.faces_of_curve[new].add(key)
        self.limits[new] = min(self.limits[new], self.limits[old])
        self._forget_curve(old)

    def _forget_curve(self, number: int) -> None:
        curve = self.complex.curves.pop(number)
        for vertex in (curve.start, curve.end):
            self.curves_at_vertex[vertex].discard(number)

    def _remove_face(self, key: FaceKey) -> None:
        for side in (side for loop in self.complex.faces[key] for side in loop):
            self.faces_of_curve[side.curve].discard(key)
        del self.complex.faces[key]
        self.complex.removed_faces += 1
