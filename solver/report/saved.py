"""Reading the fields of a run folder back as arrays, whichever format they were written in; no VTK needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from solver.errors import OutputError
from solver.output.fields import BOUNDARY, VOLUME, Arrays
from solver.output.vtkhdf import MASTERS
from solver.output.vtu import COLLECTIONS

_DTYPES = {"Float32": "f4", "Float64": "f8", "Int32": "i4", "Int64": "i8", "UInt8": "u1"}


@dataclass(frozen=True)
class SavedGrid:
    """One data set of one state, parts of all ranks together.

    Attributes:
        points: (n, 3) [µm]; points between two ranks' parts appear once per part.
        cells: (m, corners) rows of `points`.
        point_data: Arrays with one row per point.
        cell_data: Arrays with one row per cell.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    point_data: Arrays
    cell_data: Arrays


class SavedFields(Protocol):
    """The field series of a run.

    Attributes:
        times: Time of each state [s].
    """

    times: list[float]

    def volume(self, state: int) -> SavedGrid:
        """The particle at the state with this position in `times`."""

    def boundary(self, state: int) -> SavedGrid | None:
        """The grain boundaries at that state; None for a single crystal."""


def open_fields(folder: Path) -> SavedFields:
    """Field series of a run folder.

    Raises:
        OutputError: When the folder holds no fields.
    """
    if (folder / MASTERS[VOLUME]).exists():
        return _VtkHdfFields(folder)
    if (folder / COLLECTIONS[VOLUME]).exists():
        return _VtuFields(folder)
    raise OutputError(f"{folder}: no fields there; give the folder of a run that has written a state")


class _VtkHdfFields:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with h5py.File(folder / MASTERS[VOLUME], "r", locking=False) as file:
            self.times = [float(time) for time in file["VTKHDF/Steps/Values"][:]]

    def volume(self, state: int) -> SavedGrid:
        return self._grid(self._folder / MASTERS[VOLUME], state)

    def boundary(self, state: int) -> SavedGrid | None:
        path = self._folder / MASTERS[BOUNDARY]
        return self._grid(path, state) if path.exists() else None

    @staticmethod
    def _grid(path: Path, state: int) -> SavedGrid:
        with h5py.File(path, "r", locking=False) as file:
            root = file["VTKHDF"]
            points, cells = root["NumberOfPoints"][:], root["NumberOfCells"][:]
            corners = int(root["NumberOfConnectivityIds"][0] // cells[0])
            first_point = np.repeat(np.cumsum(points) - points, cells)
            connectivity = root["Connectivity"][:].reshape(-1, corners) + first_point[:, None]

            def arrays(group: str, rows: int) -> Arrays:
                starts = root[f"Steps/{group}Offsets"]
                return {
                    name: data[int(starts[name][state]) : int(starts[name][state]) + rows]
                    for name, data in root[group].items()
                }

            return SavedGrid(
                points=root["Points"][:].astype(np.float64),
                cells=connectivity,
                point_data=arrays("PointData", int(points.sum())),
                cell_data=arrays("CellData", int(cells.sum())),
            )


class _VtuFields:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = {name: _collection(folder / file) for name, file in COLLECTIONS.items()}
        self.times = [time for time, _ in self._entries[VOLUME]]

    def volume(self, state: int) -> SavedGrid:
        return self._grid(self._entries[VOLUME][state][1])

    def boundary(self, state: int) -> SavedGrid | None:
        entries = self._entries[BOUNDARY]
        return self._grid(entries[state][1]) if entries else None

    def _grid(self, name: str) -> SavedGrid:
        listed = self._folder / name
        sources = re.findall(r'<Piece Source="([^"]+)"', listed.read_text(encoding="utf-8"))
        pieces = [_piece(listed.parent / source) for source in sources]
        counts = np.array([len(piece.points) for piece in pieces])
        shifted = [piece.cells + first for piece, first in zip(pieces, np.cumsum(counts) - counts)]
        return SavedGrid(
            points=np.concatenate([piece.points for piece in pieces]),
            cells=np.concatenate(shifted),
            point_data=_joined([piece.point_data for piece in pieces]),
            cell_data=_joined([piece.cell_data for piece in pieces]),
        )


def _collection(path: Path) -> list[tuple[float, str]]:
    if not path.exists():
        return []
    found = re.findall(r'<DataSet timestep="([^"]+)" [^>]*file="([^"]+)"', path.read_text(encoding="utf-8"))
    return [(float(time), name) for time, name in found]


def _piece(path: Path) -> SavedGrid:
    """One .vtu piece as `solver.output.vtu` writes it: declarations first, then the raw values in their order."""
    content = path.read_bytes()
    head_text, values = content.split(b'<AppendedData encoding="raw">\n_', 1)
    head = head_text.decode()

    def section(tag: str) -> Arrays:
        inside = head.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]
        pattern = r'type="(\w+)" Name="([^"]+)" NumberOfComponents="(\d+)" format="appended" offset="(\d+)"'
        return {
            name: _appended(values, int(offset), _DTYPES[kind], int(components))
            for kind, name, components, offset in re.findall(pattern, inside)
        }

    cells = section("Cells")
    return SavedGrid(
        points=section("Points")["points"].astype(np.float64),
        cells=cells["connectivity"].reshape(len(cells["types"]), -1),
        point_data=section("PointData"),
        cell_data=section("CellData"),
    )


def _appended(values: bytes, offset: int, dtype: str, components: int) -> NDArray[Any]:
    size = int(np.frombuffer(values, np.uint64, 1, offset)[0])
    array = np.frombuffer(values, dtype, size // np.dtype(dtype).itemsize, offset + 8)
    return array.reshape(-1, components) if components > 1 else array


def _joined(pieces: list[Arrays]) -> Arrays:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
