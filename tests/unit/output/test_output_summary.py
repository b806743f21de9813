"""The summary of a protocol: what every step moved, and what guards warned about."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from solver.materials import load_material
from solver.materials.radial import RadialMaterial
from solver.output.summary import MaterialFacts, Summary
from solver.report.table import results_text
from solver.solve.guards import Tables
from solver.solve.state import StepResult

DOMAIN = SimpleNamespace(dimension=3, centroid=np.zeros(3), radius=5.0)
FACTS = MaterialFacts(Tables((0.1, 0.98), (0.1, 0.98)), capacity=275.0)


def state(step: int, time: float, soc: float, voltage: float, **others: float) -> dict[str, float]:
    values = {"state": step, "protocol_step": step, "time": time, "state_of_charge": soc, "voltage": voltage}
    values |= {
        "mean_stoichiometry": 1.0 - soc,
        "state_of_charge_rate": 1.0,
        "lithium_imbalance": 0.0,
        "energy_imbalance": float("nan"),
    }
    values |= {"energy_imbalance": float("nan"), "stoichiometry_min": 0.2, "stoichiometry_max": 0.9}
    return values | others


@pytest.fixture
def summary() -> Summary:
    summary = Summary((), DOMAIN, FACTS)
    summary.add(state(0, 0.0, 0.1, 3.6), "start")
    summary.add(state(1, 1800.0, 0.4, 4.0), "")
    summary.add(state(1, 3600.0, 0.7, 4.3), "4.3 V")
    summary.add(state(2, 7200.0, 0.2, float("nan")), "time")
    return summary


def test_every_step_says_what_it_moved(summary):
    first, second = summary.as_data()["protocol"]
    assert first["capacity"] == pytest.approx(0.6 * 275.0)
    assert (first["ended_by"], first["voltage"], first["state_of_charge_rate"]) == ("4.3 V", 4.3, 1.0)
    assert second["capacity"] == pytest.approx(-0.5 * 275.0)
    assert second["voltage"] is None
    json.dumps(summary.as_data()["protocol"], allow_nan=False)


def test_warnings_of_states_and_steps_are_kept(summary):
    assert summary.as_data()["warnings"] == []
    assert summary.add(state(3, 8000.0, 0.2, 3.9, lithium_imbalance=1e-5))
    assert not summary.add(state(3, 8100.0, 0.2, 3.9, lithium_imbalance=1e-5))
    step = StepResult(8200.0, 1.0, 3, True, "", 0.1, 0.0, 1, 0.8, "the voltage would change by 0.2 V")
    assert [summary.count(step), summary.count(step)] == [True, False]
    lithium, voltage = summary.as_data()["warnings"]
    assert (lithium["guard"], lithium["count"], lithium["time"]) == ("lithium balance", 2, 8000.0)
    assert (voltage["guard"], voltage["count"]) == ("voltage", 2)


def test_table_of_results_tells_ends_and_warnings(summary):
    summary.add(state(3, 8000.0, 0.2, 3.9, lithium_imbalance=1e-5), "3 V")
    data = summary.as_data() | {"left_out": [], "highest_risk": None}
    data["values"]["worst_region"] = {"final": None}
    text = results_text(data)
    assert "step 1 ended by 4.3 V after 3600 s: SoC 70.0 %, 4.3000 V, +165.0 mAh/g" in text
    assert "warning: lithium is off balance by 1.0e-05" in text


def test_facts_are_those_of_the_outermost_material():
    material = load_material("NMC811")
    facts = MaterialFacts.of(RadialMaterial((material,)))
    assert facts.capacity == pytest.approx(material.theoretical_capacity)
    assert facts.tables.lattice == material.stoichiometry_range
    assert facts.tables.voltage == material.open_circuit.valid
