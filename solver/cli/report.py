"""`vegard report`: the figures and the page of a run or a sweep, drawn anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver.cli.console import say

NAME = "report"
EXAMPLES = ("vegard report results/quickstart", "vegard report results/quick")


def command(folder: Annotated[Path, typer.Argument(help="Results folder of a run, or folder of a sweep.")]) -> None:
    """Draw the figures of a run or a sweep and write its report.html.

    The page holds sections of all output states, figures, all indicators with their meaning, guards, provenance and the
    case; it is one file and opens without a network. Runs with `output.pictures: true` write it at their end. Of a
    sweep it shows the effect of every axis, maps over pairs, all runs as lines, the designs in order with intervals,
    and what failed.
    """
    from solver.sweep.plan import PLAN, read_plan

    if (folder / PLAN).is_file():
        from solver.sweep.page import write_sweep_report

        say(f"wrote {write_sweep_report(read_plan(folder))}")
        return
    from solver.report.page import write_report

    say(f"wrote {write_report(folder)}")
