"""What the mesh report says about the holes of a cross-section: built against asked."""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array
from meshes.body import ReportSection
from meshes.label_field import LabelField
from meshes.particle_mesh import PORE_WALLS, WETTED_PORE_WALL, ParticleMesh, facet_areas
from meshes.section_holes import Site, ring_porosity
from meshes.section_mesh import mesh_polygon
from meshes.wetting import find_pore_spaces


def void_section(mesh: ParticleMesh, field: LabelField) -> ReportSection:
    """Lines about the void at the centre.

    Args:
        mesh: The section, its walls tagged.
        field: What it was made from.
    """
    walls = np.flatnonzero(np.isin(mesh.facet_tags, PORE_WALLS))
    ends = mesh.points[mesh.facets[walls]]
    middle = ends.mean(axis=1)
    of_void = field.void_distance(middle) <= field.pore_distance(middle)
    ends, asked = ends[of_void], field.void_radius
    twice_area = np.abs(ends[:, 0, 0] * ends[:, 1, 1] - ends[:, 0, 1] * ends[:, 1, 0])
    angle = np.arctan2(twice_area, (ends[:, 0] * ends[:, 1]).sum(axis=1))
    # Of a sector of the same area, as pores may have taken a part of the wall.
    built = float(np.sqrt(twice_area.sum() / angle.sum())) if len(ends) else 0.0
    wet = bool((mesh.facet_tags[walls[of_void]] == WETTED_PORE_WALL).any())
    return ReportSection(
        "void",
        (("radius", f"{built:.4g} um", f"{asked:.4g} um"), ("wall", "wetted" if wet else "dry", "")),
        {"radius": built, "radius_asked": asked, "wetted": wet},
    )


def pore_section(mesh: ParticleMesh, field: LabelField, site: Site) -> ReportSection:
    """Lines about the pores.

    Args:
        mesh: The section, its walls tagged.
        field: What it was made from.
        site: What was asked for.
    """
    areas = np.array([ring.area for ring in site.rings])
    built, asked = ring_porosity(site, mesh_polygon(mesh)), site.shells.porosity
    whole, whole_asked = float(built @ areas / areas.sum()), float(asked @ areas / areas.sum())
    edges = site.shells.edges
    spaces = find_pore_spaces(mesh, field.outline)
    open_area = float(spaces.volumes[spaces.is_open].sum() / max(float(spaces.volumes.sum()), 1e-300))
    length = float(spaces.areas.sum())
    wet = float(facet_areas(mesh)[mesh.facet_tags == WETTED_PORE_WALL].sum())
    rows = [("porosity of the section", _percent(whole), _percent(whole_asked))]
    for inner, outer, one, other in zip(edges[:-1], edges[1:], built, asked):
        rows.append((f"  r/R {inner:.3g} to {outer:.3g}", _percent(one), _percent(other)))
    rows += [
        ("solid, of the section without a void", _percent(1.0 - whole), ""),
        ("pores cut, all detail", f"{len(field.pore_radii)}", ""),
        ("separate spaces", f"{len(spaces.volumes)}", ""),
        ("their areas: median, largest", _sizes(spaces.volumes), ""),
        ("share open to the surface, by area", _percent(open_area), ""),
        ("walls", f"{length:.4g} um", ""),
        ("walls that lithium passes", _percent(wet / length if length else 0.0), ""),
    ]
    data = {
        "porosity": whole,
        "porosity_asked": whole_asked,
        "shell_edges": edges.tolist(),
        "shell_porosity": built.tolist(),
        "shell_porosity_asked": asked.tolist(),
        "active_volume_fraction": 1.0 - whole,
        "pores": len(field.pore_radii),
        "spaces": len(spaces.volumes),
        "space_areas": spaces.volumes.tolist(),
        "open_share": open_area,
        "inner_area": length,
        "wetted_area": wet,
    }
    return ReportSection("pores", tuple(rows), data)


def _sizes(areas: Array) -> str:
    return f"{np.median(areas):.3g}, {areas.max():.3g} um^2" if len(areas) else ""


def _percent(value: float) -> str:
    return f"{100.0 * value:.2f} %"
