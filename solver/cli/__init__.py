"""The command `vegard`: one module per command; each imports what it needs when it is called, so help is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from solver.cli.application import execute

    sys.exit(execute(sys.argv[1:]))
