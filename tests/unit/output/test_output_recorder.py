"""The recorder as the time loop sees it: tables, summary, status."""

from __future__ import annotations

import csv
import json
import math

import pytest
import synthetic
from mpi4py import MPI

from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings
from solver.output.folder import RunFolder
from solver.output.recorder import Recorder
from solver.solve.phases import Phases
from solver.solve.state import StepResult

COMM = MPI.COMM_SELF
SETTINGS = IndicatorSettings(length=0.2)
AMPLITUDES = (0.0, 2.0, 1.0)


def step(accepted, reason=""):
    return StepResult(1.5, 0.25, 1, accepted, reason, 0.3, 0.01, 7, 0.9)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    domain = synthetic.domain(COMM, divisions=5, grains=6)
    with RunFolder(path, COMM) as folder:
        recorder = Recorder(folder, domain, SETTINGS, "vtkhdf", Phases())
        for index, amplitude in enumerate(AMPLITUDES):
            recorder.on_step(step(False, 'error 3.0e-04, "too large"'))
            recorder.on_step(step(True))
            recorder.on_state(synthetic.state(domain, index, 60.0 * index, amplitude))
        recorder.close()
        folder.write_json("summary.json", recorder.summary.as_data())
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_history_has_one_row_per_state_and_units_in_the_header(run):
    rows = read(run / "history.csv")
    assert len(rows) == len(AMPLITUDES)
    headers = [definition.header for definition in definitions(SETTINGS)]
    assert list(rows[0])[:8] == [
        "state [-]",
        "time [s]",
        "protocol_step [-]",
        "state_of_charge [-]",
        "mean_stoichiometry [-]",
        "voltage [V]",
        "state_of_charge_rate [1/h]",
        "energy_imbalance [-]",
    ]
    assert list(rows[0])[8:] == headers
    assert [float(row["time [s]"]) for row in rows] == [0.0, 60.0, 120.0]
    stresses = [float(row["first_principal_p95 [MPa]"]) for row in rows]
    assert stresses == pytest.approx([0.0, stresses[1], 0.5 * stresses[1]])


def test_every_attempt_is_in_the_table_of_steps(run):
    rows = read(run / "steps.csv")
    assert [row["accepted [-]"] for row in rows] == ["0", "1"] * len(AMPLITUDES)
    assert rows[0]["reason"] == 'error 3.0e-04, "too large"'
    assert float(rows[1]["step [s]"]) == 0.25


def test_summary_has_final_and_extreme_values_with_units(run):
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["output_states"], summary["steps_accepted"], summary["steps_rejected"]) == (3, 3, 3)
    value = summary["values"]["first_principal_p95"]
    assert value["unit"] == "MPa"
    assert value["maximum"]["value"] == pytest.approx(2.0 * value["final"])
    assert value["maximum"]["time"] == 60.0
    assert value["minimum"]["value"] == 0.0
    assert summary["highest_risk"]["state"] == 1
    assert summary["highest_risk"]["chosen_by"] == "boundary_risk_p95"


def test_numbers_that_are_not_defined_are_empty_in_the_table_and_null_in_the_summary(run):
    assert read(run / "history.csv")[0]["worst_region [-]"] == ""
    single = synthetic.domain(COMM, divisions=4, grains=1)
    path = run / "single"
    with RunFolder(path, COMM) as folder:
        recorder = Recorder(folder, single, SETTINGS, "vtkhdf", Phases())
        recorder.on_state(synthetic.state(single))
        recorder.close()
        assert math.isnan(recorder.summary.as_data()["values"]["boundary_normal_p95"]["final"])
        folder.write_json("summary.json", recorder.summary.as_data())
    summary = json.loads((path / "summary.json").read_text())
    assert summary["values"]["boundary_normal_p95"] == {"unit": "MPa", "final": None}
    assert summary["highest_risk"]["chosen_by"] == "first_principal_p95"


def test_status_tells_the_progress(run):
    status = json.loads((run / "status.json").read_text())
    assert (status["states"], status["time"], status["state"]) == (3, 120.0, "finished")
