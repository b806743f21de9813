"""How porous a mesh is: shell by shell, in total, and as read on plane sections.

The flat facets of the outer surface lose up to half a percent of the particle's volume; that is no porosity. The
volume that counts is the one inside these facets, with the smooth surface over the mouths of open pores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshes.arrays import Array, Indices
from meshes.particle_mesh import PORE_WALLS, ParticleMesh, cell_volumes, facet_grains
from meshes.plane_sections import SectionPorosity, section_porosity, spread_normals
from meshes.pore_shells import Cloud, Shells
from meshes.spheroid import Spheroid

_ORDER = 6  # points along an edge of a tetrahedron that lies in two shells
_SECTIONS = 32
_VARIANCE = 3.0 / 80.0  # of a barycentric coordinate over a tetrahedron


@dataclass(frozen=True)
class Porosity:
    """Porosity of a mesh.

    Args:
        shells: Porosity of every shell, shape (s,).
        total: Porosity of all.
        solid: Volume of the grains [µm³].
        whole: Volume of grains and pores, without a void at the centre [µm³].
        chord_loss: Share of the volume lost at the flat outer facets, which is not counted as porosity.
    """

    shells: Array
    total: float
    solid: float
    whole: float
    chord_loss: float


def measure_porosity(mesh: ParticleMesh, outline: Spheroid, cloud: Cloud, void_volume: float | None) -> Porosity:
    """Porosity of a mesh of tetrahedra.

    Args:
        mesh: The mesh.
        outline: Its outer shape.
        cloud: Points of the particle outside its void, and the shells.
        void_volume: Volume of the void in the mesh [µm³]; None if there is none.
    """
    shells = cloud.shells
    edges = np.concatenate([[0.0], shells.edges[1:]])
    ideal = outline.volume * np.diff(edges**3)
    void = ideal - cloud.shell_points * cloud.volume
    whole = ideal if void_volume is None else ideal - void * (void_volume / void.sum())
    lost = _lost_at_facets(mesh, outline)
    whole = whole - lost * (np.arange(len(whole)) == len(whole) - 1)
    solid = _solid_volumes(mesh, outline, shells)
    return Porosity(
        shells=1.0 - solid / whole,
        total=float(1.0 - solid.sum() / whole.sum()),
        solid=float(solid.sum()),
        whole=float(whole.sum()),
        chord_loss=lost / outline.volume,
    )


def _solid_volumes(mesh: ParticleMesh, outline: Spheroid, shells: Shells) -> Array:
    """Volume of the cells in every shell [µm³], shape (s,)."""
    ball = outline.to_ball(mesh.points)
    volumes = cell_volumes(mesh.points, mesh.cells)
    radius = np.linalg.norm(ball, axis=1)[mesh.cells]
    lowest, highest = shells.number_of(_nearest_radius(ball, mesh.cells, radius)), shells.number_of(radius.max(axis=1))
    plain = lowest == highest
    count = len(shells.porosity)
    result: Array = np.bincount(lowest[plain], volumes[plain], count)
    split = np.flatnonzero(~plain)
    for weights in _lattice(_ORDER):
        here = np.linalg.norm(np.einsum("v,cvi->ci", weights, ball[mesh.cells[split]]), axis=1)
        result += np.bincount(shells.number_of(here), volumes[split], count) / len(_lattice(_ORDER))
    return result


def _nearest_radius(ball: Array, cells: Indices, radius: Array) -> Array:
    """Lower bound for the distance of cells from the centre, shape (m,): flat facets dip below their corners."""
    corners = ball[cells]
    longest = np.max([((corners[:, i] - corners[:, j]) ** 2).sum(axis=1) for i in range(4) for j in range(i)], axis=0)
    nearest = radius.min(axis=1)
    return nearest - longest / (4.0 * np.maximum(nearest, 1e-9))


def _lattice(order: int) -> Array:
    """Barycentric coordinates of points in a tetrahedron with its centre and its moments of inertia, shape (n, 4)."""
    first, second, third = (part.ravel() for part in np.meshgrid(*(np.arange(order),) * 3, indexing="ij"))
    fourth = order - 1 - first - second - third
    kept = fourth >= 0
    points = (np.column_stack([first, second, third, fourth])[kept] + 0.25) / order - 0.25
    return 0.25 + points * np.sqrt(_VARIANCE / points.var())


def _lost_at_facets(mesh: ParticleMesh, outline: Spheroid) -> float:
    """Volume between the flat outer facets and the smooth surface over them [µm³]."""
    ball = outline.to_ball(mesh.points)
    corners = ball[mesh.facets[_outer_facets(mesh)]]
    a, b, c = (corners[:, corner] for corner in range(3))
    flat = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
    return float(outline.semi_axes.prod() * (_solid_angles(a, b, c) / 3.0 - flat).sum())


def _outer_facets(mesh: ParticleMesh) -> Indices:
    return np.flatnonzero((facet_grains(mesh)[:, 1] == 0) & ~np.isin(mesh.facet_tags, PORE_WALLS))


def _solid_angles(a: Array, b: Array, c: Array) -> Array:
    """Signed solid angles of triangles seen from the origin [sr], shape (k,)."""
    a, b, c = (corner / np.linalg.norm(corner, axis=1)[:, None] for corner in (a, b, c))
    above = np.einsum("ij,ij->i", a, np.cross(b, c))
    below = 1.0 + (a * b).sum(axis=1) + (b * c).sum(axis=1) + (c * a).sum(axis=1)
    return 2.0 * np.arctan2(above, below)


def central_sections(mesh: ParticleMesh, outline: Spheroid, chord_loss: float) -> SectionPorosity:
    """Porosity read on sections through the centre."""
    return section_porosity(mesh, outline, spread_normals(_SECTIONS), np.zeros(_SECTIONS), chord_loss)


def random_sections(mesh: ParticleMesh, outline: Spheroid, chord_loss: float) -> SectionPorosity:
    """Porosity read on sections of any direction at any distance from the centre."""
    offsets = np.random.default_rng(0).permutation((np.arange(_SECTIONS) + 0.5) / _SECTIONS)
    return section_porosity(mesh, outline, spread_normals(_SECTIONS), offsets, chord_loss)
