"""Plane sections of a mesh: how much of a cut is solid, read as on a micrograph.

Everything is in ball coordinates, in which the outline is the unit sphere and every cut of it a disc; shares of areas
are the same there. Radii are those of the cut itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshes.arrays import Array, Indices
from meshes.particle_mesh import ParticleMesh
from meshes.spheroid import Spheroid

# Corners of the tetrahedron, sorted by height, between which the plane cuts: triangles, by number of corners below.
_CUTS = {
    1: (((0, 1), (0, 2), (0, 3)),),
    2: (((0, 2), (0, 3), (1, 3)), ((0, 2), (1, 3), (1, 2))),
    3: (((0, 3), (1, 3), (2, 3)),),
}


@dataclass(frozen=True)
class SectionPorosity:
    """Porosity read on several plane sections.

    Args:
        whole: Mean over the sections, by area.
        spread: Standard deviation from one section to another, by area.
        inner: The same mean inside half the radius of each section.
    """

    whole: float
    spread: float
    inner: float


def section_porosity(
    mesh: ParticleMesh, outline: Spheroid, normals: Array, offsets: Array, chord_loss: float
) -> SectionPorosity:
    """Porosity on plane sections.

    Args:
        mesh: A mesh of tetrahedra.
        outline: Its outer shape.
        normals: Unit normals of the planes in ball coordinates, shape (p, 3).
        offsets: Their distances from the centre over the radius, below 1, shape (p,).
        chord_loss: Share of its volume that the outer shape loses because its facets are flat.
    """
    ball = outline.to_ball(mesh.points)
    solid = np.array([_solid_areas(ball, mesh.cells, *plane) for plane in zip(normals, offsets)])
    inner = np.pi * 0.25 * (1.0 - offsets**2)
    # Facets that lie a distance δ below the sphere cost 3δ of its volume and 2πδ of every section.
    whole = np.pi * (1.0 - offsets**2 - 2.0 / 3.0 * chord_loss)
    each = 1.0 - solid[:, 0] / whole
    mean = float(1.0 - solid[:, 0].sum() / whole.sum())
    spread = float(np.sqrt((whole * (each - mean) ** 2).sum() / whole.sum()))
    return SectionPorosity(mean, spread, float(1.0 - solid[:, 1].sum() / inner.sum()))


def _solid_areas(ball: Array, cells: Indices, normal: Array, offset: float) -> tuple[float, float]:
    """Solid area of a section, and of its inner part up to half its radius."""
    height = ball @ normal - offset
    below = (height < 0.0)[cells].sum(axis=1)
    total = inner = 0.0
    for number, triangles in _CUTS.items():
        cut = cells[below == number]
        cut = np.take_along_axis(cut, np.argsort(height[cut], axis=1), axis=1)
        for triangle in triangles:
            corners = np.stack([_crossing(ball, height, cut[:, edge]) for edge in np.array(triangle)], axis=1)
            areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
            middle = corners.mean(axis=1) - offset * normal
            total += float(areas.sum())
            inner += float(areas[(middle**2).sum(axis=1) < 0.25 * (1.0 - offset**2)].sum())
    return total, inner


def _crossing(ball: Array, height: Array, edge: Indices) -> Array:
    """Where edges (k, 2) cross the plane, shape (k, 3)."""
    first, second = edge.T
    share = height[first] / (height[first] - height[second])
    return ball[first] + share[:, None] * (ball[second] - ball[first])


def spread_normals(count: int) -> Array:
    """Unit normals spread evenly over the half sphere, on a golden spiral, shape (count, 3)."""
    number = np.arange(count) + 0.5
    polar = np.arccos(1.0 - number / count)
    azimuth = np.pi * (1.0 + 5.0**0.5) * number
    return np.column_stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)])
