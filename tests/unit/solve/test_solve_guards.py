"""Guards: each can be set off, none is by a sound state, and the page that lists them is complete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from solver.solve.guards import GUARDS, STATE_GUARDS, VOLTAGE_GUARD, Tables, Trial, Warnings, step_problem
from solver.solve.segments import Reading
from solver.solve.transport import Attempt

GOOD = Attempt(True, 3, error=1e-5, order=2, change=0.01, lowest=-0.01, highest=1.01, lithium=0.5, outside=0.4)
TRIAL = Trial(GOOD, Reading(3.80, 0.0, 0.5), Reading(3.89, 0.0, 0.5), 10.0)
TABLES = Tables(lattice=(0.1, 0.98), voltage=(0.2, 0.95))
SOUND = {
    "time": 60.0,
    "lithium_imbalance": 1e-12,
    "stress_imbalance": 1e-6,
    "energy_imbalance": 0.01,
    "stoichiometry_min": 0.2,
    "stoichiometry_max": 0.95,
    "voltage": 3.9,
    "first_principal_p95": 100.0,
}


def test_a_sound_step_passes():
    assert step_problem(TRIAL) == ""
    assert VOLTAGE_GUARD.problem(TRIAL) == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"converged": False}, "did not converge in 3 iterations"),
        ({"error": float("nan")}, "not finite"),
        ({"lithium": float("inf")}, "not finite"),
        ({"lowest": -0.021}, "x would fall to -0.021: the surface is empty"),
        ({"highest": 1.021}, "x would rise to 1.021: the surface is full"),
        ({"outside": -0.5}, "the outside would have to be at x = -0.500"),
        ({"outside": 1.5}, "the coating passes too little lithium"),
    ],
)
def test_a_bad_step_is_named(change, problem):
    assert problem in step_problem(replace(TRIAL, attempt=replace(GOOD, **change)))


def test_a_jump_of_the_voltage_is_seen_both_ways_and_unknown_voltages_are_none():
    for after in (3.69, 3.91):
        assert "the voltage would change by" in VOLTAGE_GUARD.problem(replace(TRIAL, after=Reading(after, 0.0, 0.5)))
    assert VOLTAGE_GUARD.problem(replace(TRIAL, after=Reading(float("nan"), 0.0, 0.5))) == ""


def test_a_sound_state_brings_no_warning():
    assert Warnings(TABLES).look(SOUND) == []
    unknown = dict.fromkeys(("stress_imbalance", "energy_imbalance", "voltage", "first_principal_p95"), float("nan"))
    # Without mechanics and voltage, their tables mean nothing.
    assert Warnings(TABLES).look(SOUND | unknown | {"stoichiometry_min": 0.01}) == []


@pytest.mark.parametrize(
    ("change", "guard", "text"),
    [
        ({"lithium_imbalance": 2e-8}, "lithium balance", "lithium is off balance by 2.0e-08"),
        ({"stress_imbalance": 2e-4}, "stress balance", "stress is off balance"),
        ({"energy_imbalance": 0.2}, "energy balance", "energy is off balance"),
        ({"stoichiometry_min": -0.01}, "range", "beyond empty or full"),
        ({"stoichiometry_max": 1.01}, "range", "beyond empty or full"),
        ({"stoichiometry_min": 0.08}, "lattice table", "nobody measured the volume change there"),
        ({"stoichiometry_max": 0.99}, "lattice table", "the lattice table ends at 0.1 and 0.98"),
        ({"stoichiometry_max": 0.97}, "voltage table", "the voltage curve ends at 0.2 and 0.95"),
    ],
)
def test_a_doubtful_state_brings_a_warning(change, guard, text):
    warnings = Warnings(TABLES)
    assert any(text in line for line in warnings.look(SOUND | change))
    assert guard in {entry["guard"] for entry in warnings.as_data()}


def test_every_guard_warns_once_and_counts():
    warnings = Warnings(TABLES)
    found = [warnings.look(SOUND | {"time": time, "lithium_imbalance": 1e-6}) for time in (1.0, 2.0, 3.0)]
    assert [len(lines) for lines in found] == [1, 0, 0]
    [entry] = warnings.as_data()
    assert (entry["guard"], entry["time"], entry["count"]) == ("lithium balance", 1.0, 3)


def test_the_page_lists_every_guard_with_its_limit_and_reaction():
    page = (Path(__file__).parents[3] / "docs/outputs.md").read_text(encoding="utf-8")
    for guard in GUARDS:
        assert f"| {guard.name} | {guard.watches} | {guard.limit} | {guard.reaction} |" in page
    assert all(guard.reaction == "warn" for guard in STATE_GUARDS)
