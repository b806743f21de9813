"""How porous a particle is at which radius, and how large its pores are: the measured laws, as numbers.

Profiles are measured on sections through the centre of particles: `cumulative` values are porosities of discs, so the
ring between two radii follows from the difference of areas. The same local porosity is then asked of the shell between
the two radii. Sizes are volumes of single pores from tomography, as shares of their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from meshes.arrays import Array

Basis = Literal["cumulative", "cumulative-volume", "local"]
Profile = Sequence[Sequence[float]]

HIGHEST_LOCAL = 0.45  # above this random pores leave no connected solid
# The two giant pores at the centre of a gradient-porous particle of 5 µm [µm³]. There they are 57 % of what the law
# puts inside half the radius; they are made smaller where that would leave less than these 57 % for them.
GIANT_VOLUMES = (3.779, 1.123)
GIANT_REACH = 0.5
GIANT_SHARE = 0.575

# Share of the number, smallest and largest volume [µm³]; within a class the logarithm of the volume is uniform. The
# upper end of the last class is not measured: with 0.15 µm³ the mean pore has the measured 0.010 µm³.
_CLASSES = ((0.80, 0.002, 0.010), (0.16, 0.010, 0.030), (0.04, 0.030, 0.150))
LARGEST_PORE = _CLASSES[-1][2]


@dataclass(frozen=True)
class PorosityLaw:
    """Porosity over the radius.

    Args:
        radii: Outer radius of every shell over that of the particle, rising to 1, shape (s,).
        local: Porosity of every shell, shape (s,).
        giants: Whether the two giant pores are there.
    """

    radii: Array
    local: Array
    giants: bool

    def between(self, edges: Array) -> Array:
        """Mean porosity (by volume) of shells with these edges r/R, shape (s,) for edges of shape (s + 1,)."""
        own = np.concatenate([[0.0], self.radii])
        pore_volume = np.concatenate([[0.0], np.cumsum(self.local * np.diff(own**3))])
        return np.diff(np.interp(edges**3, own**3, pore_volume)) / np.diff(edges**3)

    @property
    def total(self) -> float:
        """Porosity of the whole particle by volume."""
        return float(self.between(np.array([0.0, 1.0]))[0])

    def on_central_disc(self, radius: float) -> float:
        """Porosity of a disc of this r/R on a section through the centre, were every shell evenly porous."""
        edges = np.concatenate([[0.0], self.radii])
        return float(
            np.interp(radius**2, edges**2, np.concatenate([[0.0], np.cumsum(self.local * np.diff(edges**2))]))
        ) / (radius**2)


_INNER, _WHOLE = 0.1311, 0.0811  # gradient-porous NCM83: inside half the radius, and of the whole section
_NI96 = 0.0692  # only the whole is measured: the shape is that of NCM83
_PRESETS: dict[str, tuple[Profile, bool]] = {
    "gp-ncm": (((0.5, _INNER), (1.0, _WHOLE)), True),
    "p-ncm": (((1.0, 0.0196),), False),
    "gp-ni96": (((0.5, _INNER * _NI96 / _WHOLE), (1.0, _NI96)), True),
    "p-ni96": (((1.0, 0.0225),), False),
}


def preset_law(name: str) -> PorosityLaw:
    """The measured law of this name."""
    profile, giants = _PRESETS[name]
    return law_of(profile, "cumulative", giants)


def law_of(profile: Profile, basis: Basis, giants: bool) -> PorosityLaw:
    """The law of a table.

    Args:
        profile: Pairs of r/R and porosity, the radii rising to 1.
        basis: What the porosities are of: all within r/R on a section through the centre (`cumulative`) or in the
            ball (`cumulative-volume`), or what lies between this radius and the one before (`local`).
        giants: Whether the two giant pores are there.

    Raises:
        ValueError: If the porosity between two radii comes out below 0 or above `HIGHEST_LOCAL`.
    """
    radii, porosity = np.array(profile, dtype=float).T
    power = {"cumulative": 2, "cumulative-volume": 3, "local": 0}[basis]
    local = porosity
    if power:
        measure = radii**power
        local = np.diff(porosity * measure, prepend=0.0) / np.diff(measure, prepend=0.0)
    for inner, outer, value in zip([0.0, *radii], radii, local):
        if not -1e-12 <= value <= HIGHEST_LOCAL:
            raise ValueError(
                f"between r/R = {inner:g} and {outer:g} the profile makes a porosity of {100 * value:.3g} %; "
                f"it must be between 0 and {100 * HIGHEST_LOCAL:g} % (is the basis right? it says {basis})"
            )
    return PorosityLaw(radii, np.maximum(local, 0.0), giants)


@dataclass(frozen=True)
class PoreSizes:
    """Law of the pore volumes by number, without the giants.

    Args:
        smallest: Pores below this volume are left out [µm³].
        detail: Number of pores over the real number; volumes are divided by it.
    """

    smallest: float
    detail: float

    def __post_init__(self) -> None:
        if self.smallest >= LARGEST_PORE:
            raise ValueError(f"the largest pores of the size law have {LARGEST_PORE:g} um^3, no pore would be left")

    def volumes(self, count: int, random: np.random.Generator) -> Array:
        """Volumes of pores [µm³], one per quantile of the law, in random order, shape (count,)."""
        classes = self._kept()
        shares = np.array([share for share, _, _ in classes])
        ends = np.cumsum(shares) / shares.sum()
        quantile = random.permutation((np.arange(count) + random.uniform(0.0, 1.0, count)) / max(count, 1))
        number = np.minimum(np.searchsorted(ends, quantile), len(classes) - 1)
        begins = np.concatenate([[0.0], ends[:-1]])
        position = (quantile - begins[number]) / (ends - begins)[number]
        low, high = (np.array([one[side] for one in classes])[number] for side in (1, 2))
        return low * (high / low) ** position / self.detail

    @property
    def mean(self) -> float:
        """Mean volume [µm³]."""
        classes = self._kept()
        return sum(share * _mean(low, high) for share, low, high in classes) / (
            sum(share for share, _, _ in classes) * self.detail
        )

    @property
    def left_out_number(self) -> float:
        """Share of the number of pores that is left out."""
        return 1.0 - sum(share for share, _, _ in self._kept())

    @property
    def left_out_volume(self) -> float:
        """Share of their volume that is left out."""
        kept = sum(share * _mean(low, high) for share, low, high in self._kept())
        return 1.0 - kept / sum(share * _mean(low, high) for share, low, high in _CLASSES)

    def _kept(self) -> list[tuple[float, float, float]]:
        kept = []
        for share, low, high in _CLASSES:
            if self.smallest < high:
                start = max(low, self.smallest)
                kept.append((share * math.log(high / start) / math.log(high / low), start, high))
        return kept


def _mean(low: float, high: float) -> float:
    """Mean of a volume whose logarithm is uniform."""
    return (high - low) / math.log(high / low)


def giant_volumes(law: PorosityLaw, radius: float) -> Array:
    """Volumes of the giant pores in a particle of this radius [µm³], shape (2,) or (0,).

    They have their measured volumes unless that is more than `GIANT_SHARE` of all the law puts inside half the radius:
    then the law binds.
    """
    if not law.giants:
        return np.empty(0)
    within = float(law.between(np.array([0.0, GIANT_REACH]))[0]) * 4.0 / 3.0 * math.pi * (GIANT_REACH * radius) ** 3
    measured = np.array(GIANT_VOLUMES)
    return measured * min(1.0, GIANT_SHARE * within / measured.sum())
