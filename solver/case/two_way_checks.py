"""Checks of `mechanics.coupling: two-way`: what stress on lithium needs, and what it does not go with."""

from __future__ import annotations

from collections.abc import Iterator

from meshes.particle import Particle
from solver.case.checks import Check, Finding, Sections
from solver.case.electrochemistry import Electrochemistry
from solver.case.mechanics import Mechanics


def _particle_is_not_embedded(sections: Sections) -> Iterator[Finding]:
    """What flows or opens would remember every try of a step, and contacts with a matrix are not worked out."""
    particle: Particle = sections.values["particle"]
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.coupling == "two-way" and particle.matrix is not None:
        text = "a matrix is not there for `mechanics.coupling: two-way`; leave it out, or write `coupling: one-way`"
        yield Finding(("particle", "matrix"), text)


def _potential_is_known(sections: Sections) -> Iterator[Finding]:
    """The chemical potential is that of one material, and comes from its voltage unless the case says otherwise."""
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.coupling != "two-way":
        return
    if sections.values.get("composition") is not None:
        text = "several materials are not there for `mechanics.coupling: two-way`; leave them out, or write `one-way`"
        yield Finding(("composition",), text)
    material = sections.material
    if electrochemistry.mobility == "open-circuit" and material is not None and material.open_circuit is None:
        text = (
            f"{material.name} has no voltage curve that says how strongly stress drives lithium; "
            "write `mobility: lattice-gas` or `mobility: dilute`"
        )
        yield Finding(("electrochemistry", "mobility"), text)


def _mobility_has_a_use(sections: Sections) -> Iterator[Finding]:
    """A mobility is for two-way coupling."""
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    mechanics: Mechanics = sections.values["mechanics"]
    if "mobility" in electrochemistry.model_fields_set and mechanics.coupling != "two-way":
        text = "has no effect without `mechanics.coupling: two-way`; leave it out, or write `coupling: two-way`"
        yield Finding(("electrochemistry", "mobility"), text, is_warning=True)


def _reaction_and_mobility_agree(sections: Sections) -> Iterator[Finding]:
    """The reaction is in equilibrium at the measured voltage; were the inside not, current would run in circles."""
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    mechanics: Mechanics = sections.values["mechanics"]
    is_ideal = electrochemistry.mobility != "open-circuit"
    if mechanics.coupling == "two-way" and electrochemistry.kinetics == "butler-volmer" and is_ideal:
        text = (
            "does not agree with `kinetics: butler-volmer`, whose equilibrium is the voltage curve: lithium would "
            "never come to rest; write `mobility: open-circuit`, or `kinetics: fast`"
        )
        yield Finding(("electrochemistry", "mobility"), text)


TWO_WAY_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"particle", "mechanics"}), _particle_is_not_embedded),
    (frozenset({"electrochemistry", "mechanics"}), _potential_is_known),
    (frozenset({"electrochemistry", "mechanics"}), _mobility_has_a_use),
    (frozenset({"electrochemistry", "mechanics"}), _reaction_and_mobility_agree),
)
