"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def replace_with(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a temporary file beside `path` and moves it there in one step.

    Args:
        path: Final place; an older file there stays whole until the new one takes its name.
        write: Gets the temporary path and writes the complete content.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in one step."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    replace_with(path, write)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Writes a JSON file in one step; NaN and infinities, which JSON does not know, become null."""
    write_text(path, json.dumps(_without_nan(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _without_nan(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


class Table:
    """A CSV file that grows by whole rows; each row is one write, so a killed run leaves complete rows.

    Args:
        path: File to create.
        header: Column titles.
        kept: So many rows of the file that is there stay.
    """

    def __init__(self, path: Path, header: Sequence[str], kept: int = 0) -> None:
        self._columns = len(header)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[1 : kept + 1] if kept else []
        write_text(path, _csv_line(header) + "".join(lines))
        self._file = path.open("ab", buffering=0)

    def append(self, row: Sequence[float | int | str | bool]) -> None:
        """Adds a row; numbers are written so that they read back exactly, NaN as an empty field."""
        if len(row) != self._columns:
            raise ValueError(f"a row of {len(row)} values for {self._columns} columns")
        self._file.write(_csv_line([_cell(value) for value in row]).encode())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _cell(value: float | int | str | bool) -> str:
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ""
    return str(value)


def _csv_line(cells: Sequence[str]) -> str:
    quoted = ('"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell for cell in cells)
    return ",".join(quoted) + "\n"
