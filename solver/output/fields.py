"""What is drawn: the particle's grid and its grain-boundary surface as arrays of this rank, ready for any file format.

Units are those of the solver: µm, MPa, MJ/m³ (= MPa). Values are stored in single precision, which is some ten times
finer than anything a picture or a field statistic can use; numbers meant for comparison are in `history.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from solver.indicators import tensors
from solver.indicators.grain_boundary import boundary_risk
from solver.indicators.layout import Layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView, cell_means, point_energies
from solver.solve.domain import axes_of

VOLUME, BOUNDARY = "volume", "grain_boundaries"

# VTK's numbers for simplices with two, three and four corners.
_SHAPES = {2: 3, 3: 5, 4: 10}

# Our xx, yy, zz, yz, xz, xy in the order in which ParaView names the six components of a symmetric tensor.
_PARAVIEW_ORDER = [0, 1, 2, 5, 3, 4]

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Grid:
    """The unchanging part of one data set on this rank.

    Attributes:
        name: `VOLUME` or `BOUNDARY`.
        shape: VTK cell type.
        points: (n, 3) [µm], only those that the cells use.
        cells: (m, corners) rows of `points`.
        rows: (n,) the points' rows in `mesh.geometry.x`.
        sites: (n,) their degrees of freedom of x; none for the boundaries.
        vertices: (m, corners) numbers of the cells' vertices in the mesh file.
        cell_data: Unchanging arrays, one row per cell.
    """

    name: str
    shape: int
    points: NDArray[np.float32]
    cells: NDArray[np.int64]
    rows: NDArray[np.int64]
    sites: NDArray[np.int64]
    vertices: NDArray[np.int64]
    cell_data: Arrays


@dataclass(frozen=True)
class Values:
    """The changing part of one data set on this rank: one row per point or cell of its grid."""

    point_data: Arrays
    cell_data: Arrays


def grids(layout: Layout, space: fem.FunctionSpace) -> tuple[Grid, Grid]:
    """Grids of the particle and of its grain boundaries on this rank: owned cells and owned facets.

    Args:
        layout: The particle's geometry.
        space: P1 space of x. Where x may jump, grains have points of their own.
    """
    domain, facets = layout.domain, layout.facets
    region = domain.grain[: domain.owned]
    volume_data = {
        "grain": region.astype(np.int32),
        "c_axis": axes_of(region, domain.c_axes).astype(np.float32),
    }
    boundary_data = {
        "grain_1": facets.grains[:, 0].astype(np.int32),
        "grain_2": facets.grains[:, 1].astype(np.int32),
        "normal": facets.normal.astype(np.float32),
    }
    vertices, sites = domain.cell_vertices[: domain.owned], space.dofmap.list[: domain.owned]
    used, first, numbers = np.unique(sites, return_index=True, return_inverse=True)
    volume = _grid(VOLUME, layout, numbers.reshape(sites.shape), vertices.ravel()[first], used, volume_data)
    rows, numbers = np.unique(facets.vertices, return_inverse=True)
    none = np.zeros(0, dtype=np.int64)
    boundary = _grid(BOUNDARY, layout, numbers.reshape(facets.vertices.shape), rows, none, boundary_data)
    return volume, boundary


def _grid(
    name: str,
    layout: Layout,
    cells: NDArray[np.intp],
    rows: NDArray[np.int32],
    sites: NDArray[np.integer],
    cell_data: Arrays,
) -> Grid:
    mesh = layout.domain.mesh
    return Grid(
        name,
        shape=_SHAPES[cells.shape[1]],
        points=np.asarray(mesh.geometry.x)[rows].astype(np.float32),
        cells=cells.astype(np.int64),
        rows=rows.astype(np.int64),
        sites=sites.astype(np.int64),
        vertices=np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[rows][cells],
        cell_data=cell_data,
    )


def volume_values(view: StateView, grid: Grid) -> Values:
    """Fields of all regions: x (NaN outside grains) and displacement at the points, stress and invariants in cells."""
    points: Arrays = {"stoichiometry": view.site_stoichiometry[grid.sites]}
    cells: Arrays = {}
    if view.state.displacement is not None:
        points["displacement"] = view.vertex_displacement[grid.rows]
    if view.state.stress is not None:
        everywhere = np.arange(view.layout.domain.owned)
        stress = cell_means(view.sample, everywhere)
        energy = point_energies(view.sample, everywhere).sum(axis=1)
        cells = {
            "stress": stress[:, _PARAVIEW_ORDER],
            "first_principal_stress": tensors.first_principal(stress),
            "hydrostatic_stress": tensors.hydrostatic(stress),
            "von_mises_stress": tensors.von_mises(stress),
            "energy_density": energy / view.layout.domain.cell_volumes[everywhere],
        }
    return Values(_single(points), _single(cells))


def boundary_values(view: StateView, settings: IndicatorSettings) -> Values:
    """Fields of the grain boundaries: jump of x, tractions, risk, and the jump that measures their accuracy."""
    cells = {"stoichiometry_jump": view.stoichiometry_jump}
    if view.state.stress is None:
        return Values({}, _single(cells))
    traction = view.stress.traction
    cells |= {
        "normal_traction": traction.normal,
        "shear_traction": traction.shear,
        "risk": boundary_risk(traction.normal, traction.shear, settings),
        "traction_jump": traction.jump,
    }
    return Values({}, _single(cells))


def _single(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in arrays.items()}
