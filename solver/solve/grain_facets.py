"""Facets of grains under coatings and against the outside, and which of them every cell of a coating lies on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from meshes.particle_mesh import COATING, COATING_INNER, COATING_INNER_BLOCKED, MATRIX, areas_of
from solver.solve.domain import Domain
from solver.solve.facet_forms import facets_tagged

Array = NDArray[np.float64]

UNDER_COATING = (COATING_INNER, COATING_INNER_BLOCKED)


def in_coating(domain: Domain) -> NDArray[np.bool_]:
    """(local and ghost cells,) whether a cell is in a coating."""
    return (domain.grain >= COATING) & (domain.grain < MATRIX)


@dataclass(frozen=True)
class GrainFacets:
    """Owned facets of grains with some tags, seen from the grain.

    Attributes:
        cells: (facets,) local grain cells.
        others: (facets,) cells on the other side; -1 outside.
        local: (facets, 2) numbers of the facets in both cells; 0 where there is no cell.
        corners: (facets, dimension) which corners of the grain cells are on the facets.
        weights: (facets, corners) weights of the grain cells' corners in means over the facets.
        normal: (facets, 3) unit normals out of the grain.
        area: (facets,) [µm²].
        centroid: (facets, 3) [µm].
    """

    cells: NDArray[np.intp]
    others: NDArray[np.intp]
    local: NDArray[np.intp]
    corners: NDArray[np.intp]
    weights: Array
    normal: Array
    area: Array
    centroid: Array


def grain_facets(domain: Domain, tags: Sequence[int]) -> GrainFacets:
    """The owned facets with one of the tags that a grain is on one side of."""
    dimension, topology = domain.dimension, domain.mesh.topology
    facets = facets_tagged(domain, tags)
    facets = facets[facets < topology.index_map(dimension - 1).size_local]
    to_cells = topology.connectivity(dimension - 1, dimension)
    starts, counts = to_cells.offsets[facets], np.diff(to_cells.offsets)[facets]
    first = to_cells.array[starts]
    second = np.where(counts == 2, to_cells.array[starts + counts - 1], -1)
    swap = ~domain.is_grain[first]
    cells, others = np.where(swap, second, first), np.where(swap, first, second)
    facets_of_cells = topology.connectivity(dimension, dimension - 1).array.reshape(-1, dimension + 1)
    sides = np.stack([facets_of_cells[cells], facets_of_cells[others]], axis=1) == facets[:, None, None]
    local = np.argmax(sides, axis=2)
    # Facet i of a simplex is opposite to its corner i.
    weights = np.where(sides[:, 0], 0.0, 1.0 / dimension)
    points = np.asarray(domain.mesh.geometry.x, dtype=np.float64)
    corners = points[domain.cell_vertices[cells]]
    on_facet = np.argsort(sides[:, 0], axis=1, kind="stable")[:, :dimension]
    vertices = np.take_along_axis(domain.cell_vertices[cells], on_facet, axis=1)
    return GrainFacets(
        cells=cells.astype(np.intp),
        others=others.astype(np.intp),
        local=local,
        corners=on_facet,
        weights=weights,
        normal=outward_normals(points[vertices], corners[np.arange(len(cells)), local[:, 0]]),
        area=areas_of(points, vertices),
        centroid=np.einsum("fv,fvi->fi", weights, corners),
    )


def outward_normals(corner: Array, opposite: Array) -> Array:
    """(k, 3) unit normals of facets with corners (k, dimension, 3), pointing away from `opposite`, (k, 3)."""
    along = corner[:, 1] - corner[:, 0]
    across = corner[:, 2] - corner[:, 0] if corner.shape[1] == 3 else np.broadcast_to([0.0, 0.0, 1.0], along.shape)
    cross = np.cross(along, across)
    outward = np.einsum("ki,ki->k", cross, corner[:, 0] - opposite) > 0.0
    return cross / np.linalg.norm(cross, axis=1)[:, None] * np.where(outward, 1.0, -1.0)[:, None]


class Hosts:
    """The facets of grains under coatings, and the one nearest to every cell of a coating; collective.

    Attributes:
        facets: Facets of grains under coatings that this rank owns.
        coated: Local and ghost cells of coatings.
    """

    def __init__(self, domain: Domain) -> None:
        self._comm = domain.comm
        self.facets = grain_facets(domain, UNDER_COATING)
        self.coated = np.flatnonzero(in_coating(domain))
        points = np.asarray(domain.mesh.geometry.x, dtype=np.float64)
        everywhere = np.concatenate(domain.comm.allgather(self.facets.centroid))
        centres = points[domain.cell_vertices[self.coated]].mean(axis=1)
        self._nearest = KDTree(everywhere).query(centres)[1] if len(everywhere) else np.zeros(0, dtype=np.intp)

    def spread(self, values: Array) -> Array:
        """Values of the facets below the coated cells, (coated, …), from those of the owned facets, (facets, …)."""
        return np.concatenate(self._comm.allgather(values))[self._nearest]

    def align(self, domain: Domain) -> None:
        """Gives the cells of coatings the c axis of the grain below."""
        axes = domain.cell_axis.x.array.reshape(-1, 3)
        rows = domain.cell_axis.function_space.dofmap.list[:, 0]
        axes[rows[self.coated]] = self.spread(axes[rows[self.facets.cells]])
