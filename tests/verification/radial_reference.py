"""Two-way coupling in a sphere in one dimension: finite volumes along the radius, with stress put into the diffusivity.

In an isotropic sphere the gradient of the mean stress follows that of lithium, so stress acts like a diffusivity that
grows by θ c_max times what the mobility gives: x for a dilute solution, x (1 − x) for a lattice gas (eq. 13.12).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]

GAS_CONSTANT, FARADAY = 8.31446261815324, 96485.33212
MOBILITY: dict[str, Callable[[Array], Array]] = {"dilute": lambda x: x, "lattice-gas": lambda x: x * (1.0 - x)}


@dataclass(frozen=True)
class LithiatedSphere:
    """The sphere of Zhang, Shyy and Sastry (2007) under a constant current [SI units]."""

    youngs_modulus: float = 10e9
    poisson_ratio: float = 0.3
    diffusivity: float = 7.08e-15
    partial_molar_volume: float = 3.497e-6
    maximum_concentration: float = 2.29e4
    radius: float = 5e-6
    current_density: float = 2.0
    temperature: float = 300.0
    cells: int = 400

    @property
    def strength(self) -> float:
        """θ c_max: growth of the diffusivity per unit of x_eff [-]."""
        numerator = 2.0 * self.partial_molar_volume**2 * self.youngs_modulus * self.maximum_concentration
        return numerator / (9.0 * (1.0 - self.poisson_ratio) * GAS_CONSTANT * self.temperature)

    @property
    def swell(self) -> float:
        """Linear strain from empty to full [-]."""
        return self.partial_molar_volume * self.maximum_concentration / 3.0

    @property
    def rate(self) -> float:
        """Rate of the mean of x [1/s]."""
        return 3.0 * self.current_density / (FARADAY * self.maximum_concentration * self.radius)

    def lithium(self, times: Array, mobility: str | None) -> tuple[Array, Array]:
        """Centres of the cells over R (cells,), and x there at times [s], (times, cells); no coupling for None."""
        edges = np.linspace(0.0, 1.0, self.cells + 1)
        volumes, areas = np.diff(edges**3) / 3.0, edges**2
        spacing = 1.0 / self.cells
        rate = self.diffusivity / self.radius**2
        inflow = self.rate / 3.0

        def change(_: float, x: Array) -> Array:
            middle = (x[1:] + x[:-1]) / 2.0
            growth = 0.0 if mobility is None else self.strength * MOBILITY[mobility](middle)
            flux = np.zeros(self.cells + 1)
            flux[1:-1] = -rate * (1.0 + growth) * np.diff(x) / spacing * areas[1:-1]
            flux[-1] = -inflow
            return -np.diff(flux) / volumes

        solved = solve_ivp(
            change,
            (0.0, float(times.max())),
            np.zeros(self.cells),
            method="BDF",
            t_eval=times,
            rtol=1e-7,
            atol=1e-9,
        )
        centres = (edges[1:] + edges[:-1]) / 2.0
        return centres, solved.y.T

    def stresses(self, radius: Array, x: Array) -> tuple[float, float]:
        """Hoop stress at the surface and stress at the centre [MPa] for x at cells (eq. 6.4)."""
        edges = np.linspace(0.0, 1.0, self.cells + 1)
        mean = float(np.diff(edges**3) @ x)
        # Values at the ends from the cells beside them; the profile is smooth, even in r at the centre.
        surface = float(np.polyval(np.polyfit(radius[-3:], x[-3:], 2), 1.0))
        centre = float(np.polyval(np.polyfit(radius[:2] ** 2, x[:2], 1), 0.0))
        scale = self.youngs_modulus * self.swell / (1.0 - self.poisson_ratio) * 1e-6
        return scale * (mean - surface), scale * (mean - centre) * 2.0 / 3.0
