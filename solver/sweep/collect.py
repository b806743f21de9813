"""One table of all runs of a sweep: a row per run, a column per input, indicator, guard and timing.

Final and extreme values come from `summary.json`, so the table says of every indicator what a run's own summary says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from meshes.quantities import convert_unit, split_quantity
from solver.case.schema import Indicators
from solver.indicators.definition import Definition
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings
from solver.output.files import replace_with
from solver.output.history import STATE_DEFINITIONS
from solver.sweep.plan import Plan
from solver.sweep.tasks import Task, TaskStatus, task_status, tasks_of

TABLE, COLUMNS = "table.csv", "columns.csv"
_EXTREMES = ("maximum", "minimum")


@dataclass(frozen=True)
class Column:
    """What a column of the table is."""

    name: str
    unit: str
    meaning: str

    @property
    def header(self) -> str:
        """Title with unit, as in `history.csv`; words have none."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True)
class Collected:
    """What was written.

    Attributes:
        files: The files.
        rows: Runs.
        finished: Runs that have results.
        failures: One line per failed run.
        without_parquet: Whether the Parquet file is missing because nothing here can write it.
    """

    files: tuple[Path, ...]
    rows: int
    finished: int
    failures: tuple[str, ...]
    without_parquet: bool


def write_table(plan: Plan) -> Collected:
    """Write table.csv, table.parquet where possible, and columns.csv into the folder of a sweep."""
    found = [(task, task_status(task)) for task in tasks_of(plan)]
    table, columns = collect(plan, found)
    described = pd.DataFrame([(column.header, column.unit, column.meaning) for column in columns])
    described.columns = pd.Index(["column", "unit", "meaning"])
    files = [plan.folder / TABLE, plan.folder / COLUMNS]
    replace_with(files[0], lambda path: table.to_csv(path, index=False))
    replace_with(files[1], lambda path: described.to_csv(path, index=False))
    if find_spec("pyarrow") is not None:
        files.append(plan.folder / "table.parquet")
        replace_with(files[-1], lambda path: table.to_parquet(path, index=False, engine="pyarrow"))
    failures = tuple(
        f"run {task.index} ({task.name}): {status.reason}" for task, status in found if status.state == "failed"
    )
    finished = sum(status.state == "finished" for _, status in found)
    return Collected(tuple(files), len(found), finished, failures, len(files) == 2)


def collect(plan: Plan, found: Iterable[tuple[Task, TaskStatus]]) -> tuple[pd.DataFrame, list[Column]]:
    """The table of a sweep.

    Args:
        plan: The plan.
        found: Its tasks with their states.

    Returns:
        One row per run, in the order of the plan, columns with units in their titles; and what the columns are. Runs
        that are not finished have their inputs, state and error only.
    """
    columns: dict[str, Column] = {}
    rows: list[dict[str, Any]] = []
    axes = _input_columns(plan)
    for run, (task, status) in zip(plan.runs, found, strict=True):
        row: dict[str, Any] = {}
        _put(row, columns, _RUN, {"run": task.index, "name": task.name, "state": status.state, "error": status.reason})
        for label, value in run.inputs.items():
            columns.setdefault(label, axes[label])
            row[axes[label].header] = _in_unit(value, axes[label].unit)
        if status.state == "finished":
            summary, record = _read(task.results / "summary.json"), _read(task.results / "provenance.json")
            _put(row, columns, _meanings(summary), _values(summary))
            _put(row, columns, _FACTS | _phases(record), _facts(summary, record))
        rows.append(row)
    ordered = list(columns.values())
    return pd.DataFrame(rows, columns=[column.header for column in ordered]), ordered


_RUN = {
    name: Column(name, "", meaning)
    for name, meaning in (
        ("run", "number in plan.csv"),
        ("name", "folder below runs/"),
        ("state", "finished, running, waiting, interrupted or failed"),
        ("error", "why it is not finished"),
    )
}
_FACTS = {
    name: Column(name, unit, meaning)
    for name, unit, meaning in (
        ("risk_time", "s", "time of highest risk"),
        ("risk_state_of_charge", "-", "state of charge of highest risk"),
        ("output_states", "-", "states in history.csv"),
        ("steps_accepted", "-", "time steps"),
        ("steps_rejected", "-", "time steps that were repeated with a shorter step"),
        ("mesh_grains", "-", "grains as built"),
        ("mesh_cells", "-", "tetrahedra, or triangles of a section"),
        ("mesh_volume", "um^3", "volume of the grains; um^2 of a section"),
        ("mesh_reused", "", "whether the mesh was in the store already"),
        ("wall_time", "s", "time of all phases"),
        ("peak_memory", "MB", "largest memory of a rank"),
        ("ranks", "-", "processes"),
        ("host", "", "machine it ran on"),
        ("commit", "", "commit of the program, + when files differed from it"),
    )
}


def _put(
    row: dict[str, Any], columns: dict[str, Column], known: Mapping[str, Column], values: Mapping[str, Any]
) -> None:
    for name, value in values.items():
        columns.setdefault(name, known[name])
        row[known[name].header] = value


def _input_columns(plan: Plan) -> dict[str, Column]:
    """The columns of the axes: in the unit of their first value when all values can be given in it."""
    columns = {}
    for label in plan.axes:
        values = [run.inputs[label] for run in plan.runs if label in run.inputs]
        columns[label] = Column(label, _common_unit(values), "axis of the sweep")
    return columns


def _common_unit(values: list[Any]) -> str:
    parts = [split_quantity(value) if isinstance(value, str) else None for value in values]
    if not parts or any(part is None or not part[1] for part in parts):
        return ""
    unit = str(parts[0][1]) if parts[0] is not None else ""
    try:
        for part in parts:
            if part is not None:
                convert_unit(*part, unit)
    except ValueError:
        return ""
    return unit


def _in_unit(value: Any, unit: str) -> Any:
    parts = split_quantity(value) if unit and isinstance(value, str) else None
    return value if parts is None else convert_unit(*parts, unit)


def _values(summary: Mapping[str, Any]) -> dict[str, float]:
    """Final, largest and smallest value of every indicator."""
    values = {}
    for key, entry in summary.get("values", {}).items():
        values[f"{key}_final"] = _number(entry.get("final"))
        for extreme in _EXTREMES:
            values[f"{key}_{extreme}"] = _number(entry.get(extreme, {}).get("value"))
    return values


def _meanings(summary: Mapping[str, Any]) -> dict[str, Column]:
    """Columns of the indicators; their meaning is that of the definitions at the default thresholds."""
    table: dict[str, Definition] = {
        entry.key: entry for entry in (*STATE_DEFINITIONS, *definitions(IndicatorSettings.of(Indicators())))
    }
    columns = {}
    for key, entry in summary.get("values", {}).items():
        meaning = table[key].meaning if key in table else "see docs/indicators.md"
        for suffix, words in (("final", "at the end"), ("maximum", "largest"), ("minimum", "smallest")):
            name = f"{key}_{suffix}"
            columns[name] = Column(name, str(entry.get("unit", "-")), f"{meaning}; {words} of the output states")
    return columns


def _facts(summary: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """Mesh, timings and memory of a run."""
    risk, mesh = summary.get("highest_risk") or {}, summary.get("mesh", {})
    report, phases = mesh.get("report", {}), record.get("wall_time_s", {})
    facts = {
        "risk_time": risk.get("time"),
        "risk_state_of_charge": risk.get("state_of_charge"),
        **{name: summary.get(name) for name in ("output_states", "steps_accepted", "steps_rejected")},
        "mesh_grains": report.get("grains"),
        "mesh_cells": report.get("cells"),
        "mesh_volume": report.get("volume"),
        "mesh_reused": mesh.get("reused"),
        "wall_time": sum(phases.values()),
        "peak_memory": max(record.get("peak_memory_MB") or [math.nan]),
        "ranks": record.get("ranks"),
        "host": record.get("host"),
        "commit": _commit(record.get("source")),
    }
    return facts | {_phase_name(phase): seconds for phase, seconds in phases.items()}


def _commit(source: Mapping[str, Any] | None) -> str:
    """Commit of the checkout a run came from; nothing for an installed program."""
    if not source or not source.get("commit"):
        return ""
    return f"{source['commit'][:10]}{'+' if source.get('changed') else ''}"


def _phases(record: Mapping[str, Any]) -> dict[str, Column]:
    names = {phase: _phase_name(phase) for phase in record.get("wall_time_s", {})}
    return {name: Column(name, "s", f"time of the phase “{phase}”") for phase, name in names.items()}


def _phase_name(phase: str) -> str:
    return f"time_{phase.replace(' ', '_').replace('-', '_')}"


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
