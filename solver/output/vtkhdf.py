"""Field series for ParaView ≥ 5.12 (VTKHDF, 5.3): nothing is gathered, a kill at any moment leaves a readable file.

Every rank writes its part of every state into an HDF5 file of its own. What ParaView opens is a small master file whose
data sets are *virtual*: tables that say which file holds which rows. It is replaced in one step after each state, and
names its parts relative to itself, so that a run folder can be moved as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from solver.indicators.layout import Layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.agreement import written_by_all
from solver.output.fields import BOUNDARY, VOLUME, Grid, Values, boundary_values, grids, volume_values
from solver.output.files import replace_with
from solver.output.folder import FIELDS, RunFolder

MASTERS = {VOLUME: "fields.vtkhdf", BOUNDARY: "grain_boundaries.vtkhdf"}

_VERSION = (2, 0)
# Virtual data sets need the file format of HDF5 1.10; nothing newer is asked for, so that older readers can follow.
_FORMAT = ("v110", "v110")


def mesh_file(rank: int) -> str:
    """Name of a rank's unchanging part, relative to the run folder."""
    return f"{FIELDS}/mesh_r{rank:05d}.h5"


def state_file(state: int, rank: int) -> str:
    """Name of a rank's part of a state, relative to the run folder."""
    return f"{FIELDS}/state_{state:05d}_r{rank:05d}.h5"


@dataclass(frozen=True)
class _Column:
    """One array of a data set: where it lives in the part files and what a row looks like."""

    path: str
    group: str
    name: str
    row: tuple[int, ...]
    kind: np.dtype[Any]
    changing: bool


@dataclass
class _Series:
    """What rank 0 knows of one data set: sizes of the parts, arrays, and field data of the states written so far."""

    grid: Grid
    points: list[int]
    cells: list[int]
    columns: list[_Column] = field(default_factory=list)

    @property
    def parts(self) -> list[int]:
        """Ranks that hold cells; the others are left out of the file."""
        return [rank for rank, count in enumerate(self.cells) if count]


class VtkHdfWriter:
    """Writes the particle and its grain boundaries as VTKHDF series.

    Args:
        folder: Open run folder.
        layout: The particle's geometry.
        settings: Strengths for the boundary risk.
    """

    def __init__(self, folder: RunFolder, layout: Layout, settings: IndicatorSettings) -> None:
        self._folder, self._comm, self._settings = folder, folder.comm, settings
        self._states: list[tuple[int, float, float, float]] = []
        self._series: list[_Series] = []
        for grid in grids(layout):
            sizes = self._comm.allgather((len(grid.points), len(grid.cells)))
            self._series.append(_Series(grid, [size[0] for size in sizes], [size[1] for size in sizes]))
        with written_by_all(self._comm, "the mesh"):
            replace_with(folder.path / mesh_file(self._comm.rank), self._write_mesh)

    def write(self, view: StateView) -> None:
        """Adds a state; collective."""
        state = view.state
        values = [volume_values(view, self._series[0].grid), boundary_values(view, self._settings)]
        with written_by_all(self._comm, f"the fields of state {state.index}"):
            place = self._folder.path / state_file(state.index, self._comm.rank)
            replace_with(place, partial(_write_values, all_series=self._series, values=values))
        self._states.append((state.index, state.time, state.state_of_charge, state.mean_stoichiometry))
        with written_by_all(self._comm, "the list of fields"):
            if self._comm.rank == 0:
                self._write_masters(values)

    def _write_mesh(self, path: Path) -> None:
        with h5py.File(path, "w", locking=False) as file:
            for series in self._series:
                grid, group = series.grid, file.create_group(series.grid.name)
                count, corners = grid.cells.shape
                group["points"] = grid.points
                group["connectivity"] = grid.cells.ravel()
                group["offsets"] = np.arange(0, count * corners + 1, corners, dtype=np.int64)
                group["types"] = np.full(count, grid.shape, dtype=np.uint8)
                for name, array in grid.cell_data.items():
                    group[f"cells/{name}"] = array

    def _write_masters(self, values: Sequence[Values]) -> None:
        for series, current in zip(self._series, values):
            if series.parts:
                series.columns = series.columns or _columns(series.grid, current)
                place = self._folder.path / MASTERS[series.grid.name]
                replace_with(place, partial(_write_master, series=series, states=self._states))


def _write_values(path: Path, all_series: Sequence[_Series], values: Sequence[Values]) -> None:
    with h5py.File(path, "w", locking=False) as file:
        for series, current in zip(all_series, values):
            for kind, arrays in (("points", current.point_data), ("cells", current.cell_data)):
                for name, array in arrays.items():
                    file[f"{series.grid.name}/{kind}/{name}"] = array


def _columns(grid: Grid, values: Values) -> list[_Column]:
    """Arrays of a data set: unchanging ones from the mesh parts, changing ones from the state parts."""
    return [
        _Column(f"{grid.name}/{kind}/{name}", group, name, array.shape[1:], array.dtype, changing)
        for arrays, kind, group, changing in (
            (grid.cell_data, "cells", "CellData", False),
            (values.cell_data, "cells", "CellData", True),
            (values.point_data, "points", "PointData", True),
        )
        for name, array in arrays.items()
    ]


def _write_master(path: Path, series: _Series, states: Sequence[tuple[int, float, float, float]]) -> None:
    with h5py.File(path, "w", libver=_FORMAT, locking=False) as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = _VERSION
        root.attrs.create("Type", b"UnstructuredGrid", dtype=h5py.string_dtype("ascii", 16))
        _write_geometry(root, series)
        steps = root.create_group("Steps")
        _write_steps(steps, series, states)
        for name in ("PointData", "CellData", "FieldData"):
            root.create_group(name)
            steps.create_group(f"{name}Offsets")
        for column in series.columns:
            _write_column(root, series, column, [state[0] for state in states])
        for position, name in ((2, "state_of_charge"), (3, "mean_stoichiometry")):
            root[f"FieldData/{name}"] = np.array([state[position] for state in states])
            steps[f"FieldDataOffsets/{name}"] = np.arange(len(states))


def _write_geometry(root: h5py.Group, series: _Series) -> None:
    name, corners = series.grid.name, series.grid.cells.shape[1]
    points, cells = ([sizes[rank] for rank in series.parts] for sizes in (series.points, series.cells))
    identifiers = [corners * count for count in cells]
    root["NumberOfPoints"] = np.array(points, dtype=np.int64)
    root["NumberOfCells"] = np.array(cells, dtype=np.int64)
    root["NumberOfConnectivityIds"] = np.array(identifiers, dtype=np.int64)
    files = [mesh_file(rank) for rank in series.parts]
    _virtual(root, "Points", np.dtype(np.float32), (3,), files, f"{name}/points", points)
    _virtual(root, "Connectivity", np.dtype(np.int64), (), files, f"{name}/connectivity", identifiers)
    _virtual(root, "Offsets", np.dtype(np.int64), (), files, f"{name}/offsets", [count + 1 for count in cells])
    _virtual(root, "Types", np.dtype(np.uint8), (), files, f"{name}/types", cells)


def _write_steps(steps: h5py.Group, series: _Series, states: Sequence[tuple[int, float, float, float]]) -> None:
    """Tables that say where each state begins; the geometry is the same for all of them."""
    count = len(states)
    steps.attrs["NSteps"] = count
    steps["Values"] = np.array([state[1] for state in states])
    steps["NumberOfParts"] = np.full(count, len(series.parts), dtype=np.int64)
    for name in ("PartOffsets", "PointOffsets"):
        steps[name] = np.zeros(count, dtype=np.int64)
    for name in ("CellOffsets", "ConnectivityIdOffsets"):
        steps[name] = np.zeros((count, 1), dtype=np.int64)


def _write_column(root: h5py.Group, series: _Series, column: _Column, states: Sequence[int]) -> None:
    sizes = series.points if column.group == "PointData" else series.cells
    rows = [sizes[rank] for rank in series.parts]
    if column.changing:
        files = [state_file(state, rank) for state in states for rank in series.parts]
        starts = sum(rows) * np.arange(len(states), dtype=np.int64)
    else:
        files = [mesh_file(rank) for rank in series.parts]
        starts = np.zeros(len(states), dtype=np.int64)
    counts = rows * (len(files) // len(rows))
    _virtual(root[column.group], column.name, column.kind, column.row, files, column.path, counts)
    root[f"Steps/{column.group}Offsets/{column.name}"] = starts


def _virtual(
    group: h5py.Group,
    name: str,
    kind: np.dtype[Any],
    row: tuple[int, ...],
    files: Sequence[str],
    path: str,
    counts: Sequence[int],
) -> None:
    """Data set made of the rows of `path` in all `files`, one after the other; NaN stands for a file that is gone."""
    layout = h5py.VirtualLayout((sum(counts), *row), kind)
    ends = np.cumsum(counts)
    for file, end, count in zip(files, ends, counts):
        layout[end - count : end] = h5py.VirtualSource(file, path, (count, *row), kind)
    group.create_virtual_dataset(name, layout, fillvalue=np.nan if kind.kind == "f" else 0)
