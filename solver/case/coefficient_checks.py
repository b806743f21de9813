"""Checks of coefficients that change with lithium, temperature or strain: do they have numbers, and an effect?"""

from __future__ import annotations

from collections.abc import Iterator

from solver.case.checks import Check, Finding, Sections, find_material
from solver.case.composition import Composition
from solver.case.cooling import Cooling
from solver.case.design_checks import layer_choices
from solver.case.electrochemistry import Electrochemistry
from solver.case.mechanics import Mechanics
from solver.errors import VegardError
from solver.materials import Material, load_layer
from solver.materials.radial import RadialMaterial


def _materials(sections: Sections) -> list[Material]:
    """The active materials from the centre outwards, as far as they can be used."""
    composition: Composition | None = sections.values.get("composition")
    shells = composition.shells if composition is not None else []
    found = [sections.material, *(find_material(shell.material)[0] for shell in shells)]
    return [material for material in found if material is not None]


def _options_of_mechanics_need_it(sections: Sections) -> Iterator[Finding]:
    """Without mechanics there is no strain to cool, to soften or to open the way of lithium."""
    mechanics: Mechanics = sections.values["mechanics"]
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    if mechanics.coupling != "none":
        return
    asked = {
        ("mechanics", "stress_free_temperature"): mechanics.stress_free_temperature is not None,
        ("mechanics", "softening"): mechanics.softening,
        ("electrochemistry", "strained_diffusion"): electrochemistry.strained_diffusion is not None,
    }
    for key, is_asked in asked.items():
        if is_asked:
            yield Finding(key, "needs mechanics; leave it out, or write `mechanics: {coupling: one-way}`")


def _cooling_has_numbers(sections: Sections) -> Iterator[Finding]:
    """Thermal strain needs the expansion of everything that cools."""
    mechanics: Mechanics = sections.values["mechanics"]
    materials = _materials(sections)
    if mechanics.coupling == "none" or not materials:
        return
    cooling = Cooling.of(mechanics, sections.values["electrochemistry"], materials[-1])
    for material in materials:
        try:
            cooling.grain_strain(material)
        except VegardError as error:
            yield from (Finding(("mechanics", "stress_free_temperature"), problem) for problem in error.problems)
            return
    for key, choice in layer_choices(sections.values["particle"]):
        try:
            layer = load_layer(choice)
        except VegardError:
            continue  # told by another check
        try:
            _ = cooling.coating_strain(layer) if key[1] == "coating" else cooling.matrix_strain(layer)
        except VegardError as error:
            yield from (Finding(key, problem) for problem in error.problems)


def _softening_has_numbers(sections: Sections) -> Iterator[Finding]:
    """A stiffness that falls with lithium is a number of the material."""
    mechanics: Mechanics = sections.values["mechanics"]
    if not mechanics.softening or mechanics.coupling == "none":
        return
    key = ("mechanics", "softening")
    for material in _materials(sections):
        if material.stiffness_softening == 0.0:
            text = f"{material.name} does not soften; write `material: {{base: {material.name}, softening: 0.37}}`"
            yield Finding(key, text)


def _profiles_agree(sections: Sections) -> Iterator[Finding]:
    """Diffusivities of several materials depend on lithium in one way."""
    materials = _materials(sections)
    try:
        _ = RadialMaterial(tuple(materials)).diffusivity_profile if materials else None
    except VegardError as error:
        yield from (Finding(("composition", "shells"), problem) for problem in error.problems)


COEFFICIENT_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"mechanics", "electrochemistry"}), _options_of_mechanics_need_it),
    (frozenset({"particle", "material", "mechanics", "electrochemistry"}), _cooling_has_numbers),
    (frozenset({"material", "mechanics"}), _softening_has_numbers),
    (frozenset({"material"}), _profiles_agree),
)
