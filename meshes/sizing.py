"""How large the tetrahedra are: a rule from the number of grains, the chord error of the surface, and small grains."""

from __future__ import annotations

import math

import numpy as np

from meshes.arrays import Array
from meshes.particle import Particle
from meshes.spheroid import Spheroid

# 0.45 µm for 100 grains in 5 µm; the exponent keeps small grains resolved without paying for all of it.
_SIZE_AT_HUNDRED = 0.09
_EXPONENT = -0.26
# Measured: flat facets of size h lose this times h² times the integrated mean curvature of the volume.
_CHORD_LOSS = 0.122
_CHORD_LIMIT = 0.0046
_ELEMENTS_ACROSS = 0.45
_ELEMENTS_THROUGH_WALL = 1.4
_SECTION_OVER_BODY = 0.4
_WIDEST_IN_SECTION = 0.5


def element_size(domain: Spheroid, grains: int, asked: float | None) -> float:
    """Element size of a particle [µm].

    Args:
        domain: The outer shape.
        grains: Number of grains.
        asked: Size the user wants [µm]; None for the rule.

    Returns:
        The size asked for, or one with which the flat facets lose less than 0.5 % of the volume.
    """
    if asked is not None:
        return asked
    by_count = _SIZE_AT_HUNDRED * domain.radius * (grains / 100.0) ** _EXPONENT
    by_chord = math.sqrt(_CHORD_LIMIT * domain.volume / (_CHORD_LOSS * domain.integrated_mean_curvature))
    return min(by_count, by_chord)


def carved_size(particle: Particle, outline: Spheroid, grains: int) -> float:
    """Element size of a carved particle [µm]: that of a dense one, or what fits into the wall around a void."""
    size = element_size(outline, grains, None if particle.mesh.size is None else float(particle.mesh.size))
    void = 0.0 if particle.void is None else float(particle.void.radius)
    return min(size, (float(outline.semi_axes.min()) - void) / _ELEMENTS_THROUGH_WALL)


def section_size(domain: Spheroid, grains: int, asked: float | None) -> float:
    """Element size of the cross-section of a particle [µm]: triangles cost little, so they are smaller.

    Args:
        domain: The outer shape.
        grains: Number of grains of the whole particle.
        asked: Size the user wants [µm]; None for the rule.
    """
    if asked is not None:
        return min(asked, _WIDEST_IN_SECTION * float(domain.semi_axes[0]))
    return _SECTION_OVER_BODY * element_size(domain, grains, None)


def cell_sizes(size: float, volumes: Array) -> Array:
    """Element size in every grain [µm], shape (N,): smaller in grains that are only a few elements wide."""
    return np.minimum(size, _ELEMENTS_ACROSS * np.cbrt(6.0 / np.pi * volumes))
