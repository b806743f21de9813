"""`vegard mesh` and `vegard run` for real, on the smallest particles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]

SMALL = """\
particle: {radius: 1 um, grains: {count: 3, seed: 2}, mesh: {size: 0.6 um}}
material: NMC811
electrochemistry: {protocol: Charge at 1C for 1 min}
output: {fields: 1, pictures: false}
"""


@pytest.fixture
def small(vegard, tmp_path, monkeypatch):
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path / "cache"))
    (tmp_path / "small.yaml").write_text(SMALL)
    return vegard


def test_mesh_reports_and_is_reused(small, tmp_path):
    first = small("mesh", "small.yaml", "--output", "small.msh")
    assert first.code == 0, first.err
    assert first.out.startswith("made ")
    assert "grains" in first.out
    assert "dihedral" in first.out
    assert (tmp_path / "small.msh").read_bytes().startswith(b"$MeshFormat")
    assert small("mesh", "small.yaml").out.startswith("found ")


def test_mesh_replaces_no_file_unasked(small, tmp_path):
    (tmp_path / "small.msh").write_text("precious")
    outcome = small("mesh", "small.yaml", "--output", "small.msh")
    assert (outcome.code, outcome.out) == (4, "")
    assert "add --force" in outcome.err
    assert (tmp_path / "small.msh").read_text() == "precious"
    assert small("mesh", "small.yaml", "--output", "small.msh", "--force").code == 0
    assert (tmp_path / "small.msh").read_bytes().startswith(b"$MeshFormat")
    assert small("mesh", "small.yaml", "--picture", "no/such/folder.png").code == 4
    assert [path.name for path in tmp_path.glob(".*part")] == []


def test_mesh_picture(small, tmp_path):
    pytest.importorskip("pyvista")
    outcome = small("mesh", "small.yaml", "--picture", "grains.png")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "grains.png").read_bytes().startswith(b"\x89PNG")


def test_check_counts_a_mesh_from_a_file(small, tmp_path):
    assert small("mesh", "small.yaml", "--output", "small.msh").code == 0
    section = "particle: {from_file: {path: small.msh}}"
    (tmp_path / "file.yaml").write_text("\n".join([section, *SMALL.splitlines()[1:]]))
    outcome = small("check", "file.yaml")
    assert outcome.code == 0, outcome.err
    made, read = (small("check", name).out.splitlines() for name in ("small.yaml", "file.yaml"))
    assert [line for line in read if "grains" in line] == [line for line in made if "grains" in line]
    assert any("displacement" in line for line in read)


@pytest.mark.slow
def test_run_writes_results_once(small, tmp_path):
    outcome = small("run", "small.yaml")
    assert outcome.code == 0, outcome.err
    assert outcome.out.rstrip().endswith("results/small")
    results = tmp_path / "results" / "small"
    for name in (
        "case.yaml",
        "case.resolved.json",
        "provenance.json",
        "status.json",
        "history.csv",
        "steps.csv",
        "summary.json",
    ):
        assert (results / name).stat().st_size > 0, name
    assert (results / "case.yaml").read_text() == SMALL
    history = (results / "history.csv").read_text()
    again = small("run", "small.yaml", "--quiet")
    assert (again.code, again.out) == (4, "")
    assert "--force" in again.err
    assert (results / "history.csv").read_text() == history
    assert small("run", "small.yaml", "--quiet", "--force").code == 0


@pytest.mark.slow
@pytest.mark.mpi
@pytest.mark.skipif(shutil.which("mpirun") is None, reason="needs mpirun")
def test_run_on_two_ranks_gives_the_same_numbers(small, tmp_path):
    assert small("run", "small.yaml", "--quiet", "--output", "one").code == 0
    outcome = subprocess.run(
        [sys.executable, "-m", "solver.cli", "run", "small.yaml", "--quiet", "--output", "two", "--ranks", "2"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.splitlines() == ["results are in two"]
    one, two = (pd.read_csv(tmp_path / folder / "history.csv").iloc[-1] for folder in ("one", "two"))
    for column in (name for name in one.index if name.startswith(("time", "state_of_charge", "mean_stoichiometry"))):
        # The same protocol times and charge; only rounding of sums over ranks differs.
        assert two[column] == pytest.approx(one[column], rel=1e-9, abs=1e-9), column
    assert json.loads((tmp_path / "two" / "provenance.json").read_text())
