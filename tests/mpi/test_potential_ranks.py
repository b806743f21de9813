"""Transport in chemical-potential form does not depend on the number of ranks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from solver.mpi import launch_command

ROOT = Path(__file__).parents[2]


def numbers_on(ranks: int, kind: str) -> list[float]:
    command, environment = launch_command(ranks, [str(ROOT / "tests/mpi/potential_worker.py"), kind])
    folders = [ROOT, ROOT / "tests/helpers", ROOT / "tests/verification", environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(str(folder) for folder in folders)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.mpi
@pytest.mark.parametrize("kind", ["bare", "films", "reaction"])
def test_lithium_under_stress_does_not_depend_on_the_number_of_ranks(kind: str) -> None:
    """Sites of one master, and a pool, on several ranks; Newton's method stops at 1e-7 of its first residual."""
    assert numbers_on(2, kind) == pytest.approx(numbers_on(1, kind), rel=1e-8)
