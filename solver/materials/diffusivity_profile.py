"""Diffusivity that depends on lithium content, relative to a constant one, with its integral (eq. 14.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from solver.materials.errors import MaterialError

Array = NDArray[np.float64]

_ROWS = 1501
_ROWS_BETWEEN = 100
_SHOWN = 11


class DiffusivityProfile:
    """d(x) = D(x)/D and Θ(x) = ∫₀ˣ d, both from one piecewise cubic, so that each belongs exactly to the other.

    Outside the rows d is constant, and Θ goes on as a straight line.

    Args:
        x: Stoichiometry [-], shape (k,), rising.
        relative: d > 0 at these places [-], shape (k,).

    Attributes:
        low: Lowest x of the rows.
        high: Highest x of the rows.

    Raises:
        MaterialError: When a value is not positive and finite.
    """

    def __init__(self, x: Array, relative: Array) -> None:
        if not (np.isfinite(relative).all() and (relative > 0.0).all()):
            raise MaterialError("a diffusivity that depends on x must be positive and finite everywhere")
        self.low, self.high = float(x[0]), float(x[-1])
        self.rows = np.stack([x, relative])
        self._curve = PchipInterpolator(x, relative)
        self._slope = self._curve.derivative()
        integral = self._curve.antiderivative()
        # From x = 0, where d is that of the first row.
        self._integral, self._start = integral, float(relative[0]) * self.low

    @classmethod
    def of_function(cls, function: Callable[[Array], Array], low: float, high: float) -> DiffusivityProfile:
        """Profile of a smooth d(x) between two stoichiometries."""
        x: Array = np.linspace(low, high, _ROWS, dtype=np.float64)
        return cls(x, function(x))

    @classmethod
    def of_table(cls, x: Array, relative: Array) -> DiffusivityProfile:
        """Profile through the rows of a table whose logarithm is a monotone cubic: values may span decades."""
        curve = PchipInterpolator(x, np.log(relative))
        pieces = [np.linspace(a, b, _ROWS_BETWEEN, endpoint=False) for a, b in pairwise(x)]
        fine = np.concatenate([*pieces, x[-1:]])
        return cls(fine, np.exp(curve(fine)))

    def __call__(self, x: ArrayLike) -> Array:
        """Value d [-] at x, same shape as x; always positive."""
        return self._curve(np.clip(x, self.low, self.high))

    def slope(self, x: ArrayLike) -> Array:
        """dd/dx [-], same shape as x; zero outside the rows."""
        x = np.asarray(x, dtype=float)
        return np.where((x < self.low) | (x > self.high), 0.0, self._slope(np.clip(x, self.low, self.high)))

    def integral(self, x: ArrayLike) -> Array:
        """Θ [-] at x, same shape as x; rises with x."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, self.low, self.high)
        return self._start + self._integral(inside) + self._curve(inside) * (x - inside)

    @property
    def mean(self) -> float:
        """Mean of d over the rows [-]."""
        return float(self._integral(self.high)) / (self.high - self.low)

    @property
    def digest(self) -> str:
        """Hash of all rows: equal digests mean the same function."""
        return hashlib.sha256(self.rows.tobytes()).hexdigest()[:16]

    def numbers(self) -> dict[str, object]:
        """What it is in short, as plain JSON values: d at some x, and the hash of all rows."""
        x: Array = np.linspace(self.low, self.high, _SHOWN, dtype=np.float64)
        return {"x": x.round(6).tolist(), "relative": self(x).round(6).tolist(), "digest": self.digest}
