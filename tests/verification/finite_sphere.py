"""Spheres at large strains by ordinary differential equations, independent of the solver (eq. 15.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

Array = NDArray[np.float64]


def strain_of(stretch: float) -> float:
    """H of a principal stretch (eq. 15.2)."""
    return (stretch**2 - stretch**-2) / 4


def stretch_of(strain: float) -> float:
    """The principal stretch of H."""
    return float(np.sqrt(2 * strain + np.sqrt(4 * strain**2 + 1)))


@dataclass(frozen=True)
class Isotropic:
    """An isotropic material in eq. 15.10, by Lamé's constants [MPa]."""

    first: float
    shear: float

    @classmethod
    def of(cls, young: float, poisson: float) -> Isotropic:
        """By Young's modulus and Poisson's ratio."""
        return cls(young * poisson / ((1 + poisson) * (1 - 2 * poisson)), young / (2 * (1 + poisson)))

    def piola(self, radial: float, hoop: float, swell: float) -> tuple[float, float]:
        """P_r and P_t of elastic stretches and a lattice stretch."""
        strains = strain_of(radial), strain_of(hoop)
        mean = self.first * (strains[0] + 2 * strains[1])
        slopes = [(stretch + stretch**-3) / 2 for stretch in (radial, hoop)]
        driving = [mean + 2 * self.shear * strain for strain in strains]
        return swell**2 * driving[0] * slopes[0], swell**2 * driving[1] * slopes[1]

    def radial(self, pressure: float, hoop: float, swell: float) -> float:
        """The elastic stretch along the radius that goes with P_r."""
        return float(brentq(lambda stretch: self.piola(stretch, hoop, swell)[0] - pressure, 0.5, 2.0, xtol=1e-14))


Swell = Callable[[float], float]


def radial_reference(parts: Sequence[tuple[float, Isotropic, Swell]]) -> Callable[[Array], tuple[Array, Array]]:
    """σ_r and σ_θ [MPa] at places at rest in a sphere, by integrating eq. 15.10 outwards.

    Args:
        parts: Outer radius, material and lattice stretch at a radius of each part, from the centre.
    """
    start = 1e-4 * parts[0][0]

    def shoot(stretch: float) -> tuple[list[tuple[float, Isotropic, Swell, object]], float]:
        swell = parts[0][2](0.0)
        state = [stretch * start, parts[0][1].piola(stretch / swell, stretch / swell, swell)[0]]
        inner, found = start, []
        for outer, material, lattice in parts:

            def slope(r: float, y: Array, material: Isotropic = material, lattice: Swell = lattice) -> list[float]:
                swell = lattice(r)
                hoop = y[0] / (r * swell)
                radial = material.radial(y[1], hoop, swell)
                return [radial * swell, -2 * (y[1] - material.piola(radial, hoop, swell)[1]) / r]

            way = solve_ivp(slope, (inner, outer), state, rtol=1e-9, atol=1e-9, dense_output=True)
            found.append((outer, material, lattice, way.sol))
            state, inner = way.y[:, -1].tolist(), outer
        return found, float(state[1])

    solution = shoot(brentq(lambda stretch: shoot(stretch)[1], 0.9, 1.1, xtol=1e-13))[0]

    def stress(radii: Array) -> tuple[Array, Array]:
        found = np.array([_cauchy_at(max(float(r), start), solution) for r in radii.ravel()])
        return found[:, 0].reshape(radii.shape), found[:, 1].reshape(radii.shape)

    return stress


def _cauchy_at(r: float, solution: list[tuple[float, Isotropic, Swell, Callable[[float], Array]]]) -> list[float]:
    _, material, lattice, way = next(part for part in solution if r <= part[0] or part is solution[-1])
    swell, (place, pressure) = lattice(r), way(r)
    hoop = place / (r * swell)
    radial = material.radial(pressure, hoop, swell)
    across = material.piola(radial, hoop, swell)[1]
    return [pressure / (hoop * swell) ** 2, across / (hoop * radial * swell**2)]
