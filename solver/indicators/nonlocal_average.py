"""Averages over a declared physical length, so that a maximum stops depending on the mesh.

The value at a point is the volume mean over the part of the point's grain within half the length of it: stress is never
averaged across a grain boundary. The points are the middles of the boxes of a grid, half the length wide, one for every
grain in a box: so the work stays proportional to the number of cells however fine the mesh is, and the result is the
same on any number of ranks. Where cells are larger than the length, the average is the cell mean.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from solver.indicators.halo import Halo


class NonlocalAverage:
    """Averaging operator on one particle; construction and use are collective.

    Args:
        centroid: (owned, dimension) centroids of the owned cells [µm].
        volume: (owned,) their volumes [µm³].
        grain: (owned,) their grains.
        length: Diameter of the averaging ball [µm].
        comm: Ranks that hold the particle.

    Attributes:
        weight: (places,) volume that each averaging place stands for on this rank [µm³].
    """

    def __init__(
        self,
        centroid: NDArray[np.float64],
        volume: NDArray[np.float64],
        grain: NDArray[np.int32],
        length: float,
        comm: MPI.Comm,
    ) -> None:
        # A place is at most √3/4 lengths from the cell that made it, and looks half a length around itself.
        self._halo = Halo(centroid, centroid, length, comm)
        table = self._halo.extend(np.column_stack([centroid, volume, grain]))
        spacing = 0.5 * length
        boxes = np.column_stack([grain, np.floor(centroid / spacing).astype(np.int64)])
        places, place_of_cell = np.unique(boxes, axis=0, return_inverse=True)
        self.weight = np.bincount(place_of_cell.ravel(), volume, minlength=len(places))
        self._matrix = _averaging_matrix(places, spacing, table)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Averages of cell values.

        Args:
            values: (owned, k) volume means over the owned cells.

        Returns:
            (places, k) averages.
        """
        return np.asarray(self._matrix @ self._halo.extend(values))


def _averaging_matrix(places: NDArray[np.int64], spacing: float, table: NDArray[np.float64]) -> csr_array:
    """Rows of volume weights that sum to one.

    Args:
        places: (places, 1 + dimension) grain and grid box.
        spacing: Size of a box, half the averaging length [µm].
        table: (cells, dimension + 2) centroid, volume and grain of owned and received cells.
    """
    shape = (len(places), len(table))
    if not len(places):
        return csr_array(shape)
    centres = (places[:, 1:] + 0.5) * spacing
    pairs = cKDTree(centres).sparse_distance_matrix(cKDTree(table[:, :-2]), spacing, output_type="ndarray")
    rows, columns = pairs["i"], pairs["j"]
    same = places[rows, 0] == table[columns, -1]
    rows, columns = rows[same], columns[same]
    volume = table[columns, -2]
    weights = volume / np.bincount(rows, volume, minlength=len(places))[rows]
    return csr_array((weights, (rows, columns)), shape=shape)
