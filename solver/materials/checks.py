"""Does a library record make sense? Every check returns sentences; a record is used only when there are none.

Checked: units, ranges, confidence and sources of every number; stability of the stiffness (eq. 2.3); strain tables
(rising x, reference at x = 1, V = (√3/2) a²c, strains against lattice parameters, eq. 1.3 against V); concentration,
density and capacity against the cell; voltages that fall as lithium enters; positive diffusivities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from solver.materials.curves import table_problems
from solver.materials.errors import MaterialError
from solver.materials.expression import Formula, formula
from solver.materials.records import (
    STRAIN_COLUMNS,
    STRAIN_UNITS,
    VOLTAGE_COLUMNS,
    VOLTAGE_UNITS,
    BoundaryRecord,
    DiffusivityChoices,
    Entry,
    MaterialRecord,
    Profile,
    StrainChoices,
    StrainTable,
    VoltageChoices,
    VoltageTable,
)
from solver.materials.stiffness import TransverseStiffness
from solver.materials.units import UNITS

AVOGADRO = 6.02214076e23
FARADAY = 96485.33212

STIFFNESS_NAMES = ("C11", "C12", "C13", "C33", "C44")
# What a number of this name must measure, wherever it stands.
_MEASURES = {
    **{f"elasticity.{name}": "stress" for name in STIFFNESS_NAMES},
    "elasticity.youngs_modulus": "stress",
    "elasticity.aggregate_youngs_modulus": "stress",
    "composition.molar_mass": "molar mass",
    "composition.maximum_concentration": "concentration",
    "composition.density": "density",
    "composition.theoretical_capacity": "specific capacity",
    "transport.reference_temperature": "temperature",
    "transport.diffusivity_ratio": "number",
    "chemistry.partial_molar_volume": "molar volume",
    "lattice.a0": "lattice length",
    "lattice.c0": "lattice length",
    "lattice.cell_volume": "lattice volume",
}
_REQUIRED = (
    "elasticity.softening",
    "composition.maximum_concentration",
    "composition.density",
    "composition.theoretical_capacity",
    "transport.reference_temperature",
    "transport.diffusivity_ratio",
)
_SOURCED = ("primary", "secondary")

# Tables are printed with 4 decimals of a, 3 of c and 2 of V (Å): these are the errors such rounding can make.
_CELL_TOLERANCE = 0.015
_STRAIN_TOLERANCE = 8e-5
_VOLUME_CHANGE_TOLERANCE = 2.5e-4
_LARGEST_STRAIN = 0.2


def material_problems(record: MaterialRecord, sources: set[str]) -> list[str]:
    """Everything wrong with one record, one sentence each; `sources` are the known source keys."""
    flat = entries_of(record)
    problems = [f"{key}: {problem}" for key, entry in flat.items() for problem in entry_problems(entry, sources)]
    problems += _measure_problems(flat)
    if record.kind == "active_material":
        problems += _active_problems(record, flat)
    if record.strain:
        problems += _strain_problems(record.strain, sources)
    if record.open_circuit:
        problems += _voltage_problems(record.open_circuit, sources)
    if record.diffusivity:
        problems += _diffusivity_problems(record.diffusivity, sources)
    if record.entropy:
        problems += [f"entropy: {each}" for each in _profile_problems(record.entropy, sources)]
    return problems


def entries_of(record: MaterialRecord) -> dict[str, Entry]:
    """All quantities of a record as `group.name`."""
    return {f"{group}.{name}": entry for group, named in record.quantities.items() for name, entry in named.items()}


def boundary_problems(record: BoundaryRecord, sources: set[str]) -> list[str]:
    """Everything wrong with the grain-boundary file."""
    measures = {
        "strength": "stress",
        "toughness": "energy per area",
        "normal_stiffness": "stress per length",
        "shear_strength_ratio": "number",
        "shear_toughness_ratio": "number",
    }
    problems: list[str] = []
    for name, boundary in record.sets.items():
        entries = {key: getattr(boundary, key) for key in measures}
        for key, entry in entries.items():
            problems += [f"sets.{name}.{key}: {each}" for each in entry_problems(entry, sources)]
            if (unit := UNITS.get(entry.unit)) and unit.measures != measures[key]:
                problems.append(f"sets.{name}.{key}: {entry.unit} does not measure a {measures[key]}")
            if entry.value <= 0:
                problems.append(f"sets.{name}.{key}: must be positive")
        strength, toughness, stiffness = (entries[key].value for key in ("strength", "toughness", "normal_stiffness"))
        if stiffness > 0 and strength > 0 and 2 * toughness / strength <= strength / stiffness:
            problems.append(f"sets.{name}: opens fully before it reaches its strength; needs 2 G/σ > σ/K")
    for group, named in record.quantities.items():
        for key, entry in named.items():
            problems += [f"{group}.{key}: {each}" for each in entry_problems(entry, sources)]
    return problems


def entry_problems(entry: Entry, sources: set[str]) -> Iterator[str]:
    """What is wrong with one number on its own."""
    if entry.unit not in UNITS:
        yield f'unknown unit "{entry.unit}"'
    if entry.range is not None:
        low, high = entry.range
        if low > high:
            yield f"the range {low:g} to {high:g} runs backwards"
        elif not low <= entry.value <= high:
            yield f"{entry.value:g} lies outside its own range {low:g} to {high:g}"
    yield from _provenance_problems(entry.confidence, entry.source, entry.note, sources)


def _provenance_problems(confidence: str, cited: list[str], note: str, sources: set[str]) -> Iterator[str]:
    yield from (f'unknown source "{each}"' for each in cited if each not in sources)
    if confidence in _SOURCED and not cited:
        yield f"{confidence} needs a source"
    if confidence not in _SOURCED and not note:
        yield f"{confidence} needs a note that says how or why"


def _measure_problems(flat: dict[str, Entry]) -> Iterator[str]:
    for key, measures in _MEASURES.items():
        entry = flat.get(key)
        if entry and entry.unit in UNITS and UNITS[entry.unit].measures != measures:
            yield f"{key}: {entry.unit} does not measure a {measures}"


def _active_problems(record: MaterialRecord, flat: dict[str, Entry]) -> Iterator[str]:
    required = list(_REQUIRED)
    required += (
        ["elasticity.poisson_ratio"]
        if "elasticity.youngs_modulus" in flat
        else [f"elasticity.{name}" for name in STIFFNESS_NAMES]
    )
    required += [] if record.strain else ["chemistry.partial_molar_volume"]
    missing = [key for key in required if key not in flat]
    yield from (f"{key}: missing" for key in missing)
    if record.diffusivity is None:
        yield "diffusivity: missing"
    if all(f"elasticity.{name}" in flat for name in STIFFNESS_NAMES):
        constants = [flat[f"elasticity.{name}"].value for name in STIFFNESS_NAMES]
        if problem := TransverseStiffness.stability_problem(*constants):
            yield f"elasticity: {problem}"
    if "lattice.cell_volume" in flat and "composition.molar_mass" in flat and not missing:
        yield from _composition_problems(flat)


def _composition_problems(flat: dict[str, Entry]) -> Iterator[str]:
    """Cell volume, concentration, density and capacity must be one crystal (three formula units per cell)."""
    a, c, volume = (flat[f"lattice.{name}"].value for name in ("a0", "c0", "cell_volume"))
    mass = flat["composition.molar_mass"].value
    concentration = 3e30 / (AVOGADRO * volume)
    expected = {
        "lattice.cell_volume": (math.sqrt(3) / 2 * a * a * c, _CELL_TOLERANCE / volume),
        "composition.maximum_concentration": (concentration, 1e-3),
        "composition.density": (concentration * mass / 1e3, 1.5e-3),
        "composition.theoretical_capacity": (FARADAY / (3.6 * mass), 1e-3),
    }
    for key, (value, tolerance) in expected.items():
        if not math.isclose(flat[key].value, value, rel_tol=tolerance):
            yield f"{key}: {flat[key].value:g} contradicts the cell and the molar mass, which give {value:.6g}"


def _choice_problems(where: str, default: str, names: list[str]) -> Iterator[str]:
    if default not in names:
        yield f'{where}: the default "{default}" is none of {", ".join(names) or "nothing"}'


def _strain_problems(strain: StrainChoices, sources: set[str]) -> Iterator[str]:
    yield from _choice_problems("strain", strain.default, list(strain.choices))
    for name, table in strain.choices.items():
        yield from (f"strain.{name}: {each}" for each in _strain_table_problems(table, sources))


def _strain_table_problems(table: StrainTable, sources: set[str]) -> Iterator[str]:
    if table.columns != STRAIN_COLUMNS or table.units != STRAIN_UNITS:
        yield f"columns must be {STRAIN_COLUMNS} in units {STRAIN_UNITS}"
        return
    for word in sorted({row[-1] for row in table.rows}):
        yield from _provenance_problems(word, table.source, table.note, sources)
    x, a, c, volume, strain_a, strain_c = np.array([row[:-1] for row in table.rows], dtype=float).T
    if broken := table_problems(x, a=a, c=c, volume=volume, strain_a=strain_a, strain_c=strain_c):
        yield from broken
        return
    if x[0] < 0 or x[-1] != 1 or strain_a[-1] != 0 or strain_c[-1] != 0:
        yield "x must lie in 0 to 1 and end with the unstrained crystal at x = 1"
    checked = {
        "V is not (√3/2) a² c": np.abs(volume - math.sqrt(3) / 2 * a**2 * c) / _CELL_TOLERANCE,
        "strain_a does not follow from a": np.abs(a / a[-1] - 1 - strain_a) / _STRAIN_TOLERANCE,
        "strain_c does not follow from c": np.abs(c / c[-1] - 1 - strain_c) / _STRAIN_TOLERANCE,
        "the volume change of the strains is not that of V": np.abs(
            volume / volume[-1] - (1 + strain_a) ** 2 * (1 + strain_c)
        )
        / _VOLUME_CHANGE_TOLERANCE,
        "a strain is larger than 20 %": np.maximum(np.abs(strain_a), np.abs(strain_c)) / _LARGEST_STRAIN,
    }
    for problem, error in checked.items():
        if (error > 1).any():
            yield f"{problem} at x = {', '.join(f'{value:g}' for value in x[error > 1])}"


def _voltage_problems(voltages: VoltageChoices, sources: set[str]) -> Iterator[str]:
    yield from _choice_problems("open_circuit", voltages.default, list(voltages.choices))
    checks: dict[type, Callable[..., Iterator[str]]] = {
        VoltageTable: _voltage_table_problems,
        Profile: _voltage_formula_problems,
    }
    for name, voltage in voltages.choices.items():
        yield from (f"open_circuit.{name}: {each}" for each in checks[type(voltage)](voltage, sources))


def _voltage_table_problems(table: VoltageTable, sources: set[str]) -> Iterator[str]:
    yield from _provenance_problems(table.confidence, table.source, table.note, sources)
    if table.columns != VOLTAGE_COLUMNS or table.units != VOLTAGE_UNITS:
        yield f"columns must be {VOLTAGE_COLUMNS} in units {VOLTAGE_UNITS}"
        return
    x, voltage = np.array(table.rows, dtype=float).T
    broken = table_problems(x, U=voltage)
    yield from broken or _falling_problems(voltage)


def _voltage_formula_problems(profile: Profile, sources: set[str]) -> Iterator[str]:
    broken = list(_profile_problems(profile, sources))
    yield from broken or _falling_problems(evaluate(profile)(np.linspace(*profile.valid, 201)))


def _falling_problems(voltage: np.ndarray) -> Iterator[str]:
    if not (np.diff(voltage) < 0).all():
        yield "the voltage must fall as lithium enters"
    if not ((voltage > 1) & (voltage < 6)).all():
        yield "the voltage must lie between 1 and 6 V"


def _diffusivity_problems(diffusivities: DiffusivityChoices, sources: set[str]) -> Iterator[str]:
    yield from _choice_problems("diffusivity", diffusivities.default, list(diffusivities.choices))
    for name, choice in diffusivities.choices.items():
        named = {
            "value": (choice.value, "diffusivity"),
            "activation_energy": (choice.activation_energy, "molar energy"),
        }
        for key, (entry, measures) in named.items():
            yield from (f"diffusivity.{name}.{key}: {each}" for each in entry_problems(entry, sources))
            if entry.unit in UNITS and UNITS[entry.unit].measures != measures:
                yield f"diffusivity.{name}.{key}: {entry.unit} does not measure a {measures}"
        if choice.value.value <= 0 or choice.activation_energy.value < 0:
            yield f"diffusivity.{name}: needs a positive diffusivity and an activation energy that is not negative"
        if choice.profile:
            broken = list(_profile_problems(choice.profile, sources))
            positive = not broken and (evaluate(choice.profile)(np.linspace(*choice.profile.valid, 201)) > 0).all()
            yield from (
                f"diffusivity.{name}.profile: {each}" for each in broken or ([] if positive else ["not positive"])
            )


def _profile_problems(profile: Profile, sources: set[str]) -> Iterator[str]:
    yield from _provenance_problems(profile.confidence, profile.source, profile.note, sources)
    if profile.unit not in UNITS:
        yield f'unknown unit "{profile.unit}"'
    low, high = profile.valid
    if not 0 <= low < high <= 1:
        yield "valid must be two rising stoichiometries within 0 to 1"
        return
    try:
        values = evaluate(profile)(np.linspace(low, high, 201))
    except MaterialError as error:
        yield str(error)
        return
    if not np.isfinite(values).all():
        yield "not finite everywhere in its valid interval"


def evaluate(profile: Profile) -> Formula:
    """The profile as a function of x, constant outside its valid interval.

    Raises:
        MaterialError: When one of its formulas is no arithmetic.
    """
    outer, inner = formula(profile.expression, "s"), formula(profile.variable, "x")
    low, high = profile.valid
    return lambda x: outer(inner(np.clip(x, low, high)))
