"""Remove what is too small to mesh: short curves are collapsed, faces squeezed flat by that vanish.

Shortest first, as Neper does. Vertices on the outer surface and on symmetry planes stay there. A face whose sides all
lie close to the longest one is removed; the other sides take the place of the longest. What comes out may be spoilt in
rare cases; `topology_faults` tells.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from meshes.arrays import Array, Indices
from meshes.cell_complex import CellComplex, FaceKey, Loop, Side

# Shortest curve that may stay, in element sizes, in the order in which limits are tried.
SHORTEST_CURVES = (0.4, 0.5, 0.32, 0.6, 0.25, 0.7)
# Faces narrower than these times the shortest allowed length vanish: between two curves, and with more sides.
_THIN_LENS = 0.7
_THIN_FACE = 0.5
_SAMPLES = 6


def regularise(complex_: CellComplex, cell_sizes: Array, levels: Indices) -> None:
    """Collapse short curves and squeeze thin faces, in place.

    Args:
        complex_: The complex to mend.
        cell_sizes: Element size in each cell [µm], shape (N,).
        levels: Which of `SHORTEST_CURVES` holds around each cell (modulo their number), shape (N,); where cells differ
            the highest decides, since it is raised around faces that need another limit.
    """
    _Regulariser(complex_, cell_sizes, levels).run()


def curve_sizes(complex_: CellComplex, cell_sizes: Array) -> dict[int, float]:
    """Element size along every curve: the smallest of the cells around it [µm]."""
    return {curve: float(cell_sizes[list(cells)].min()) for curve, cells in _cells_of_curves(complex_).items()}


def _cells_of_curves(complex_: CellComplex) -> dict[int, set[int]]:
    cells: dict[int, set[int]] = defaultdict(set)
    for key, loops in complex_.faces.items():
        for side in (side for loop in loops for side in loop):
            cells[side.curve].update((key.cell,) if key.other < 0 else (key.cell, key.other))
    return cells


def _shortest_lengths(complex_: CellComplex, cell_sizes: Array, levels: Indices) -> dict[int, float]:
    """Length below which each curve is collapsed [µm]."""
    lengths = {}
    for curve, cells in _cells_of_curves(complex_).items():
        around = list(cells)
        level = int(levels[around].max()) % len(SHORTEST_CURVES)
        lengths[curve] = SHORTEST_CURVES[level] * float(cell_sizes[around].min())
    return lengths


def face_size(key: FaceKey, cell_sizes: Array) -> float:
    """Element size on a face: the smaller of its two cells' [µm]."""
    size = float(cell_sizes[key.cell])
    return size if key.other < 0 else min(size, float(cell_sizes[key.other]))


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

    def __init__(self, complex_: CellComplex, cell_sizes: Array, levels: Indices) -> None:
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
        self.limits = _shortest_lengths(complex_, cell_sizes, levels)
        self.lengths = {number: complex_.length(number) for number in complex_.curves}
        self.queue = [(length, number) for number, length in self.lengths.items() if length < self.limits[number]]
        heapq.heapify(self.queue)

    def run(self) -> None:
        """Collapse until nothing is too short and no face too thin."""
        pending = set(self.complex.faces)
        while pending:
            while self.queue:
                length, number = heapq.heappop(self.queue)
                if number in self.complex.curves and length == self.lengths[number]:
                    pending |= self._collapse(number)
            pending = self._remove_thin_faces(pending)

    def _collapse(self, number: int) -> set[FaceKey]:
        """Draw a curve together to one vertex; returns the faces whose outlines changed."""
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
        return affected

    def _merge_vertices(self, kept: int, merged: int) -> None:
        complex_ = self.complex
        positions = complex_.positions
        one, two = complex_.bonds(kept), complex_.bonds(merged)
        both = one | two
        if (both == two).all() and (both != one).any():
            positions[kept] = positions[merged]
        elif (both != one).any() or (one == two).all():
            middle = np.where(both[:3], 0.0, 0.5 * (positions[kept] + positions[merged]))
            positions[kept] = complex_.domain.onto_surface(middle) if both[3] else middle
        complex_.on_planes[kept], complex_.on_surface[kept] = both[:3], bool(both[3])
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
                pending += sorted(self._squeeze(key, _THIN_LENS), reverse=True)

    def _tidy_one_sided(self, key: FaceKey, side: Side) -> set[FaceKey]:
        """A face bounded by one closed curve goes, with the curve, when it is small."""
        if self.lengths[side.curve] >= 3.0 * self.limits[side.curve]:
            return set()
        self._remove_face(key)
        return self._drop_curve(side.curve)

    def _remove_thin_faces(self, faces: Iterable[FaceKey]) -> set[FaceKey]:
        """Squeeze faces whose other sides all run close to the longest one; returns the faces that changed."""
        changed: set[FaceKey] = set()
        for key in sorted(faces):
            loops = self.complex.faces.get(key)
            if loops is not None and len(loops) == 1 and len(loops[0]) > 2:
                affected = self._squeeze(key, _THIN_FACE)
                self._tidy(affected)
                changed |= affected
        return changed

    def _squeeze(self, key: FaceKey, thinness: float) -> set[FaceKey]:
        """Remove a face if it is thin: everywhere else its longest side becomes the chain of its other sides.

        Returns:
            The faces whose outlines changed.
        """
        loop = self.complex.faces[key][0]
        if len({side.curve for side in loop}) < len(loop):
            if len(loop) == 2:
                self._remove_face(key)
            return set()
        place = self._side_to_replace(loop)
        if place is None:
            return set()
        longest, chain = loop[place], [*loop[place + 1 :], *loop[:place]]
        if not self._close_together(longest, chain, thinness):
            return set()
        self._remove_face(key)
        affected = self.faces_of_curve.pop(longest.curve)
        backwards = [Side(side.curve, -side.sign) for side in reversed(chain)]
        for face in affected:
            loops = [self._substitute(old, longest, backwards, chain) for old in self.complex.faces[face]]
            self._set_loops(face, [new for new in loops if new])
        for side in chain:
            self.limits[side.curve] = min(self.limits[side.curve], self.limits[longest.curve])
        self._forget_curve(longest.curve)
        return affected

    def _side_to_replace(self, loop: Loop) -> int | None:
        """The longest side; with two sides a segment rather than an arc. An arc only gives way to arcs."""
        curves = [self.complex.curves[side.curve] for side in loop]
        order = sorted(range(len(loop)), key=lambda n: (-self.lengths[loop[n].curve], n))
        if len(loop) == 2:
            order.sort(key=lambda n: curves[n].is_arc)
        longest = order[0]
        if curves[longest].is_arc and not all(curve.is_arc for curve in curves):
            return None
        return longest

    def _close_together(self, longest: Side, chain: Loop, thinness: float) -> bool:
        curves = self.complex.curves
        if len(chain) == 1 and not curves[longest.curve].is_arc and not curves[chain[0].curve].is_arc:
            return True
        limit = thinness * min(self.limits[side.curve] for side in (longest, *chain))
        around = sum(self.lengths[side.curve] for side in chain)
        if len(chain) > 1 and around > 1.5 * self.lengths[longest.curve] + limit:
            return False
        line = self.complex.points_along(longest.curve, _SAMPLES if curves[longest.curve].is_arc else 1)
        points = np.concatenate([self.complex.points_along(side.curve, _SAMPLES)[1:-1] for side in chain])
        ends = [self.complex.positions[self.complex.ends(side)[1]] for side in chain[:-1]]
        return _distance_from_line(np.vstack([points, *ends]), line) < limit

    @staticmethod
    def _substitute(loop: Loop, old: Side, same_way: Loop, other_way: Loop) -> Loop:
        """The loop with a side replaced by a chain; a chain that is walked to and fro is left out."""
        new: Loop = []
        for side in loop:
            if side.curve != old.curve:
                new.append(side)
            else:
                new += same_way if side.sign == old.sign else other_way
        position = 0
        while len(new) > 1 and position < len(new):
            following = (position + 1) % len(new)
            if new[position].curve == new[following].curve and new[position].sign == -new[following].sign:
                new = [side for n, side in enumerate(new) if n not in (position, following)]
                position = 0
            else:
                position += 1
        return new

    def _set_loops(self, key: FaceKey, loops: list[Loop]) -> None:
        before = {side.curve for loop in self.complex.faces[key] for side in loop}
        after = {side.curve for loop in loops for side in loop}
        self.complex.faces[key] = loops
        for number in before - after:
            self.faces_of_curve[number].discard(key)
        for number in after - before:
            self.faces_of_curve[number].add(key)

    def _drop_curve(self, number: int) -> set[FaceKey]:
        """Take a curve out of all loops; returns the faces that had it."""
        faces = self.faces_of_curve.pop(number, set())
        for key in faces:
            loops = [[side for side in loop if side.curve != number] for loop in self.complex.faces[key]]
            self.complex.faces[key] = [loop for loop in loops if loop]
        self._forget_curve(number)
        return set(faces)

    def _forget_curve(self, number: int) -> None:
        curve = self.complex.curves.pop(number)
        for vertex in (curve.start, curve.end):
            self.curves_at_vertex[vertex].discard(number)

    def _remove_face(self, key: FaceKey) -> None:
        for side in (side for loop in self.complex.faces[key] for side in loop):
            self.faces_of_curve[side.curve].discard(key)
        del self.complex.faces[key]
        self.complex.removed_faces += 1


def _distance_from_line(points: Array, line: Array) -> float:
    """Largest distance of points, shape (n, 3), from a line of straight pieces, shape (m, 3)."""
    start, along = line[:-1], np.diff(line, axis=0)
    squared = np.maximum((along**2).sum(axis=1), 1e-300)
    offset = points[:, None] - start
    fraction = np.clip((offset * along).sum(axis=2) / squared, 0.0, 1.0)
    distance = np.linalg.norm(offset - fraction[..., None] * along, axis=2)
    return float(distance.min(axis=1).max())
