"""Parts of the studies: descriptions, changed cases, moments, verdicts, crossovers, pages; against values by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from solver.case.load import load_case
from solver.compare.members import Member
from solver.errors import CaseError
from solver.materials import load_material
from solver.studies.claims import judge, summary
from solver.studies.crossover import crossing
from solver.studies.description import FILE_NAME, Study, load_study
from solver.studies.members import changed_case, plan
from solver.studies.page import overview, study_page
from solver.studies.result import StudyResult, outcome
from solver.studies.values import Runs, read

STUDIES = sorted(path.parent for path in (Path(__file__).parents[2] / "cases" / "studies").glob(f"*/{FILE_NAME}"))

CASE = """material: NMC811
particle: {radius: 2 um, grains: {count: 12}}
electrochemistry: {protocol: [Charge at 1C until 60 % SoC]}
"""
STUDY = """title: Rates
ordering: fast is worse
question: Is it?
seeds: 2
designs:
  "{each}C":
    case: case.yaml
    each: [0.1, 1]
    change:
      electrochemistry.protocol: ["Charge at {each}C until 50 % SoC"]
      particle.grains.orientation_seed: "{seed}"
claims:
  - claim: Fast is worse.
    order: [0.1C, 1C]
    at: [50 % SoC]
    peak: [boundary_normal_p99]
    extent: [elastic_energy_density]
    remark: So it is.
answer: Yes, it is.
meaning: Gradients.
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "case.yaml").write_text(CASE)
    (tmp_path / FILE_NAME).write_text(STUDY)
    return load_study(tmp_path)


def make_run(folder: Path, peak: list[float], energy: list[float]) -> Path:
    folder.mkdir(parents=True)
    pd.DataFrame(
        {
            "time [s]": [0.0, 10.0, 20.0, 40.0],
            "state_of_charge [-]": [0.1, 0.3, 0.5, 0.5],
            "stoichiometry_core [-]": [0.9, 0.8, 0.6, 0.5],
            "stoichiometry_rim [-]": [0.9, 0.6, 0.4, 0.5],
            "boundary_normal_p99 [MPa]": peak,
            "elastic_energy_density [MJ/m^3]": energy,
        }
    ).to_csv(folder / "history.csv", index=False)
    (folder / "provenance.json").write_text(json.dumps({"material": {"theoretical_capacity [mAh/g]": 200.0}}))
    return folder


def members(tmp_path: Path, peaks: dict[str, list[float]]) -> list[Member]:
    """Runs whose value at 50 % SoC is given per design and seed; the energy never differs."""
    return [
        Member(design, seed, make_run(tmp_path / design / str(seed), [0.0, 1.0, peak, 0.5], [0.0, 1.0, 2.0, 1.0]), None)
        for design, values in peaks.items()
        for seed, peak in enumerate(values, start=1)
    ]


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_shipped_study_is_right(folder: Path) -> None:
    study = load_study(folder)
    assert len(study.meaning) > 100
    for path in folder.glob("*.yaml"):
        assert path.name == FILE_NAME or load_case(path).warnings == ()
    used = {design.case for design in study.designs.values()}
    assert used == {path.name for path in folder.glob("*.yaml") if path.name != FILE_NAME}
    assert plan(study, Path("runs"), [1, 2])
    if spot := study.three_dimensions:
        planned = plan(study, Path("runs"), [1], spot.designs, spot.change)
        assert all(member.case is not None and member.case.case.particle.dimension == 3 for member in planned)


def test_isotropic_control_changes_its_volume_as_the_grains_do() -> None:
    control = load_case(next(folder for folder in STUDIES if folder.name == "core-or-rim") / "isotropic.yaml")
    lattice, grains = load_material(control.case.material).lattice, load_material("NMC811").lattice
    x = grains.stoichiometry
    np.testing.assert_array_equal(lattice.a(x), lattice.c(x))
    np.testing.assert_allclose(lattice.volume_change(x), grains.volume_change(x), atol=3e-5)  # five digits are written


def test_series_are_written_out(study: Study) -> None:
    assert list(study.expanded()) == ["0.1C", "1C"]
    case = changed_case(study, *study.expanded()["0.1C"], seed=5).case
    assert (case.particle.grains.seed, case.particle.grains.orientation_seed) == (5, 5)
    assert case.electrochemistry.protocol == ["Charge at 0.1C until 50 % SoC"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("at: [50 % SoC]", "at: [half full]", "half full"),
        ("order: [0.1C, 1C]", "order: [0.1C, 2C]", "unknown designs 2C"),
        ("peak: [boundary_normal_p99]", "peak: []", "at least one peak"),
        ("title: Rates", "titel: Rates", "titel"),
    ],
)
def test_wrong_description_is_refused(study: Study, old: str, new: str, message: str) -> None:
    path = study.folder / FILE_NAME
    path.write_text(STUDY.replace(old, new))
    with pytest.raises(CaseError) as caught:
        load_study(study.folder)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_moments(tmp_path: Path) -> None:
    runs = Runs(members(tmp_path, {"a": [5.0]}))
    history = runs.histories("a")[0]
    found = {
        moment: read(history, "boundary_normal_p99", moment)
        for moment in ("40 % SoC", "60 % SoC", "end", "last", "worst", "mean")
    }
    # Mean: (0.5·10 + 3·10 + 2.75·20)/40.
    expected = {"40 % SoC": 3.0, "60 % SoC": math.nan, "end": 5.0, "last": 0.5, "worst": 5.0, "mean": 2.25}
    assert found == pytest.approx(expected, nan_ok=True)
    per_charge = runs.values("a", "boundary_normal_p99", "end", per_capacity=True)
    assert per_charge[1] == pytest.approx(5.0 / (0.4 * 200.0))


def test_verdicts(study: Study, tmp_path: Path) -> None:
    claim = study.claims[0]
    slow, fast = [1.0, 2.0, 4.0], [2.0, 4.1, 8.0]
    for first, second, verdict in ((slow, fast, "yes"), (fast, slow, "no"), (slow, slow[::-1], "open")):
        runs = Runs(members(tmp_path / verdict, {"0.1C": first, "1C": second}))
        peak, extent = judge(claim, runs)
        assert peak.verdict == verdict
        assert extent.verdict == "open"  # no difference at all
    assert summary([peak, extent]) == "open"
    assert peak.ratio.mean == pytest.approx(1.0)
    assert peak.agreeing == 1


def test_a_value_that_vanishes_is_judged_by_the_difference(study: Study, tmp_path: Path) -> None:
    runs = Runs(members(tmp_path, {"0.1C": [0.0, 0.0, 1.0], "1C": [5.0, 6.0, 7.5]}))
    peak = judge(study.claims[0], runs)[0]
    assert peak.ratio.count == 0
    assert peak.difference.mean == pytest.approx(17.5 / 3.0)
    assert peak.verdict == "yes"


def test_one_seed_decides_nothing(study: Study, tmp_path: Path) -> None:
    runs = Runs(members(tmp_path, {"0.1C": [1.0], "1C": [5.0]}))
    assert judge(study.claims[0], runs)[0].verdict == "open"


def test_crossing() -> None:
    rates = np.array([0.1, 1.0, 10.0])
    core, rim = np.array([4.0, 3.0, 1.0]), np.array([2.0, 2.0, 5.0])
    assert crossing(rates, core, rim) == pytest.approx(10.0**0.2)  # a fifth of the way from −1 to +4
    assert crossing(rates, core, core + 1.0) == 0.0
    assert crossing(rates, core, core - 1.0) == math.inf
    assert crossing(rates, np.array([4.0, 3.0, np.nan]), np.array([2.0, 4.0, np.nan])) == pytest.approx(10 ** (-1 / 3))


def test_pages_say_what_came_out(study: Study, tmp_path: Path) -> None:
    runs = members(tmp_path / "runs", {"0.1C": [1.0, 2.0, 4.0], "1C": [2.0, 4.1, 8.0]})
    result = StudyResult(study, [outcome(study, runs, "2D")], ["1C, seed 9: it broke"])
    page = study_page(result, "rates", [("figures/a.png", "A figure")])
    assert "| Fast is worse. | **yes** | open |" in page
    assert "So it is." in page
    assert "Yes, it is." in page
    assert "1C, seed 9: it broke" in page
    assert "× 2.02 (1.95 to 2.09), 3 of 3" in page
    assert "| [Rates](rates.md) | Fast is worse. | **yes** | open | – | – |" in overview([("rates", result)])
