"""What a description asks of its pores: the law, the sizes, and what of it cannot be made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from meshes.particle import Particle
from meshes.pore_law import LARGEST_PORE, PoreSizes, PorosityLaw, giant_volumes, law_of, preset_law

LARGEST_RADIUS = 0.2  # of a pore that is no giant, over the radius of the particle
_MOST_PORES = 20_000


def law_asked(particle: Particle) -> PorosityLaw:
    """The porosity law of a particle with pores; where a void is, the giant pores are not."""
    pores = particle.pores
    assert pores is not None
    if pores.law is not None:
        law = preset_law(pores.law)
        giants = law.giants and particle.void is None if pores.giant is None else pores.giant
        return replace(law, giants=giants)
    return law_of(pores.profile or [], pores.basis, bool(pores.giant))


def sizes_asked(particle: Particle) -> PoreSizes:
    """The sizes of its pores."""
    assert particle.pores is not None
    return PoreSizes(float(particle.pores.smallest), float(particle.pores.detail))


def pores_stay_closed(particle: Particle) -> bool:
    """Whether no pore may open to the surface: a coating or a matrix lies on it, and neither enters pores."""
    return bool(particle.coatings) or particle.matrix is not None


def small_pore_volume(particle: Particle) -> float:
    """Volume of the pores that are no giants, in a particle without a void [µm³]."""
    law, radius = law_asked(particle), float(particle.radius)
    whole = law.total * 4.0 / 3.0 * math.pi * radius**3
    return (whole - float(np.sum(giant_volumes(law, radius)))) * (1.0 - sizes_asked(particle).left_out_volume)


def pore_problems(particle: Particle) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Options about pores that cannot be met, each with what to write instead."""
    pores = particle.pores
    if pores is None:
        return
    if pores.giant and particle.void is not None:
        yield ("pores", "giant"), "the giant pores lie where the void is; write giant: false, or leave out void"
    if pores.smallest >= LARGEST_PORE:
        yield ("pores", "smallest"), f"no pore of the size law is as large; write less than {LARGEST_PORE:g} um^3"
        return
    law, volume = law_asked(particle), small_pore_volume(particle)
    if law.total == 0.0:
        yield ("pores", "profile"), "it asks for no porosity anywhere; leave out pores"
        return
    if particle.dimension == 3:
        yield from _problems_of_number(particle, law, volume)


def _problems_of_number(
    particle: Particle, law: PorosityLaw, volume: float
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    sizes, option = sizes_asked(particle), ("pores", "detail")
    number = volume / sizes.mean
    largest = 4.0 / 3.0 * math.pi * (LARGEST_RADIUS * float(particle.radius)) ** 3
    if number > _MOST_PORES:
        most = 100.0 * sizes.detail * _MOST_PORES / number
        yield option, f'{number:.0f} pores are more than {_MOST_PORES}; write at most "{most:.2g} %"'
    elif sizes.mean > largest:
        real = sizes.mean * sizes.detail
        yield (
            option,
            f"pores of {sizes.mean:.3g} um^3 are too large for a particle of radius {particle.radius:g} um"
            + (
                f'; write at least "{min(100.0, 101.0 * real / largest):.2g} %"'
                if real < largest
                else "; its real pores are; leave out pores"
            ),
        )
    elif number < 1.0 and not law.giants:
        yield (
            option,
            f"the porosity asked for is {volume:.3g} um^3 in all, less than one pore of {sizes.mean:.3g} um^3"
            + (
                f'; write at least "{101.0 * sizes.detail / number:.2g} %"'
                if number > 1.01 * sizes.detail
                else "; leave out pores"
            ),
        )
