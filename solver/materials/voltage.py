"""The equilibrium voltage of a material as the solver needs it: with slope, going on beyond its table (eq. 11.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT, OpenCircuit

Array = NDArray[np.float64]

# Closer to empty and full than this, logarithms go on as straight lines: linear elements may overshoot there a little,
# and Newton's method needs functions that exist on the way.
EDGE = 1e-3
_ROWS = 1501


class EquilibriumVoltage:
    """U(x) with its slope, going on beyond the measured interval as a dilute solution would (eq. 11.2).

    A table that stayed constant beyond its ends would leave nothing to stop lithium there; the logarithm does.

    Args:
        open_circuit: The measured voltage.
        temperature: [K]; moves the curve where its entropy is known (eq. 14.2).
    """

    def __init__(self, open_circuit: OpenCircuit, temperature: float) -> None:
        self.low, self.high = open_circuit.valid
        x = np.linspace(self.low, self.high, _ROWS)
        self._curve = PchipInterpolator(x, open_circuit(x, temperature))
        self._slope = self._curve.derivative()
        self._thermal = GAS_CONSTANT * temperature / FARADAY

    def __call__(self, x: ArrayLike) -> Array:
        """U [V], same shape as x."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, self.low, self.high)
        return self._curve(inside) - self._thermal * (_logit(x) - _logit(inside))

    def slope(self, x: ArrayLike) -> Array:
        """dU/dx [V], same shape as x."""
        x = np.asarray(x, dtype=float)
        safe = np.clip(x, EDGE, 1.0 - EDGE)
        outside = (x < self.low) | (x > self.high)
        return np.where(outside, -self._thermal / (safe * (1.0 - safe)), self._slope(np.clip(x, self.low, self.high)))

    def stoichiometry(self, voltage: float) -> float:
        """X at which U is a voltage, by bisection: the curve falls, but need not do so everywhere."""
        low, high = -1.0, 2.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if float(self(middle)) > voltage else (low, middle)
        return 0.5 * (low + high)


def _logit(x: Array) -> Array:
    """ln(x/(1 − x)), as a straight line near and beyond empty and full."""
    safe = np.clip(x, EDGE, 1.0 - EDGE)
    return np.log(safe / (1.0 - safe)) + (x - safe) / (safe * (1.0 - safe))
