"""The cache of compiled forms when several processes use it and one of them was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMPILE = """
import ufl, basix.ufl
from dolfinx import fem, mesh
from mpi4py import MPI
from solver import compat
space = fem.functionspace(mesh.create_unit_interval(MPI.COMM_SELF, 2), ("Lagrange", 1))
compat.form(ufl.TestFunction(space) * ufl.dx)
"""


def compile_in(cache: Path, count: int) -> list[subprocess.Popen[bytes]]:
    environment = {**os.environ, "VEGARD_JIT_CACHE": str(cache)}
    return [subprocess.Popen([sys.executable, "-c", COMPILE], env=environment) for _ in range(count)]


def test_marks_of_a_killed_compile_hold_nobody_up(tmp_path: Path) -> None:
    # Two processes meet in an empty cache, and again where the mark of the compile stands without its result.
    assert [process.wait(60) for process in compile_in(tmp_path, 2)] == [0, 0]
    [mark] = tmp_path.glob("*/*.c")
    mark.with_suffix(".c.cached").unlink()
    assert [process.wait(60) for process in compile_in(tmp_path, 2)] == [0, 0]
    assert mark.with_suffix(".c.cached").exists()
