"""Closed forms of docs/theory.md, chapter 6, written out independently of the solver (numpy and scipy only)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros
from voigt import PAIRS, voigt_stress

Array = NDArray[np.float64]

_TERMS = 200
_NUMBERS = np.arange(1, _TERMS)[:, None]
# Positive roots of tan α = α, one per branch of the tangent.
_ROOTS = np.array(
    [brentq(lambda a: np.tan(a) - a, (k + 1e-12) * np.pi, (k + 0.5) * np.pi - 1e-12) for k in range(1, _TERMS)]
)[:, None]


def held_surface(r: ArrayLike, tau: float) -> Array:
    """V1, eq. 6.1: (c − c0)/(cs − c0) at r/R in a sphere whose surface is held from τ = 0."""
    decay = (-1.0) ** _NUMBERS * np.exp(-((_NUMBERS * np.pi) ** 2) * tau)
    return 1.0 + 2.0 * (decay * np.sinc(_NUMBERS * np.ravel(r))).sum(axis=0)


def held_uptake(tau: float) -> float:
    """V1, eq. 6.1: (mean c − c0)/(cs − c0)."""
    n = np.arange(1, 2000)
    return float(1.0 - 6.0 / np.pi**2 * (np.exp(-((n * np.pi) ** 2) * tau) / n**2).sum())


def constant_flux(r: ArrayLike, tau: float) -> Array:
    """V2, eq. 6.2: (c − c0) D/(J R) at r/R in a sphere with inward flux J from τ = 0."""
    r = np.ravel(r)
    weights = 2.0 / (_ROOTS * np.sin(_ROOTS)) * np.exp(-(_ROOTS**2) * tau)
    return 3.0 * tau + r**2 / 2.0 - 0.3 - (weights * np.sinc(_ROOTS * r / np.pi)).sum(axis=0)


def surface_lead(tau: ArrayLike) -> Array:
    """(c_s − mean c) D/(J R) under constant flux: goes to 1/5 (eq. 6.3)."""
    return 0.2 - 2.0 * (np.exp(-(_ROOTS**2) * np.ravel(tau)) / _ROOTS**2).sum(axis=0)


def film_surface(r: ArrayLike, tau: float, conductance: float) -> Array:
    """Eq. 8.11: (c − c0)/(co − c0) at r/R in a sphere under a film, outside held from τ = 0; L = R/(D ϱ)."""

    def condition(root: float) -> float:
        return root * np.cos(root) + (conductance - 1.0) * np.sin(root)

    roots = np.array([brentq(condition, (k + 1e-9) * np.pi, (k + 1 - 1e-9) * np.pi) for k in range(_TERMS)])[:, None]
    weights = np.exp(-(roots**2) * tau) / ((roots**2 + conductance * (conductance - 1.0)) * np.sin(roots)) * roots
    return 1.0 - 2.0 * conductance * (weights * np.sinc(roots * np.ravel(r) / np.pi)).sum(axis=0)


def sphere_stress(r: Array, content: Callable[[Array], Array]) -> tuple[Array, Array]:
    """V3, eq. 6.4: σ_r and σ_θ at r/R in units of E e/(1 − ν), e the linear strain where `content` is 1.

    Args:
        r: Places r/R.
        content: Radial profile, of (n,) places r/R.
    """
    places = np.linspace(0.0, 1.0, 2001)
    middles = (places[1:] + places[:-1]) / 2
    at_places, at_middles = content(places) * places**2, content(middles) * middles**2
    pieces = (at_places[:-1] + 4 * at_middles + at_places[1:]) * np.diff(places) / 6  # Simpson
    filled = np.append(0.0, np.cumsum(pieces))
    total = filled[-1]
    mean = np.append(content(places[:1]) / 3.0, filled[1:] / places[1:] ** 3)  # r⁻³∫₀^r c r² dr
    inside = np.interp(r, places, mean)
    return 2.0 * (total - inside), 2.0 * total + inside - content(np.ravel(r)).reshape(np.shape(r))


def parabola_stress(r: Array) -> tuple[Array, Array]:
    """V3, eq. 6.5: σ_r and σ_θ in units of A, for c growing with r²."""
    return 1.0 - r**2, 1.0 - 2.0 * r**2


@dataclass(frozen=True)
class CoreShell:
    """V5, eqs. 6.7 and 6.8: a core in a shell of outer radius 1.

    Attributes:
        core: Young's modulus [MPa] and Poisson ratio of the core.
        shell: The same of the shell.
        misfit: Linear strain of the core minus that of the shell, as they would have alone.
        ratio: Radius of the core.
    """

    core: tuple[float, float]
    shell: tuple[float, float]
    misfit: float
    ratio: float

    @property
    def pressure(self) -> float:
        """Pressure in the core [MPa]; negative is tension."""
        bulk = [young / (3 * (1 - 2 * poisson)) for young, poisson in (self.core, self.shell)]
        shear = self.shell[0] / (2 * (1 + self.shell[1]))
        f = self.ratio**3
        return self.misfit / (1 / (3 * bulk[0]) + f / ((1 - f) * 3 * bulk[1]) + 1 / (4 * shear * (1 - f)))

    def stress(self, r: Array) -> tuple[Array, Array]:
        """Radial and hoop stress [MPa] at radii r."""
        f = self.ratio**3
        factor, inside = self.pressure * f / (1 - f), r < self.ratio
        cube = np.where(inside, 1.0, r) ** 3
        radial = np.where(inside, -self.pressure, factor * (1 - 1 / cube))
        return radial, np.where(inside, -self.pressure, factor * (1 + 1 / (2 * cube)))


def laminate(
    axes: Sequence[Sequence[float]], constants: tuple[float, ...], strains: tuple[float, float]
) -> list[Array]:
    """V10, eq. 6.10: in-plane stress (xx, yy, xy) of equal layers stacked along z that cannot bend.

    Args:
        axes: c axis of each layer.
        constants: C11, C12, C13, C33, C44 [MPa], the same for all layers.
        strains: Lattice strains in the layers of the crystal and along c.
    """
    in_plane, out = [0, 1, 5], [2, 3, 4]
    reduced, loads = [], []
    for axis in axes:
        matrix = np.array([_components(voigt_stress(constants, axis, unit)) for unit in _unit_strains()]).T
        along = np.outer(axis, axis) / np.dot(axis, axis)
        free = _engineering(strains[0] * (np.eye(3) - along) + strains[1] * along)
        condensed = matrix[np.ix_(in_plane, in_plane)] - matrix[np.ix_(in_plane, out)] @ np.linalg.solve(
            matrix[np.ix_(out, out)], matrix[np.ix_(out, in_plane)]
        )
        reduced.append(condensed)
        loads.append(condensed @ free[in_plane])
    common = np.linalg.solve(sum(reduced), sum(loads))
    return [matrix @ common - load for matrix, load in zip(reduced, loads, strict=True)]


def _unit_strains() -> list[Array]:
    """The six strain tensors whose engineering components are unit vectors."""
    units = []
    for i, j in PAIRS:
        unit = np.zeros((3, 3))
        unit[i, j] = unit[j, i] = 1.0 if i == j else 0.5
        units.append(unit)
    return units


def _components(tensor: Array) -> Array:
    return np.array([tensor[i, j] for i, j in PAIRS])


def _engineering(tensor: Array) -> Array:
    return np.array([tensor[i, j] * (1 if i == j else 2) for i, j in PAIRS])


_HELD_ROOTS, _DRIVEN_ROOTS = (jn_zeros(order, _TERMS)[:, None] for order in (0, 1))


def held_disc(r: ArrayLike, tau: float) -> Array:
    """Eq. 7.3: (c − c0)/(cs − c0) at r/R in a disc whose rim is held from τ = 0."""
    weights = 2.0 * np.exp(-(_HELD_ROOTS**2) * tau) / (_HELD_ROOTS * j1(_HELD_ROOTS))
    return 1.0 - (weights * j0(_HELD_ROOTS * np.ravel(r))).sum(axis=0)


def held_disc_uptake(tau: float) -> float:
    """Eq. 7.3: (mean c − c0)/(cs − c0)."""
    return float(1.0 - (4.0 * np.exp(-(_HELD_ROOTS**2) * tau) / _HELD_ROOTS**2).sum())


def driven_disc(r: ArrayLike, tau: float) -> Array:
    """Eq. 7.4: (c − c0) D/(J R) at r/R in a disc with inward flux J from τ = 0."""
    r = np.ravel(r)
    weights = 2.0 * np.exp(-(_DRIVEN_ROOTS**2) * tau) / (_DRIVEN_ROOTS**2 * j0(_DRIVEN_ROOTS))
    return 2.0 * tau + r**2 / 2.0 - 0.25 - (weights * j0(_DRIVEN_ROOTS * r)).sum(axis=0)


def ringed_disc(
    core: tuple[float, float, float], ring: tuple[float, float, float], radius: float, may_stretch: bool
) -> tuple[float, float]:
    """Eq. 7.6: σ_r and σ_z [MPa] of a disc with a film on its rim.

    Args:
        core: Young's modulus [MPa], Poisson ratio and strain of the core.
        ring: Stiffness B [MPa µm], Poisson ratio and own strain of the film.
        radius: [µm].
        may_stretch: Whether the disc stretches along its normal.
    """
    (young, poisson, swell), (stiff, ratio, own) = core, ring
    lame, shear = young * poisson / (1 + poisson) / (1 - 2 * poisson), young / 2 / (1 + poisson)
    pull = stiff / radius
    bulk = (2 * shear + 3 * lame) * swell
    matrix = np.array(
        [
            [2 * (shear + lame) + pull, lame + ratio * pull],
            [2 * lame + 2 * ratio * pull, 2 * shear + lame + 2 * pull],
        ]
    )
    load = bulk + pull * (1 + ratio) * own * np.array([1.0, 2.0])
    if may_stretch:
        a, z = np.linalg.solve(matrix, load)
    else:
        a, z = load[0] / matrix[0, 0], 0.0
    volume = lame * (2 * a + z) - bulk
    return float(2 * shear * a + volume), float(2 * shear * z + volume)


def disc_stress(r: Array, poisson: float, may_stretch: bool) -> Array:
    """Eq. 7.5: σ_r, σ_θ and σ_z at r/R in units of E e/(1 − ν), for the strain e (r/R)²."""
    radial, hoop = (1.0 - r**2) / 4.0, (1.0 - 3.0 * r**2) / 4.0
    axial = radial + hoop if may_stretch else poisson * (radial + hoop) - (1.0 - poisson) * r**2
    return np.stack([radial, hoop, axial])


def _bulk_and_shear(elastic: tuple[float, float]) -> tuple[float, float]:
    young, poisson = elastic
    return young / (3 * (1 - 2 * poisson)), young / (2 * (1 + poisson))


def lame_pressure(core: tuple[float, float], matrix: tuple[float, float], ratio: float, outside: float) -> float:
    """Eq. 9.9: pressure in a core of radius `ratio` in a matrix of radius 1 under a pressure outside; E and ν each."""
    (bulk, _), (outer, shear), f = _bulk_and_shear(core), _bulk_and_shear(matrix), ratio**3
    around = 1 / (3 * outer) + 1 / (4 * shear)
    return outside * around / ((1 - f) / (3 * bulk) + f / (3 * outer) + 1 / (4 * shear))


def misfit_pressure(core: tuple[float, float], matrix: tuple[float, float], ratio: float) -> float:
    """Eq. 6.7: pressure in a core per unit of its linear strain."""
    (bulk, _), (outer, shear), f = _bulk_and_shear(core), _bulk_and_shear(matrix), ratio**3
    return 1 / (1 / (3 * bulk) + f / ((1 - f) * 3 * outer) + 1 / (4 * shear * (1 - f)))


@dataclass(frozen=True)
class HollowSphere:
    """Eq. 9.10: a perfectly plastic hollow sphere of inner radius 1 under pressure from outside.

    Attributes:
        yield_strength: [MPa].
        ratio: Outer radius.
        reach: Radius of the plastic zone.
    """

    yield_strength: float
    ratio: float
    reach: float

    @property
    def pressure(self) -> float:
        """Pressure that makes the zone this large [MPa]."""
        return 2 * self.yield_strength * (np.log(self.reach) + (1 - (self.reach / self.ratio) ** 3) / 3)

    def radial_stress(self, r: Array) -> Array:
        """σ_r [MPa] at radii r."""
        elastic = 2 * self.yield_strength / 3 * ((self.reach / r) ** 3 - (self.reach / self.ratio) ** 3) - self.pressure
        return np.where(r < self.reach, -2 * self.yield_strength * np.log(r), elastic)
