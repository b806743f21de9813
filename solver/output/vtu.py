"""Field series that every ParaView reads: .vtu pieces, one .pvtu per state, one .pvd; many files.

Every rank writes its pieces; rank 0 lists them. The list is replaced in one step after each state, so that a kill at
any moment leaves a readable series.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from solver.indicators.layout import Layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.agreement import written_by_all
from solver.output.fields import BOUNDARY, VOLUME, Arrays, Grid, Values, boundary_values, grids, volume_values
from solver.output.files import replace_with, write_text
from solver.output.folder import FIELDS, RunFolder

COLLECTIONS = {VOLUME: "fields.pvd", BOUNDARY: "grain_boundaries.pvd"}
_STEMS = {VOLUME: "fields", BOUNDARY: "grain_boundaries"}
_TYPES = {"f4": "Float32", "f8": "Float64", "i4": "Int32", "i8": "Int64", "u1": "UInt8"}


def piece_file(name: str, state: int, rank: int) -> str:
    """Name of a rank's piece of a state in the folder of fields."""
    return f"{_STEMS[name]}_s{state:05d}_r{rank:05d}.vtu"


def state_file(name: str, state: int) -> str:
    """Name of the list of a state's pieces in the folder of fields."""
    return f"{_STEMS[name]}_s{state:05d}.pvtu"


class VtuWriter:
    """Writes the particle and its grain boundaries as series of .vtu files.

    Args:
        folder: Open run folder.
        layout: The particle's geometry.
        settings: Strengths for the boundary risk.
        space: P1 space of x.
        earlier: Memory of a writer whose series goes on; its pieces stay as they are.
    """

    def __init__(
        self,
        folder: RunFolder,
        layout: Layout,
        settings: IndicatorSettings,
        space: fem.FunctionSpace,
        earlier: dict[str, Any] | None = None,
    ) -> None:
        self._folder, self._comm, self._settings = folder, folder.comm, settings
        self._grids = grids(layout, space)
        self._parts = [
            [rank for rank, count in enumerate(self._comm.allgather(len(grid.cells))) if count] for grid in self._grids
        ]
        self._states: list[tuple[int, float]] = [tuple(entry) for entry in earlier["states"]] if earlier else []

    def write(self, view: StateView) -> None:
        """Adds a state; collective."""
        state = view.state
        values = [volume_values(view, self._grids[0]), boundary_values(view, self._settings)]
        fields = self._folder.path / FIELDS
        with written_by_all(self._comm, f"the fields of state {state.index}"):
            for grid, current, parts in zip(self._grids, values, self._parts):
                if self._comm.rank in parts:
                    place = fields / piece_file(grid.name, state.index, self._comm.rank)
                    replace_with(place, partial(_write_piece, grid=grid, values=current))
        self._states.append((state.index, state.time))
        with written_by_all(self._comm, "the list of fields"):
            for grid, current, parts in zip(self._grids, values, self._parts):
                if self._comm.rank == 0 and parts:
                    self._list(grid, current, parts, state.index)

    def finish(self) -> None:
        """Nothing: every state stands by itself."""

    def memory(self) -> dict[str, Any]:
        """Numbers and times of the states written."""
        return {"states": [list(entry) for entry in self._states]}

    def _list(self, grid: Grid, values: Values, parts: Sequence[int], state: int) -> None:
        """Rewrites the lists that name the pieces of a state and the states of the series."""
        pieces = [piece_file(grid.name, state, rank) for rank in parts]
        write_text(self._folder.path / FIELDS / state_file(grid.name, state), _parallel_list(grid, values, pieces))
        entries = "".join(
            f'<DataSet timestep="{time!r}" part="0" file="{FIELDS}/{state_file(grid.name, number)}"/>\n'
            for number, time in self._states
        )
        text = f'<VTKFile type="Collection" version="0.1">\n<Collection>\n{entries}</Collection>\n</VTKFile>\n'
        write_text(self._folder.path / COLLECTIONS[grid.name], text)


def _write_piece(path: Path, grid: Grid, values: Values) -> None:
    count, corners = grid.cells.shape
    cells: Arrays = {
        "connectivity": grid.cells.ravel(),
        "offsets": np.arange(corners, count * corners + 1, corners, dtype=np.int64),
        "types": np.full(count, grid.shape, dtype=np.uint8),
    }
    sections: dict[str, Arrays] = {
        "PointData": values.point_data,
        "CellData": grid.cell_data | values.cell_data,
        "Points": {"points": grid.points},
        "Cells": cells,
    }
    blocks: list[NDArray[Any]] = []
    offset, body = 0, ""
    for section, arrays in sections.items():
        body += f"<{section}>\n"
        for name, array in arrays.items():
            body += f'{_declaration("DataArray", name, array)} format="appended" offset="{offset}"/>\n'
            blocks.append(np.ascontiguousarray(array))
            offset += 8 + array.nbytes
        body += f"</{section}>\n"
    head = (
        f'<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" {_file_attributes()}>\n<UnstructuredGrid>\n'
        f'<Piece NumberOfPoints="{len(grid.points)}" NumberOfCells="{count}">\n{body}</Piece>\n</UnstructuredGrid>\n'
        '<AppendedData encoding="raw">\n_'
    )
    with path.open("wb") as file:
        file.write(head.encode())
        for block in blocks:
            file.write(np.uint64(block.nbytes).tobytes())
            file.write(block.tobytes())
        file.write(b"\n</AppendedData>\n</VTKFile>\n")


def _parallel_list(grid: Grid, values: Values, pieces: Sequence[str]) -> str:
    """Content of a .pvtu file."""
    body = ""
    for section, arrays in (("PPointData", values.point_data), ("PCellData", grid.cell_data | values.cell_data)):
        lines = "".join(f"{_declaration('PDataArray', name, array)}/>\n" for name, array in arrays.items())
        body += f"<{section}>\n{lines}</{section}>\n"
    body += f"<PPoints>\n{_declaration('PDataArray', 'points', grid.points)}/>\n</PPoints>\n"
    body += "".join(f"<Piece Source={quoteattr(piece)}/>\n" for piece in pieces)
    return (
        f'<?xml version="1.0"?>\n<VTKFile type="PUnstructuredGrid" {_file_attributes()}>\n'
        f'<PUnstructuredGrid GhostLevel="0">\n{body}</PUnstructuredGrid>\n</VTKFile>\n'
    )


def _declaration(tag: str, name: str, array: NDArray[Any]) -> str:
    components = array.shape[1] if array.ndim > 1 else 1
    kind = _TYPES[array.dtype.str[1:]]
    return f'<{tag} type="{kind}" Name={quoteattr(name)} NumberOfComponents="{components}"'


def _file_attributes() -> str:
    order = "LittleEndian" if sys.byteorder == "little" else "BigEndian"
    return f'version="1.0" byte_order="{order}" header_type="UInt64"'
