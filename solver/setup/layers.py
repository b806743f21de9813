"""Coatings and surroundings of a case as the solver needs them: materials by region, films, resistances by tag."""

from __future__ import annotations

from collections.abc import Iterator

from meshes.coating import coating_model
from meshes.particle import Particle
from meshes.particle_mesh import COATED_CONTACT, COATED_SURFACE, COATING, COATING_INNER, INTERFACE, MATRIX
from solver.materials import Layer, load_layer
from solver.solve.membrane import Film


def region_layers(particle: Particle) -> dict[int, Layer]:
    """What the regions other than grains are made of: shells, matrix, and the interface layer, which is matrix too."""
    layers = {region: film.layer for region, film in surface_shells(particle).items()}
    if particle.matrix is not None:
        layers[MATRIX] = layers[INTERFACE] = load_layer(particle.matrix.material)
    return layers


def surface_films(particle: Particle) -> list[Film]:
    """The coatings that are membranes, innermost first."""
    return list(_films(particle, "membrane"))


def surface_shells(particle: Particle) -> dict[int, Film]:
    """The coatings that are regions of the mesh, by region."""
    return {COATING + number: film for number, film in enumerate(_films(particle, "shell"))}


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
