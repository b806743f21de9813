"""The table and the page of a sweep, from results whose values are known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sweep_files import planned

from solver.sweep.collect import collect
from solver.sweep.effects import explained, grid_means, main_effect, ranked_designs, results_of
from solver.sweep.page import write_sweep_report
from solver.sweep.plan import Plan
from solver.sweep.tasks import task_status, tasks_of

SWEEP = """\
name: known & <b>sweep</b>
axes:
  particle.radius: [2 um, 2500 nm, 3 um]
  rate: {key: electrochemistry.protocol, write: ["Charge at {value}C for 1 min"], values: {slow: 0.5, fast: 1}}
seeds: 2
"""
RADIUS, RATE = {"2 um": 2.0, "2500 nm": 2.5, "3 um": 3.0}, {"slow": 0.0, "fast": 1.0}
PEAK, ENERGY = "boundary_normal_p99_maximum [MPa]", "elastic_energy_maximum [pJ]"


def finish(plan: Plan, number: int, peak: float, energy: float) -> None:
    """Results of a run as far as the table reads them."""
    task = tasks_of(plan)[number]
    task.results.mkdir()
    values = {
        "boundary_normal_p99": {
            "unit": "MPa",
            "final": peak / 2,
            "maximum": {"value": peak},
            "minimum": {"value": 0.0},
        },
        "elastic_energy": {"unit": "pJ", "final": None, "maximum": {"value": energy}},
    }
    record = {
        "case": {"digest": task.digest},
        "wall_time_s": {"mesh": 1.5, "elastic solves": 2.0},
        "peak_memory_MB": [300],
    }
    contents = {
        "status": {"program": "vegard", "state": "finished", "host": "here"},
        "summary": {"values": values, "highest_risk": {"time": 60.0, "state_of_charge": 0.4}, "mesh": {"report": {}}},
        "provenance": record | {"source": {"commit": "0123456789abcdef", "changed": True}, "host": "here"},
    }
    for name, content in contents.items():
        (task.results / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """peak = 100 radius + 20 if fast ± 1 by seed, energy the other way round; one more run has failed."""
    plan = planned(tmp_path, SWEEP)
    for number, run in enumerate(plan.runs[:-1]):
        radius, rate = RADIUS[str(run.inputs["radius"])], RATE[str(run.inputs["rate"])]
        peak = 100.0 * radius + 20.0 * rate + (1.0 if run.inputs["seed"] == 5 else -1.0)
        finish(plan, number, peak, 1000.0 - peak)
    last = tasks_of(plan)[-1]
    last.results.mkdir()
    status = {"program": "vegard", "state": "failed", "reason": "<script>alert(1)</script> broke", "host": "here"}
    (last.results / "status.json").write_text(json.dumps(status))
    return plan


def table_of(plan: Plan) -> tuple[pd.DataFrame, list]:
    return collect(plan, [(task, task_status(task)) for task in tasks_of(plan)])


def test_inputs_have_one_unit_and_words_stay(plan: Plan) -> None:
    table, columns = table_of(plan)
    assert list(table["radius [um]"].unique()) == [2.0, 2.5, 3.0]
    assert set(table["rate"]) == {"slow", "fast"}
    assert len(table) == 12
    assert [column.header for column in columns] == list(table.columns)


def test_a_row_says_what_the_run_says(plan: Plan) -> None:
    table, _ = table_of(plan)
    row = table.iloc[0]
    assert (row[PEAK], row["boundary_normal_p99_final [MPa]"]) == (199.0, 99.5)
    assert np.isnan(row["elastic_energy_final [pJ]"])
    assert np.isnan(row["elastic_energy_minimum [pJ]"])
    assert row["wall_time [s]"] == 3.5
    assert row["time_elastic_solves [s]"] == 2.0
    assert row["commit"] == "0123456789+"
    assert row["risk_state_of_charge [-]"] == 0.4
    failed = table.iloc[-1]
    assert (failed["state"], failed["error"]) == ("failed", "<script>alert(1)</script> broke")
    assert np.isnan(failed[PEAK])


def test_effects_are_those_put_in(plan: Plan) -> None:
    # Without the point that failed the rest is balanced over both axes for the first two radii.
    table, columns = table_of(plan)
    table = table[table["radius [um]"] < 2.9]
    results = results_of(table, columns, plan.axes)
    radius, rate = results.variables
    assert results.indicators == (PEAK, ENERGY)
    assert [entry.mean for entry in main_effect(results, radius, PEAK)] == pytest.approx([210.0, 260.0])
    assert [entry.mean for entry in main_effect(results, rate, PEAK)] == pytest.approx([225.0, 245.0])
    # Variances of the parts: 25², 10² and 1².
    assert explained(results, radius, PEAK) == pytest.approx(625.0 / 726.0)
    assert explained(results, rate, PEAK) == pytest.approx(100.0 / 726.0)
    assert grid_means(results, radius, rate, PEAK).to_numpy() == pytest.approx(np.array([[200, 250], [220, 270]]))


def test_designs_are_ranked_with_intervals(plan: Plan) -> None:
    table, columns = table_of(plan)
    first, *_, last = ranked_designs(results_of(table, columns, plan.axes))
    assert first.values == (2.0, "slow")
    assert first.intervals[0].mean == 200.0
    # Two particles at 199 and 201: half a width of t(0.975, 1) · √2 / √2 = 12.706.
    assert first.intervals[0].high == pytest.approx(212.706, abs=1e-3)
    assert last.values == (3.0, "fast")
    assert len(last.runs) == 1
    assert np.isnan(last.intervals[0].high)


def test_many_values_are_ranked_instead_of_averaged(tmp_path: Path) -> None:
    plan = planned(tmp_path, "axes: {particle.radius: {from: 2 um, to: 4 um, steps: 15}}\n")
    for number in range(len(plan.runs)):
        finish(plan, number, float(number) ** 3, 1.0)
    table, columns = table_of(plan)
    results = results_of(table, columns, plan.axes)
    [radius] = results.variables
    assert not radius.has_levels
    assert explained(results, radius, PEAK) == pytest.approx(1.0)
    assert explained(results, radius, ENERGY) == 0.0
    write_sweep_report(plan)


def test_the_page_stands_alone_and_tells_of_failures(plan: Plan) -> None:
    text = write_sweep_report(plan).read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; broke" in text
    assert "known &amp; &lt;b&gt;sweep&lt;/b&gt;" in text
    assert "11 finished, 1 failed" in text
    assert not re.findall(r'(?:src|href)="(?:https?:|//|file:)', text)
    links = re.findall(r'href="(runs/[^"]+)"', text)
    assert len(links) == 12
    assert all((plan.folder / link).exists() for link in links)
    assert text.count("data:image/svg+xml;base64,") == 2 + 1 + 1  # effects of two indicators, a map, the lines


def test_a_run_with_a_page_is_linked_to_it(plan: Plan) -> None:
    (tasks_of(plan)[0].results / "report.html").write_text("x")
    assert 'results/report.html">1</a>' in write_sweep_report(plan).read_text()


def test_a_sweep_without_results_has_a_page(tmp_path: Path) -> None:
    text = write_sweep_report(planned(tmp_path, SWEEP)).read_text()
    assert "12 waiting" in text
    assert "there is no effect to show" in text
