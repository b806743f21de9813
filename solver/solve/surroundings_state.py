"""What became of the surroundings of a particle, as plain arrays for indicators and output (eqs. 9.2, 9.6, 9.7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.model.interface import States

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bond:
    """What the layer does in a state, by column; the same on every rank.

    Attributes:
        states: (columns,) `BONDED`, `CLOSED` or `OPEN`.
        opening: (columns,) distance between particle and matrix [µm], 0 unless open.
        normal_traction: (columns,) facet means [MPa].
        shear_traction: (columns,) facet means, lengths [MPa].
        area: (columns,) [µm²].
    """

    states: States
    opening: Array
    normal_traction: Array
    shear_traction: Array
    area: Array


@dataclass(frozen=True)
class SurroundingsState:
    """What became of the surroundings.

    Attributes:
        bond: The interface layer, the same on every rank; None when the particle is bonded for good.
        plastic_strain: (owned matrix cells, points) equivalent plastic strain; None when the matrix is elastic.
        plastic_weights: (owned matrix cells, points) quadrature weights [µm³].
        plastic_cells: (owned matrix cells,) their numbers.
    """

    bond: Bond | None
    plastic_strain: Array | None
    plastic_weights: Array | None
    plastic_cells: NDArray[np.int32] | None
