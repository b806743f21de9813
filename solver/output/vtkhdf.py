"""Field series for ParaView ≥ 5.12 (VTKHDF, 5.3): nothing is gathered, a kill at any moment leaves a readable file.

Every rank writes its part of every state into an HDF5 file of its own. Data sets that are *virtual*, tables that say
which file holds which rows, join them in two steps: a small file per state joins the ranks, and the master that
ParaView opens joins the states. The master is replaced in one step after each state. All names are relative to the file
they stand in, so that a run folder can be moved as a whole.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from solver.indicators.layout import Layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.agreement import written_by_all
from solver.output.earlier import earlier_rows, earlier_values
from solver.output.fields import BOUNDARY, VOLUME, Grid, Values, boundary_values, grids, volume_values
from solver.output.files import replace_with
from solver.output.folder import FIELDS, RunFolder

MASTERS = {VOLUME: "fields.vtkhdf", BOUNDARY: "grain_boundaries.vtkhdf"}

_VERSION = (2, 0)
# Virtual data sets need the file format of HDF5 1.10; nothing newer is asked for, so that older readers can follow.
_FORMAT = ("v110", "v110")


_MESH = "mesh"


def _state_name(state: int) -> str:
    return f"state_{state:05d}"


def fields_folder(generation: int) -> str:
    """Folder of the values: that of a new run, or of one that went on so many times."""
    return f"{FIELDS}-{generation}" if generation else FIELDS


def _joined(name: str) -> str:
    """File in the folder of fields that joins the parts of all ranks."""
    return f"{name}.h5"


def _part(name: str, rank: int) -> str:
    """File in the folder of fields with the part of one rank."""
    return f"{name}_r{rank:05d}.h5"


@dataclass(frozen=True)
class _Column:
    """One array of a data set.

    Attributes:
        group: Group in the master, "" for the top.
        name: Name in the master.
        path: Path in the part files.
        row: Shape of a row.
        kind: Type of its numbers.
        parts: Ranks that hold rows.
        counts: How many each of them holds.
    """

    group: str
    name: str
    path: str
    row: tuple[int, ...]
    kind: np.dtype[Any]
    parts: list[int]
    counts: list[int]


@dataclass
class _Series:
    """What rank 0 knows of one data set: the ranks that hold cells, sizes of their parts, and the arrays."""

    grid: Grid
    parts: list[int]
    points: list[int]
    cells: list[int]
    fixed: list[_Column] = field(default_factory=list)
    changing: list[_Column] = field(default_factory=list)


@dataclass(frozen=True)
class _Moment:
    """A state that has been written."""

    number: int
    time: float
    state_of_charge: float
    mean_stoichiometry: float


class VtkHdfWriter:
    """Writes the particle and its grain boundaries as VTKHDF series.

    Args:
        folder: Open run folder.
        layout: The particle's geometry.
        settings: Strengths for the boundary risk.
        space: P1 space of x.
        earlier: Memory of a writer whose series goes on. Its states are written anew, in the order in which cells lie
            on the ranks now, into a folder of their own; the earlier folders stay until `finish`.
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
        self._generation = 0 if earlier is None else earlier["generation"] + 1
        self._fields = folder.path / fields_folder(self._generation)
        self._moments: list[_Moment] = []
        self._series = [_series(grid, self._comm) for grid in grids(layout, space)]
        with written_by_all(self._comm, "the mesh"):
            if self._comm.rank == 0:
                self._fields.mkdir(exist_ok=True)
        with written_by_all(self._comm, "the mesh"):
            replace_with(self._fields / _part(_MESH, self._comm.rank), self._write_mesh)
        with written_by_all(self._comm, "the mesh"):
            if self._comm.rank == 0:
                columns = [column for series in self._series for column in (*_geometry(series), *series.fixed)]
                columns += [_vertices(series) for series in self._series]
                replace_with(self._fields / _joined(_MESH), partial(_write_join, name=_MESH, columns=columns))
        if earlier is not None:
            self._take_over(earlier)

    def _take_over(self, earlier: dict[str, Any]) -> None:
        """Writes the states of an earlier writer anew."""
        place = self._folder.path / fields_folder(earlier["generation"])
        with written_by_all(self._comm, "the fields of earlier states"):
            rows = [earlier_rows(place / _joined(_MESH), series.grid, earlier["points"]) for series in self._series]
        for moment in (_Moment(**entry) for entry in earlier["moments"]):
            with written_by_all(self._comm, "the fields of earlier states"):
                source = place / _joined(_state_name(moment.number))
                values = [earlier_values(source, series.grid.name, row) for series, row in zip(self._series, rows)]
            self._add(moment, values)

    def write(self, view: StateView) -> None:
        """Adds a state; collective."""
        state = view.state
        values = [volume_values(view, self._series[0].grid), boundary_values(view, self._settings)]
        self._add(_Moment(state.index, state.time, state.state_of_charge, state.mean_stoichiometry), values)
        with written_by_all(self._comm, "the list of fields"):
            if self._comm.rank == 0:
                self._write_masters()

    def memory(self) -> dict[str, Any]:
        """The states written, and how many points each rank holds."""
        points = {series.grid.name: [series.points, series.cells] for series in self._series}
        return {
            "generation": self._generation,
            "moments": [asdict(moment) for moment in self._moments],
            "points": points,
        }

    def finish(self) -> None:
        """Removes the folders of earlier writers of the series; rank 0 does."""
        if self._comm.rank == 0:
            for generation in range(self._generation):
                shutil.rmtree(self._folder.path / fields_folder(generation), ignore_errors=True)

    def _add(self, moment: _Moment, values: Sequence[Values]) -> None:
        """Writes a state; the masters do not know it yet."""
        name = _state_name(moment.number)
        with written_by_all(self._comm, f"the fields of state {moment.number}"):
            place = self._fields / _part(name, self._comm.rank)
            replace_with(place, partial(_write_values, series=self._series, values=values))
        self._moments.append(moment)
        with written_by_all(self._comm, "the list of fields"):
            if self._comm.rank == 0:
                for series, current in zip(self._series, values):
                    series.changing = series.changing or _changing(series, current)
                columns = [column for series in self._series for column in series.changing]
                replace_with(self._fields / _joined(name), partial(_write_join, name=name, columns=columns))

    def _write_mesh(self, path: Path) -> None:
        with _new_file(path) as file:
            for series in self._series:
                grid, group = series.grid, file.create_group(series.grid.name)
                count, corners = grid.cells.shape
                group["points"] = grid.points
                group["connectivity"] = grid.cells.ravel()
                group["offsets"] = np.arange(0, count * corners + 1, corners, dtype=np.int64)
                group["types"] = np.full(count, grid.shape, dtype=np.uint8)
                group["vertices"] = grid.vertices
                for name, array in grid.cell_data.items():
                    group[f"cells/{name}"] = array

    def _write_masters(self) -> None:
        for series in self._series:
            if series.parts:
                place = self._folder.path / MASTERS[series.grid.name]
                write = partial(_write_master, series=series, moments=self._moments, fields=self._fields.name)
                replace_with(place, write)


@contextmanager
def _new_file(path: Path, **options: Any) -> Iterator[h5py.File]:
    """HDF5 file made in memory and written at once.

    HDF5 itself does not survive a disk that fills up under an open file: the library crashes when the process ends.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        yield file
    path.write_bytes(buffer.getbuffer())


def _series(grid: Grid, comm: MPI.Comm) -> _Series:
    sizes = comm.allgather((len(grid.points), len(grid.cells)))
    parts = [rank for rank, (_, cells) in enumerate(sizes) if cells]
    series = _Series(grid, parts, [sizes[rank][0] for rank in parts], [sizes[rank][1] for rank in parts])
    series.fixed = [_column(series, "CellData", name, array) for name, array in grid.cell_data.items()]
    return series


def _changing(series: _Series, values: Values) -> list[_Column]:
    cells = [_column(series, "CellData", name, array) for name, array in values.cell_data.items()]
    return cells + [_column(series, "PointData", name, array) for name, array in values.point_data.items()]


def _column(series: _Series, group: str, name: str, array: NDArray[Any]) -> _Column:
    kind, counts = ("cells", series.cells) if group == "CellData" else ("points", series.points)
    path = f"{series.grid.name}/{kind}/{name}"
    return _Column(group, name, path, array.shape[1:], array.dtype, series.parts, counts)


def _geometry(series: _Series) -> list[_Column]:
    """The arrays that make up the grid; together they stand at the top of a master."""
    corners = series.grid.cells.shape[1]

    def column(name: str, row: tuple[int, ...], kind: type[np.generic], counts: list[int]) -> _Column:
        return _Column("", name, f"{series.grid.name}/{name.lower()}", row, np.dtype(kind), series.parts, counts)

    return [
        column("Points", (3,), np.float32, series.points),
        column("Connectivity", (), np.int64, [corners * count for count in series.cells]),
        column("Offsets", (), np.int64, [count + 1 for count in series.cells]),
        column("Types", (), np.uint8, series.cells),
    ]


def _vertices(series: _Series) -> _Column:
    """Numbers of the cells' vertices in the mesh file; not for readers, but for a run that goes on."""
    corners = (series.grid.cells.shape[1],)
    return _Column("", "", f"{series.grid.name}/vertices", corners, np.dtype(np.int64), series.parts, series.cells)


def _write_join(path: Path, name: str, columns: Sequence[_Column]) -> None:
    """Joins the ranks' parts of the mesh or of a state, `name`."""
    with _new_file(path, libver=_FORMAT) as file:
        for column in columns:
            _virtual(file, column.path, column, [_part(name, rank) for rank in column.parts], column.counts)


def _write_values(path: Path, series: Sequence[_Series], values: Sequence[Values]) -> None:
    with _new_file(path) as file:
        for one, current in zip(series, values):
            for kind, arrays in (("points", current.point_data), ("cells", current.cell_data)):
                for name, array in arrays.items():
                    file[f"{one.grid.name}/{kind}/{name}"] = array


def _write_master(path: Path, series: _Series, moments: Sequence[_Moment], fields: str) -> None:
    mesh = [f"{fields}/{_joined(_MESH)}"]
    states = [f"{fields}/{_joined(_state_name(moment.number))}" for moment in moments]
    with _new_file(path, libver=_FORMAT) as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = _VERSION
        root.attrs.create("Type", b"UnstructuredGrid", dtype=h5py.string_dtype("ascii", 16))
        steps = root.create_group("Steps")
        for name in ("PointData", "CellData", "FieldData"):
            root.create_group(name)
            steps.create_group(f"{name}Offsets")
        root["NumberOfPoints"] = np.array(series.points, dtype=np.int64)
        root["NumberOfCells"] = np.array(series.cells, dtype=np.int64)
        root["NumberOfConnectivityIds"] = series.grid.cells.shape[1] * np.array(series.cells, dtype=np.int64)
        for column in _geometry(series):
            _virtual(root, column.name, column, mesh, [sum(column.counts)])
        _write_steps(steps, series, moments)
        for column in series.fixed:
            _virtual(root[column.group], column.name, column, mesh, [sum(column.counts)])
            steps[f"{column.group}Offsets/{column.name}"] = np.zeros(len(moments), dtype=np.int64)
        for column in series.changing:
            rows = sum(column.counts)
            _virtual(root[column.group], column.name, column, states, [rows] * len(states))
            steps[f"{column.group}Offsets/{column.name}"] = rows * np.arange(len(moments), dtype=np.int64)
        for name in ("state_of_charge", "mean_stoichiometry"):
            root[f"FieldData/{name}"] = np.array([getattr(moment, name) for moment in moments])
            steps[f"FieldDataOffsets/{name}"] = np.arange(len(moments))


def _write_steps(steps: h5py.Group, series: _Series, moments: Sequence[_Moment]) -> None:
    """Tables that say where each state begins; the geometry is the same for all of them."""
    count = len(moments)
    steps.attrs["NSteps"] = count
    steps["Values"] = np.array([moment.time for moment in moments])
    steps["NumberOfParts"] = np.full(count, len(series.parts), dtype=np.int64)
    for name in ("PartOffsets", "PointOffsets"):
        steps[name] = np.zeros(count, dtype=np.int64)
    for name in ("CellOffsets", "ConnectivityIdOffsets"):
        steps[name] = np.zeros((count, 1), dtype=np.int64)


def _virtual(group: h5py.Group, name: str, column: _Column, files: Sequence[str], counts: Sequence[int]) -> None:
    """Data set made of a column's rows in all `files`, one after the other; NaN stands for a file that is gone."""
    layout = h5py.VirtualLayout((sum(counts), *column.row), column.kind)
    for file, end, count in zip(files, np.cumsum(counts), counts):
        layout[end - count : end] = h5py.VirtualSource(file, column.path, (count, *column.row), column.kind)
    group.create_virtual_dataset(name, layout, fillvalue=np.nan if column.kind.kind == "f" else 0)
