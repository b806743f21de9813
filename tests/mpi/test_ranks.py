"""The same case on one, two and three ranks: every number of the history must agree to solver tolerance."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from solver.mpi import launch_command

CASE = """\
particle: {radius: 2 um, grains: {count: 12, seed: 4}, mesh: {size: 0.5 um}}
material: NMC811
electrochemistry: {protocol: [Charge at 1C until 40 % SoC, Rest for 2 min]}
numerics: {displacement_tolerance: 1.0e-10}
output: {fields: 2, pictures: false}
"""
# The guards measure rounding and solver residues themselves.
GUARDS = ("lithium_imbalance", "stress_imbalance")


def run(folder: Path, ranks: int) -> pd.DataFrame:
    case = folder / "case.yaml"
    case.write_text(CASE)
    results = folder / f"ranks{ranks}"
    arguments = ["-m", "solver.cli", "run", str(case), "--output", str(results), "--quiet"]
    command, environment = launch_command(ranks, arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("results are in") == 1, "only one rank speaks"
    status = json.loads((results / "status.json").read_text())
    assert (status["state"], status["ranks"]) == ("finished", ranks)
    return pd.read_csv(results / "history.csv")


@pytest.mark.mpi
@pytest.mark.slow
def test_history_does_not_depend_on_the_number_of_ranks(tmp_path):
    alone = run(tmp_path, 1)
    for ranks in (2, 3):
        together = run(tmp_path, ranks)
        assert list(together.columns) == list(alone.columns)
        for column in alone.columns:
            ours, theirs = alone[column], together[column]
            if column.startswith(GUARDS):
                assert theirs.max() < 1e-6
                continue
            assert (ours.isna() == theirs.isna()).all(), column
            # Solves stop at 1e-10 and partitions differ from run to run; 1e-5 of the column's largest value is ample.
            scale = ours.abs().max()
            assert (ours - theirs).abs().max() <= 1e-5 * scale + 1e-9, column


@pytest.mark.mpi
@pytest.mark.slow
def test_a_failure_on_one_rank_ends_all_with_one_message(tmp_path):
    """The mesh is made on rank 0 alone: the other ranks must not wait for it for ever."""
    case = tmp_path / "case.yaml"
    (tmp_path / "broken.msh").write_text("this is no mesh")
    case.write_text(
        "particle: {from_file: {path: broken.msh}}\nmaterial: NMC811\n"
        "electrochemistry: {protocol: [Charge at 1C for 1 min]}\n"
    )
    arguments = ["-m", "solver.cli", "run", str(case), "--output", str(tmp_path / "results"), "--quiet"]
    command, environment = launch_command(2, arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert "broken.msh" in done.stderr
    assert "Traceback" not in done.stderr
