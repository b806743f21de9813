"""What became of the surroundings of a particle, as plain arrays for indicators and output (eqs. 9.2, 9.6, 9.7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bond:
    """What the layer does in a state, by column; the same on every rank.

    Attributes:
        bonded: (columns,) whether the bond still holds.
        apart: (columns,) whether particle and matrix do not touch.
        opening: (columns,) mean distance between particle and matrix [µm], 0 where they touch.
        overlap: (columns,) mean depth to which particle and matrix overlap where they count as apart [µm].
        normal_traction: (columns,) facet means [MPa].
        shear_traction: (columns,) facet means, lengths [MPa].
        area: (columns,) [µm²].
    """

    bonded: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    opening: Array
    overlap: Array
    normal_traction: Array
    shear_traction: Array
    area: Array


@dataclass(frozen=True)
class PlasticFlow:
    """How far the matrix has flowed, on this rank.

    Attributes:
        cells: (owned matrix cells,) local numbers.
        equivalent: (owned matrix cells, points) equivalent plastic strain.
        weights: (owned matrix cells, points) quadrature weights [µm³].
    """

    cells: NDArray[np.int32]
    equivalent: Array
    weights: Array


@dataclass(frozen=True)
class SurroundingsState:
    """What became of the surroundings.

    Attributes:
        bond: The interface layer, the same on every rank; None when the particle is bonded for good.
        flow: The matrix; None when it stays elastic.
    """

    bond: Bond | None
    flow: PlasticFlow | None
