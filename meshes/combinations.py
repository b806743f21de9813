"""Designs that cannot be put together: every problem with the option to change, before any time is spent on a mesh."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import degrees
from typing import NamedTuple

from meshes.carved_options import carved_problems
from meshes.errors import MeshError
from meshes.faceted import TALLEST
from meshes.layers import layer_problems
from meshes.orientation import widest_scatter
from meshes.particle import Particle
from meshes.pore_options import pore_problems
from meshes.seeds import grain_count
from meshes.sizing import element_size, section_size
from meshes.spheroid import Spheroid


class Misfit(NamedTuple):
    """An option of `particle` that does not fit the others, and what to write instead."""

    option: tuple[str | int, ...]
    text: str


# Bumps higher than this times their width, or narrower than so many elements, spoil the mesh.
_STEEPEST = 1.0 / 18.0
_ELEMENTS_PER_BUMP = 4.5


def misfits(particle: Particle) -> Iterator[Misfit]:
    """All options of a description that exclude one another."""
    if particle.from_file is not None:
        yield from _of_a_file(particle)
    elif particle.shape == "faceted":
        yield from _of_a_faceted_crystal(particle)
    elif particle.sector == "eighth":
        yield from _of_a_sector(particle)
    yield from _of_the_scatter(particle)
    yield from _of_the_roughness(particle)
    yield from itertools.starmap(Misfit, carved_problems(particle))
    yield from itertools.starmap(Misfit, layer_problems(particle))
    yield from itertools.starmap(Misfit, pore_problems(particle))


def refuse_misfits(particle: Particle) -> None:
    """Raise for a description whose options exclude one another.

    Raises:
        MeshError: With a line for every option.
    """
    problems = [f"particle{_written(option)}: {text}" for option, text in misfits(particle)]
    if problems:
        raise MeshError(problems)


def _written(option: tuple[str | int, ...]) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in option)


def _inner_designs(particle: Particle) -> Iterator[tuple[str, ...]]:
    """Options asked for that change the grains themselves."""
    if particle.pores is not None:
        yield ("pores",)
    if particle.void is not None:
        yield ("void",)
    if particle.roughness is not None:
        yield ("roughness",)
    if particle.grains.elongation > 1.0:
        yield ("grains", "elongation")


def _of_a_file(particle: Particle) -> Iterator[Misfit]:
    for option in _inner_designs(particle):
        yield Misfit(option, "a mesh file brings its own; leave it out, or leave out from_file")
    if particle.shape == "faceted":
        yield Misfit(("shape",), "a mesh file brings its own; leave it out, or leave out from_file")
    if particle.sector == "eighth":
        yield Misfit(("sector",), "a mesh file is used as it is; leave sector out")
    if particle.dimension == 2:
        yield Misfit(("dimension",), "a mesh file is used as it is; leave dimension out")


def _of_a_faceted_crystal(particle: Particle) -> Iterator[Misfit]:
    for option in _inner_designs(particle):
        yield Misfit(option, "a faceted particle is one plain crystal; leave this out, or write shape: round")
    if particle.sector == "eighth":
        yield Misfit(("sector",), "a faceted crystal has no such symmetry planes; write sector: full")
    if particle.grains.mean_diameter is not None:
        yield Misfit(
            ("grains", "mean_diameter"), "a faceted particle is one crystal; leave it out, or write shape: round"
        )
    elif particle.grains.count != 1:
        yield Misfit(("grains", "count"), "a faceted particle is one crystal; write count: 1, or shape: round")
    if particle.aspect_ratio > TALLEST:
        text = f"a crystal this tall has no (003) planes any more; write at most {TALLEST:g}"
        yield Misfit(("aspect_ratio",), text)


def _of_a_sector(particle: Particle) -> Iterator[Misfit]:
    for option in _inner_designs(particle):
        yield Misfit(option, "an eighth is made of dense, round grains only; leave this out, or write sector: full")
    if particle.dimension == 2:
        yield Misfit(("sector",), "an eighth of a cross-section is not made; write dimension: 3, or sector: full")


def _of_the_scatter(particle: Particle) -> Iterator[Misfit]:
    scatter, option = float(particle.grains.orientation_scatter), ("grains", "orientation_scatter")
    if scatter > 0.0 and particle.grains.orientation == "random":
        yield Misfit(option, "random c axes have no direction to scatter about; choose an orientation, or leave it out")
        return
    widest = int(degrees(widest_scatter(about_plane=particle.grains.orientation == "tangential")))
    if scatter > widest:
        yield Misfit(option, f"{scatter:g} deg is wider than no texture at all; write at most {widest} deg")


def _of_the_roughness(particle: Particle) -> Iterator[Misfit]:
    roughness = particle.roughness
    if roughness is None or particle.from_file is not None or particle.shape == "faceted":
        return
    highest = _STEEPEST * float(roughness.wavelength)
    if roughness.amplitude > highest:
        yield Misfit(
            ("roughness", "amplitude"),
            f"{100 * roughness.amplitude:.3g} % is too high for bumps {100 * roughness.wavelength:.3g} % wide; "
            f"write at most {100 * highest:.2g} %",
        )
    outline, asked = Spheroid(float(particle.radius), particle.aspect_ratio), particle.mesh.size
    rule = element_size if particle.dimension == 3 else section_size
    size = rule(outline, grain_count(particle), None if asked is None else float(asked))
    width = float(roughness.wavelength * particle.radius)
    least, finest = 100 * _ELEMENTS_PER_BUMP * size / float(particle.radius), width / _ELEMENTS_PER_BUMP
    if size > finest:
        yield Misfit(
            ("roughness", "wavelength"),
            f"bumps {width:.3g} um wide cannot be made of elements of {size:.3g} um; write at least "
            f"{1.01 * least:.3g} %, or mesh.size: {0.99 * finest:.3g} um",
        )
