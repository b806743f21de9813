"""Small particles in a matrix, with or without an interface layer: nested balls and blocks, made by extrusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from boxes import ball, box
from numpy.typing import NDArray

from meshes.extrusion import extrude
from meshes.particle_mesh import (
    CONTACT,
    GRAIN_BOUNDARY,
    INTERFACE,
    INTERFACE_OUTER,
    MATRIX,
    MATRIX_OUTER,
    PORE_WALL,
    ParticleMesh,
    facet_grains,
    tagged_mesh,
)


def embedded_ball(levels: int, radius: float, outer: float, elements: int, gap: float | None = None) -> ParticleMesh:
    """A ball of one grain in a concentric matrix.

    Args:
        levels: Cells along the radius of the grain.
        radius: Radius of the grain.
        outer: Radius of the matrix.
        elements: Cells through the matrix.
        gap: Thickness of an interface layer between them; None for no such layer.
    """
    core = ball(levels, radius)
    points, cells, region = core.points, core.cells, core.grain
    surface = core.facets
    top = radius
    for thickness, count, number in ((gap, 1, INTERFACE), (None, elements, MATRIX)):
        if number == INTERFACE and thickness is None:
            continue
        height = outer - top if thickness is None else thickness
        layer = extrude(points, _outward(points, surface), height, count)
        points, surface = layer.points, layer.top
        cells = np.concatenate([cells, layer.cells])
        region = np.concatenate([region, np.full(len(layer.cells), number, dtype=np.int32)])
        top += height
    return tagged(points, cells, region)


def hollow_ball(levels: int, outer: float, elements: int, elastic: int) -> ParticleMesh:
    """A hollow ball of inner radius 1: matrix, but for its outermost cells, which are a grain.

    Args:
        levels: Fineness of the surface, as in `ball`.
        outer: Outer radius.
        elements: Cells through the wall.
        elastic: How many of them are grain.
    """
    core = ball(levels, 1.0)
    facets = np.unique(core.facets)
    number = np.full(len(core.points), -1)
    number[facets] = np.arange(len(facets))
    points = core.points[facets]
    layer = extrude(points, _outward(points, number[core.facets]), outer - 1.0, elements)
    level = np.arange(len(layer.cells)) // 3 % elements
    mesh = tagged(layer.points, layer.cells, np.where(level < elements - elastic, MATRIX, 1).astype(np.int32))
    return replace(mesh, facet_tags=np.where(mesh.facet_tags == MATRIX_OUTER, PORE_WALL, mesh.facet_tags))


def layered_block(
    thickness: float, count: int = 3, gap: float = 0.02, blocks: tuple[int, int] = (1, 1)
) -> ParticleMesh:
    """A block of grains below, a matrix above, and an interface layer between them at z = 1.

    Args:
        thickness: Of grain and of matrix.
        count: Cells along each edge of 1.
        gap: Thickness of the interface layer.
        blocks: Cells through the thickness of grain and of matrix.
    """
    lower = box((count, count, blocks[0]), (1.0, 1.0, thickness))
    top = lower.facets[(np.abs(lower.points[lower.facets][..., 2] - thickness) < 1e-9).all(axis=1)]
    layer = extrude(lower.points, _upward(lower.points, top), gap, 1)
    matrix = extrude(layer.points, layer.top, thickness, blocks[1])
    cells = np.concatenate([lower.cells, layer.cells, matrix.cells])
    region = np.repeat([1, INTERFACE, MATRIX], [len(lower.cells), len(layer.cells), len(matrix.cells)])
    return tagged(matrix.points, cells, region.astype(np.int32))


def tagged(points: NDArray[np.float64], cells: NDArray[np.int64], region: NDArray[np.int32]) -> ParticleMesh:
    """The mesh with its facets tagged by the regions on their sides; grains against the outside stay `OUTER`."""
    mesh = tagged_mesh(points, cells, region)
    pair = facet_grains(mesh)
    tags = mesh.facet_tags.copy()
    inner, other = pair.T
    tags[np.isin(inner, (MATRIX, INTERFACE)) & (other == 0)] = MATRIX_OUTER
    tags[(inner < MATRIX) & np.isin(other, (MATRIX, INTERFACE))] = CONTACT
    tags[(inner == MATRIX) & (other == INTERFACE)] = INTERFACE_OUTER
    tags[(inner < MATRIX) & (other > 0) & (other < MATRIX)] = GRAIN_BOUNDARY
    return replace(mesh, facet_tags=tags)


def _outward(points: NDArray[np.float64], facets: NDArray[np.int64]) -> NDArray[np.int64]:
    corners = points[facets]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("fi,fi->f", normal, corners.mean(axis=1)) < 0
    return np.where(inward[:, None], facets[:, [1, 0, 2]], facets)


def _upward(points: NDArray[np.float64], facets: NDArray[np.int64]) -> NDArray[np.int64]:
    return _outward(points - [0.5, 0.5, -10.0], facets)
