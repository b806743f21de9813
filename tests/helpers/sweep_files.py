"""Small sweeps on disk for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from solver.sweep.cases import CheckedCases, check_cases
from solver.sweep.load import LoadedSweep, load_sweep
from solver.sweep.plan import Plan, make_plan, write_plan

BASE = """\
name: small
material: NMC811
particle:
  radius: 2 um
  dimension: 2
  grains: {count: 10, seed: 4}
  mesh: {size: 0.5 um}
electrochemistry:
  protocol: [Charge at 1C for 2 min]
output: {fields: 1, pictures: false}
"""


def load(folder: Path, text: str, base: str = BASE) -> LoadedSweep:
    """A sweep file with its base case, read."""
    (folder / "base.yaml").write_text(base)
    path = folder / "sweep.yaml"
    path.write_text(f"base: base.yaml\n{text}")
    return load_sweep(path)


def checked(folder: Path, text: str, base: str = BASE) -> tuple[LoadedSweep, CheckedCases]:
    """The same with its cases checked."""
    sweep = load(folder, text, base)
    return sweep, check_cases(sweep)


def planned(folder: Path, text: str, base: str = BASE) -> Plan:
    """The same with its folder written."""
    sweep, cases = checked(folder, text, base)
    plan = make_plan(sweep, cases, folder / "out")
    write_plan(plan, sweep, cases)
    return plan
