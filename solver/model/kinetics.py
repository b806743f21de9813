"""Butler-Volmer reaction on the surface of a particle; equations 11.1-11.5 of docs/theory.md. NumPy only.

Everything is local: lithium at a place of the surface, one potential for the whole particle, and what leaves there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials import EquilibriumVoltage
from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT
from solver.materials.voltage import EDGE

Array = NDArray[np.float64]

_MICROMETRES_PER_METRE = 1e6
# The largest exponent; a sound solution is far from it.
_LARGEST_EXPONENT = 60.0
_LOCAL_STEPS = 60
_LOCAL_TOLERANCE = 1e-13


@dataclass(frozen=True)
class Outflow:
    """Lithium that leaves per area, as a velocity of x [µm/s], and its derivatives."""

    value: Array
    by_stoichiometry: Array
    by_potential: Array


@dataclass(frozen=True, eq=False)
class ButlerVolmer:
    """The surface reaction of one material at one temperature (eq. 11.1).

    Attributes:
        equilibrium: U(x).
        exchange_current_density: i_ref at the temperature [A/m²] (eq. 11.3).
        transfer_coefficient: α of the anodic branch [-].
        film_resistance: Ohmic resistance of the surface film [Ω m²].
        temperature: [K].
        maximum_concentration: Lithium sites [mol/m³].
    """

    equilibrium: EquilibriumVoltage
    exchange_current_density: float
    transfer_coefficient: float
    film_resistance: float
    temperature: float
    maximum_concentration: float

    @property
    def velocity_per_current(self) -> float:
        """Rate of x times thickness that a current density means [µm/s per A/m²]."""
        return _MICROMETRES_PER_METRE / (FARADAY * self.maximum_concentration)

    def exchange_current(self, x: Array) -> tuple[Array, Array]:
        """i0(x) [A/m²] and its slope (eq. 11.3)."""
        safe = np.clip(x, EDGE, 1.0 - EDGE)
        root = np.sqrt(safe * (1.0 - safe))
        scale = 2.0 * self.exchange_current_density
        return scale * root, np.where(safe == x, scale * (0.5 - safe) / root, 0.0)

    def outflow(self, x: Array, potential: float | Array) -> Outflow:
        """What leaves at surface stoichiometries x when the particle has a potential [V].

        Args:
            x: Stoichiometry at the surface, shape (n,).
            potential: Potential of the particle against lithium in the electrolyte [V]; one, or one per place.
        """
        exchange, exchange_slope = self.exchange_current(x)
        drive = potential - self.equilibrium(x)
        overpotential = self._overpotential(drive, exchange)
        current, slope = self._current(overpotential, exchange)
        damped = 1.0 / (1.0 + self.film_resistance * slope)
        by_potential = slope * damped
        by_x = -self.equilibrium.slope(x) * by_potential + current / exchange * exchange_slope * damped
        factor = self.velocity_per_current
        return Outflow(factor * current, factor * by_x, factor * by_potential)

    def _current(self, overpotential: Array, exchange: Array) -> tuple[Array, Array]:
        """i(η) [A/m²] and di/dη."""
        scale = FARADAY / (GAS_CONSTANT * self.temperature)
        forward, backward = self.transfer_coefficient * scale, (1.0 - self.transfer_coefficient) * scale
        anodic = np.exp(np.clip(forward * overpotential, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
        cathodic = np.exp(np.clip(-backward * overpotential, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
        return exchange * (anodic - cathodic), exchange * (forward * anodic + backward * cathodic)

    def _overpotential(self, drive: Array, exchange: Array) -> Array:
        """η with η + R i(η) = drive (eq. 11.4); Newton from outside, where the function is convex, never overshoots."""
        if self.film_resistance == 0.0:
            return drive
        # The film takes at most all of the drive: a bound from above on |η| that keeps the exponentials small.
        scale = FARADAY / (GAS_CONSTANT * self.temperature)
        least = min(self.transfer_coefficient, 1.0 - self.transfer_coefficient) * scale
        bound = np.log1p(np.abs(drive) / (self.film_resistance * exchange) + 1.0) / least
        eta = np.sign(drive) * np.minimum(np.abs(drive), bound)
        for _ in range(_LOCAL_STEPS):
            current, slope = self._current(eta, exchange)
            miss = eta + self.film_resistance * current - drive
            eta = eta - miss / (1.0 + self.film_resistance * slope)
            if np.abs(miss).max(initial=0.0) <= _LOCAL_TOLERANCE * max(1.0, float(np.abs(drive).max(initial=0.0))):
                break
        return eta
