"""The command `vegard`: one module per command; each imports what it needs when it is called, so help is quick."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from solver.cli.application import execute

    # A batch system that ends a job, and mpirun on Ctrl-C, send this signal: the results folder is closed in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(execute(sys.argv[1:]))
