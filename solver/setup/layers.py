"""Coatings and surroundings of a case as the solver needs them: materials by region, films, resistances by tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshes.coating import coating_model
from meshes.particle import Particle
from meshes.particle_mesh import COATED_CONTACT, COATED_SURFACE, COATING, COATING_INNER, INTERFACE, MATRIX
from solver.case.cooling import Cooling
from solver.case.schema import Case
from solver.materials import Layer, load_layer
from solver.materials.radial import RadialMaterial
from solver.solve.membrane import Film


def cooling_of(case: Case, material: RadialMaterial) -> Cooling:
    """How a case cools its particle before the experiment."""
    return Cooling.of(case.mechanics, case.electrochemistry, material.materials[-1])


def region_layers(particle: Particle, cooling: Cooling) -> dict[int, Layer]:
    """What the regions other than grains are made of: shells, matrix, and the interface layer, which is matrix too.

    Thermal strain counts as misfit, in what this and the next two functions return (eq. 14.5).

    Raises:
        MaterialError: When a thermal expansion is not known.
    """
    layers = {region: film.layer for region, film in surface_shells(particle, cooling).items()}
    if particle.matrix is not None:
        matrix = load_layer(particle.matrix.material)
        layers[MATRIX] = layers[INTERFACE] = _strained(matrix, cooling.matrix_strain(matrix))
    return layers


def surface_films(particle: Particle, cooling: Cooling) -> list[Film]:
    """The coatings that are membranes, innermost first."""
    return [_cooled(film, cooling) for film in _films(particle, "membrane")]


def surface_shells(particle: Particle, cooling: Cooling) -> dict[int, Film]:
    """The coatings that are regions of the mesh, by region."""
    return {COATING + number: _cooled(film, cooling) for number, film in enumerate(_films(particle, "shell"))}


def _cooled(film: Film, cooling: Cooling) -> Film:
    return replace(film, layer=_strained(film.layer, cooling.coating_strain(film.layer)))


def _strained(layer: Layer, strain: float) -> Layer:
    return replace(layer, misfit=layer.misfit + strain)


def film_resistances(particle: Particle) -> dict[int, float]:
    """Resistance against lithium [s/µm] of what lies on facets with a tag (eq. 8.3)."""
    shells, films = (_resistance(particle, model) for model in ("shell", "membrane"))
    return {COATING_INNER: shells, COATED_SURFACE: films, COATED_CONTACT: films}


def _resistance(particle: Particle, model: str) -> float:
    """Thickness over diffusivity of all coatings of a kind; a case without diffusivity is refused (`design_checks`)."""
    return sum(film.thickness / film.layer.diffusivity for film in _films(particle, model) if film.layer.diffusivity)


def _films(particle: Particle, model: str) -> Iterator[Film]:
    for coating in particle.coatings:
        if coating_model(coating, float(particle.radius)) == model:
            yield Film(load_layer(coating.material), float(coating.thickness))


def layer_numbers(particle: Particle) -> dict[str, object]:
    """What the solver computes with for coatings and matrix, as plain JSON values for the record of a run."""
    chosen = {f"coating {number}": coating.material for number, coating in enumerate(particle.coatings, start=1)}
    if particle.matrix is not None:
        chosen["matrix"] = particle.matrix.material
    return {place: load_layer(choice).numbers() for place, choice in chosen.items()}
