"""Curves of a cross-section: the edges of its solid and the grain boundaries in it, cut where they meet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from meshes.arrays import Array

_GRID = 1e-7  # of the extent: nodes nearer than this are one
_CORNER = np.radians(25.0)  # a polygon turns here, it is not a smooth curve


def discs(centres: Array, radii: Array, segments: int) -> Array:
    """Discs as polygons of the same area, shape (n,), about centres (n, 2) with radii (n,)."""
    angle = 2.0 * np.pi * (np.arange(segments) + 0.5) / segments
    shrunk = radii * np.sqrt((2.0 * np.pi / segments) / np.sin(2.0 * np.pi / segments))
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    return shapely.polygons(centres[:, None] + shrunk[:, None, None] * circle)


def disc(radius: float, segments: int = 512) -> shapely.Polygon:
    """A disc about the origin as a polygon of the same area."""
    return discs(np.zeros((1, 2)), np.array([radius]), segments)[0]


def cut_curves(solid: BaseGeometry, boundaries: Array) -> tuple[list[Array], list[Array]]:
    """Curves that end where they meet.

    Args:
        solid: Polygons of the solid.
        boundaries: Ends of straight pieces of grain boundaries [µm], shape (m, 2, 2); they may reach outside.

    Returns:
        The pieces of the edge of the solid and of the grain boundaries inside it, as polylines (k, 2).
    """
    rim = solid.boundary
    extent = float(np.ptp(np.reshape(solid.bounds, (2, 2)), axis=0).max())
    near = shapely.box(*solid.bounds).buffer(0.1 * extent)
    lines = (
        shapely.intersection(shapely.linestrings(boundaries), near) if len(boundaries) else np.empty(0, dtype=object)
    )
    noded = shapely.union_all([rim, *lines[~shapely.is_empty(lines)]], grid_size=_GRID * extent)
    pieces = shapely.get_parts(noded)
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    on_rim = shapely.distance(rim, middle) < 3.0 * _GRID * extent
    inside = ~on_rim & shapely.contains(solid, middle)
    # Merged together, so that a piece ends where a curve of the other kind meets it.
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(pieces[on_rim | inside])))
    middle = shapely.line_interpolate_point(merged, 0.5, normalized=True)
    is_rim = shapely.distance(rim, middle) < 3.0 * _GRID * extent
    chains = [shapely.get_coordinates(piece) for piece in merged]
    edges = [part for chain, rim_piece in zip(chains, is_rim) if rim_piece for part in _at_corners(chain)]
    return edges, [chain for chain, rim_piece in zip(chains, is_rim) if not rim_piece]


def _at_corners(chain: Array) -> list[Array]:
    """A polyline cut at its sharp corners."""
    along = np.diff(chain, axis=0)
    angle = np.arctan2(along[:, 1], along[:, 0])
    turn = np.abs((np.diff(angle) + np.pi) % (2.0 * np.pi) - np.pi)
    corners = np.flatnonzero(turn > _CORNER) + 1
    ends = [0, *(int(corner) for corner in corners), len(chain) - 1]
    return [chain[start : end + 1] for start, end in pairwise(ends)]
