"""What the mesh report says about a void and about the shape of the grains: built against asked."""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array
from meshes.body import ReportSection
from meshes.grown import hole_volume
from meshes.label_field import LabelField
from meshes.particle_mesh import (
    PORE_WALLS,
    WETTED_PORE_WALL,
    ParticleMesh,
    cell_volumes,
    facet_areas,
    grain_centroids,
    grain_volumes,
)
from meshes.wetting import find_pore_spaces


def void_section(mesh: ParticleMesh, field: LabelField) -> ReportSection:
    """Lines about the void at the centre.

    Args:
        mesh: The particle in three dimensions, its walls tagged.
        field: What it was made from.
    """
    walls = np.flatnonzero(np.isin(mesh.facet_tags, PORE_WALLS))
    middle = mesh.points[mesh.facets[walls]].mean(axis=1)
    of_void = walls[field.void_distance(middle) <= field.pore_distance(middle)]
    area = float(facet_areas(mesh)[of_void].sum())
    wet = bool((mesh.facet_tags[of_void] == WETTED_PORE_WALL).any())
    data = {"radius_asked": field.void_radius, "volume_asked": hole_volume(field), "wall_area": area, "wetted": wet}
    rows = [("radius", "", f"{field.void_radius:.4g} um")]
    if field.channel_radius is not None:
        rows.append(("radius of the channel", "", f"{field.channel_radius:.4g} um"))
        data["channel_radius_asked"] = field.channel_radius
    if not len(field.pore_radii):
        volume = float(find_pore_spaces(mesh, field.outline).volumes.sum())
        rows.append(("volume", f"{volume:.4g} um^3", f"{hole_volume(field):.4g} um^3"))
        data["volume"] = volume
    rows += [("wall", f"{area:.4g} um^2, {'wetted' if wet else 'dry'}", "")]
    return ReportSection("void", tuple(rows), data)


def elongation_section(mesh: ParticleMesh, asked: float) -> ReportSection:
    """Lines about how much longer grains are along the radius than across it.

    Args:
        mesh: The particle.
        asked: Length over width asked for.
    """
    ratios, volumes = grain_elongations(mesh), grain_volumes(mesh)
    mean = float((ratios * volumes).sum() / volumes.sum())
    low, high = (float(value) for value in np.quantile(ratios, (0.1, 0.9)))
    rows = (
        ("mean, by volume", f"{mean:.2f}", f"{asked:.2f}"),
        ("of 80 % of the grains", f"{low:.2f} to {high:.2f}", ""),
    )
    return ReportSection("elongation of the grains", rows, {"asked": asked, "mean": mean, "p10": low, "p90": high})


def grain_elongations(mesh: ParticleMesh) -> Array:
    """Length over width of every grain, from its second moments along and across the radius, shape (N,).

    1 for a ball, and for any body as long as wide; a grain at the centre has no radius to be long along.
    """
    cells, grain = mesh.cells[mesh.is_grain], mesh.grain[mesh.is_grain] - 1
    centroids = grain_centroids(mesh)
    along = centroids / np.maximum(np.linalg.norm(centroids, axis=1), 1e-300)[:, None]
    corners = mesh.points[cells] - centroids[grain][:, None, :]
    middle = corners.mean(axis=1)
    volumes = cell_volumes(mesh.points, cells)
    dimension = mesh.dimension
    # Second moments of a simplex: of its middle, and of its corners about the middle.
    share = 1.0 / ((dimension + 1) * (dimension + 2))

    def moment(of_middle: Array, of_corners: Array) -> Array:
        return np.bincount(grain, volumes * (of_middle + share * of_corners.sum(axis=1)), mesh.grain_count)

    offsets = corners - middle[:, None, :]
    axis = along[grain]
    radial = moment((middle * axis).sum(axis=1) ** 2, np.einsum("mci,mi->mc", offsets, axis) ** 2)
    total = moment((middle**2).sum(axis=1), (offsets**2).sum(axis=2))
    return np.sqrt(radial * (dimension - 1) / np.maximum(total - radial, 1e-300))
