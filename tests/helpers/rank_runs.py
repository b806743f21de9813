"""A small case run on any number of ranks through the command line, and how far two histories are apart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd

from solver.mpi import launch_command

CASE = """\
particle: {radius: 2 um, grains: {count: 12, seed: 4}, mesh: {size: 0.5 um}}
material: NMC811
electrochemistry: {protocol: [Charge at 1C until 40 % SoC, Rest for 2 min]}
numerics: {displacement_tolerance: 1.0e-10}
output: {fields: 2, pictures: false}
"""
SECTION = CASE.replace("particle: {", "particle: {dimension: 2, ").replace("size: 0.5 um", "size: 0.15 um")
COATED = CASE.replace("size: 0.5 um}", "size: 0.8 um}, coating: {material: EEC_layer, thickness: 0.3 um}")
SURROUNDED = """\
particle:
  {dimension: 2, radius: 2 um, grains: {count: 12, seed: 4}, mesh: {size: 0.4 um},
   coating: {material: EEC_layer, thickness: 0.3 um},
   matrix: {material: {base: LPSCl, yield_strength: 50 MPa, hardening_modulus: 2 GPa}, plastic: true}}
material: NMC811
electrochemistry: {protocol: [Charge at 1C for 8 min]}
mechanics: {stack_pressure: 50 MPa}
numerics: {displacement_tolerance: 1.0e-10}
output: {fields: 2, pictures: false}
"""
BOUNDARIES = CASE + "grain_boundaries: {high_angle: {transfer: 1e-9 m/s, diffusivity: 1e-13 m^2/s}}\n"
# The guards measure rounding and solver residues themselves.
GUARDS = ("lithium_imbalance", "stress_imbalance")
# Solves stop at 1e-10 and partitions differ from run to run; 1e-5 of a column's largest value is ample.
LARGEST_DIFFERENCE = 1e-5
_ROUNDING = 1e-9


def history_on(folder: Path, ranks: int, text: str = CASE) -> pd.DataFrame:
    """Runs a case on some ranks and reads its history.csv; `folder` keeps case and results."""
    case = folder / "case.yaml"
    case.write_text(text)
    results = folder / f"ranks{ranks}"
    arguments = ["-m", "solver.cli", "run", str(case), "--output", str(results), "--quiet"]
    command, environment = launch_command(ranks, arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("results are in") == 1, "only one rank speaks"
    status = json.loads((results / "status.json").read_text())
    assert (status["state"], status["ranks"]) == ("finished", ranks)
    return pd.read_csv(results / "history.csv")


def history_differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, float]:
    """Largest difference per column over its largest value, without the guards; the same cells must be empty."""
    assert list(ours.columns) == list(theirs.columns)
    differences = {}
    for column in ours.columns:
        if column.startswith(GUARDS):
            continue
        assert (ours[column].isna() == theirs[column].isna()).all(), column
        gap, scale = (ours[column] - theirs[column]).abs().max(), ours[column].abs().max()
        differences[column] = max(gap - _ROUNDING, 0.0) / scale if gap > _ROUNDING else 0.0
    return differences
