"""Values between two ends, given with or without units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from meshes.quantities import convert_unit, split_quantity

# Enough to tell values apart, few enough to read them in a table or a folder's name.
_DIGITS = 6


@dataclass(frozen=True)
class Range:
    """Numbers from one end to the other.

    Attributes:
        first: Value at the beginning, in `unit`.
        last: Value at the end, in `unit`.
        unit: Unit of the values; None for bare numbers.
        scale: How values are spaced.
        is_whole: Whether values are rounded to whole numbers.
    """

    first: float
    last: float
    unit: str | None
    scale: Literal["linear", "log"]
    is_whole: bool

    def at(self, share: float) -> str | float | int:
        """Value at a share of the way, 0 at the beginning and 1 at the end."""
        if self.scale == "log":
            number = math.exp((1.0 - share) * math.log(self.first) + share * math.log(self.last))
        else:
            number = (1.0 - share) * self.first + share * self.last
        if self.unit is not None:
            return f"{number:.{_DIGITS}g} {self.unit}".strip()
        return round(number) if self.is_whole else float(f"{number:.{_DIGITS}g}")

    def values(self, steps: int) -> list[str | float | int]:
        """Evenly spaced values, both ends included."""
        return [self.at(float(share)) for share in np.linspace(0.0, 1.0, steps)]

    def between(self, share: float) -> str | float | int:
        """Value at a share of the way where each whole number gets the same part of it, the ends included."""
        if not self.is_whole or self.scale == "log":
            return self.at(share)
        low, high = sorted((self.first, self.last))
        return min(int(high), int(low + share * (high - low + 1)))


def make_range(first: str | float, last: str | float, scale: Literal["linear", "log"], is_whole: bool = False) -> Range:
    """A range from its ends as they are written.

    Args:
        first: Beginning; text with a unit, or a number.
        last: End; converted to the unit of the beginning.
        scale: How values are spaced.
        is_whole: Whether the key takes whole numbers only.

    Raises:
        ValueError: With what to write instead.
    """
    start, unit = _parted(first)
    end, other = _parted(last)
    if (unit is None) != (other is None):
        raise ValueError(f'one end has a unit and the other has none; write "{first}" and "{last}" alike')
    if unit is not None and other is not None:
        end = convert_unit(end, other, unit)
    if scale == "log" and min(start, end) <= 0.0:
        raise ValueError(f'"{first}" to "{last}" reaches zero or below, which "scale: log" cannot; write "linear"')
    if start == end:
        raise ValueError(f'both ends are "{first}"; write two different ones')
    return Range(start, end, unit, scale, is_whole)


def _parted(end: str | float) -> tuple[float, str | None]:
    if not isinstance(end, str):
        if not math.isfinite(end):
            raise ValueError(f"{end} is not a finite number; write an end of the range")
        return float(end), None
    parts = split_quantity(end)
    if parts is None:
        raise ValueError(f'"{end}" is no number with a unit; write for example "5 um"')
    return parts[0], parts[1] or None
