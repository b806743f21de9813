"""Element size over a cross-section: small at small holes, growing away from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from meshes.arrays import Array

_GROWTH = 0.35  # of the size per distance
_PER_RADIUS = 0.55  # size at a hole over its radius: eleven edges around it
_MOST_ACROSS = 800


@dataclass(frozen=True)
class SectionSizes:
    """Sizes on a grid, linear in between.

    Args:
        low: First grid point [µm], shape (2,).
        spacing: Distance of the grid points [µm].
        sizes: Element sizes [µm], shape (nx, ny).
    """

    low: Array
    spacing: float
    sizes: Array

    def __call__(self, points: Array) -> Array:
        """Element size [µm] at points (n, 2), shape (n,)."""
        return map_coordinates(self.sizes, ((points - self.low) / self.spacing).T, order=1, mode="nearest")

    @property
    def smallest(self) -> float:
        """Smallest size anywhere [µm]."""
        return float(self.sizes.min())

    @property
    def largest(self) -> float:
        """Largest size anywhere [µm]."""
        return float(self.sizes.max())


def sizes_around(centres: Array, radii: Array, size: float, reach: float) -> SectionSizes:
    """Sizes of a section with round holes.

    Args:
        centres: Centres of the holes [µm], shape (M, 2).
        radii: Their radii [µm], 0 for none, shape (M,).
        size: Size away from them [µm].
        reach: Half the width of the section [µm].
    """
    extent = reach + 3.0 * size
    centres, radii = centres[radii > 0.0], radii[radii > 0.0]
    at_holes = np.minimum(size, _PER_RADIUS * radii)
    step = max(2.0 * extent / _MOST_ACROSS, float(at_holes.min(initial=size)))
    axis = np.arange(-extent, extent + step, step)
    sizes = np.full((len(axis), len(axis)), size)
    for centre, radius, at_hole in zip(centres, radii, at_holes):
        influence = radius + (size - at_hole) / _GROWTH + 2.0 * step
        columns, rows = (_within(axis, float(place), float(influence)) for place in centre)
        away = np.hypot(axis[columns, None] - centre[0], axis[None, rows] - centre[1]) - radius
        local = at_hole + _GROWTH * np.maximum(np.abs(away) - step, 0.0)
        sizes[columns, rows] = np.minimum(sizes[columns, rows], local)
    return SectionSizes(np.array([-extent, -extent]), step, sizes)


def _within(axis: Array, place: float, reach: float) -> slice:
    """Grid lines no farther than `reach` from a place."""
    return slice(int(np.searchsorted(axis, place - reach)), int(np.searchsorted(axis, place + reach)))
