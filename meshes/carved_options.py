"""Voids and elongated grains that make no sense: what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from meshes.particle import Particle
from meshes.seeds import grain_count
from meshes.spheroid import Spheroid

# Of the smallest semi-axis: beyond, the wall is a skin.
_WIDEST_VOID = 0.9
_WIDEST_CHANNEL = 0.8  # of the void
_MOST_ELONGATED = 2000

Problem = tuple[tuple[str | int, ...], str]


def carved_problems(particle: Particle) -> Iterator[Problem]:
    """Options about the void and the shape of the grains that do not fit, each with what to write instead."""
    yield from _of_the_void(particle)
    yield from _of_the_elongation(particle)


def _of_the_void(particle: Particle) -> Iterator[Problem]:
    void = particle.void
    if void is None:
        return
    radius = float(void.radius)
    widest = _WIDEST_VOID * float(Spheroid(float(particle.radius), particle.aspect_ratio).semi_axes.min())
    if radius > widest:
        yield ("void", "radius"), f"a void of {radius:g} um leaves only a skin; write at most {widest:.3g} um"
    if void.channel_radius is None:
        return
    if not void.open:
        yield ("void", "channel_radius"), "a closed void has no channel; leave it out, or write open: true"
    elif float(void.channel_radius) > _WIDEST_CHANNEL * radius:
        text = f"a channel must be narrower than its void; write at most {_WIDEST_CHANNEL * radius:.3g} um"
        yield ("void", "channel_radius"), text


def _of_the_elongation(particle: Particle) -> Iterator[Problem]:
    grains, option = particle.grains, ("grains", "elongation")
    if grains.elongation == 1.0 or particle.from_file is not None or particle.shape == "faceted":
        return
    if grains.count == 1:
        yield option, "a single grain fills the particle whatever its elongation; leave it out, or write more grains"
    elif grain_count(particle) > _MOST_ELONGATED:
        yield option, f"at most {_MOST_ELONGATED} grains can be elongated; write fewer grains, or leave it out"
