"""The doctor reports what works and what does not, and goes on after a failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mpi4py import MPI

from solver import doctor

CHECKS = ("_check_solve", "_check_mesh", "_check_field_file", "_check_picture", "_check_ranks")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], str]], None]:
    """Checks that pass at once; one of them can be replaced."""
    for name in CHECKS:
        monkeypatch.setattr(doctor, name, lambda: "fine")
    return lambda name, run: monkeypatch.setattr(doctor, name, run)


def broken() -> str:
    raise ImportError("libwhatever.so: cannot open\nmore lines")


@pytest.mark.usefixtures("quick")
def test_all_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run_doctor() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "all checks passed"
    assert sum(" OK " in line for line in lines) == len(CHECKS)
    text = "\n".join(lines)
    assert "fenics-dolfinx 0." in text
    assert "unknown" not in text
    assert "missing" not in text


@pytest.mark.parametrize("name", CHECKS)
def test_a_failure_is_named_and_the_rest_still_runs(
    quick: Callable[[str, Callable[[], str]], None], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quick(name, broken)
    assert doctor.run_doctor() == 1
    lines = capsys.readouterr().out.splitlines()
    failures = [line for line in lines if " FAIL " in line]
    assert len(failures) == 1
    assert failures[0].endswith("ImportError: libwhatever.so: cannot open")
    assert sum(" OK " in line for line in lines) == len(CHECKS) - 1
    assert lines[-1] == f"1 of {len(CHECKS)} checks failed"


def test_a_fact_that_cannot_be_had_is_said(
    quick: Callable[[str, Callable[[], str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    quick("_gmsh", broken)
    assert doctor.run_doctor() == 0
    assert "gmsh          unknown: ImportError: libwhatever.so: cannot open\n" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_only_one_of_several_ranks_reports(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    assert doctor.run_doctor() == 0
    assert capsys.readouterr().out == ""


def test_the_small_solve_is_exact_to_rounding() -> None:
    """The solution lies in the space, so only rounding of values up to 3 is left."""
    assert doctor.solve_small(MPI.COMM_SELF) < 1e-13


def test_the_checks_that_need_no_other_program() -> None:
    assert "values equal" in doctor._check_field_file()
    assert "3 grains" in doctor._check_mesh()
