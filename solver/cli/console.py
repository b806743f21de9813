"""What the commands print: plain lines and aligned columns, never wrapped, so that numbers stay whole in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from solver.mpi import launched_rank

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH_OF_FILES = 160


def say(text: str = "") -> None:
    """A line on standard output; under a launcher only rank 0 speaks."""
    if launched_rank() == 0:
        print(text)


def note(text: str) -> None:
    """A line about progress, or a warning, on standard error."""
    if launched_rank() == 0:
        print(text, file=sys.stderr, flush=True)


def show(renderables: Iterable[RenderableType]) -> None:
    """Tables: as wide as the terminal, or wide enough for every line and without colours in a file or a pipe."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES, highlight=False)
    for renderable in renderables:
        console.print(renderable)


def columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> str:
    """Rows with the cells of each column aligned on the left."""
    table = [list(row) for row in rows]
    width = [max(len(cell) for cell in column) for column in zip(*table, strict=True)] if table else []
    return "\n".join(
        indent + "  ".join(cell.ljust(size) for cell, size in zip(row, width, strict=True)).rstrip() for row in table
    )


def rounded(value: float) -> str:
    """A whole number with two significant figures and thin grouping: 38162 → "38 000"."""
    if value <= 0:
        return "0"
    digits = max(0, len(str(int(value))) - 2)
    return f"{round(value / 10**digits) * 10**digits:,}".replace(",", " ")


def duration(seconds: float) -> str:
    """Such as "40 s", "3 min" or "5 h"."""
    for limit, unit, size in ((90.0, "s", 1.0), (5400.0, "min", 60.0), (172800.0, "h", 3600.0)):
        if seconds < limit:
            return f"{max(1.0, seconds / size):.0f} {unit}"
    return f"{seconds / 86400.0:.0f} days"


def memory(bytes_: float) -> str:
    """Such as "400 MB" or "2.1 GB"."""
    return f"{round(bytes_ / 1e7) * 10} MB" if bytes_ < 1e9 else f"{bytes_ / 1e9:.1f} GB"
