"""One page that shows a sweep and opens anywhere: effects, maps, ranking, failures, links to the runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd

from solver.compare.statistics import Interval
from solver.output.files import write_text
from solver.sweep.charts import effects_chart, pair_charts, parallel_chart
from solver.sweep.collect import Column, collect
from solver.sweep.effects import Results, explained, ranked_designs, results_of
from solver.sweep.plan import Plan
from solver.sweep.tasks import STATES, Task, TaskStatus, task_status, tasks_of

REPORT = "report.html"


def write_sweep_report(plan: Plan) -> Path:
    """Write `report.html` into the folder of a sweep; runs that are not finished yet are listed as such.

    Args:
        plan: The plan of the folder.

    Returns:
        The page.
    """
    found = [(task, task_status(task)) for task in tasks_of(plan)]
    table, columns = collect(plan, found)
    results = results_of(table, columns, plan.axes)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solver.sweep"), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = environment.get_template("sweep.html").render(
        title=plan.title,
        facts=_facts(plan, found),
        axes=list(plan.axes),
        variables=[variable.column for variable in results.variables],
        indicators=[_short(name) for name in results.indicators],
        designs=list(_designs(results)),
        open=[_open_run(plan, task, status) for task, status in found if status.state != "finished"],
        done=_done_runs(plan, results, columns),
        file=(plan.folder / "sweep.yaml").read_text(encoding="utf-8"),
        **_charts(results),
    )
    write_text(plan.folder / REPORT, text)
    return plan.folder / REPORT


def _charts(results: Results) -> dict[str, Any]:
    if not results.variables or not results.indicators:
        return {"effects": [], "shares": [], "pairs": [], "parallel": ""}
    return {
        "effects": [
            {"source": effects_chart(results, name), "meaning": results.meanings[name]} for name in results.indicators
        ],
        "shares": [
            {
                "indicator": _short(name),
                "shares": [explained(results, variable, name) for variable in results.variables],
            }
            for name in results.indicators
        ],
        "pairs": list(pair_charts(results, results.indicators[0])),
        "parallel": parallel_chart(results),
    }


def _facts(plan: Plan, found: Sequence[tuple[Task, TaskStatus]]) -> str:
    counts = {state: sum(status.state == state for _, status in found) for state in STATES}
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    left_out = f"; {plan.left_out} points left out by constraints" if plan.left_out else ""
    return f"{len(plan.runs)} runs on {plan.meshes} meshes: {states}{left_out}. Sweep file {plan.source}."


def _designs(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "inputs": [_word(value) for value in design.values],
            "intervals": [_interval_text(entry) for entry in design.intervals],
            "count": len(design.runs),
        }
        for design in ranked_designs(results)
    ]


def _open_run(plan: Plan, task: Task, status: TaskStatus) -> dict[str, Any]:
    return {
        "index": task.index,
        "name": task.name,
        "state": status.state,
        "reason": status.reason or status.progress,
        "link": _link(plan, task.folder),
    }


def _done_runs(plan: Plan, results: Results, columns: Sequence[Column]) -> list[dict[str, Any]]:
    headers = {column.name: column.header for column in columns}
    tasks = {task.index: task for task in tasks_of(plan)}
    return [
        {
            "index": row["run"],
            "link": _link(plan, tasks[row["run"]].results),
            "inputs": [_word(row[headers[axis]]) for axis in plan.axes],
            "results": [_word(row[name]) for name in results.indicators],
        }
        for row in results.table.to_dict("records")
    ]


def _link(plan: Plan, folder: Path) -> str:
    """Where a run is seen, from the page: its own report, or its folder."""
    report = folder / REPORT
    place = report if report.is_file() else folder
    return quote(str(place.relative_to(plan.folder)))


def _interval_text(found: Interval) -> str:
    if found.high - found.low >= 0.0:
        return f"{found.mean:.4g} ({found.low:.4g} to {found.high:.4g})"
    return f"{found.mean:.4g}"


def _short(column: str) -> str:
    return column.replace("_maximum", "")


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.5g}"
    return str(value)
