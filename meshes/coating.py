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

# An option below `particle`, and what is wrong with it.
Key = tuple[str | int, ...]
Problem = tuple[Key, str]


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


def coating_problems(particle: Particle) -> Iterator[Problem]:
    """What is wrong with the coatings of a particle: the key it is about, and what to write instead."""
    layers = particle.coatings
    for number, layer in enumerate(layers):
        key: Key = ("coating", number) if isinstance(particle.coating, list) else ("coating",)
        if particle.from_file is not None and layer.model == "auto":
            yield (*key, "model"), "a mesh from a file has no radius to go by; write membrane or shell"
            return
        yield from _layer_problems(particle, layer, key)
    models = [coating_model(layer, float(particle.radius)) for layer in layers]
    if len(set(models)) > 1:
        text = f"the layers would be {', '.join(models)}, which cannot lie on each other; write one model for all"
        yield ("coating",), text
    elif len({(float(layer.coverage), float(layer.island_size), layer.seed) for layer in layers}) > 1:
        text = "all layers cover the same islands; write the same coverage, island_size and seed for all"
        yield ("coating",), text


def _layer_problems(particle: Particle, layer: Coating, key: Key) -> Iterator[Problem]:
    model = coating_model(layer, float(particle.radius))
    if model == "shell" and float(layer.coverage) < 1.0:
        yield (*key, "coverage"), "a shell covers everything; write model: membrane, or coverage: 100 %"
    if particle.from_file is not None:
        return
    relative = float(layer.thickness) / float(particle.radius)
    shown = f"a thickness of {100.0 * relative:.3g} % of the radius"
    if model == "shell" and relative < _THINNEST_SHELL:
        yield (*key, "model"), f"{shown} makes tetrahedra that are too flat; write membrane"
    if model == "shell" and relative > _THICKEST_SHELL:
        yield (*key, "thickness"), f"{shown} is more than the particle; write at most {float(particle.radius):.3g} um"
    if model == "membrane" and relative > _THICKEST_MEMBRANE:
        yield (*key, "model"), f"{shown} is no membrane; write shell"
