"""Chemical part of lithium's chemical potential over RT, against stoichiometry; eqs. 13.1-13.3 of docs/theory.md.

A law f(x) rises everywhere and goes on as a straight line very near and beyond empty and full: linear elements may
overshoot there a little, and Newton's method needs functions that exist on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from solver.materials import EquilibriumVoltage
from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT

Array = NDArray[np.float64]

# The ideal laws are exact down to here; small enough that a start from empty carries no stress-driven lithium.
_EDGE = 1e-6
# Least slope of a measured law, that of a dilute solution at x = 1. A voltage flatter than RT/F (26 mV) per x would let
# any stress move any amount of lithium; measured curves are flat by resolution, or because two phases meet.
LEAST_SLOPE = 1.0
_ROWS = 1501
# Chords are taken between places at least this far apart, in what they are chords of; below, by the mean slope, whose
# error is then of the square of it, like that of rounding.
_APART = 1e-4
_BISECTIONS = 60


class ChemicalLaw(Protocol):
    """f(x), rising, at any x."""

    def __call__(self, x: ArrayLike) -> Array:
        """The value f [-], same shape as x."""

    def slope(self, x: ArrayLike) -> Array:
        """df/dx [-], positive, same shape as x."""

    def curvature(self, x: ArrayLike) -> Array:
        """d²f/dx² [-], same shape as x; zero where f goes on as a straight line."""


class Dilute:
    """f = ln x: lithium ions that do not see each other."""

    def __call__(self, x: ArrayLike) -> Array:
        """The value f [-]."""
        return _logarithm(np.asarray(x, dtype=float))

    def slope(self, x: ArrayLike) -> Array:
        """1/x."""
        return _logarithm_slope(np.asarray(x, dtype=float))

    def curvature(self, x: ArrayLike) -> Array:
        """−1/x²."""
        return _logarithm_curvature(np.asarray(x, dtype=float))


class LatticeGas:
    """f = ln(x/(1 − x)): ions that compete for sites only."""

    def __call__(self, x: ArrayLike) -> Array:
        """The value f [-]."""
        x = np.asarray(x, dtype=float)
        return _logarithm(x) - _logarithm(1.0 - x)

    def slope(self, x: ArrayLike) -> Array:
        """1/(x (1 − x))."""
        x = np.asarray(x, dtype=float)
        return _logarithm_slope(x) + _logarithm_slope(1.0 - x)

    def curvature(self, x: ArrayLike) -> Array:
        """1/(1 − x)² − 1/x²."""
        x = np.asarray(x, dtype=float)
        return _logarithm_curvature(x) - _logarithm_curvature(1.0 - x)


class OpenCircuitLaw:
    """f = −F U/(RT): what the measured voltage says, made to rise by at least `LEAST_SLOPE` everywhere.

    Where the voltage is flatter, or rises with x, f leaves it and rises by the least slope; beyond, it runs parallel.

    Args:
        voltage: U(x).
        temperature: [K].
    """

    def __init__(self, voltage: EquilibriumVoltage, temperature: float) -> None:
        self._voltage, self._scale = voltage, -FARADAY / (GAS_CONSTANT * temperature)
        self._low, self._high = voltage.low, voltage.high
        x = np.linspace(self._low, self._high, _ROWS)
        # A monotone cubic through what exceeds the least slope never falls, so that the sum keeps it everywhere.
        excess = np.maximum(np.diff(self._scale * voltage(x)) - LEAST_SLOPE * np.diff(x), 0.0)
        start = self._scale * float(voltage(self._low)) - LEAST_SLOPE * self._low
        self._excess = PchipInterpolator(x, start + np.concatenate([[0.0], np.cumsum(excess)]))
        self._excess_slope, self._excess_curvature = self._excess.derivative(1), self._excess.derivative(2)

    def __call__(self, x: ArrayLike) -> Array:
        """The value f [-]."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, self._low, self._high)
        value = LEAST_SLOPE * inside + self._excess(inside)
        if (inside == x).all():  # nearly always, and evaluating the voltage twice more costs
            return value
        return value + self._scale * (self._voltage(x) - self._voltage(inside))

    def slope(self, x: ArrayLike) -> Array:
        """df/dx [-]."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, self._low, self._high)
        slope = LEAST_SLOPE + self._excess_slope(inside)
        if (inside == x).all():
            return slope
        return np.where(inside == x, slope, self._scale * np.asarray(self._voltage.slope(x)))

    def curvature(self, x: ArrayLike) -> Array:
        """d²f/dx² [-]."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, self._low, self._high)
        return np.where(inside == x, self._excess_curvature(inside), 0.0)


@dataclass(frozen=True)
class Chord:
    """Mean slope of a function between two places, (F_j − F_i)/(x_j − x_i), and its derivatives by the places."""

    value: Array
    by_first: Array
    by_second: Array


@dataclass(frozen=True)
class Nodes:
    """A function at places: value, slope and slope of the slope, each of one shape."""

    value: Array
    slope: Array
    curvature: Array

    def at(self, index: NDArray[np.int64]) -> Nodes:
        """Those at some of the places."""
        return Nodes(self.value[index], self.slope[index], self.curvature[index])


def nodes_of(law: ChemicalLaw, x: Array) -> Nodes:
    """A law at places x."""
    return Nodes(law(x), law.slope(x), law.curvature(x))


def chord(x_first: Array, x_second: Array, first: Nodes, second: Nodes) -> Chord:
    """Mean slope of a rising function between pairs of places (eq. 13.4); the slope itself where they meet."""
    apart = np.abs(second.value - first.value) > _APART
    distance = np.where(apart, x_second - x_first, 1.0)
    value = np.where(apart, (second.value - first.value) / distance, 0.5 * (first.slope + second.slope))
    return Chord(
        value,
        np.where(apart, (value - first.slope) / distance, 0.5 * first.curvature),
        np.where(apart, (second.slope - value) / distance, 0.5 * second.curvature),
    )


def mobility(x_first: Array, x_second: Array, first: Nodes, second: Nodes) -> Chord:
    """Chord mobility m = (x_i − x_j)/(f_i − f_j) (eq. 13.4): the logarithmic mean of x for a dilute law."""
    slope = chord(x_first, x_second, first, second)
    value = np.asarray(1.0 / slope.value, dtype=np.float64)
    return Chord(value, -(value**2) * slope.by_first, -(value**2) * slope.by_second)


def stoichiometry_at(law: ChemicalLaw, potential: float) -> float:
    """X at which f is a value, by bisection between −1 and 2."""
    low, high = -1.0, 2.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(law(middle)) < potential else (low, middle)
    return 0.5 * (low + high)


def _logarithm(x: Array) -> Array:
    safe = np.maximum(x, _EDGE)
    return np.log(safe) + (x - safe) / safe


def _logarithm_slope(x: Array) -> Array:
    return 1.0 / np.maximum(x, _EDGE)


def _logarithm_curvature(x: Array) -> Array:
    return np.where(x > _EDGE, -1.0 / np.maximum(x, _EDGE) ** 2, 0.0)
