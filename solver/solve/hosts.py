"""Which facet of a grain every cell of a coating lies on, across ranks: layers follow the lattice below them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from meshes.particle_mesh import COATING, COATING_INNER, COATING_INNER_BLOCKED, MATRIX
from solver.solve.domain import Domain
from solver.solve.facet_forms import facets_tagged

Array = NDArray[np.float64]

UNDER_COATING = (COATING_INNER, COATING_INNER_BLOCKED)


def in_coating(domain: Domain) -> NDArray[np.bool_]:
    """(local and ghost cells,) whether a cell is in a coating."""
    return (domain.grain >= COATING) & (domain.grain < MATRIX)


class Hosts:
    """The facets of grains under coatings, and the one nearest to every cell of a coating; collective.

    Attributes:
        cells: (facets,) local grain cells of the facets this rank owns.
        weights: (facets, corners) weights of the cells' corners in means over the facets.
        coated: Local and ghost cells of coatings.
    """

    def __init__(self, domain: Domain) -> None:
        self._comm = domain.comm
        self.cells, self.weights = _grain_side(domain, UNDER_COATING)
        self.coated = np.flatnonzero(in_coating(domain))
        points = np.asarray(domain.mesh.geometry.x, dtype=np.float64)
        centroids = np.einsum("fv,fvi->fi", self.weights, points[domain.cell_vertices[self.cells]])
        everywhere = np.concatenate(domain.comm.allgather(centroids))
        centres = points[domain.cell_vertices[self.coated]].mean(axis=1)
        self._nearest = KDTree(everywhere).query(centres)[1] if len(everywhere) else np.zeros(0, dtype=np.intp)

    def spread(self, values: Array) -> Array:
        """Values of the facets below the coated cells, (coated, …), from those of the owned facets, (facets, …)."""
        return np.concatenate(self._comm.allgather(values))[self._nearest]

    def align(self, domain: Domain) -> None:
        """Gives the cells of coatings the c axis of the grain below."""
        axes = domain.cell_axis.x.array.reshape(-1, 3)
        rows = domain.cell_axis.function_space.dofmap.list[:, 0]
        axes[rows[self.coated]] = self.spread(axes[rows[self.cells]])


def _grain_side(domain: Domain, tags: tuple[int, ...]) -> tuple[NDArray[np.intp], Array]:
    """Grain cells of the owned facets with a tag, and the weights of their corners in means over the facets."""
    dimension, topology = domain.dimension, domain.mesh.topology
    facets = facets_tagged(domain, tags)
    facets = facets[facets < topology.index_map(dimension - 1).size_local]
    to_cells = topology.connectivity(dimension - 1, dimension)
    pairs = to_cells.array[to_cells.offsets[facets][:, None] + np.arange(2)]
    cells = np.where(domain.is_grain[pairs[:, 0]], pairs[:, 0], pairs[:, 1])
    facets_of_cells = topology.connectivity(dimension, dimension - 1).array.reshape(-1, dimension + 1)
    # Facet i of a simplex is opposite to its corner i.
    opposite = facets_of_cells[cells] == facets[:, None]
    return cells, np.where(opposite, 0.0, 1.0 / dimension)
