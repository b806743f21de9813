"""The folder of a sweep: names, digests, what a changed sweep keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_files import BASE, planned

from solver.case.load import load_case
from solver.errors import OutputError
from solver.sweep.plan import leftover_runs, read_plan, sole_engine

TWO = """\
axes:
  particle.radius: [2 um, 3 um]
  rate: {key: electrochemistry.protocol, write: ["Charge at {value}C for 1 min"], values: [0.5, 1]}
"""


def test_every_folder_holds_an_ordinary_case(tmp_path: Path) -> None:
    plan = planned(tmp_path, TWO)
    assert len(plan.runs) == 4
    for run in plan.runs:
        loaded = load_case(plan.run_folder(run) / "case.yaml")
        assert loaded.digest == run.digest
    assert plan.meshes == 2


def test_names_are_readable_and_safe(tmp_path: Path) -> None:
    protocols = "[[Charge at C/2 for 1 min], [Rest for 1 min]]"
    plan = planned(tmp_path, f"axes: {{electrochemistry.protocol: {protocols}, particle.grains.spread: [10 %]}}\n")
    digest = plan.runs[0].digest[:10]
    assert plan.runs[0].name == f"protocol-Charge-at-C-2-for-1-min_{digest}"  # what does not vary is left out


def test_the_digest_depends_on_what_influences_the_result(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
    first = planned(tmp_path / "a", TWO)
    renamed = planned(tmp_path / "b", TWO, BASE.replace("name: small", "name: another title # and a comment"))
    other = planned(tmp_path / "c", TWO, BASE.replace("count: 10", "count: 11"))
    assert [run.digest for run in first.runs] == [run.digest for run in renamed.runs]
    assert not {run.digest for run in first.runs} & {run.digest for run in other.runs}


def test_the_same_simulation_is_one_run(tmp_path: Path) -> None:
    plan = planned(tmp_path, "axes: {particle.radius: [2 um, 2000 nm, 3 um]}\n")
    assert [run.inputs["radius"] for run in plan.runs] == ["2 um", "3 um"]
    assert plan.repeated == 1


def test_a_changed_sweep_keeps_the_folders_of_the_same_runs(tmp_path: Path) -> None:
    before = planned(tmp_path, TWO)
    (before.run_folder(before.runs[0]) / "results").mkdir()
    after = planned(tmp_path, TWO.replace("[2 um, 3 um]", "[2 um, 4 um]") + "  particle.grains.count: [10, 12]\n")
    kept = {run.name for run in before.runs} & {run.name for run in after.runs}
    assert kept == {run.name for run in before.runs if run.inputs["radius"] == "2 um"}
    assert (after.run_folder(before.runs[0]) / "results").is_dir()
    assert leftover_runs(after) == sorted(run.name for run in before.runs if run.inputs["radius"] == "3 um")


def test_files_of_the_base_case_are_found_from_the_run_folders(tmp_path: Path) -> None:
    (tmp_path / "axes.txt").write_text("0 0 1\n1 0 0\n")
    base = BASE.replace("{count: 10, seed: 4}", "{count: 2, orientation: {file: axes.txt}}")
    plan = planned(tmp_path, "axes: {particle.radius: [2 um]}\n", base)
    [run] = plan.runs
    assert load_case(plan.run_folder(run) / "case.yaml").digest == run.digest


def test_the_plan_reads_back(tmp_path: Path) -> None:
    plan = planned(tmp_path, TWO + "where: [rate < 1 or radius > '2 um']\n")
    assert read_plan(plan.folder) == plan
    assert plan.left_out == 1
    rows = (plan.folder / "plan.csv").read_text().splitlines()
    assert len(rows) == 4
    assert rows[0].startswith("run,name,radius,rate,mesh,")


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"holds other files \(thesis.tex\)"):
        planned(tmp_path, TWO)


def test_a_folder_without_a_plan_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no sweep in this folder"):
        read_plan(tmp_path)


def test_a_sweep_has_one_engine(tmp_path: Path) -> None:
    plan = planned(tmp_path, TWO)
    with sole_engine(plan.folder), pytest.raises(OutputError, match="another"), sole_engine(plan.folder):
        pass
    with sole_engine(plan.folder):
        pass
