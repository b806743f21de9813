"""Curves against stoichiometry: the lattice strain table (eq. 1.1) and single curves such as U(x).

All are monotone piecewise cubics (PCHIP: Fritsch and Butland's slopes), so a table never overshoots between its
rows, and they stay constant outside the table, where their slope is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from solver.materials.errors import MaterialError

FloatArray = NDArray[np.float64]


def table_problems(stoichiometry: ArrayLike, **columns: ArrayLike) -> list[str]:
    """What makes a table unusable: too short, not rising, not finite, lengths that differ. Empty when it is fine."""
    x = np.asarray(stoichiometry, dtype=float)
    if x.ndim != 1 or x.size < 2:
        return ["a table needs at least two rows"]
    problems = []
    if not np.isfinite(x).all() or not (np.diff(x) > 0).all():
        problems.append("x must be finite and rise from row to row")
    for name, values in columns.items():
        column = np.asarray(values, dtype=float)
        if column.shape != x.shape:
            problems.append(f"{name} has {column.size} values for {x.size} rows of x")
        elif not np.isfinite(column).all():
            problems.append(f"{name} has a value that is not a finite number")
    return problems


class _ClampedPchip:
    """PCHIP through rows (k,) of one or more columns (k, m), constant outside; evaluates all columns in one pass."""

    def __init__(self, x: FloatArray, columns: FloatArray) -> None:
        self._low, self._high = float(x[0]), float(x[-1])
        self._curve = PchipInterpolator(x, columns, axis=0)
        self._slope = self._curve.derivative()
        self._curvature = self._slope.derivative()

    def __call__(self, x: ArrayLike) -> FloatArray:
        return self._curve(np.clip(x, self._low, self._high))

    def slope(self, x: ArrayLike) -> FloatArray:
        return self._inside(self._slope, x)

    def curvature(self, x: ArrayLike) -> FloatArray:
        return self._inside(self._curvature, x)

    def _inside(self, derivative: PchipInterpolator, x: ArrayLike) -> FloatArray:
        x = np.asarray(x, dtype=float)
        inside = (x >= self._low) & (x <= self._high)
        values = derivative(np.clip(x, self._low, self._high))
        return values * (inside[..., None] if values.ndim > x.ndim else inside)


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity against stoichiometry.

    Args:
        stoichiometry: x [-], shape (k,), rising.
        values: Shape (k,).

    Raises:
        MaterialError: When the table is not usable.
    """

    stoichiometry: FloatArray
    values: FloatArray

    def __post_init__(self) -> None:
        if problems := table_problems(self.stoichiometry, values=self.values):
            raise MaterialError(problems)

    @cached_property
    def _pchip(self) -> _ClampedPchip:
        return _ClampedPchip(np.asarray(self.stoichiometry, float), np.asarray(self.values, float))

    def __call__(self, x: ArrayLike) -> FloatArray:
        """Values at x, same shape as x; constant outside the table."""
        return self._pchip(x)


@dataclass(frozen=True, eq=False)
class LatticeStrain:
    """Strain of the crystal lattice against stoichiometry: ε_a(x) in the basal plane, ε_c(x) along c (eq. 1.1).

    Args:
        stoichiometry: x [-], shape (k,), rising.
        strain_a: ε_a [-], shape (k,), relative to the fully lithiated crystal.
        strain_c: ε_c [-], shape (k,).

    Raises:
        MaterialError: When the table is not usable.
    """

    stoichiometry: FloatArray
    strain_a: FloatArray
    strain_c: FloatArray

    def __post_init__(self) -> None:
        problems = table_problems(self.stoichiometry, strain_a=self.strain_a, strain_c=self.strain_c)
        if problems:
            raise MaterialError(problems)

    @cached_property
    def _pchip(self) -> _ClampedPchip:
        columns = np.stack([self.strain_a, self.strain_c], axis=1).astype(float)
        return _ClampedPchip(np.asarray(self.stoichiometry, float), columns)

    def both(self, x: ArrayLike) -> FloatArray:
        """ε_a and ε_c at x in one pass (half the cost of two calls), shape (*x.shape, 2)."""
        return self._pchip(x)

    def both_slopes(self, x: ArrayLike) -> FloatArray:
        """dε_a/dx and dε_c/dx at x, shape (*x.shape, 2); zero outside the table."""
        return self._pchip.slope(x)

    def both_curvatures(self, x: ArrayLike) -> FloatArray:
        """d²ε_a/dx² and d²ε_c/dx² at x, shape (*x.shape, 2); they jump at the rows and are zero outside the table."""
        return self._pchip.curvature(x)

    def a(self, x: ArrayLike) -> FloatArray:
        """ε_a(x) [-], same shape as x."""
        return self.both(x)[..., 0]

    def c(self, x: ArrayLike) -> FloatArray:
        """ε_c(x) [-], same shape as x."""
        return self.both(x)[..., 1]

    def a_slope(self, x: ArrayLike) -> FloatArray:
        """dε_a/dx [-], same shape as x."""
        return self.both_slopes(x)[..., 0]

    def c_slope(self, x: ArrayLike) -> FloatArray:
        """dε_c/dx [-], same shape as x."""
        return self.both_slopes(x)[..., 1]

    def volume_change(self, x: ArrayLike) -> FloatArray:
        """Relative volume change (1 + ε_a)²(1 + ε_c) - 1 (eq. 1.3), same shape as x."""
        strain = self.both(x)
        return (1 + strain[..., 0]) ** 2 * (1 + strain[..., 1]) - 1
