"""The folder of one run: who may write into it, its state as others see it, its log.

A run takes the folder by a lock that ends with the process, refuses to touch results that are already there unless told
to replace them, and replaces only files it can recognise as its own.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout
from mpi4py import MPI

from solver.errors import OutputError, Requeue, VegardError
from solver.output.files import write_json, write_text
from solver.output.provenance import origin

PROGRAM = "vegard"
STATUS = "status.json"
FIELDS = "fields"
FIGURES = "figures"
FRAMES = "frames"
REPORT = "report.html"
CHECKPOINT = "checkpoint"
KEPT_MESH = "mesh.msh"

# Everything a run may leave behind. Only these are ever removed, and only when `STATUS` says that a run made them.
RESULT_PATTERNS = (
    "case.yaml",
    "case.resolved.json",
    "provenance.json",
    "run.log",
    "history.csv",
    "steps.csv",
    "summary.json",
    "fields.vtkhdf",
    "grain_boundaries.vtkhdf",
    "fields.pvd",
    "grain_boundaries.pvd",
    f"{FIELDS}*/mesh.h5",
    f"{FIELDS}*/mesh_r*.h5",
    f"{FIELDS}*/state_*.h5",
    f"{FIELDS}/*_s*_r*.vtu",
    f"{FIELDS}/*_s*.pvtu",
    f"{FIGURES}/*.png",
    f"{FIGURES}/{FRAMES}/*.png",
    REPORT,
    f"{CHECKPOINT}/*.json",
    f"{CHECKPOINT}/{KEPT_MESH}",
    f"{CHECKPOINT}/slot_*/*",
    # What a run that was killed while writing leaves behind, see `solver.output.files`.
    ".*.tmp.*",
    f"{FIELDS}*/.*.tmp.*",
    f"{CHECKPOINT}/.*.tmp.*",
    f"{FIGURES}/.*.tmp.*",
    STATUS,
)

RUNNING, FINISHED, FAILED, INTERRUPTED, KILLED = "running", "finished", "failed", "interrupted", "killed"

_LOG_ROOMS = ("solver", "meshes")


class RunFolder:
    """A run's folder, open for writing. Use as a context manager: leaving it records how the run ended.

    Args:
        path: Folder; made when absent.
        comm: Ranks of the run; construction is collective, rank 0 does the writing.
        force: Replace the results of an earlier run.
        resume: Go on with the results of an earlier run, which stay.

    Raises:
        OutputError: On every rank, when the folder holds results, is in use, or cannot be written; or holds none that
            could go on.
    """

    def __init__(self, path: Path, comm: MPI.Comm, force: bool = False, resume: bool = False) -> None:
        self.path, self.comm = path.absolute(), comm
        self._lock = FileLock(self.path / f".{PROGRAM}.lock")
        self._handler: logging.Handler | None = None
        self._status: dict[str, Any] = {}
        self._provenance: dict[str, Any] = {}
        problem = self._take(force, resume) if comm.rank == 0 else None
        problem = comm.bcast(problem, root=0)
        if problem:
            raise OutputError(problem)

    def _take(self, force: bool, resume: bool) -> str | None:
        """Locks and clears the folder on rank 0; returns what stands in the way."""
        try:
            if resume and not self.path.is_dir():
                return _NO_FOLDER.format(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            problem = cannot_go_on(self.path, locked_by_us=True) if resume else self._clear(force)
            if problem:
                self._lock.release()
                return problem
            (self.path / FIELDS).mkdir(exist_ok=True)
            (self.path / FIGURES).mkdir(exist_ok=True)
            self._status = {
                "program": PROGRAM,
                "state": RUNNING,
                "reason": "",
                "started": _now(),
                "updated": _now(),
                "host": socket.gethostname(),
                "process": os.getpid(),
                "ranks": self.comm.size,
            }
            write_json(self.path / STATUS, self._status)
            self._provenance = origin(self.comm) | ({"earlier": self._earlier()} if resume else {})
        except Timeout:
            return f"{self.path}: another run is writing into this folder; wait for it or choose another --output"
        except OSError as error:
            return f"{self.path}: cannot be written ({error.strerror}); choose another --output"
        return None

    def _earlier(self) -> list[dict[str, Any]]:
        """How the runs before this one went, from their provenance."""
        try:
            before = json.loads((self.path / "provenance.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        kept = ("date", "command", "host", "ranks", "batch_job", "wall_time_s", "exit_state", "exit_reason", "ended")
        return [*before.get("earlier", []), {name: before[name] for name in kept if name in before}]

    def _clear(self, force: bool) -> str | None:
        found = [file for pattern in RESULT_PATTERNS for file in sorted(self.path.glob(pattern))]
        if not found:
            return None
        status = read_status(self.path, locked_by_us=True)
        if status is None:
            return (
                f"{self.path}: {found[0].name} is there but no run left it; it will not be touched, "
                "choose another --output"
            )
        if not force:
            made = f"{status['state']}, started {status['started']}"
            return (
                f"{self.path}: holds the results of a run ({made}); add --force to replace them "
                "or choose another --output"
            )
        # The status stays until the new one takes its place, so that the folder is known to be a run's all the time.
        for file in found:
            if file.name != STATUS:
                file.unlink()
        return None

    def __enter__(self) -> RunFolder:
        self._open_log()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = FINISHED if error is None else INTERRUPTED if isinstance(error, KeyboardInterrupt | Requeue) else FAILED
        reason = "" if error is None else str(error) or type(error).__name__
        self.record(exit_state=state, exit_reason=reason, ended=_now())
        self.update_status(state=state, reason=reason)
        expected = isinstance(error, VegardError | KeyboardInterrupt)
        if error is not None and (self.comm.rank == 0 or not expected):
            # A failure that was explained needs no traceback, and all ranks raise it: one of them tells.
            logging.getLogger(__name__).error("run %s: %s", state, reason, exc_info=None if expected else error)
        self._close_log()
        if self.comm.rank == 0:
            self._lock.release()

    def update_status(self, **entries: Any) -> None:
        """Rewrites `status.json` with new entries, such as the progress of the run; rank 0 writes."""
        if self.comm.rank == 0:
            self._status |= entries | {"updated": _now()}
            write_json(self.path / STATUS, self._status)

    def record(self, **entries: Any) -> None:
        """Rewrites `provenance.json` with new entries, such as the mesh or the wall times; rank 0 writes."""
        if self.comm.rank == 0:
            self._provenance |= entries
            write_json(self.path / "provenance.json", self._provenance)

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file of the folder; rank 0 writes."""
        if self.comm.rank == 0:
            write_text(self.path / name, text)

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Writes a JSON file of the folder; rank 0 writes."""
        if self.comm.rank == 0:
            write_json(self.path / name, data)

    def _open_log(self) -> None:
        """Log of rank 0, and the warnings of the other ranks with their number, in one file opened for appending."""
        handler = logging.FileHandler(self.path / "run.log", mode="a", encoding="utf-8", delay=self.comm.rank > 0)
        prefix = f"[rank {self.comm.rank}] " if self.comm.rank > 0 else ""
        handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s {prefix}%(message)s", "%Y-%m-%d %H:%M:%S"))
        handler.setLevel(logging.WARNING if self.comm.rank > 0 else logging.INFO)
        for room in _LOG_ROOMS:
            logger = logging.getLogger(room)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        self._handler = handler

    def _close_log(self) -> None:
        if self._handler is not None:
            for room in _LOG_ROOMS:
                logging.getLogger(room).removeHandler(self._handler)
            self._handler.close()
            self._handler = None


_NO_FOLDER = "{}: no such folder; give the results folder of a run"


def cannot_go_on(path: Path, locked_by_us: bool = False) -> str | None:
    """Why the results in a folder cannot be gone on with, or None."""
    if not path.is_dir():
        return _NO_FOLDER.format(path)
    status = read_status(path, locked_by_us)
    if status is None:
        return f"{path}: no run has been here; `vegard run CASE` begins one"
    if status["state"] == FINISHED:
        return f"{path}: the run is finished; there is nothing to go on with"
    if status["state"] == RUNNING:
        return f"{path}: the run is still going"
    if not (path / CHECKPOINT / "latest.json").exists():
        return f"{path}: the run ended before its first checkpoint; run the case again with --force"
    if not (path / CHECKPOINT / KEPT_MESH).exists():
        return f"{path / CHECKPOINT / KEPT_MESH}: the mesh of the run is gone; run the case again with --force"
    return None


def read_status(path: Path, locked_by_us: bool = False) -> dict[str, Any] | None:
    """State of the run in a folder, or None when no run has been there.

    Args:
        path: Run folder.
        locked_by_us: Whether this process holds the folder's lock already.

    Returns:
        The content of `status.json`; a run that says it is running but whose process is gone is "killed".
    """
    try:
        status = json.loads((path / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(status, dict) or status.get("program") != PROGRAM:
        return None
    if status.get("state") == RUNNING and (locked_by_us or not _locked(path)):
        status |= {"state": KILLED, "reason": "the process ended without a word"}
    return status


def _locked(path: Path) -> bool:
    lock = FileLock(path / f".{PROGRAM}.lock")
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder one may only read: nothing is known about its process
        return True


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
