"""Comparisons: statistics against values worked out by hand, reading at equal state of charge, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from solver.compare.members import Member, is_done, plan_members, run_members
from solver.compare.report import comparison_data, comparison_tables, write_comparison
from solver.compare.statistics import interval, paired_ratio, rank_agreements, ranking
from solver.compare.values import common_states_of_charge, facts_table, first_charge, tidy_table
from solver.errors import CaseError, OutputError, SolveError

CASE = """# a comment that stays
material: NMC811
particle:
  radius: 2 um
  grains: {count: 12, spread: 20 %}
electrochemistry:
  protocol: [Charge at 1C until 60 % SoC]
"""


def make_run(folder: Path, seed: int, peak: list[float], extent: list[float]) -> Member:
    """A finished run with given indicators at SoC 0.1, 0.3, 0.5, and then a discharge."""
    folder.mkdir(parents=True)
    table = pd.DataFrame(
        {
            "state_of_charge [-]": [0.1, 0.3, 0.5, 0.2],
            "first_principal_nonlocal_max [MPa]": [*peak, 1e9],
            "boundary_area_at_risk [-]": [*extent, 1e9],
            "elastic_energy [pJ]": [0.0, 2.0, 8.0, 1e9],
        }
    )
    table.to_csv(folder / "history.csv", index=False)
    particle = {"radius": "1 um", "aspect_ratio": 1.0, "dimension": 3, "sector": "full", "grains": {"seed": seed}}
    contents = {
        "status": {"state": "finished"},
        "case.resolved": {"name": folder.parent.name, "particle": particle},
        "summary": {"mesh": {"report": {"volume": 4.0, "volume_asked": 4.0, "sections": []}}},
        "provenance": {"material": {"density [kg/m^3]": 5000.0, "theoretical_capacity [mAh/g]": 200.0}},
    }
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return Member(folder.parent.name, seed, folder, None)


def test_interval_is_students() -> None:
    # mean 2, standard deviation 1, n = 3, t(0.975, 2) = 4.302653: half width 4.302653 / sqrt(3).
    found = interval(np.array([1.0, 2.0, 3.0, np.nan]))
    assert (found.mean, found.count) == (2.0, 3)
    assert found.high - found.mean == pytest.approx(4.302653 / 3**0.5, rel=1e-6)


def test_one_seed_has_no_interval() -> None:
    found = interval(np.array([5.0]))
    assert found.mean == 5.0
    assert np.isnan(found.low)


def test_ratio_is_taken_seed_by_seed() -> None:
    values = pd.Series({1: 1.0, 2: 20.0, 4: 7.0})
    reference = pd.Series({1: 2.0, 2: 40.0, 3: 5.0})
    found = paired_ratio(values, reference)
    assert found.mean == pytest.approx(0.5)
    assert found.high == pytest.approx(0.5)  # the same ratio in both seeds: no scatter is left
    assert (found.count, found.lower) == (2, 2)


def test_values_at_equal_state_of_charge(tmp_path: Path) -> None:
    member = make_run(tmp_path / "dense" / "seed-1", 1, [0.0, 100.0, 300.0], [0.0, 0.1, 0.2])
    assert len(first_charge(member.folder)) == 3  # the discharge is not part of it
    table = tidy_table([member], [0.4, 0.6]).set_index(["indicator", "state_of_charge"])["value"]
    assert table["first_principal_nonlocal_max", 0.4] == pytest.approx(200.0)
    assert np.isnan(table["first_principal_nonlocal_max", 0.6])  # beyond what the run reached
    assert table["energy_density", 0.4] == pytest.approx(5.0 / 4.0)
    assert common_states_of_charge([member]) == pytest.approx([0.3, 0.5])


def test_reversed_rankings_are_seen(tmp_path: Path) -> None:
    members = [
        make_run(tmp_path / name / "seed-1", 1, [0.0, peak, peak], [0.0, extent, extent])
        for name, peak, extent in (("one", 1.0, 0.3), ("two", 2.0, 0.2), ("three", 3.0, 0.1))
    ]
    table = tidy_table(members, [0.5])
    [agreement] = rank_agreements(table, 0.5)
    assert agreement.tau == pytest.approx(-1.0)
    assert ranking(table, "first_principal_nonlocal_max", 0.5) == ["one", "two", "three"]


def test_report_holds_everything(tmp_path: Path) -> None:
    members = [
        make_run(tmp_path / name / f"seed-{seed}", seed, [0.0, seed * factor, 2.0 * seed * factor], [0.0, 0.1, 0.2])
        for name, factor in (("dense", 10.0), ("porous", 5.0))
        for seed in (1, 2, 3)
    ]
    values = tidy_table(members, [0.5])
    data = comparison_data(values, facts_table(members), ["porous, seed 9: broke"])
    found = data["indicators"]["0.5"]["first_principal_nonlocal_max"]["porous"]
    assert found["value"]["mean"] == pytest.approx(20.0)
    assert found["over_first"]["mean"] == pytest.approx(0.5)
    # The capacity follows from density, charge per gram and the share of solid.
    share = 4.0 / (4.0 / 3.0 * np.pi)
    assert data["facts"]["active_fraction"]["dense"]["mean"] == pytest.approx(share)
    assert data["facts"]["capacity"]["dense"]["mean"] == pytest.approx(share * 1000.0)
    write_comparison(tmp_path, values, data)
    assert len(pd.read_csv(tmp_path / "comparison.csv")) == len(values)
    assert json.loads((tmp_path / "comparison.json").read_text())["failures"] == ["porous, seed 9: broke"]
    assert (tmp_path / "comparison.png").stat().st_size > 5000
    assert len(list(comparison_tables(data))) >= 3


def test_capacity_of_a_core_and_a_shell(tmp_path: Path) -> None:
    member = make_run(tmp_path / "graded" / "seed-1", 1, [0.0, 1.0, 2.0], [0.0, 0.1, 0.2])
    shells = [{"density [kg/m^3]": 5000.0, "theoretical_capacity [mAh/g]": charge} for charge in (200.0, 100.0)]
    material = {"shells": shells, "radii": [0.5], "width": 0.0}
    (member.folder / "provenance.json").write_text(json.dumps({"material": material}))
    facts = facts_table([member]).set_index("fact")["value"]
    # An eighth of the volume holds 1000 mAh/cm³, the rest half of it.
    assert facts["capacity"] / facts["active_fraction"] == pytest.approx(1000.0 / 8 + 500.0 * 7 / 8)


def test_seeds_become_cases_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "dense.yaml"
    path.write_text(CASE)
    members = plan_members([path], 3, tmp_path / "out")
    assert [member.seed for member in members] == [1, 2, 3]
    cases = [member.case for member in members if member.case is not None]
    assert [case.case.particle.grains.seed for case in cases] == [1, 2, 3]
    assert len({case.digest for case in cases}) == 3
    assert "a comment that stays" in cases[2].text


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "dense.yaml" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(CASE)
    with pytest.raises(CaseError, match="dense: two case files"):
        plan_members(paths, 1, tmp_path / "out")


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not the folder of a run"):
        plan_members([tmp_path], 1, tmp_path / "out")


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "dense.yaml"
    path.write_text(CASE)
    members = plan_members([path], 3, tmp_path / "out")
    finished = []

    def run(case: object, folder: Path) -> None:
        if folder.name == "seed-2":
            raise SolveError("it broke")
        finished.append(folder.name)

    failures = run_members(members, run, tell=lambda line: None)
    assert failures == ["dense, seed 2: it broke"]
    assert finished == ["seed-1", "seed-3"]
    assert not is_done(members[0])  # nothing was written here
