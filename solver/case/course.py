"""A current that varies in time, as a straight line from row to row of a table, with its exact integral."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A change from one row to the next above this share of the largest current is a jump for the time integration.
_STEEP = 0.25
# Clocks add up rounded steps: closer to a row than this they stand at the row [s, and share of the course].
_ROUNDING = (1e-9, 1e-12)


@dataclass(frozen=True, eq=False)
class Course:
    """Rate of the mean stoichiometry over time; it ends with its last row.

    Attributes:
        times: (n,) seconds from the start of the step, 0 first, not falling; two equal ones are a jump.
        rates: (n,) dx̄/dt [1/s], positive when lithium enters.
        is_exact: Whether the rates are those of the particle, or estimated without its mesh.
    """

    times: Array
    rates: Array
    is_exact: bool = True

    @property
    def duration(self) -> float:
        """Time of the last row [s]."""
        return float(self.times[-1])

    @cached_property
    def _gained(self) -> Array:
        """(n,) change of x̄ from the start to each row."""
        pieces = 0.5 * (self.rates[1:] + self.rates[:-1]) * np.diff(self.times)
        return np.append(0.0, np.cumsum(pieces))

    def rate(self, time: float, before: bool = False) -> float:
        """dx̄/dt [1/s] at a time [s]; at a jump the rate after it, or before it."""
        nudge = _ROUNDING[0] + _ROUNDING[1] * self.duration
        row = self._row(time - nudge if before else time + nudge)
        return float(self.rates[row] + self._slope(row) * self._within(time, row))

    def gain(self, start: float, end: float) -> float:
        """Change of x̄ between two times [s]."""
        return self._total(end) - self._total(start)

    def _total(self, time: float) -> float:
        row = self._row(time)
        passed = self._within(time, row)
        return float(self._gained[row] + passed * (self.rates[row] + 0.5 * self._slope(row) * passed))

    def _row(self, time: float) -> int:
        """Row at which the line through a time begins."""
        return int(np.clip(np.searchsorted(self.times, time, side="right") - 1, 0, len(self.times) - 2))

    def _within(self, time: float, row: int) -> float:
        """Time since that row [s], at most to the next."""
        return float(np.clip(time - self.times[row], 0.0, self.times[row + 1] - self.times[row]))

    def _slope(self, row: int) -> float:
        length = self.times[row + 1] - self.times[row]
        return float((self.rates[row + 1] - self.rates[row]) / length) if length > 0.0 else 0.0

    @cached_property
    def jumps(self) -> Array:
        """Times [s] inside the course between which it changes gently."""
        changes, limit = np.abs(np.diff(self.rates)), _STEEP * np.abs(self.rates).max(initial=0.0)
        vertical = np.diff(self.times) == 0.0
        ends = np.flatnonzero((changes > limit) | (vertical & (changes > 0.0)))
        found = np.unique(np.concatenate([self.times[ends], self.times[ends + 1]]))
        return found[(found > 0.0) & (found < self.duration)]

    def reach(self, duration: float) -> tuple[float, float]:
        """Smallest and largest change of x̄ from the start within a duration [s], exact at rows and sign changes."""
        crossings = self._sign_changes()
        times = np.concatenate([self.times, crossings, [duration]])
        gains = [self._total(float(time)) for time in np.unique(times[times <= duration])]
        return min(gains), max(gains)

    def _sign_changes(self) -> Array:
        """Times at which the rate goes through zero between two rows, where x̄ turns."""
        turning = np.flatnonzero(self.rates[:-1] * self.rates[1:] < 0.0)
        first, second = self.rates[turning], self.rates[turning + 1]
        return self.times[turning] + np.diff(self.times)[turning] * first / (first - second)
