"""Current tables: CSV files of time and current, as cell models and cyclers export them, read for `Follow` steps."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from solver.case.course import Course
from solver.case.document import shorten
from solver.case.protocol import LONGEST_STEP, ProtocolStep, TableChoice
from solver.materials.checks import FARADAY

Array = NDArray[np.float64]
Measure = Literal["C-rate", "current", "current density", "flux"]

MOST_BYTES, MOST_ROWS = 200_000_000, 2_000_000
_HEAD_BYTES = 20_000
# Cell models put the two sides of a jump a rounding error apart [s].
_SAME_TIME = 1e-6
_MOST_COLUMNS_SHOWN = 8
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0}
_AMPERES = {"a": 1.0, "ma": 1e-3}
_TIME = re.compile(r"(?:t|time)\s*[\[(/_ ]*\s*(s|sec|seconds|min|minutes|h|hours)?\s*[\])]?", re.I)
_C_RATE = re.compile(r"c[-_ ]?rate(?:\s*\[(?:-|1|c)?\])?", re.I)
_CURRENT = re.compile(r"(?:current|i)\s*[\[(/_ ]\s*(m?a)\s*[\])]?", re.I)
_PER_AREA = r"(?:\.?\s*m\s*(?:\^|\*\*)?\s*-\s*2|\s*/\s*m\s*(?:\^|\*\*)?\s*2|\s*/\s*m²)"
_DENSITY = re.compile(rf".*\b(?:interfacial|surface) current density\s*\[\s*a{_PER_AREA}\s*\]", re.I)
_FLUX = re.compile(rf".*\bflux\s*\[\s*mol{_PER_AREA}(?:\.?\s*s\s*(?:\^|\*\*)?\s*-\s*1|\s*/\s*s)\s*\]", re.I)
_HELP = 'name a time column "Time [s]" and one of "C-rate", "Current [A]", "interfacial current density [A.m-2]"'


@dataclass(frozen=True, eq=False)
class CurrentTable:
    """A table that was read.

    Attributes:
        times: (n,) seconds since the first row, not falling.
        values: (n,) C-rate, or current density on the surface of the particle [A/m²]; positive when lithium enters.
        is_density: Which of the two.
    """

    times: Array
    values: Array
    is_density: bool

    def course(self, scale: CurrentScale) -> Course:
        """The rate of the mean stoichiometry it means for a particle."""
        factor = scale.per_density if self.is_density else scale.per_c_rate
        return Course(self.times, factor * self.values, scale.is_exact or not self.is_density)


@dataclass(frozen=True)
class CurrentScale:
    """What a current means for a particle.

    Attributes:
        per_c_rate: Rate of the mean stoichiometry at 1C [1/s] (eq. 3.4).
        per_density: The same at 1 A/m² on the surface through which lithium passes [1/s].
        is_exact: Whether that surface is known, or guessed from the radius.
    """

    per_c_rate: float
    per_density: float
    is_exact: bool = True

    @classmethod
    def of(cls, capacity_ratio: float, surface: float, sites: float, is_exact: bool = True) -> CurrentScale:
        """What a current means for a particle.

        Args:
            capacity_ratio: Capacity called 1C over the theoretical capacity [-].
            surface: Area through which lithium passes over the volume [1/µm].
            sites: Lithium sites [mol/m³].
            is_exact: Whether that area is known.
        """
        return cls(capacity_ratio / 3600.0, 1e6 * surface / (FARADAY * sites), is_exact)


Tables = Mapping[TableChoice, CurrentTable]


def courses_of(tables: Tables, scale: CurrentScale) -> dict[TableChoice, Course]:
    """The courses of all tables of a protocol for a particle."""
    return {choice: table.course(scale) for choice, table in tables.items()}


def chosen_tables(steps: Iterable[ProtocolStep]) -> list[TableChoice]:
    """Tables that the steps of a protocol follow, each once."""
    return list(dict.fromkeys(step.table for step in steps if step.table is not None))


def read_table(folder: Path, choice: TableChoice) -> CurrentTable:
    """Read a table.

    Args:
        folder: Folder that the name of the file is relative to.
        choice: The file and what its currents mean.

    Returns:
        The table; its first row is the start of the step.

    Raises:
        ValueError: With `file:line: column: what is wrong; what to write`.
    """
    return _Reader(folder / choice.file, choice).read()


class _Reader:
    """Reads one file; keeps its name for messages."""

    def __init__(self, path: Path, choice: TableChoice) -> None:
        self._path, self._choice = path, choice
        self._name = shorten(choice.file, 200)
        self._skipped = 0

    def read(self) -> CurrentTable:
        names, delimiter = self._header()
        (time_column, seconds), (value_column, measure, unit) = self._time(names), self._value(names)
        frame = self._frame(delimiter, len(names), sorted({time_column, value_column}))
        times = seconds * self._numbers(frame, time_column, names)
        values = unit * self._numbers(frame, value_column, names)
        self._check_times(times, names[time_column])
        scaled = self._scaled(values, measure, names[value_column])
        times, scaled = _with_jumps(times - times[0], scaled)
        return CurrentTable(times, scaled, measure in ("current density", "flux"))

    def _fail(self, text: str, line: int | None = None, column: str = "") -> ValueError:
        place = self._name + (f":{line}" if line else "")
        return ValueError(f'{place}: "{shorten(column)}": {text}' if column else f"{place}: {text}")

    def _header(self) -> tuple[list[str], str]:
        """Column names and the character between them; lines before them that start with # are comments."""
        if self._path.stat().st_size > MOST_BYTES:
            raise self._fail(f"a table of more than {MOST_BYTES // 1_000_000} MB is too large; keep fewer rows")
        try:
            with self._path.open("rb") as file:
                lines = file.read(_HEAD_BYTES).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise self._fail("this is not UTF-8 text; save the table as CSV (UTF-8)") from error
        except OSError as error:
            raise self._fail(f"cannot be read ({error.strerror})") from error
        while self._skipped < len(lines) and (lines[self._skipped].startswith("#") or not lines[self._skipped].strip()):
            self._skipped += 1
        if self._skipped == len(lines):
            raise self._fail(f"the file is empty; {_HELP}")
        header = lines[self._skipped]
        delimiter = max(",;\t", key=header.count)
        names = [name.strip().strip('"').strip() for name in header.split(delimiter)]
        if all(_is_number(name) for name in names):
            raise self._fail(f"the first line holds numbers, not the names of columns; {_HELP}", self._skipped + 1)
        return names, delimiter

    def _time(self, names: list[str]) -> tuple[int, float]:
        found = [(number, match) for number, name in enumerate(names) if (match := _TIME.fullmatch(name))]
        self._one_of([names[number] for number, _ in found], names, "time", "Time [s]")
        number, match = found[0]
        return number, _SECONDS[(match.group(1) or "s").lower()]

    def _value(self, names: list[str]) -> tuple[int, Measure, float]:
        found: list[tuple[int, Measure, float]] = []
        for number, name in enumerate(names):
            if _C_RATE.fullmatch(name):
                found.append((number, "C-rate", 1.0))
            elif match := _CURRENT.fullmatch(name):
                found.append((number, "current", _AMPERES[match.group(1).lower()]))
            elif _DENSITY.fullmatch(name):
                found.append((number, "current density", 1.0))
            elif _FLUX.fullmatch(name):
                found.append((number, "flux", FARADAY))
        self._one_of([names[number] for number, _, _ in found], names, "current", "C-rate")
        return found[0]

    def _one_of(self, found: list[str], names: list[str], what: str, example: str) -> None:
        line = self._skipped + 1
        if not found:
            there = ", ".join(f'"{shorten(name)}"' for name in names[:_MOST_COLUMNS_SHOWN])
            raise self._fail(f'no column of {what} such as "{example}" among {there}; {_HELP}', line)
        if len(found) > 1:
            several = " and ".join(f'"{name}"' for name in found)
            raise self._fail(f"{several} are all columns of {what}; keep one of them", line)

    def _frame(self, delimiter: str, width: int, columns: list[int]) -> pd.DataFrame:
        try:
            frame = pd.read_csv(
                self._path,
                sep=delimiter,
                skiprows=self._skipped + 1,
                header=None,
                names=list(range(width)),
                usecols=columns,
                skip_blank_lines=False,
                skipinitialspace=True,
                encoding="utf-8-sig",
                nrows=MOST_ROWS + 1,
                low_memory=False,
            )
        except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
            raise self._fail(f"is no table ({shorten(str(error), 150)}); every row needs {width} columns") from error
        frame = frame.loc[: frame.dropna(how="all").index.max()] if frame.notna().to_numpy().any() else frame.iloc[:0]
        if len(frame) > MOST_ROWS:
            raise self._fail(f"more than {MOST_ROWS} rows; keep fewer, straight lines lie between them")
        if len(frame) < 2:
            raise self._fail(f"{len(frame)} rows of numbers; a current over time needs two or more")
        return frame

    def _numbers(self, frame: pd.DataFrame, column: int, names: list[str]) -> Array:
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            cell = frame[column].iloc[wrong[0]]
            text = "is empty" if pd.isna(cell) else f'"{shorten(str(cell), 30)}" is not a number'
            hint = "write a point for decimals" if "," in str(cell) else "write a number, or delete the row"
            raise self._fail(f"{text}; {hint}", self._line(wrong[0]), names[column])
        return np.asarray(values)

    def _line(self, row: int) -> int:
        return int(row) + self._skipped + 2

    def _check_times(self, times: Array, column: str) -> None:
        backward = np.flatnonzero(np.diff(times) < 0.0)
        if len(backward):
            row = int(backward[0]) + 1
            text = f"{times[row]:g} s comes after {times[row - 1]:g} s; put the rows in the order of time"
            raise self._fail(text, self._line(row), column)
        length = times[-1] - times[0]
        if not 1e-3 <= length <= LONGEST_STEP:
            raise self._fail(f"the table covers {length:g} s; write 1 ms to 1000 h", column=column)

    def _scaled(self, values: Array, measure: Measure, column: str) -> Array:
        """C-rate or current density, positive when lithium enters the particle."""
        choice = self._choice
        if measure == "current" and choice.one_c_current is None:
            raise self._fail(
                f'a current needs the one called 1C; write "Follow {self._name} with 1C = 5 A"', column=column
            )
        if measure != "current" and choice.one_c_current is not None:
            raise self._fail('"1C = …" has no effect on this column; leave it out', column=column)
        if measure in ("current density", "flux"):
            if choice.charge_is_positive:
                raise self._fail("counts lithium that leaves as positive; leave out the sign", column=column)
            return -values
        sign = -1.0 if choice.charge_is_positive else 1.0
        scaled = sign * values / (choice.one_c_current or 1.0)
        fastest = float(np.abs(scaled).max())
        if fastest > 100.0:
            row = int(np.abs(scaled).argmax())
            raise self._fail(f"{fastest:g}C is above 100C; check unit and 1C", self._line(row), column)
        return np.asarray(scaled)


def _with_jumps(times: Array, values: Array) -> tuple[Array, Array]:
    """The same with rows closer than a microsecond at one time, where they are a jump from the first to the last."""
    first = np.append(True, np.diff(times) > _SAME_TIME)
    times = times[first][np.cumsum(first) - 1]
    kept = np.append(True, np.diff(times) > 0.0) | np.append(np.diff(times) > 0.0, True)
    return times[kept], values[kept]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
