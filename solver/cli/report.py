"""`vegard report`: the figures and the page of a run, drawn anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver.cli.console import say

NAME = "report"
EXAMPLES = ("vegard report results/quickstart",)


def command(folder: Annotated[Path, typer.Argument(help="Results folder of a run.")]) -> None:
    """Draw the figures of a run and write its report.html.

    The page holds sections of all output states, figures, all indicators with their meaning, guards, provenance and the
    case; it is one file and opens without a network. Runs with `output.pictures: true` write it at their end.
    """
    from solver.report.page import write_report

    say(f"wrote {write_report(folder)}")
