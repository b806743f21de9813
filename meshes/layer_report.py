"""What the mesh report says about coatings, interface layer and matrix: built against asked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices
from meshes.body import ReportSection
from meshes.designs import Coating, Matrix
from meshes.growth import Growth
from meshes.islands import patch_count
from meshes.particle_mesh import INTERFACE, MATRIX, WETTED_PORE_WALL, areas_of, cell_volumes
from meshes.spheroid import Spheroid

Mask = NDArray[np.bool_]


def shell_section(number: int, layer: Coating, before: Growth, after: Growth, exact: float | None) -> ReportSection:
    """About one shell.

    Args:
        number: Its number, the innermost is 1.
        layer: The description.
        before: The particle without it.
        after: The particle with it.
        exact: Volume of a layer of that thickness on the smooth outline [µm³]; None where there is no such outline.
    """
    unit = _unit(after)
    volume = float(cell_volumes(after.points, after.cells[len(before.cells) :]).sum())
    areas = areas_of(before.points, before.surface).sum(), areas_of(after.points, after.surface).sum()
    thickness = 2.0 * volume / float(sum(areas))
    aspect = mean_edge(after.points, after.surface) * layer.elements / float(layer.thickness)
    rows = (
        ("volume", f"{volume:.4g} {unit}", "" if exact is None else f"{exact:.4g} {unit}"),
        ("thickness, volume over area", f"{thickness:.4g} um", f"{float(layer.thickness):.4g} um"),
        ("elements through it", f"{layer.elements}", ""),
        ("width over height of elements", f"{aspect:.1f}", ""),
    )
    data = {"model": "shell", "volume": volume, "volume_exact": exact, "elements": layer.elements, "aspect": aspect}
    return ReportSection(f"coating {number}, a shell", rows, data)


def membrane_section(layers: tuple[Coating, ...], growth: Growth, covered: Mask) -> ReportSection:
    """About all membranes: where they lie."""
    rows, data = _cover(growth.points, growth.skin, covered, float(layers[0].coverage), "islands")
    thicknesses = [float(layer.thickness) for layer in layers]
    title = "coating, a membrane" if len(layers) == 1 else f"coating, {len(layers)} membranes"
    thickness = ("thickness, not in the mesh", "", " + ".join(f"{thickness:.4g}" for thickness in thicknesses) + " um")
    return ReportSection(title, (thickness, *rows), {"model": "membrane", **data})


def matrix_section(matrix: Matrix, before: Growth, after: Growth, fraction: float, half_width: float) -> ReportSection:
    """About the matrix and the interface layer, which counts as a part of it.

    Args:
        matrix: The description.
        before: The particle with its coatings.
        after: The same within the matrix.
        fraction: Volume of the particle, pores and coatings included, over that within the outer surface.
        half_width: Radius of the sphere, or half the edge of the box [µm].
    """
    cells, region = after.cells[len(before.cells) :], after.region[len(before.cells) :]
    volumes = cell_volumes(after.points, cells)
    size = {"sphere": f"radius {half_width:.4g} um", "box": f"edge {2.0 * half_width:.4g} um"}[matrix.shape]
    rows = [
        (
            "particle over particle and matrix",
            f"{100 * fraction:.2f} %",
            f"{100 * float(matrix.volume_fraction):.4g} %",
        ),
        (matrix.shape, size, ""),
        ("elements", f"{(region == MATRIX).sum()}", ""),
    ]
    data = {"volume_fraction": fraction, "half_width": half_width, "volume": float(volumes.sum())}
    layer = region == INTERFACE
    if layer.any():
        thickness = float(volumes[layer].sum() / areas_of(before.points, before.surface).sum())
        aspect = mean_edge(before.points, before.surface) / thickness
        rows.append(("interface layer, thickness", f"{thickness:.3g} um", ""))
        rows.append(("width over height of its elements", f"{aspect:.1f}", ""))
        data |= {"interface_thickness": thickness, "interface_aspect": aspect}
    if (before.tags == WETTED_PORE_WALL).any():
        rows.append(("walls of pores", "all dry: the matrix closes them", ""))
    return ReportSection("matrix", tuple(rows), data)


def contact_section(matrix: Matrix, growth: Growth, contact: Mask) -> ReportSection:
    """About the part of the surface that touches the matrix."""
    return ReportSection(
        "contact with the matrix",
        *_cover(growth.points, growth.surface, contact, float(matrix.coverage), "contacts"),
    )


def _cover(
    points: Array, facets: Indices, covered: Mask, asked: float, name: str
) -> tuple[tuple[tuple[str, str, str], ...], dict[str, Any]]:
    areas = areas_of(points, facets)
    share = float(areas[covered].sum() / areas.sum())
    count = patch_count(facets, covered)
    rows = (("share of the surface", f"{100 * share:.2f} %", f"{100 * asked:.4g} %"), (name, f"{count}", ""))
    return rows, {"coverage": share, "coverage_asked": asked, "patches": count, "largest_facet": float(areas.max())}


def mean_edge(points: Array, facets: Indices) -> float:
    """Mean length of the edges of facets [µm]."""
    return float(np.linalg.norm(points[facets] - points[np.roll(facets, 1, axis=1)], axis=2).mean())


def layer_volume(outline: Spheroid, below: float, above: float, dimension: int) -> float:
    """Volume between two parallel surfaces of a smooth outline, at distances from it [µm]: Steiner's formula [µm³].

    In two dimensions, the area of the ring around the circle at z = 0 [µm²].
    """
    if dimension == 2:
        radius = float(outline.semi_axes[0])
        return math.pi * ((radius + above) ** 2 - (radius + below) ** 2)

    def within(distance: float) -> float:
        curved = outline.integrated_mean_curvature * distance**2 + 4.0 / 3.0 * math.pi * distance**3
        return outline.surface_area * distance + curved

    return within(above) - within(below)


def _unit(growth: Growth) -> str:
    return "um^3" if growth.cells.shape[1] == 4 else "um^2"
