"""`vegard materials`: what the library holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NAME = "materials"
EXAMPLES = (
    "vegard materials",
    "vegard materials NMC811",
    "vegard materials NMC811 --plot nmc811.png",
)


def command(
    name: Annotated[str | None, typer.Argument(help="Material; all are listed without it.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw its curves against stoichiometry (PNG).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the picture when it is there.")] = False,
) -> None:
    """List or show materials of the library.

    One material is shown with the range and the source of every number.
    """
