"""What a case must fulfil beyond single values: checks that look at several sections, the material, or other files.

A check yields `Finding`s and gets only sections that are valid by themselves, so that all problems of a file can be
reported in one go.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from meshes.combinations import misfits
from meshes.particle import FileOrientation, Particle
from meshes.seeds import grain_count
from solver.case.current_table import CurrentScale, CurrentTable, chosen_tables, courses_of, read_table
from solver.case.document import Path as KeyPath
from solver.case.document import shorten
from solver.case.electrochemistry import Electrochemistry
from solver.case.mechanics import Mechanics
from solver.case.protocol import (
    PlannedStep,
    ProtocolStep,
    StoichiometryAt,
    TableChoice,
    percent,
    plan_protocol,
)
from solver.case.protocol_text import parse_entry
from solver.errors import MeshError, VegardError
from solver.materials import EquilibriumVoltage, Material, MaterialChoice, load_material, material_names

# A mesh coarser than this multiple of the grain size, or finer than this fraction of the radius, is a slip of the pen.
COARSEST_MESH = 1.5
FINEST_MESH = 1 / 400
# Diffusivity of randomly oriented layered grains over that within the layers, self-consistent value.
RANDOM_TEXTURE = 0.55


class Finding(NamedTuple):
    """Something to tell about a key; a warning does not stop the case."""

    path: KeyPath
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Sections:
    """The valid sections of a case and the folder its file names are relative to."""

    values: Mapping[str, Any]
    folder: Path
    material: Material | None


Check = Callable[[Sections], Iterator[Finding]]


def find_material(choice: str | MaterialChoice) -> tuple[Material | None, list[Finding]]:
    """The material of a case, or what is wrong with the choice."""
    name, path = (choice, ("material",)) if isinstance(choice, str) else (choice.base, ("material", "base"))
    known = material_names()
    if name not in known:
        return None, [Finding(path, _unknown_material(name, known))]
    try:
        return load_material(choice), []
    except VegardError as error:
        return None, [Finding(("material",), problem) for problem in error.problems]


def _unknown_material(name: str, known: list[str]) -> str:
    plain = {entry.lower().replace("-", "").replace("_", ""): entry for entry in known}
    near = difflib.get_close_matches(name.lower().replace(" ", "").replace("-", "").replace("_", ""), plain, 1, 0.5)
    advice = f'did you mean "{plain[near[0]]}"?' if near else f"write one of {', '.join(known)}"
    return f'"{shorten(name)}" is not a material of the library; {advice}'


def _protocol_fits(sections: Sections) -> Iterator[Finding]:
    """Every step can be reached, and the lattice table covers the way."""
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    material = sections.material
    if material is None:
        return
    ratio = capacity_ratio(electrochemistry, material)
    low, high = lattice_range(material)
    key = ("electrochemistry", "initial_stoichiometry")
    if not low <= electrochemistry.initial_stoichiometry <= high:
        yield Finding(key, _outside_table(electrochemistry.initial_stoichiometry, material))
        return
    tables, problems = _read_tables(electrochemistry, sections.folder)
    if problems:
        yield from problems
        return
    courses = courses_of(tables, current_scale(electrochemistry, material, sections.values.get("particle")))
    start, is_exact = electrochemistry.initial_stoichiometry, True
    equilibrium = stoichiometry_at(material)
    for index, text in enumerate(electrochemistry.protocol):
        for step in parse_entry(text):
            place = ("electrochemistry", "protocol", index)
            try:
                [planned] = plan_protocol([step], start, ratio, equilibrium, is_exact, courses)
            except ValueError as error:
                yield Finding(place, str(error))
                return
            problem = _voltage_problem(step, electrochemistry, material)
            # Of an estimate the run itself watches the range.
            if problem is None and planned.is_exact and step.table is not None:
                problem = _reach_problem(step, start, courses[step.table].reach(planned.duration), material)
            elif problem is None and planned.is_exact:
                problem = _end_problem(planned, material)
            start, is_exact = 1.0 - planned.end_soc, planned.is_exact
            if problem is not None:
                yield Finding(place, problem)
                return
            if is_exact and electrochemistry.kinetics != "butler-volmer":
                yield from _surface_warning(planned, index, sections, ratio)


def _read_tables(
    electrochemistry: Electrochemistry, folder: Path
) -> tuple[dict[TableChoice, CurrentTable], list[Finding]]:
    """Current tables of the protocol, and what is wrong with their files."""
    tables, problems = {}, []
    for index, text in enumerate(electrochemistry.protocol):
        for choice in chosen_tables(parse_entry(text)):
            problem = file_problem(folder, choice.file)
            try:
                if problem is None:
                    tables[choice] = read_table(folder, choice)
            except ValueError as error:
                problem = str(error)
            if problem is not None:
                problems.append(Finding(("electrochemistry", "protocol", index), problem))
    return tables, problems


def current_scale(electrochemistry: Electrochemistry, material: Material, particle: Particle | None) -> CurrentScale:
    """What the currents of a table mean, before there is a mesh: the surface is that of a smooth ball or disc."""
    surface = 0.0 if particle is None else particle.dimension / float(particle.radius)
    ratio = capacity_ratio(electrochemistry, material)
    return CurrentScale.of(ratio, surface, material.maximum_concentration, is_exact=False)


def stoichiometry_at(material: Material) -> StoichiometryAt | None:
    """Equilibrium stoichiometry of a voltage, where the material has a voltage curve."""
    if material.open_circuit is None:
        return None
    return EquilibriumVoltage(material.open_circuit, material.reference_temperature).stoichiometry


def _voltage_problem(step: ProtocolStep, electrochemistry: Electrochemistry, material: Material) -> str | None:
    """Why a step that speaks of volts cannot be taken."""
    if not step.needs_voltage:
        return None
    if electrochemistry.kinetics == "uniform-flux":
        return f'"{step.text}": a uniform flux has no voltage; write "kinetics: butler-volmer" or "fast"'
    if material.open_circuit is None:
        return f'"{step.text}": {material.name} has no voltage curve; end the step at a state of charge'
    return None


def _reaction_has_numbers(sections: Sections) -> Iterator[Finding]:
    """A Butler-Volmer reaction needs a voltage curve and an exchange current."""
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    material = sections.material
    if electrochemistry.kinetics != "butler-volmer" or material is None:
        return
    if material.open_circuit is None:
        yield Finding(
            ("electrochemistry", "kinetics"), f'{material.name} has no voltage curve; write "fast" or another material'
        )
    if material.exchange_current_density is None and electrochemistry.reaction.exchange_current_density is None:
        yield Finding(
            ("electrochemistry", "reaction"), f"{material.name} has none; write exchange_current_density: 3.4 A/m^2"
        )


def _end_problem(planned: PlannedStep, material: Material) -> str | None:
    low, high = lattice_range(material)
    stoichiometry = 1.0 - planned.end_soc
    if low - 1e-9 <= stoichiometry <= high + 1e-9:
        return None
    lowest, highest = percent(1.0 - high), percent(1.0 - low)
    return (
        f'"{planned.step.text}" ends at {percent(planned.end_soc)} SoC; the lattice table of {material.name} covers '
        f"{lowest} to {highest}, so end inside it"
    )


def _reach_problem(step: ProtocolStep, start: float, reach: tuple[float, float], material: Material) -> str | None:
    """Why a table takes the particle out of the lattice table."""
    low, high = lattice_range(material)
    lowest, highest = start + reach[0], start + reach[1]
    if low - 1e-9 <= lowest and highest <= high + 1e-9:
        return None
    return (
        f'"{step.text}" takes the state of charge from {percent(1.0 - start)} to between {percent(1.0 - highest)} and '
        f"{percent(1.0 - lowest)}; the lattice table of {material.name} covers {percent(1.0 - high)} to "
        f'{percent(1.0 - low)}: write an end, such as "until 3 V", another start, or another sign of the current'
    )


def _surface_warning(planned: PlannedStep, index: int, sections: Sections, ratio: float) -> Iterator[Finding]:
    """Warn when the quasi-steady surface stoichiometry of a sphere, x̄ ∓ jR/(5D), leaves 0 to 1."""
    particle: Particle | None = sections.values.get("particle")
    electrochemistry: Electrochemistry = sections.values["electrochemistry"]
    if particle is None or sections.material is None or particle.from_file is not None or not planned.step.direction:
        return
    difference = planned.step.c_rate * ratio * _difference_at_1c(particle, electrochemistry, sections.material)
    surface = 1.0 - planned.end_soc - planned.step.direction * difference
    if not 0.0 < surface < 1.0:
        yield Finding(
            ("electrochemistry", "protocol", index),
            f'the surface may run {"out of lithium" if surface <= 0 else "full"} before "{planned.step.text}" ends '
            f"(its stoichiometry is estimated at {surface:.2f}); write a smaller C-rate, radius or state of charge",
            is_warning=True,
        )


def _difference_at_1c(particle: Particle, electrochemistry: Electrochemistry, material: Material) -> float:
    """Mean minus surface stoichiometry of a quasi-steady sphere at 1C, jR/(5D) with j = R/(3 · 3600 s).

    A disc, with j = R/(2 · 3600 s), has jR/(4D).
    """
    in_plane, along_c = material.diffusivity(electrochemistry.temperature)
    dimension = particle.dimension
    flux = particle.radius / (dimension * 3600.0)
    if 0.5 * in_plane < along_c:
        return flux * particle.radius / ((dimension + 2) * (2 * in_plane + along_c) / 3)
    difference = flux * particle.radius / ((dimension + 2) * RANDOM_TEXTURE * in_plane)
    if electrochemistry.kinetics == "uniform-flux":
        # Grains whose layers lie along the surface are supplied through half their size along c.
        difference += flux * grain_diameter(particle) / (2 * along_c)
    return difference


def grain_diameter(particle: Particle) -> float:
    """Diameter of a ball with the mean volume of the grains asked for [µm]."""
    return 2 * float(particle.radius) / grain_count(particle) ** (1 / 3)


def _stress_free_state_has_a_strain(sections: Sections) -> Iterator[Finding]:
    mechanics: Mechanics = sections.values["mechanics"]
    if sections.material is not None:
        low, high = lattice_range(sections.material)
        if not low <= mechanics.stress_free_stoichiometry <= high:
            yield Finding(
                ("mechanics", "stress_free_stoichiometry"),
                _outside_table(mechanics.stress_free_stoichiometry, sections.material),
            )


def _only_sections_have_a_normal(sections: Sections) -> Iterator[Finding]:
    mechanics: Mechanics = sections.values["mechanics"]
    if mechanics.out_of_plane == "plane-strain" and sections.values["particle"].dimension == 3:
        text = "a whole particle has no plane; leave it out, or write particle.dimension: 2"
        yield Finding(("mechanics", "out_of_plane"), text)


def _outside_table(stoichiometry: float, material: Material) -> str:
    low, high = lattice_range(material)
    return f"{stoichiometry:g} is outside {low:g} to {high:g}, the lattice table of {material.name}"


def _mesh_fits_the_grains(sections: Sections) -> Iterator[Finding]:
    particle: Particle = sections.values["particle"]
    if particle.from_file is not None:
        return
    try:
        diameter = grain_diameter(particle)
    except MeshError as error:
        key = ("particle", "grains", "mean_diameter")
        yield Finding(key, str(error).removeprefix(f"{'.'.join(key)}: "))
        return
    size, radius = particle.mesh.size, particle.radius
    if size is not None and size > COARSEST_MESH * diameter:
        yield Finding(
            ("particle", "mesh", "size"),
            f"{size:g} um is coarser than the grains (about {diameter:.2g} um); write at most {diameter / 2:.2g} um",
        )
    if size is not None and size < FINEST_MESH * radius:
        yield Finding(
            ("particle", "mesh", "size"),
            f"{size:g} um is too fine for a radius of {radius:g} um (more than a billion tetrahedra); "
            f"write at least {FINEST_MESH * radius:.2g} um",
        )


def _designs_fit_together(sections: Sections) -> Iterator[Finding]:
    """Options of the particle that exclude one another."""
    particle: Particle = sections.values["particle"]
    try:
        for misfit in misfits(particle):
            yield Finding(("particle", *misfit.option), misfit.text)
    except MeshError:
        return  # a mean diameter that gives no grains is another check's finding


def _files_exist(sections: Sections) -> Iterator[Finding]:
    particle: Particle = sections.values["particle"]
    for path, name in referenced_files(particle):
        problem = file_problem(sections.folder, name)
        if problem is not None:
            yield Finding(path, problem)


def _file_decides(sections: Sections) -> Iterator[Finding]:
    """Keys that describe a mesh to be made say nothing about one that is read."""
    particle: Particle = sections.values["particle"]
    if particle.from_file is None:
        return
    for key in sorted(particle.model_fields_set & {"radius", "aspect_ratio", "mesh"}):
        yield Finding(("particle", key), "has no effect: the mesh file decides; leave it out", is_warning=True)


def referenced_files(particle: Particle) -> list[tuple[KeyPath, str]]:
    """Files a case reads besides itself, with the key that names each."""
    found: list[tuple[KeyPath, str]] = []
    if particle.from_file is not None:
        found.append((("particle", "from_file", "path"), particle.from_file.path))
    orientation = particle.grains.orientation
    if isinstance(orientation, FileOrientation):
        found.append((("particle", "grains", "orientation", "file"), orientation.file))
    return found


def file_problem(folder: Path, name: str) -> str | None:
    """Why a file cannot be read, or None."""
    shown = f'"{shorten(name)}"'
    if any(ord(character) < 32 for character in name):
        return f"{shown} holds a character that no file name has; write the plain path"
    path = folder / name
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        start = f"paths start from {shorten(str(folder), 200)}"
        return f"there is no file {shown}; {'write the full path instead of ~' if name.startswith('~') else start}"
    if not stat.S_ISREG(mode):
        return f"{shown} is {'a folder' if stat.S_ISDIR(mode) else 'not an ordinary file'}; write the name of a file"
    return None if os.access(path, os.R_OK) else f"{shown} may not be read by you; change its permissions"


def capacity_ratio(electrochemistry: Electrochemistry, material: Material) -> float:
    """Capacity called 1C over the theoretical capacity [-] (eq. 3.4)."""
    if electrochemistry.one_c_capacity is None:
        return 1.0
    return float(electrochemistry.one_c_capacity) / material.theoretical_capacity


def lattice_range(material: Material) -> tuple[float, float]:
    """Lowest and highest stoichiometry of the lattice table."""
    table = material.lattice.stoichiometry
    return float(table[0]), float(table[-1])


# The sections each check needs; one whose sections are not all valid is left out.
CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"particle"}), _designs_fit_together),
    (frozenset({"particle"}), _files_exist),
    (frozenset({"particle"}), _file_decides),
    (frozenset({"particle"}), _mesh_fits_the_grains),
    (frozenset({"particle", "mechanics"}), _only_sections_have_a_normal),
    (frozenset({"material", "mechanics"}), _stress_free_state_has_a_strain),
    (frozenset({"material", "electrochemistry"}), _protocol_fits),
    (frozenset({"material", "electrochemistry"}), _reaction_has_numbers),
)
