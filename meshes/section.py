"""The mesher of cross-sections: the plane z = 0 of a particle as triangles, with everything that lies in it.

The same seeds as in three dimensions, cut by the plane. Curves (outline, pores, grain boundaries) are computed exactly,
points are put on them, and a net of points with its Delaunay triangulation fills what is between.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from meshes.arrays import Array
from meshes.body import Body, Progress
from meshes.errors import MeshError
from meshes.estimate import refuse_huge
from meshes.grown import grow_grains
from meshes.label_field import LabelField
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from meshes.pore_options import law_asked, pores_stay_closed, sizes_asked
from meshes.pore_shells import shells_of
from meshes.section_cells import SectionGrains, cut_grains
from meshes.section_holes import Holes, Site, fitted, lost_to_chords, ring_porosity, solid_around
from meshes.section_mesh import Plane, mesh_plane, mesh_polygon
from meshes.section_outline import disc
from meshes.section_pores import place_circles, smallest_radius
from meshes.section_report import pore_section, void_section
from meshes.section_sizes import sizes_around
from meshes.seeds import grain_count
from meshes.sizing import section_size
from meshes.spheroid import Spheroid
from meshes.walls import tag_walls
from meshes.wetting import wet_walls

_CORRECTIONS = 4
# Errors of the porosity, of the whole and of a ring, at which corrections stop, and beyond which they have failed.
_CLOSE, _CLOSE_IN_RING = 8e-4, 4e-3
_TOLERATED, _TOLERATED_IN_RING = 1.5e-3, 1e-2
_HOPELESS = 3.0  # times what is tolerated without a note
_WIDEST_VOID = 0.95  # of the radius


def mesh_section(particle: Particle, progress: Progress) -> Body:
    """Mesh the cross-section of a particle.

    Args:
        particle: The description.
        progress: Is told, in a line each, what is being done.

    Raises:
        MeshError: If it cannot be meshed; names the option.
    """
    domain = Spheroid(float(particle.radius), particle.aspect_ratio)
    radius = float(domain.semi_axes[0])
    refuse_huge(particle)
    asked = None if particle.mesh.size is None else float(particle.mesh.size)
    size = section_size(domain, grain_count(particle), asked)
    _refuse_void(particle, radius)
    field = grow_grains(particle, domain).field
    grains = cut_grains(field, size)
    progress(f"{field.grain_count} grains placed; triangles of {size:.3g} um")
    body = Body(_no_mesh(), outline=domain, size=size, volume_asked=np.pi * radius**2)
    if particle.pores is not None:
        return _with_pores(body, particle, field, grains, progress)
    hollow = np.array([field.void_radius])
    solid = disc(radius).difference(_void_of(field))
    mesh = mesh_plane(_plane(solid, grains, np.zeros((1, 2)), hollow, size))
    return _tagged(replace(body, mesh=mesh, volume_asked=solid.area), particle, field, None)


def _plane(solid: BaseGeometry, grains: SectionGrains, centres: Array, radii: Array, size: float) -> Plane:
    sizes = sizes_around(centres, radii, size)
    return Plane(solid, grains.boundaries, grains.label, sizes, sizes.smallest, sizes.largest)


def _refuse_void(particle: Particle, radius: float) -> None:
    void = 0.0 if particle.void is None else float(particle.void.radius)
    if void > _WIDEST_VOID * radius:
        raise MeshError(
            f"particle.void.radius: a void of {void:g} um leaves nothing of a section of radius {radius:.4g} um; "
            f"write at most {_WIDEST_VOID * radius:.3g} um"
        )


def _void_of(field: LabelField) -> BaseGeometry:
    return disc(field.void_radius) if field.void_radius else shapely.Polygon()


def _with_pores(body: Body, particle: Particle, field: LabelField, grains: SectionGrains, progress: Progress) -> Body:
    """The section of a particle with pores, and perhaps a void."""
    assert particle.pores is not None
    law, radius = law_asked(particle), float(field.outline.semi_axes[0])
    sizes = replace(sizes_asked(particle), detail=1.0)
    shells = shells_of(law, field.void_radius / radius)
    site = Site(disc(radius), _void_of(field), shells, radius, smallest_radius(sizes))
    seed = particle.grains.seed if particle.pores.seed is None else particle.pores.seed
    holes = place_circles(grains.boundaries, law, sizes, site, seed, pores_stay_closed(particle))
    progress(f"{len(holes.radii)} pores placed")
    body, holes = _fitted_mesh(body, site, holes, grains, field.void_radius)
    centres = np.column_stack([holes.centres, np.zeros(len(holes.radii))])
    return _tagged(body, particle, field.with_pores(centres, holes.radii), site)


def _fitted_mesh(body: Body, site: Site, holes: Holes, grains: SectionGrains, void: float) -> tuple[Body, Holes]:
    """The mesh whose porosity is right; polygons around pores are smaller than the pores, so it takes some rounds."""
    assert body.size is not None
    asked = site.shells.porosity
    holes = fitted(site, holes, asked)
    sizes = sizes_around(holes.centres, holes.radii, body.size)
    aimed = asked * (1.0 + lost_to_chords(site, holes, sizes))
    areas = np.array([ring.area for ring in site.rings])
    best: tuple[float, ParticleMesh, Holes] | None = None
    attempts = 0
    while attempts < _CORRECTIONS:
        attempts += 1
        holes = fitted(site, holes, aimed)
        centres, radii = np.vstack([holes.centres, np.zeros((1, 2))]), np.append(holes.radii, void)
        solid = solid_around(site, holes)
        mesh = mesh_plane(_plane(solid, grains, centres, radii, body.size))
        error = ring_porosity(site, mesh_polygon(mesh)) - asked
        whole, ring = abs(float(error @ areas / areas.sum())), float(np.abs(error).max())
        badness = max(whole / _TOLERATED, ring / _TOLERATED_IN_RING)
        if best is None or badness < best[0]:
            best = badness, mesh, holes
        if whole < _CLOSE and ring < _CLOSE_IN_RING:
            break
        aimed = np.clip(aimed - error, 0.0, 0.9)
    assert best is not None
    off, mesh, holes = best
    if off > _HOPELESS:
        raise MeshError(
            "particle.pores: pores as large as these do not make the porosity asked for in every ring of the section; "
            "write another seed, a smaller smallest pore, or a less porous profile"
        )
    notes = body.notes if off <= 1.0 else (*body.notes, "the porosity of the section is farther off than usual")
    asked_area = float((1.0 - asked) @ areas)
    return replace(body, mesh=mesh, volume_asked=asked_area, attempts=attempts, notes=notes), holes


def _tagged(body: Body, particle: Particle, field: LabelField, site: Site | None) -> Body:
    """The body with the walls of its holes tagged, and what there is to say about them."""
    mesh = wet_walls(tag_walls(body.mesh, field), particle, field)
    body = replace(body, mesh=mesh)
    if field.void_radius:
        body = body.with_section(void_section(mesh, field))
    return body if site is None else body.with_section(pore_section(mesh, field, site))


def _no_mesh() -> ParticleMesh:
    nothing: NDArray[np.int64] = np.empty((0, 3), dtype=np.int64)
    none: NDArray[np.int32] = np.empty(0, dtype=np.int32)
    return ParticleMesh(np.empty((0, 3)), nothing, none, nothing[:, :2], none)
