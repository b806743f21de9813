"""Stress at the Gauss points of every cell, as plain arrays (eq. 2.2), for indicators and output."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
from numpy.typing import NDArray

# The degree-2 rule: four points, exact for the products of linear strains that a P2 displacement gives.
GAUSS_POINTS: NDArray[np.float64]
GAUSS_WEIGHTS: NDArray[np.float64]
GAUSS_POINTS, GAUSS_WEIGHTS = map(np.asarray, basix.make_quadrature(basix.CellType.tetrahedron, 2))

# (points, 4): barycentric coordinates of the Gauss points; x at the points = these times x at the vertices.
BARYCENTRIC: NDArray[np.float64] = np.column_stack([1.0 - GAUSS_POINTS.sum(axis=1), GAUSS_POINTS])

# (facets, points): takes a field linear in the cell from its Gauss points to the centroid of facet f (opposite vertex
# f). For such a field that is the facet average, with no further quadrature.
FACET_EXTRAPOLATION: NDArray[np.float64] = (np.ones((4, 4)) - np.eye(4)) / 3.0 @ np.linalg.inv(BARYCENTRIC)


@dataclass(frozen=True)
class StressSample:
    """Stress in all local cells, owned ones first, then ghosts.

    Attributes:
        stress: (cells, 4, 6) [MPa], components xx, yy, zz, yz, xz, xy.
        elastic_strain: (cells, 4, 6) [-], tensor components (not engineering shear) in the same order.
        weights: (cells, 4) [µm³], quadrature weights; their sum over owned cells is the volume.
        points: (cells, 4, 3) [µm], places of the Gauss points in the undeformed particle.
        owned: Number of owned cells.
    """

    stress: NDArray[np.float64]
    elastic_strain: NDArray[np.float64]
    weights: NDArray[np.float64]
    points: NDArray[np.float64]
    owned: int
