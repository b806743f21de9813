"""`vegard new`: a commented case to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver.cli.console import say

NAME = "new"
EXAMPLES = (
    "vegard new",
    "vegard new dense-1C.yaml",
)


def command(
    file: Annotated[Path, typer.Argument(help="File to write.")] = Path("my-case.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file when it is there.")] = False,
) -> None:
    """Write a commented case to start from."""
    from solver.case.starter import write_starter

    write_starter(file, force)
    say(f"wrote {file}; next: vegard check {file}")
