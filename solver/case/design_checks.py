"""Checks of what a design adds to the grains: do its materials exist, and does the solver have the numbers it needs?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshes.designs import LayerMaterial
from meshes.particle import Particle
from solver.case.checks import CHECKS, Check, Finding, Sections, find_material
from solver.case.composition import Composition
from solver.case.document import Path as KeyPath
from solver.case.schema import Mechanics
from solver.errors import VegardError
from solver.materials import load_layer


def layer_choices(particle: Particle) -> list[tuple[KeyPath, str | LayerMaterial]]:
    """The layer materials of a particle, with the key that names each."""
    listed = isinstance(particle.coating, list)
    found: list[tuple[KeyPath, str | LayerMaterial]] = [
        (("particle", "coating", *((number,) if listed else ()), "material"), coating.material)
        for number, coating in enumerate(particle.coatings)
    ]
    if particle.matrix is not None:
        found.append((("particle", "matrix", "material"), particle.matrix.material))
    return found


def _layers_have_numbers(sections: Sections) -> Iterator[Finding]:
    """Every layer is in the library; lithium has to pass the coatings."""
    particle: Particle = sections.values["particle"]
    for key, choice in layer_choices(particle):
        try:
            layer = load_layer(choice)
        except VegardError as error:
            yield from (Finding(key, problem) for problem in error.problems)
            continue
        if key[1] == "coating" and layer.diffusivity is None:
            yield Finding(
                key,
                f"nothing is known of lithium in {layer.name}; write {{base: {layer.name}, diffusivity: 1e-14 m^2/s}}",
            )


def _matrix_has_strengths(sections: Sections) -> Iterator[Finding]:
    """A matrix that flows has a yield strength, a bond that opens has an adhesion."""
    matrix = sections.values["particle"].matrix
    if matrix is None:
        return
    try:
        layer = load_layer(matrix.material)
    except VegardError:
        return  # told by another check
    asked = (
        ("plastic", matrix.plastic and layer.yield_strength is None, "yield_strength: 300 MPa"),
        ("interface", matrix.interface == "limited" and layer.adhesion is None, "adhesion: 50 MPa"),
    )
    for key, is_missing, remedy in asked:
        if is_missing:
            text = f"{layer.name} has no {remedy.partition(':')[0]}; write `material: {{base: {layer.name}, {remedy}}}`"
            yield Finding(("particle", "matrix", key), text)


def _pressure_has_an_effect(sections: Sections) -> Iterator[Finding]:
    """Pressure without mechanics says nothing."""
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.coupling == "none" and mechanics.stack_pressure > 0.0:
        text = "has no effect with `mechanics.coupling: none`; leave it out, or write `coupling: one-way`"
        yield Finding(("mechanics", "stack_pressure"), text, is_warning=True)


def _shells_fit(sections: Sections) -> Iterator[Finding]:
    """Every material towards the surface exists, and its lattice table covers what the case does."""
    composition: Composition | None = sections.values["composition"]
    for number, shell in enumerate(composition.shells if composition is not None else ()):
        material, findings = find_material(shell.material)
        for found in findings:
            yield Finding(("composition", "shells", number, *found.path), found.text)
        if material is None:
            continue
        there = replace(sections, material=material)
        for needed, check in CHECKS:
            if "material" in needed and needed <= sections.values.keys():
                yield from (found for found in check(there) if not found.is_warning)


DESIGN_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"particle"}), _layers_have_numbers),
    (frozenset({"particle"}), _matrix_has_strengths),
    (frozenset({"mechanics"}), _pressure_has_an_effect),
    (frozenset({"composition"}), _shells_fit),
)
