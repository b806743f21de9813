"""Checks of what a design adds to the grains: do its materials exist, and does the solver have the numbers it needs?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from meshes.designs import LayerMaterial
from meshes.particle import Particle
from meshes.seeds import grain_count
from solver.case.checks import CHECKS, Check, Finding, Sections, capacity_ratio, find_material
from solver.case.composition import Composition
from solver.case.document import Path as KeyPath
from solver.case.electrochemistry import Electrochemistry
from solver.case.finite_strain_checks import FINITE_STRAIN_CHECKS
from solver.case.mechanics import GrainBoundaries, Mechanics
from solver.case.two_way_checks import TWO_WAY_CHECKS
from solver.errors import VegardError
from solver.materials import load_layer

# Drop of x across a coating above which the outside is likely to leave 0 to 1 before a charge ends.
LARGEST_DROP = 0.3
SECONDS_PER_HOUR = 3600.0


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


def _boundaries_say_something(sections: Sections) -> Iterator[Finding]:
    """What is said of grain boundaries applies to some of them."""
    boundaries: GrainBoundaries = sections.values["grain_boundaries"]
    kinds = {"high_angle": boundaries.high_angle, "low_angle": boundaries.low_angle}
    for name, kind in kinds.items():
        if "width" in kind.model_fields_set and kind.diffusivity is None:
            text = "the width of a path along the boundary needs its `diffusivity`; write both or none"
            yield Finding(("grain_boundaries", name, "width"), text)
    chosen = [name for name, kind in kinds.items() if kind.transfer is not None or kind.diffusivity is not None]
    if not chosen:
        if "low_angle_below" in boundaries.model_fields_set:
            text = "has no effect: `high_angle` and `low_angle` say nothing of lithium; leave it out"
            yield Finding(("grain_boundaries", "low_angle_below"), text, is_warning=True)
    elif chosen == ["high_angle"] and boundaries.low_angle_below == 90.0:
        text = "no two axes differ by more than 90 deg; write a smaller angle, or `low_angle` instead"
        yield Finding(("grain_boundaries", "low_angle_below"), text)


def _grains_have_boundaries(sections: Sections) -> Iterator[Finding]:
    """A single crystal has no grain boundaries."""
    boundaries: GrainBoundaries = sections.values["grain_boundaries"]
    particle: Particle = sections.values["particle"]
    try:
        is_single = particle.from_file is None and grain_count(particle) == 1
    except VegardError:
        return  # another check says what is wrong with the grains
    if is_single:
        for name in sorted(boundaries.model_fields_set & {"high_angle", "low_angle"}):
            yield Finding(("grain_boundaries", name), "a single crystal has no grain boundaries; leave it out")


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


def _coatings_pass_the_current(sections: Sections) -> Iterator[Finding]:
    """Warn when the drop of x across a closed coating, j t/D, would take the outside beyond what there is."""
    particle: Particle = sections.values["particle"]
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    has_bare_ways = particle.pores is not None or particle.void is not None
    closed = all(float(coating.coverage) == 1.0 for coating in particle.coatings)
    if not particle.coatings or not closed or has_bare_ways or particle.from_file is not None:
        return
    ratio = capacity_ratio(electrochemistry, sections.material) if sections.material is not None else 1.0
    fastest = max((step.c_rate for step in electrochemistry.steps), default=0.0)
    flux = fastest * ratio * float(particle.radius) / (particle.dimension * SECONDS_PER_HOUR)
    try:
        resistance = sum(
            float(coating.thickness) / (load_layer(coating.material).diffusivity or math.inf)
            for coating in particle.coatings
        )
    except VegardError:
        return  # another check says what is wrong with the layer
    if flux * resistance > LARGEST_DROP:
        yield Finding(
            ("particle", "coating"),
            f"lithium hardly passes: the fastest step needs a drop of x of about {flux * resistance:.2g} across the "
            "coating; write a smaller C-rate or thickness, a larger diffusivity, or a coverage below 100 %",
            is_warning=True,
        )


DESIGN_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"particle"}), _layers_have_numbers),
    (frozenset({"particle"}), _matrix_has_strengths),
    (frozenset({"mechanics"}), _pressure_has_an_effect),
    (frozenset({"grain_boundaries"}), _boundaries_say_something),
    (frozenset({"grain_boundaries", "particle"}), _grains_have_boundaries),
    (frozenset({"composition"}), _shells_fit),
    (frozenset({"particle", "electrochemistry"}), _coatings_pass_the_current),
    *FINITE_STRAIN_CHECKS,
    *TWO_WAY_CHECKS,
)
