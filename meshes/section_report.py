"""What the mesh report says about the holes of a cross-section: built against asked."""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array
from meshes.body import ReportSection
from meshes.particle_mesh import WETTED_PORE_WALL, ParticleMesh
from meshes.section_holes import Site, ring_porosity
from meshes.section_mesh import mesh_polygon
from meshes.section_walls import Walls


def void_section(mesh: ParticleMesh, walls: Walls, radius: float) -> ReportSection:
    """Lines about the void at the centre.

    Args:
        mesh: The section.
        walls: Its edges against the outside.
        radius: Radius asked for [µm].
    """
    ends = mesh.points[mesh.facets[walls.facets[walls.void]]]
    twice_area = np.abs(ends[:, 0, 0] * ends[:, 1, 1] - ends[:, 0, 1] * ends[:, 1, 0])
    angle = np.arctan2(twice_area, (ends[:, 0] * ends[:, 1]).sum(axis=1))
    # Of a sector of the same area, as pores may have taken a part of the wall.
    built = float(np.sqrt(twice_area.sum() / angle.sum())) if len(ends) else 0.0
    wet = bool((mesh.facet_tags[walls.facets[walls.void]] == WETTED_PORE_WALL).any())
    return ReportSection(
        "void",
        (("radius", f"{built:.4g} um", f"{radius:.4g} um"), ("wall", "wetted" if wet else "dry", "")),
        {"radius": built, "radius_asked": radius, "wetted": wet},
    )


def pore_section(mesh: ParticleMesh, walls: Walls, site: Site) -> ReportSection:
    """Lines about the pores.

    Args:
        mesh: The section, its walls tagged.
        walls: Its edges against the outside.
        site: What was asked for.
    """
    areas = np.array([ring.area for ring in site.rings()])
    built, asked = ring_porosity(site, mesh_polygon(mesh)), site.shells.porosity
    pores = ~walls.rim & ~walls.void
    wet = mesh.facet_tags[walls.facets] == WETTED_PORE_WALL
    length, open_length, wet_length = (
        float(walls.lengths[part].sum()) for part in (pores, pores & walls.is_open, pores & wet)
    )
    sizes = _areas(mesh, walls)
    rows = [("porosity", _percent(built @ areas / areas.sum()), _percent(asked @ areas / areas.sum()))]
    for inner, outer, one, other in zip(site.shells.edges[:-1], site.shells.edges[1:], built, asked):
        rows.append((f"porosity, r/R {inner:.2f} to {outer:.2f}", _percent(one), _percent(other)))
    share = open_length / length if length else 0.0
    rows += [
        ("closed pores in the section", f"{len(sizes)}", ""),
        ("their areas: median, largest", f"{np.median(sizes):.3g}, {sizes.max():.3g} um^2" if len(sizes) else "", ""),
        ("length of their walls", f"{length:.4g} um", ""),
        ("walls open to the surface", _percent(share), ""),
        ("walls that lithium passes", _percent(wet_length / length if length else 0.0), ""),
    ]
    data = {
        "porosity": float(built @ areas / areas.sum()),
        "porosity_asked": float(asked @ areas / areas.sum()),
        "ring_edges": site.shells.edges.tolist(),
        "ring_porosity": built.tolist(),
        "ring_porosity_asked": asked.tolist(),
        "closed_pore_areas": np.sort(sizes)[::-1].tolist(),
        "wall_length": length,
        "open_wall_share": share,
        "wetted_wall_length": wet_length,
    }
    return ReportSection("pores", tuple(rows), data)


def _areas(mesh: ParticleMesh, walls: Walls) -> Array:
    """Areas of the pores that do not reach the surface [µm²], shape (n,)."""
    chosen = ~walls.rim & ~walls.void & ~walls.is_open
    ends = mesh.points[mesh.facets[walls.facets[chosen]]]
    # Walls run clockwise around a pore.
    parts = 0.5 * (ends[:, 0, 1] * ends[:, 1, 0] - ends[:, 0, 0] * ends[:, 1, 1])
    number = np.unique(walls.hole[chosen], return_inverse=True)[1]
    return np.bincount(number, parts) if len(parts) else np.empty(0)


def _percent(value: float) -> str:
    return f"{100.0 * value:.2f} %"
