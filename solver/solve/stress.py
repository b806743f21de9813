"""Stress at the Gauss points of every cell, as plain arrays (eq. 2.2), for indicators and output."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GaussRule:
    """The degree-2 rule of a simplex, exact for the products of linear strains that a P2 displacement gives.

    It has as many points as the cell has corners, so that a field linear in the cell is known from its points.

    Attributes:
        points: (points, dimension) reference coordinates.
        weights: (points,) on the reference cell.
        barycentric: (points, corners) barycentric coordinates; x at the points = these times x at the corners.
        facet_extrapolation: (facets, points): takes a linear field from the points to the centroid of facet f
            (opposite corner f), which for such a field is the facet average, with no further quadrature.
        nearest_corner: (points,) the corner next to each point; every corner has one.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    barycentric: NDArray[np.float64]
    facet_extrapolation: NDArray[np.float64]
    nearest_corner: NDArray[np.intp]

    @classmethod
    def of(cls, cell: basix.CellType) -> GaussRule:
        """Rule of a triangle or tetrahedron."""
        points, weights = map(np.asarray, basix.make_quadrature(cell, 2))
        barycentric = np.column_stack([1.0 - points.sum(axis=1), points])
        corners = points.shape[1] + 1
        centroids = (np.ones((corners, corners)) - np.eye(corners)) / (corners - 1.0)
        extrapolation = centroids @ np.linalg.inv(barycentric)
        nearest = np.argmax(barycentric, axis=1)
        return cls(points, weights, barycentric, np.asarray(extrapolation, dtype=np.float64), nearest)


# By dimension.
GAUSS = {2: GaussRule.of(basix.CellType.triangle), 3: GaussRule.of(basix.CellType.tetrahedron)}


@dataclass(frozen=True)
class CoatingSample:
    """Stress in coatings, on this rank.

    Attributes:
        hoop: (places,) larger principal stress along the surface [MPa]; places are owned cells of shells, and owned
            facets under membranes, once per layer.
        energy_release: (places,) σ²h/E' [J/m²] of the place's layer.
        weights: (places,) their volumes [µm³].
        tension: (6,) integral of the membranes' tension over the surface on this rank [MPa µm³].
        normal: (facets,) normal traction between grains and coating [MPa], tension positive.
        shear: (facets,) length of the shear traction [MPa].
        areas: (facets,) [µm²].
        adhesion: Strength of the bond of the innermost layer [MPa], or NaN.
    """

    hoop: NDArray[np.float64]
    energy_release: NDArray[np.float64]
    weights: NDArray[np.float64]
    tension: NDArray[np.float64]
    normal: NDArray[np.float64]
    shear: NDArray[np.float64]
    areas: NDArray[np.float64]
    adhesion: float


@dataclass(frozen=True)
class StressSample:
    """Stress in all local cells, owned ones first, then ghosts.

    There are four points per tetrahedron, three per triangle of a section; a section has all six components.

    Attributes:
        stress: (cells, points, 6) [MPa], components xx, yy, zz, yz, xz, xy.
        elastic_strain: (cells, points, 6) [-], tensor components (not engineering shear) in the same order.
        weights: (cells, points) [µm³], quadrature weights; their sum over owned cells is the volume, undeformed.
        points: (cells, points, 3) [µm], places of the Gauss points in the undeformed particle.
        owned: Number of owned cells.
        coating: Stress in and under coatings; None when there is none.
        moment: Moment of the stack pressure about the origin on this rank, six components [MPa µm³] (eq. 9.1); None
            without pressure.
        volume_ratio: (cells, points) deformed over undeformed volume (eq. 15.1); None for small strains.
        space_stress: (cells, points, 6) [MPa] stress in the axes of space, where `stress` has those of the undeformed
            lattice (eq. 15.6); None for small strains.
    """

    stress: NDArray[np.float64]
    elastic_strain: NDArray[np.float64]
    weights: NDArray[np.float64]
    points: NDArray[np.float64]
    owned: int
    coating: CoatingSample | None = None
    moment: NDArray[np.float64] | None = None
    volume_ratio: NDArray[np.float64] | None = None
    space_stress: NDArray[np.float64] | None = None

    @property
    def deformed_weights(self) -> NDArray[np.float64]:
        """(cells, points) [µm³], weights of the deformed body."""
        return self.weights if self.volume_ratio is None else self.weights * self.volume_ratio

    @property
    def moments(self) -> NDArray[np.float64]:
        """(cells, points, 6) [MPa µm³], stress times volume, which add up to zero over a free body (eq. 15.5)."""
        stress = self.stress if self.space_stress is None else self.space_stress
        return np.asarray(self.deformed_weights[..., None] * stress)
