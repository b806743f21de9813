"""`vegard doctor`: does everything work here?"""

from __future__ import annotations

import typer

NAME = "doctor"
EXAMPLES = ("vegard doctor",)


def command() -> None:
    """Check that everything works here.

    Versions, MPI, a small mesh, a small solve, a field file written and read back. Prints one block to paste into a
    question or a bug report.
    """
    from solver.doctor import run_doctor

    raise typer.Exit(run_doctor())
