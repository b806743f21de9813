"""The mesher of cross-sections: the plane z = 0 of a particle as triangles, with everything that lies in it.

The same seeds as in three dimensions, cut by the plane. Curves (outline, pores, grain boundaries) are computed exactly,
points are put on them, and a net of points with its Delaunay triangulation fills what is between.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from meshes.arrays import Array
from meshes.body import Body, Progress
from meshes.designs import Pores
from meshes.errors import MeshError
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from meshes.pore_law import PoreSizes, PorosityLaw, law_of, preset_law
from meshes.pore_shells import shells_of
from meshes.section_cells import SectionGrains, cut_grains
from meshes.section_holes import Holes, Site, fitted, ring_porosity, solid_around
from meshes.section_mesh import Plane, mesh_plane, mesh_polygon
from meshes.section_outline import disc
from meshes.section_pores import place_circles, smallest_radius
from meshes.section_report import pore_section, void_section
from meshes.section_sizes import sizes_around
from meshes.section_walls import find_walls, wall_tags
from meshes.seeds import grain_count
from meshes.sizing import element_size
from meshes.spheroid import Spheroid

# Triangles cost little: elements are this much smaller than those of the whole particle would be.
_FINER = 0.4
_MOST_TRIANGLES = 5_000_000
_CORRECTIONS = 4
# Errors of the porosity, of the whole and of a ring, at which corrections stop, and beyond which they have failed.
_CLOSE, _CLOSE_IN_RING = 5e-4, 2e-3
_TOLERATED, _TOLERATED_IN_RING = 1.5e-3, 1e-2
_VOID_LEAVES = 0.95  # of the radius


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
    size = section_size(particle, domain, grain_count(particle))
    grains = cut_grains(particle, domain, size)
    progress(f"{grain_count(particle)} grains placed; triangles of {size:.3g} um")
    body = Body(_no_mesh(), outline=domain, size=size, volume_asked=np.pi * radius**2)
    if particle.pores is None and particle.void is None:
        plane = _plane(disc(radius), grains, np.empty((0, 2)), np.empty(0), size, radius)
        return replace(body, mesh=mesh_plane(plane))
    return _with_holes(body, particle, grains, radius, progress)


def section_size(particle: Particle, domain: Spheroid, grains: int) -> float:
    """Element size of a cross-section [µm].

    Raises:
        MeshError: If it would make too many triangles.
    """
    if particle.mesh.size is None:
        return _FINER * element_size(domain, grains, None)
    size = float(particle.mesh.size)
    triangles = np.pi * float(domain.semi_axes[0]) ** 2 / (0.43 * size**2)
    if triangles > _MOST_TRIANGLES:
        raise MeshError(
            f"particle.mesh.size: elements of {size:.3g} um would make {triangles / 1e6:.0f} million triangles; "
            f"{_MOST_TRIANGLES // 10**6} million are the most, choose larger elements"
        )
    return min(size, 0.5 * float(domain.semi_axes[0]))


def _plane(
    solid: shapely.Geometry, grains: SectionGrains, centres: Array, radii: Array, size: float, radius: float
) -> Plane:
    sizes = sizes_around(centres, radii, size, radius)
    return Plane(solid, grains.boundaries, grains.label, sizes, sizes.smallest, sizes.largest)


def _with_holes(body: Body, particle: Particle, grains: SectionGrains, radius: float, progress: Progress) -> Body:
    """The section of a particle with pores, a void, or both."""
    void = 0.0 if particle.void is None else float(particle.void.radius)
    assert body.size is not None
    if void >= _VOID_LEAVES * radius:
        raise MeshError(
            f"particle.void.radius: a void of {void:g} um leaves nothing of a section of radius {radius:.4g} um; "
            f"write at most {_VOID_LEAVES * radius:.3g} um"
        )
    hollow = disc(void) if void else shapely.Polygon()
    if particle.pores is None:
        solid = disc(radius).difference(hollow)
        mesh = mesh_plane(_plane(solid, grains, np.zeros((1, 2)), np.array([void]), body.size, radius))
        return _tagged(replace(body, mesh=mesh, volume_asked=solid.area), particle, None)
    law = _law(particle.pores)
    shells = shells_of(law, void / radius)
    sizes = PoreSizes(float(particle.pores.smallest), detail=1.0)
    site = Site(disc(radius), hollow, shells, radius, 0.25 * smallest_radius(sizes))
    closed = bool(particle.coatings) or particle.matrix is not None
    seed = particle.grains.seed if particle.pores.seed is None else particle.pores.seed
    holes = place_circles(grains.boundaries, law, shells, sizes, radius, seed, closed)
    progress(f"{len(holes.radii)} pores placed")
    return _tagged(_fitted_mesh(body, site, holes, grains, void), particle, site)


def _law(pores: Pores) -> PorosityLaw:
    if pores.law is not None:
        law = preset_law(pores.law)
        return law if pores.giant is None else replace(law, giants=pores.giant)
    try:
        return law_of(pores.profile or [], pores.basis, bool(pores.giant))
    except ValueError as error:
        raise MeshError(f"particle.pores.profile: {error}") from error


def _fitted_mesh(body: Body, site: Site, holes: Holes, grains: SectionGrains, void: float) -> Body:
    """The mesh whose porosity is right; polygons around pores are smaller than the pores, so it takes some rounds."""
    asked = aimed = site.shells.porosity
    assert body.size is not None
    areas = np.array([ring.area for ring in site.rings()])
    best: tuple[float, ParticleMesh] | None = None
    attempts = 0
    while attempts < _CORRECTIONS:
        attempts += 1
        holes = fitted(site, holes, aimed)
        centres, radii = np.vstack([holes.centres, np.zeros((1, 2))]), np.append(holes.radii, void)
        present = radii > 0.0
        solid = solid_around(site, holes)
        mesh = mesh_plane(_plane(solid, grains, centres[present], radii[present], body.size, site.radius))
        error = ring_porosity(site, mesh_polygon(mesh)) - asked
        whole, ring = abs(float(error @ areas / areas.sum())), float(np.abs(error).max())
        badness = max(whole / _TOLERATED, ring / _TOLERATED_IN_RING)
        if best is None or badness < best[0]:
            best = badness, mesh
        if whole < _CLOSE and ring < _CLOSE_IN_RING:
            break
        aimed = np.clip(aimed - error, 0.0, 0.9)
    assert best is not None
    if best[0] > 1.0:
        raise MeshError(
            f"particle.pores: the porosity of the section stays {100.0 * ring:.2g} % off in a ring; write another "
            "seed, a smaller smallest pore, or a less porous profile"
        )
    asked_area = float((1.0 - asked) @ areas)
    return replace(body, mesh=best[1], volume_asked=asked_area, attempts=attempts)


def _tagged(body: Body, particle: Particle, site: Site | None) -> Body:
    """The body with the walls of its holes tagged, and what there is to say about them."""
    assert body.outline is not None
    radius = float(body.outline.semi_axes[0])
    void = 0.0 if particle.void is None else float(particle.void.radius)
    walls = find_walls(body.mesh, radius, void)
    pores = particle.pores
    void_wetted = particle.void is not None and (
        particle.void.open if particle.void.wetted is None else particle.void.wetted
    )
    seed = particle.grains.seed if pores is None or pores.seed is None else pores.seed
    tags = wall_tags(body.mesh, walls, "none" if pores is None else pores.wetted, void_wetted, seed)
    mesh: ParticleMesh = replace(body.mesh, facet_tags=tags)
    if void:
        body = body.with_section(void_section(mesh, walls, void), mesh)
    if site is not None:
        body = body.with_section(pore_section(mesh, walls, site), mesh)
    return body


def _no_mesh() -> ParticleMesh:
    nothing: NDArray[np.int64] = np.empty((0, 3), dtype=np.int64)
    none: NDArray[np.int32] = np.empty(0, dtype=np.int32)
    return ParticleMesh(np.empty((0, 3)), nothing, none, nothing[:, :2], none)
