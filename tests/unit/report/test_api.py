"""What notebooks use: runs that are opened show themselves, and the package loads nothing before it is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

import solver
from solver.errors import OutputError

CASE = """\
name: a notebook <run>
particle: {dimension: 2, radius: 2 um, grains: {count: 8, seed: 4}, mesh: {size: 0.3 um}}
material: NMC811
electrochemistry: {protocol: [Charge at 1C until 20 % SoC]}
output: {fields: 1, pictures: false}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "case.yaml").write_text(CASE)
    return solver.run_case(solver.load_case(folder / "case.yaml"), folder / "results", progress=False)


def test_a_run_shows_its_numbers(run):
    assert run.name == "a notebook <run>"
    assert "2 output states" in repr(run) or "3 output states" in repr(run)
    assert "a notebook &lt;run&gt;" in run._repr_html_()
    assert "boundary_normal_p95" in run._repr_html_()
    final = run.history["first_principal_p95 [MPa]"].iloc[-1]
    assert run.indicators.loc["first_principal_p95", "final"] == pytest.approx(final)
    assert run.indicators["meaning"].str.len().min() > 5
    assert run.steps["accepted [-]"].sum() > 3


def test_a_run_shows_its_pictures(run):
    assert run.section()._repr_png_().startswith(b"\x89PNG")
    assert run.section(0).path != run.section(-1).path
    with pytest.raises(KeyError, match="there are"):
        run.figure("no such figure")


def test_results_are_opened_again(run, tmp_path):
    assert solver.open_run(run.folder).name == run.name
    with pytest.raises(OutputError, match="not the folder of a finished run"):
        solver.open_run(tmp_path)


def test_importing_the_package_loads_no_finite_elements():
    code = "import sys, solver; assert 'dolfinx' not in sys.modules; assert not hasattr(solver, 'no_such_name')"
    subprocess.run([sys.executable, "-c", code], check=True)
