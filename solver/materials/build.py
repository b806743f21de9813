"""From a choice and a library record to the material the solver uses: units to µm, s, MPa, overrides laid over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solver.materials import checks, library
from solver.materials.choice import DiffusivityTable, MaterialChoice
from solver.materials.curves import Curve, LatticeStrain
from solver.materials.diffusivity_profile import DiffusivityProfile
from solver.materials.errors import MaterialError
from solver.materials.material import Fracture, GrainBoundarySet, Material, OpenCircuit
from solver.materials.records import Entry, MaterialRecord, Profile, VoltageTable
from solver.materials.stiffness import TransverseStiffness
from solver.materials.units import UNITS

# Field of a choice → the number it replaces and the unit the case reader delivers.
_OVERRIDES = {
    "youngs_modulus": ("elasticity.youngs_modulus", "MPa"),
    "poisson_ratio": ("elasticity.poisson_ratio", "1"),
    **{name: (f"elasticity.{name}", "MPa") for name in checks.STIFFNESS_NAMES},
    "softening": ("elasticity.softening", "1"),
    "partial_molar_volume": ("chemistry.partial_molar_volume", "m^3/mol"),
    "diffusivity_ab": ("transport.diffusivity_ab", "um^2/s"),
    "diffusivity_c": ("transport.diffusivity_c", "um^2/s"),
    "diffusivity_ratio": ("transport.diffusivity_ratio", "1"),
    "diffusion_activation_energy": ("transport.diffusion_activation_energy", "J/mol"),
    "reference_temperature": ("transport.reference_temperature", "K"),
    "thermal_expansion": ("thermal.expansion", "1/K"),
    "thermal_anisotropy": ("thermal.expansion_anisotropy", "1/K"),
    "maximum_concentration": ("composition.maximum_concentration", "mol/m^3"),
    "theoretical_capacity": ("composition.theoretical_capacity", "mAh/g"),
}


def load_material(choice: str | MaterialChoice) -> Material:
    """The material of a case.

    Args:
        choice: Name in the library, or a choice with overrides.

    Raises:
        MaterialError: When the name is unknown, or the library file contradicts itself.
    """
    chosen = choice if isinstance(choice, MaterialChoice) else _plain(choice)
    record = library.record(chosen.base)
    entries = _entries(record, chosen)
    number = _Numbers(entries)
    table, lattice = _lattice(record, chosen, number)
    in_plane = number["transport.diffusivity_ab"]
    ratio = number["transport.diffusivity_ratio"]
    return Material(
        name=record.name,
        stiffness=_stiffness(number),
        stiffness_softening=number["elasticity.softening"],
        lattice=lattice,
        strain_table=table,
        diffusivity_ab=in_plane,
        diffusivity_c=number["transport.diffusivity_c"] if "transport.diffusivity_c" in number else in_plane * ratio,
        diffusivity_profile=_profile(record, chosen, in_plane),
        diffusion_activation_energy=number["transport.diffusion_activation_energy"],
        reference_temperature=number["transport.reference_temperature"],
        maximum_concentration=number["composition.maximum_concentration"],
        density=number["composition.density"],
        theoretical_capacity=number["composition.theoretical_capacity"],
        open_circuit=_open_circuit(record),
        stoichiometry_range=(float(lattice.stoichiometry[0]), float(lattice.stoichiometry[-1])),
        fracture=_fracture(number),
        exchange_current_density=number.optional("kinetics.exchange_current_density"),
        transfer_coefficient=number.optional("kinetics.transfer_coefficient") or 0.5,
        reaction_activation_energy=number.optional("kinetics.activation_energy") or 0.0,
        thermal_expansion=_thermal_expansion(number),
        entries=entries,
    )


def load_grain_boundary(name: str = "default") -> GrainBoundarySet:
    """One set of cohesive numbers.

    Raises:
        MaterialError: When there is no such set.
    """
    sets = library.grain_boundaries().sets
    if name not in sets:
        raise MaterialError(library.no_such("set of grain-boundary numbers called", name, sets))
    chosen = sets[name]
    entries = {key: entry for key, entry in chosen if isinstance(entry, Entry)}
    number = _Numbers(entries)
    return GrainBoundarySet(
        name=name,
        title=chosen.title,
        strength=number["strength"],
        shear_strength=number["strength"] * number["shear_strength_ratio"],
        toughness=number["toughness"],
        shear_toughness=number["toughness"] * number["shear_toughness_ratio"],
        normal_stiffness=number["normal_stiffness"],
        entries=entries,
    )


def grain_boundary_names() -> list[str]:
    """Names of the grain-boundary sets, weakest first."""
    return list(library.grain_boundaries().sets)


class _Numbers:
    """Values of entries in the units of the solver."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> float:
        entry = self._entries[key]
        return entry.value * UNITS[entry.unit].factor

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def optional(self, key: str) -> float | None:
        """The value, or None where the material has none."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value * UNITS[entry.unit].factor


def _plain(name: str) -> MaterialChoice:
    if name not in library.material_names():
        raise MaterialError(library.no_such("material", name, library.material_names()))
    return MaterialChoice(base=name)


def _entries(record: MaterialRecord, chosen: MaterialChoice) -> dict[str, Entry]:
    """Numbers of the record with the chosen diffusivity and the overrides of the case."""
    if record.diffusivity is None:
        raise MaterialError(f"{record.name} has no diffusivity and cannot be an active material")
    name = chosen.diffusivity or record.diffusivity.default
    diffusivity = record.diffusivity.choices[name]
    entries = checks.entries_of(record) | {
        "transport.diffusivity_ab": diffusivity.value,
        "transport.diffusion_activation_energy": diffusivity.activation_energy,
    }
    replaced = {key: (getattr(chosen, field), unit) for field, (key, unit) in _OVERRIDES.items()}
    if chosen.diffusivity_table is not None:
        mean = _table_profile(chosen.diffusivity_table, 1.0).mean
        replaced["transport.diffusivity_ab"] = (mean, "um^2/s")
    for key, (value, unit) in replaced.items():
        if value is not None:
            entries[key] = Entry(
                value=value, unit=unit, range=None, confidence="case", source=[], note="set by the case"
            )
    if chosen.youngs_modulus is not None:
        entries = {key: entry for key, entry in entries.items() if key not in _SINGLE_CRYSTAL}
    elif chosen.C11 is not None:
        entries.pop("elasticity.youngs_modulus", None)
    return entries


def _profile(record: MaterialRecord, chosen: MaterialChoice, reference: float) -> DiffusivityProfile | None:
    """Dependence of the diffusivity on x, relative to `reference` [µm²/s]: one's own, that of the library, or none."""
    if chosen.diffusivity_table is not None:
        return _table_profile(chosen.diffusivity_table, reference)
    if chosen.diffusivity_ab is not None or record.diffusivity is None:
        return None
    profile = record.diffusivity.choices[chosen.diffusivity or record.diffusivity.default].profile
    if profile is None:
        return None
    function, factor = checks.evaluate(profile), UNITS[profile.unit].factor / reference
    return DiffusivityProfile.of_function(lambda x: factor * function(x), *profile.valid)


def _table_profile(table: DiffusivityTable, reference: float) -> DiffusivityProfile:
    return DiffusivityProfile.of_table(np.array(table.x), np.array(table.diffusivity, dtype=float) / reference)


_SINGLE_CRYSTAL = {f"elasticity.{name}" for name in checks.STIFFNESS_NAMES}


def _stiffness(number: _Numbers) -> TransverseStiffness:
    """Isotropic when a Young's modulus of the grain is given, else the five constants."""
    if "elasticity.youngs_modulus" in number:
        return TransverseStiffness.isotropic(number["elasticity.youngs_modulus"], number["elasticity.poisson_ratio"])
    return TransverseStiffness(*(number[f"elasticity.{name}"] for name in checks.STIFFNESS_NAMES))


def _lattice(record: MaterialRecord, chosen: MaterialChoice, number: _Numbers) -> tuple[str, LatticeStrain]:
    """Name and curves of the strain: one's own table, a constant partial molar volume, or a table of the library."""
    if chosen.lattice is not None:
        own = chosen.lattice
        return "case", LatticeStrain(np.array(own.x), np.array(own.strain_a), np.array(own.strain_c))
    if chosen.partial_molar_volume is not None or record.strain is None:
        empty = -number["chemistry.partial_molar_volume"] * number["composition.maximum_concentration"] / 3
        strain = np.array([empty, 0.0])
        return "partial_molar_volume", LatticeStrain(np.array([0.0, 1.0]), strain, strain)
    name = chosen.strain_table or record.strain.default
    columns = np.array([row[:-1] for row in record.strain.choices[name].rows], dtype=float).T
    return name, LatticeStrain(columns[0], columns[4], columns[5])


def _thermal_expansion(number: _Numbers) -> tuple[float, float] | None:
    """α_a and α_c from the mean of the three directions and the difference (eq. 14.5)."""
    mean = number.optional("thermal.expansion")
    if mean is None:
        return None
    difference = number.optional("thermal.expansion_anisotropy") or 0.0
    return mean - difference / 3, mean + 2 * difference / 3


def _open_circuit(record: MaterialRecord) -> OpenCircuit | None:
    if record.open_circuit is None:
        return None
    name = record.open_circuit.default
    curve = open_circuit_of(name, record.open_circuit.choices[name])
    return curve if record.entropy is None else replace(curve, entropy=checks.evaluate(record.entropy))


def open_circuit_of(name: str, voltage: VoltageTable | Profile) -> OpenCircuit:
    """A voltage record as a function of x."""
    if isinstance(voltage, Profile):
        return OpenCircuit(name, voltage.valid, checks.evaluate(voltage))
    x, values = np.array(voltage.rows, dtype=float).T
    return OpenCircuit(name, (float(x[0]), float(x[-1])), Curve(x, values))


def _fracture(number: _Numbers) -> Fracture | None:
    names = list(Fracture.__dataclass_fields__)
    if any(f"fracture.{name}" not in number for name in names):
        return None
    return Fracture(**{name: number[f"fracture.{name}"] for name in names})
