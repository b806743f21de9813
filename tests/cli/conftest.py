"""Running `vegard` inside the test's own folder."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from solver.cli.application import execute

CASE = "material: NMC811\nelectrochemistry:\n  protocol: [Charge at C/2 until 60 % SoC]\n"


@dataclass
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def vegard(tmp_path, monkeypatch, capsys):
    """Call as `vegard("check", "case.yaml")`; case.yaml is there."""
    monkeypatch.chdir(tmp_path)
    for variable in ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_STEP_ID"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "case.yaml").write_text(CASE)

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = execute([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
