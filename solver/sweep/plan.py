"""The folder of a sweep: one case file per run, a table of all, and what a changed sweep keeps of it.

    SWEEP/sweep.yaml            the sweep file as written
    SWEEP/base.yaml             the base case as written
    SWEEP/plan.json, plan.csv   all runs: name, digest, values of the axes, estimates
    SWEEP/runs/NAME/case.yaml   an ordinary case; `vegard run` repeats it alone
    SWEEP/runs/NAME/results/    its results, see docs/outputs.md

A run's name ends in the digest of what influences its result, so the same point is the same folder in every version
of the sweep, and points that differ in nothing are one run.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from meshes.quantities import split_quantity
from meshes.store import mesh_key
from solver.case.checks import referenced_files
from solver.case.estimate import FIGURES, CaseEstimate, estimate_case
from solver.errors import OutputError
from solver.output.files import write_json, write_text
from solver.sweep.axes import Choice
from solver.sweep.cases import CheckedCases, SweepCase, case_text
from solver.sweep.load import LoadedSweep
from solver.sweep.places import with_value

PLAN, TABLE, RUNS, CASE, RESULTS = "plan.json", "plan.csv", "runs", "case.yaml", "results"
PROGRAM, VERSION = "vegard sweep", 1
_DIGEST_LENGTH = 10
_LONGEST_NAME = 90
_LONGEST_VALUE = 24
# Forms are compiled by the first run that needs them and found by the others.
_FIGURES = replace(FIGURES, start=3.0)


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        index: Number in the table, from 1.
        name: Its folder below `runs`.
        digest: SHA-256 of everything that influences its result.
        inputs: Value of every axis; more than one point may lead here.
        mesh: Key of its mesh in the store.
        ranks: Processes.
        memory: Estimated peak over all ranks [bytes].
        seconds: Estimated time on one core without meshing [s].
        mesh_seconds: Estimated time to mesh [s].
    """

    index: int
    name: str
    digest: str
    inputs: dict[str, str | float | int | bool]
    mesh: str
    ranks: int
    memory: float
    seconds: float
    mesh_seconds: float


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep.

    Attributes:
        folder: Folder of the sweep.
        title: Name of the sweep.
        source: Sweep file it was made from.
        axes: Labels of the axes in order.
        runs: The runs.
        left_out: Points that do not fulfil the constraints.
        repeated: Points that are the same simulation as an earlier one.
    """

    folder: Path
    title: str
    source: str
    axes: tuple[str, ...]
    runs: tuple[PlannedRun, ...]
    left_out: int = 0
    repeated: int = 0

    @property
    def meshes(self) -> int:
        """Number of different meshes."""
        return len({run.mesh for run in self.runs})

    @property
    def seconds(self) -> float:
        """Estimated time of everything on one core, every mesh made once [s]."""
        return sum(run.seconds for run in self.runs) + sum({run.mesh: run.mesh_seconds for run in self.runs}.values())

    def run_folder(self, run: PlannedRun) -> Path:
        """Folder of a run."""
        return self.folder / RUNS / run.name


def make_plan(sweep: LoadedSweep, checked: CheckedCases, folder: Path) -> Plan:
    """The plan of a sweep; nothing is written.

    Args:
        sweep: The sweep.
        checked: Its cases.
        folder: Folder of the sweep; runs of an earlier plan there keep their names.
    """
    known = _names_by_digest(folder)
    labels = [axis.label for axis in sweep.axes]
    varied = {label for label in labels if len({case.inputs.get(label) for case in checked.cases}) > 1}
    runs: dict[str, PlannedRun] = {}
    for case in checked.cases:
        if case.loaded.digest not in runs:
            index = len(runs) + 1
            short = case.loaded.digest[:_DIGEST_LENGTH]
            name = known.get(short) or _run_name([choice for choice in case.point if choice.label in varied], short)
            runs[case.loaded.digest] = _planned(case, index, name, sweep.sweep.ranks)
    repeated = len(checked.cases) - len(runs)
    source = str(sweep.file.path)
    return Plan(folder, sweep.name, source, tuple(labels), tuple(runs.values()), checked.left_out, repeated)


def write_plan(plan: Plan, sweep: LoadedSweep, checked: CheckedCases) -> None:
    """Write the folder of a sweep; runs of an earlier plan stay where they are.

    Raises:
        OutputError: When the folder is something else, is in use, or cannot be written.
    """
    _refuse_other_folder(plan.folder)
    cases = {case.loaded.digest: case for case in reversed(checked.cases)}
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        with sole_engine(plan.folder):
            write_text(plan.folder / "sweep.yaml", sweep.file.text)
            write_text(plan.folder / "base.yaml", sweep.base.text)
            for run in plan.runs:
                place = plan.run_folder(run)
                place.mkdir(parents=True, exist_ok=True)
                write_text(place / CASE, _standing_text(cases[run.digest], place, sweep))
            write_text(plan.folder / TABLE, _table(plan))
            # Last: a folder with a plan has all its cases.
            write_json(plan.folder / PLAN, _as_data(plan))
    except OSError as error:
        raise OutputError(f"{plan.folder}: cannot be written ({error.strerror}); choose another --output") from error


def read_plan(folder: Path) -> Plan:
    """The plan in the folder of a sweep.

    Raises:
        OutputError: When there is none.
    """
    try:
        data = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        runs = tuple(PlannedRun(**run) for run in data["runs"])
        same = {key: data[key] for key in ("title", "source", "left_out", "repeated")}
        return Plan(folder=folder, axes=tuple(data["axes"]), runs=runs, **same)
    except FileNotFoundError as error:
        raise OutputError(
            f'{folder}: there is no sweep in this folder; write one with "vegard sweep plan SWEEP.yaml"'
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{folder / PLAN}: cannot be read ({error}); plan the sweep again") from error


def leftover_runs(plan: Plan) -> list[str]:
    """Folders of runs that an earlier plan made and this one does not have."""
    named = {run.name for run in plan.runs}
    found = (path.name for path in (plan.folder / RUNS).glob("*") if (path / CASE).is_file())
    return sorted(name for name in found if name not in named)


@contextmanager
def sole_engine(folder: Path) -> Iterator[None]:
    """Holds the lock of whoever plans or runs a sweep on this machine; it ends with the process.

    Raises:
        OutputError: When another process has it.
    """
    lock = FileLock(folder / ".sweep.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f'{folder}: another "vegard sweep" works on this sweep; wait for it, or look with "vegard sweep status"'
        ) from error
    try:
        yield
    finally:
        lock.release()


def _planned(case: SweepCase, index: int, name: str, ranks: int) -> PlannedRun:
    estimate: CaseEstimate = estimate_case(case.loaded, _FIGURES)
    memory = estimate.memory + (ranks - 1) * _FIGURES.base_memory
    key = mesh_key(case.loaded.case.particle, case.loaded.folder)
    return PlannedRun(
        index, name, case.loaded.digest, case.inputs, key, ranks, memory, estimate.seconds, estimate.mesh.seconds
    )


def _run_name(choices: Iterable[Choice], digest: str) -> str:
    """Readable, safe in every shell and file system, and its own by the digest at its end."""
    parts = (f"{choice.label}-{_slug(choice.text)}" for choice in choices)
    return f"{'_'.join(parts)[:_LONGEST_NAME].rstrip('-_.')}_{digest}".lstrip("_")


def _slug(text: str) -> str:
    joined = text.replace(" ", "") if split_quantity(text) is not None else text
    plain = joined.replace("µ", "u").replace("μ", "u").replace("%", "pct")
    return re.sub(r"[^A-Za-z0-9.+]+", "-", plain).strip("-.")[:_LONGEST_VALUE] or "value"


def _names_by_digest(folder: Path) -> dict[str, str]:
    """Names of the run folders that are there, by the digest they end in."""
    names = (path.name for path in (folder / RUNS).glob("*") if (path / CASE).is_file())
    return {name.rpartition("_")[2]: name for name in sorted(names)}


def _standing_text(case: SweepCase, place: Path, sweep: LoadedSweep) -> str:
    """The case as it stands in its run folder: file names start from there."""
    data = case.data
    for key, name in referenced_files(case.loaded.case.particle):
        data = with_value(data, key, os.path.relpath((case.loaded.folder / name).resolve(), place.resolve()))
    return f"# Written by vegard sweep from {sweep.file.path.name} and {sweep.base.path.name}.\n{case_text(data)}"


def _refuse_other_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / PLAN).is_file():
        others = [
            path.name for path in folder.iterdir() if path.name not in (RUNS, ".sweep.lock", "sweep.yaml", "base.yaml")
        ]
        if others:
            raise OutputError(f"{folder}: holds other files ({others[0]}); choose another --output")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; choose another --output")


def _as_data(plan: Plan) -> dict[str, Any]:
    data = {"program": PROGRAM, "version": VERSION, "title": plan.title, "source": plan.source}
    counts = {"left_out": plan.left_out, "repeated": plan.repeated, "meshes": plan.meshes}
    return {**data, "axes": list(plan.axes), **counts, "runs": [asdict(run) for run in plan.runs]}


def _table(plan: Plan) -> str:
    header = ["run", "name", *plan.axes, "mesh", "ranks", "memory [MB]", "time [s]", "digest"]
    rows: Sequence[Sequence[Any]] = [
        [
            run.index,
            run.name,
            *(_cell(run.inputs, axis) for axis in plan.axes),
            run.mesh[:_DIGEST_LENGTH],
            run.ranks,
            round(run.memory / 1e6),
            round(run.seconds, 1),
            run.digest,
        ]
        for run in plan.runs
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([header, *rows])
    return stream.getvalue()


def _cell(inputs: Mapping[str, Any], axis: str) -> Any:
    return inputs.get(axis, "")
