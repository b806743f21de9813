"""A closed pipe is an error for Python to catch, not a reason for PETSc to abort."""

from __future__ import annotations

import subprocess
import sys

WRITE = """
import sys
from solver import compat
try:
    for _ in range(100000):
        print("line")
    sys.stdout.flush()
except BrokenPipeError:
    sys.stderr.write("caught")
    sys.stderr.flush()
    import os
    os._exit(0)
"""


def test_closed_pipe_is_a_python_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read().endswith(b"caught")
    assert process.wait() == 0
