"""Checkpoints: what a run needs to go on after a kill, on any number of ranks, in two slots of which one is whole.

Every rank writes the rows of its own cells; cells are named by their numbers in the mesh file, which lies beside the
slots, and corners of a cell are sorted by the numbers of their vertices. The name of the slot to read is replaced last,
so that a kill at any moment leaves the earlier slot in force.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from zipfile import BadZipFile

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from solver.errors import OutputError, Requeue
from solver.output.agreement import written_by_all
from solver.output.files import replace_with, write_json
from solver.output.folder import CHECKPOINT
from solver.solve.domain import Domain
from solver.solve.memory import Memory
from solver.solve.segments import Reading
from solver.solve.stepping import Place

_LATEST, _STATE = "latest.json", "state.json"
_SLOTS = ("slot_a", "slot_b")
_VERSION = 1


@dataclass(frozen=True)
class Kept:
    """A checkpoint read back.

    Attributes:
        place: Where in the protocol.
        memory: State of the solver on this rank's cells.
        records: What was recorded, see `Recorder.memory`.
    """

    place: Place
    memory: Memory
    records: dict[str, Any]


class Checkpoints:
    """Keeps places of a run; a `Keeper` for the time loop. Collective in everything.

    Args:
        folder: Run folder.
        domain: The particle.
        remember: Gives the memory of the solver.
        records: Gives what was recorded so far.
        interval: Seconds between checkpoints; zero keeps every step.
    """

    def __init__(
        self,
        folder: Path,
        domain: Domain,
        remember: Callable[[], Memory],
        records: Callable[[], dict[str, Any]],
        interval: float,
    ) -> None:
        self._folder, self._domain, self._comm = folder / CHECKPOINT, domain, domain.comm
        self._remember, self._records, self._interval = remember, records, interval
        self._order = _Order(domain)
        self._last, self._slot, self._asked = time.monotonic(), 0, False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block, SIGUSR1 and SIGTERM ask for a checkpoint and a stop."""
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGUSR1, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def pass_by(self, place: Place) -> None:
        """Keeps the place when it is time to.

        Raises:
            OutputError: When the checkpoint cannot be written.
            Requeue: After keeping it, when a signal asked for a stop.
        """
        due = self._comm.rank == 0 and time.monotonic() - self._last >= self._interval
        wish = self._comm.allreduce(2 * int(self._asked) + int(due), op=MPI.MAX)
        if not wish:
            return
        self.keep(place)
        if wish >= 2:
            raise Requeue(f"stopped at {place.time:.6g} s as asked by a signal; `vegard resume` goes on from there")

    def keep(self, place: Place) -> None:
        """Writes a checkpoint into the slot that is not in force, and puts it in force.

        Raises:
            OutputError: When it cannot be written; the other slot stays in force.
        """
        memory = self._remember()
        slot = self._folder / _SLOTS[self._slot]
        with written_by_all(self._comm, "the checkpoint"):
            if self._comm.rank == 0:
                shutil.rmtree(slot, ignore_errors=True)
                slot.mkdir(parents=True)
        with written_by_all(self._comm, "the checkpoint"):
            arrays = self._order.sorted(memory)
            replace_with(slot / f"part_{self._comm.rank:05d}.npz", lambda path: _write_arrays(path, arrays))
        with written_by_all(self._comm, "the checkpoint"):
            if self._comm.rank == 0:
                state = {"version": _VERSION, "ranks": self._comm.size, "numbers": memory.numbers}
                write_json(slot / _STATE, state | {"place": asdict(place), "records": self._records()})
                write_json(self._folder / _LATEST, {"slot": slot.name})
        self._slot, self._last = 1 - self._slot, time.monotonic()


def _write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def has_checkpoint(folder: Path) -> bool:
    """Whether a run folder holds a checkpoint to go on from."""
    return (folder / CHECKPOINT / _LATEST).exists()


def read_checkpoint(folder: Path, domain: Domain) -> Kept:
    """The checkpoint in force, with the arrays of this rank's cells.

    Raises:
        OutputError: When there is none, or it is damaged.
    """
    place = folder / CHECKPOINT
    try:
        slot = place / json.loads((place / _LATEST).read_text(encoding="utf-8"))["slot"]
        state = json.loads((slot / _STATE).read_text(encoding="utf-8"))
        parts = [slot / f"part_{rank:05d}.npz" for rank in range(state["ranks"])]
        corners, cells = _Order(domain).found(parts)
    except FileNotFoundError as error:
        raise OutputError(f"{folder}: {error.filename} of the checkpoint is not there; run the case again") from error
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise OutputError(f"{folder}: the checkpoint is damaged ({error}); run the case again") from error
    if state["version"] != _VERSION:
        raise OutputError(f"{folder}: the checkpoint was written by another version; run the case again")
    told = state["place"]
    for name in ("reading", "seen"):
        told[name] = Reading(**{key: float("nan") if value is None else value for key, value in told[name].items()})
    return Kept(Place(**told), Memory(state["numbers"], corners, cells), state["records"])


class _Order:
    """Takes arrays of local cells to an order that does not depend on the ranks, and back."""

    def __init__(self, domain: Domain) -> None:
        self._cells, self._owned = domain.input_cells, domain.owned
        vertices = np.asarray(domain.mesh.geometry.input_global_indices)[domain.cell_vertices]
        self._corners = np.argsort(vertices, axis=1)

    def sorted(self, memory: Memory) -> dict[str, NDArray[Any]]:
        """Rows of the owned cells with their corners in order, and the cells' numbers."""
        owned = slice(0, self._owned)
        arrays: dict[str, NDArray[Any]] = {"numbers": self._cells[owned]}
        for name, values in memory.corners.items():
            arrays[f"corners/{name}"] = np.take_along_axis(values, self._corners, axis=1)[owned]
        for name, values in memory.cells.items():
            arrays[f"cells/{name}"] = values[owned]
        return arrays

    def found(self, parts: list[Path]) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
        """Arrays of corners and of cells for all local and ghost cells, from the parts of all ranks.

        Raises:
            ValueError: When cells are missing.
        """
        corners: dict[str, NDArray[np.float64]] = {}
        cells: dict[str, NDArray[np.float64]] = {}
        missing = np.ones(len(self._cells), dtype=bool)
        for part in parts:
            with np.load(part) as data:
                numbers = data["numbers"]
                order = np.argsort(numbers)
                place = np.minimum(np.searchsorted(numbers, self._cells, sorter=order), len(numbers) - 1)
                rows = order[place]
                here = numbers[rows] == self._cells
                missing &= ~here
                for name in data.files:
                    kind, _, key = name.partition("/")
                    if kind == "corners":
                        kept = corners.setdefault(key, np.empty(self._corners.shape))
                        ordered = np.empty((int(here.sum()), self._corners.shape[1]))
                        np.put_along_axis(ordered, self._corners[here], data[name][rows[here]], axis=1)
                        kept[here] = ordered
                    elif kind == "cells":
                        cells.setdefault(key, np.empty(len(self._cells)))[here] = data[name][rows[here]]
        if missing.any():
            raise ValueError(f"it does not cover {int(missing.sum())} cells of the mesh")
        return corners, cells
