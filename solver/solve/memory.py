"""What a run must remember to go on later, independent of how cells are spread over ranks.

Arrays have one row per local and ghost cell of this rank; whoever keeps them stores the rows of owned cells under the
numbers that cells have in the mesh file, and hands them back in the order of the cells there are then.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Memory:
    """State of a solver.

    Attributes:
        numbers: Single numbers by name.
        corners: (cells, corners) values at the corners of the cells, or at the Gauss points next to them, by name.
        cells: (cells,) values of the cells, by name.
    """

    numbers: dict[str, float] = field(default_factory=dict)
    corners: dict[str, Array] = field(default_factory=dict)
    cells: dict[str, Array] = field(default_factory=dict)

    def joined(self, other: Memory) -> Memory:
        """Both together; names must differ."""
        return Memory(self.numbers | other.numbers, self.corners | other.corners, self.cells | other.cells)


def at_corners(space: fem.FunctionSpace, owned: Array) -> Array:
    """Values at the corners of all local and ghost cells, (cells, corners), of a P1 field's owned ones; collective."""
    field = fem.Function(space)
    field.x.array[: len(owned)] = owned
    field.x.scatter_forward()
    values: Array = field.x.array[space.dofmap.list]
    return values


def from_corners(space: fem.FunctionSpace, corners: Array) -> Array:
    """Values at all local and ghost degrees of freedom of a P1 field, from those at the corners of the cells."""
    values = np.zeros(space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts)
    values[space.dofmap.list] = corners
    return values
