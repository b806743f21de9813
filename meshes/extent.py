"""How much grain a particle has, where its centre is and how large it is, whatever it is filled or surrounded with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices
from meshes.particle_mesh import (
    PORE_WALLS,
    SYMMETRY,
    ParticleMesh,
    all_facets,
    cell_volumes,
)

# Of the full solid angle. A skin that covers less (inner voids tagged as outer surface cancel it) says nothing.
_SMALLEST_COVER = 0.05


@dataclass(frozen=True)
class Extent:
    """Size and place of a particle.

    Args:
        volume: Volume of the grains, without pores [µm³].
        centre: Centre of mass of the grains; on the planes of symmetry of a sector [µm], shape (3,).
        radius: Radius of the ball (circle, in two dimensions) with the volume within the outer surface [µm].
    """

    volume: float
    centre: Array
    radius: float


def extent(mesh: ParticleMesh) -> Extent:
    """Extent of the grains of a mesh; coatings, interface and matrix do not count."""
    grains = mesh.cells[mesh.is_grain]
    volumes = np.abs(cell_volumes(mesh.points, grains))
    volume = float(volumes.sum())
    centre = volumes @ mesh.points[grains].mean(axis=1) / volume
    present = np.isin(SYMMETRY, mesh.facet_tags)
    centre[present] = 0.0
    within, cover = _within(mesh.points, _skin(mesh), centre)
    full = 4.0 * np.pi if mesh.dimension == 3 else 2.0 * np.pi
    if cover < _SMALLEST_COVER * full:
        within, cover = volume, full
    dimension = mesh.dimension
    return Extent(volume, centre, float((dimension * within / cover) ** (1.0 / dimension)))


def _skin(mesh: ParticleMesh) -> Indices:
    """Facets between a grain and what is no grain, without pores and planes of symmetry, turned out of the grain."""
    facets = all_facets(mesh.cells)
    grain = mesh.is_grain[facets.cells] & (facets.cells >= 0)
    on_skin = grain[:, 0] != grain[:, 1]
    corners, first = facets.corners[on_skin], grain[on_skin, 0]
    corners[~first] = corners[~first][:, [1, 0, *range(2, corners.shape[1])]]
    excluded = mesh.facets[np.isin(mesh.facet_tags, (*PORE_WALLS, *SYMMETRY))]
    return corners[~_contained(corners, excluded)]


def _contained(rows: Indices, others: Indices) -> NDArray[np.bool_]:
    """Which facets are among others, whatever the order of their corners, shape (k,)."""
    both = np.sort(np.concatenate([others, rows]), axis=1)
    _, number = np.unique(both, axis=0, return_inverse=True)
    number = number.reshape(-1)
    return np.isin(number[len(others) :], number[: len(others)])


def _within(points: Array, facets: Indices, centre: Array) -> tuple[float, float]:
    """Volume of the cones from the centre over facets, and the solid angle they fill (area and angle of edges)."""
    corners = points[facets] - centre
    lengths = np.linalg.norm(corners, axis=2)
    if facets.shape[1] == 2:
        a, b = corners[:, 0], corners[:, 1]
        double_area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        return float(double_area.sum() / 2.0), float(np.arctan2(double_area, (a * b).sum(axis=1)).sum())
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    triple = np.einsum("ki,ki->k", a, np.cross(b, c))
    la, lb, lc = lengths.T
    lower = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return float(triple.sum() / 6.0), float(2.0 * np.arctan2(triple, lower).sum())
