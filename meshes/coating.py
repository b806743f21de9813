"""Coatings of the outer surface: which are resolved as shells, which are membranes, and what they may be asked for.

A membrane has no thickness in the mesh: the facets under it are tagged, and the solver adds its elasticity there. A
shell is a region of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from meshes.designs import Coating
from meshes.particle import Particle

Model = Literal["membrane", "shell"]

# Of the radius. A membrane's error is about its thickness over the radius; a thinner shell costs flat tetrahedra.
MEMBRANE_BELOW = 0.02
_THINNEST_SHELL = 0.001
_THICKEST_MEMBRANE = 0.1
_THICKEST_SHELL = 1.0

Problem = tuple[tuple[str | int, ...], str]


def coating_model(coating: Coating, radius: float) -> Model:
    """How a coating is described: as asked, or by its thickness.

    Args:
        coating: The layer.
        radius: Radius of the particle [µm].

    Returns:
        "membrane" below 2 % of the radius, otherwise "shell", unless the coating says which.
    """
    if coating.model != "auto":
        return coating.model
    return "membrane" if float(coating.thickness) < MEMBRANE_BELOW * radius else "shell"


def has_shells(particle: Particle) -> bool:
    """Whether the coatings are shells; without `coating_problems`, all are or none."""
    return any(coating_model(layer, float(particle.radius)) == "shell" for layer in particle.coatings)


def coating_problems(particle: Particle) -> Iterator[Problem]:
    """What is wrong with the coatings of a particle: the key it is about, and what to write instead."""
    radius = float(particle.radius)
    layers = particle.coatings
    for number, layer in enumerate(layers):
        key = ("particle", "coating", *([number] if isinstance(particle.coating, list) else []))
        yield from _layer_problems(particle, layer, key)
    if particle.from_file is not None:
        return
    if len({coating_model(layer, radius) for layer in layers}) > 1:
        models = ", ".join(coating_model(layer, radius) for layer in layers)
        text = f"the layers would be {models}, which cannot lie on each other; write the same model for all"
        yield ("particle", "coating"), text
    elif len({(float(layer.coverage), float(layer.island_size), layer.seed) for layer in layers}) > 1:
        text = "layers cover the same islands; write the same coverage, island_size and seed for all"
        yield ("particle", "coating"), text


def _layer_problems(particle: Particle, layer: Coating, key: tuple[str | int, ...]) -> Iterator[Problem]:
    if particle.from_file is not None:
        if layer.model == "auto":
            yield (*key, "model"), "a mesh from a file has no radius to go by; write membrane or shell"
            return
    relative = float(layer.thickness) / float(particle.radius)
    shown = f"a thickness of {100.0 * relative:.3g} % of the radius"
    model = coating_model(layer, float(particle.radius))
    if model == "shell" and float(layer.coverage) < 1.0:
        yield (*key, "coverage"), "a shell covers everything; write model: membrane, or coverage: 100 %"
    if particle.from_file is not None:
        return
    if model == "shell" and relative < _THINNEST_SHELL:
        yield (*key, "model"), f"{shown} makes tetrahedra that are too flat; write membrane"
    if model == "shell" and relative > _THICKEST_SHELL:
        yield (*key, "thickness"), f"{shown}; write at most {float(particle.radius):.3g} um"
    if model == "membrane" and relative > _THICKEST_MEMBRANE:
        yield (*key, "model"), f"{shown} is no membrane; write shell"
