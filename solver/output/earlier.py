"""Values that an earlier run wrote, in the order in which cells and points lie on this rank now.

Cells and facets are known by the numbers of their vertices in the mesh file, points by the corner of a cell they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from solver.output.fields import Arrays, Grid, Values

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """For each cell and each point of a grid its row in what was written."""

    cells: Integers
    points: Integers


def earlier_rows(mesh: Path, grid: Grid, sizes: dict[str, list[list[int]]]) -> Rows:
    """Finds the cells and points of a grid in a mesh written by other ranks.

    Args:
        mesh: The file that joins the ranks' parts.
        grid: This rank's part now.
        sizes: Points and cells of each part that was written, by the grid's name.

    Raises:
        OSError: When the file cannot be read, or is of another mesh.
    """
    if not len(grid.cells):
        return Rows(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    points, cells = (np.array(counts, dtype=np.int64) for counts in sizes[grid.name])
    corners = grid.cells.shape[1]
    with h5py.File(mesh, "r", locking=False) as file:
        vertices = file[f"{grid.name}/vertices"][:]
        connectivity = file[f"{grid.name}/connectivity"][:].reshape(-1, corners)
    connectivity = connectivity + np.repeat(np.cumsum(points) - points, cells)[:, None]
    rows = _matching(np.sort(vertices, axis=1), np.sort(grid.vertices, axis=1))
    if (rows < 0).any():
        raise OSError(f"{mesh.name} is of another mesh")
    # A point is found through the first cell that has it, at the corner with the same vertex.
    _, first = np.unique(grid.cells, return_index=True)
    cell, corner = np.divmod(first, corners)
    same = vertices[rows[cell]] == grid.vertices[cell, corner][:, None]
    return Rows(rows, connectivity[rows[cell], np.argmax(same, axis=1)])


def earlier_values(state: Path, name: str, rows: Rows) -> Values:
    """Values of a state that was written, for the cells and points of a grid.

    Raises:
        OSError: When the file cannot be read.
    """
    with h5py.File(state, "r", locking=False) as file:

        def arrays(kind: str, chosen: Integers) -> Arrays:
            group = file.get(f"{name}/{kind}")
            return {} if group is None else {key: data[:][chosen] for key, data in group.items()}

        return Values(arrays("points", rows.points), arrays("cells", rows.cells))


def _matching(known: Integers, wanted: Integers) -> Integers:
    """Row of `known` that equals each row of `wanted`; −1 where there is none."""
    _, number = np.unique(np.concatenate([known, wanted]), axis=0, return_inverse=True)
    number = number.ravel()
    place = np.full(int(number.max()) + 1, -1, dtype=np.int64)
    place[number[: len(known)]] = np.arange(len(known))
    found: Integers = place[number[len(known) :]]
    return found
