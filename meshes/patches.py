"""Patches of the outer surface: which loops bound the same patch, and from where a patch is best looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meshes.arrays import Array
from meshes.cell_complex import CellComplex, Loop
from meshes.errors import Unmeshable
from meshes.frames import SurfaceFrame, encloses, signed_area, vector_area
from meshes.spheroid import Spheroid

_SAMPLES = 8


def group_loops(complex_: CellComplex, loops: list[Loop]) -> list[list[Loop]]:
    """Connected patches of one cell: every outer loop with the holes in it.

    Args:
        complex_: The complex, for the geometry of the curves.
        loops: Closed loops with the patch on their left, seen from outside.

    Returns:
        Patches, each a list of loops with the outer one first.

    Raises:
        Unmeshable: If the loops bound no region.
    """
    if len(loops) == 1:
        return [loops]
    outlines = [outline(complex_, loop) for loop in loops]
    frame = best_frame(complex_.domain, outlines)
    flat = [frame.flatten(points) for points in outlines]
    parent = _parents(flat)
    if parent is None:
        raise Unmeshable("the outer surface of a grain has outlines that bound no region")
    roots = [number for number, above in enumerate(parent) if above is None]
    return [[loops[root], *(loops[n] for n, above in enumerate(parent) if above == root)] for root in roots]


def outline(complex_: CellComplex, loop: Loop, segments: int = _SAMPLES) -> Array:
    """Points along a loop, shape (n, 3), the last one not repeated."""
    parts = []
    for side in loop:
        points = complex_.points_along(side.curve, segments)
        parts.append((points if side.sign > 0 else points[::-1])[:-1])
    return np.concatenate(parts)


def best_frame(domain: Spheroid, outlines: Sequence[Array]) -> SurfaceFrame:
    """The picture of a patch in which it is bounded and as little stretched as possible.

    Args:
        domain: The outer shape.
        outlines: Points of the patch's loops [µm], shapes (n, 3).
    """
    areas = [vector_area(domain.onto_sphere(points)) for points in outlines]
    candidates = [np.sum(areas, axis=0), *areas] if len(areas) > 1 else areas
    frames = [SurfaceFrame.towards(direction, domain) for direction in candidates]
    return min(frames, key=lambda frame: _badness(frame, outlines))


def _badness(frame: SurfaceFrame, outlines: Sequence[Array]) -> tuple[bool, float]:
    flat = [frame.flatten(points) for points in outlines]
    return _parents(flat) is None, max(float(np.abs(points).max()) for points in flat)


def _parents(flat: Sequence[Array]) -> list[int | None] | None:
    """For each loop the outer loop around it (None for outer loops); None if a hole lies in no outer loop."""
    areas = [signed_area(points) for points in flat]
    parents: list[int | None] = []
    for points, area in zip(flat, areas):
        if area > 0.0:
            parents.append(None)
            continue
        around = [n for n, other in enumerate(flat) if areas[n] > -area and encloses(other, points[0])]
        if not around:
            return None
        parents.append(min(around, key=lambda n: areas[n]))
    return parents
