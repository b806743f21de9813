"""Element size over a cross-section: small at small holes, growing away from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from meshes.arrays import Array

_GROWTH = 0.35  # of the size per distance
_PER_RADIUS = 0.55  # size at a hole over its radius: eleven edges around it
_CLASS = 2.0  # holes whose radii differ by less are looked up together
_NEAREST = 3


@dataclass(frozen=True)
class _Holes:
    """Holes of about the same radius, found by their centres."""

    centres: cKDTree
    radii: Array

    def sizes(self, points: Array, largest: float) -> Array:
        """Size that the nearest of these holes ask for [µm], shape (n,)."""
        count = min(_NEAREST, len(self.radii))
        reach = float(self.radii.max()) + largest / _GROWTH
        distance, hole = self.centres.query(points, k=np.arange(1, count + 1), distance_upper_bound=reach)
        radii = np.append(self.radii, 0.0)[hole]
        away = np.where(np.isfinite(distance), np.abs(distance - radii), np.inf)
        return (_PER_RADIUS * radii + _GROWTH * away).min(axis=1)


@dataclass(frozen=True)
class SectionSizes:
    """Element sizes.

    Args:
        classes: Holes by their radius.
        smallest: Smallest size anywhere [µm].
        largest: Size away from holes [µm].
    """

    classes: tuple[_Holes, ...]
    smallest: float
    largest: float

    def __call__(self, points: Array) -> Array:
        """Element size [µm] at points (n, 2), shape (n,)."""
        sizes = np.full(len(points), self.largest)
        for holes in self.classes:
            np.minimum(sizes, holes.sizes(points, self.largest), out=sizes)
        return sizes


def sizes_around(centres: Array, radii: Array, size: float) -> SectionSizes:
    """Sizes of a section with round holes.

    Args:
        centres: Centres of the holes [µm], shape (M, 2).
        radii: Their radii [µm], 0 for none, shape (M,).
        size: Size away from them [µm].
    """
    matters = (radii > 0.0) & (radii * _PER_RADIUS < size)
    centres, radii = centres[matters], radii[matters]
    number = np.floor(np.log(radii) / np.log(_CLASS))
    classes = tuple(_Holes(cKDTree(centres[number == one]), radii[number == one]) for one in np.unique(number))
    return SectionSizes(classes, _PER_RADIUS * float(radii.min(initial=size / _PER_RADIUS)), size)
