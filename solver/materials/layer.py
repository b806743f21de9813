"""Coatings, surface layers and solid electrolytes: what the solver knows of a layer on a particle or around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from meshes.designs import LayerMaterial
from solver.materials import checks, library
from solver.materials.errors import MaterialError
from solver.materials.records import Entry
from solver.materials.stiffness import TransverseStiffness
from solver.materials.units import UNITS

KINDS = ("coating", "surface_layer", "solid_electrolyte")

# Field of a choice, read in µm, s and MPa, and of `Layer` → the number of the library it replaces.
_FIELDS = {
    "youngs_modulus": "elasticity.youngs_modulus",
    "poisson_ratio": "elasticity.poisson_ratio",
    "diffusivity": "transport.diffusivity",
    "host_strain_share": "strain.host_fraction",
    "misfit": "strain.misfit",
    "thermal_expansion": "thermal.expansion",
    "yield_strength": "strength.yield_strength",
    "hardening_modulus": "strength.hardening_modulus",
    "adhesion": "interface.strength",
    "toughness": "interface.toughness",
}
# A layer of which the library says nothing does not strain by itself and does not harden.
_ABSENT = {"host_strain_share": 0.0, "misfit": 0.0, "hardening_modulus": 0.0}


@dataclass(frozen=True)
class Layer:
    """An isotropic layer without lithium sites of its own.

    Attributes:
        name: Name in the library.
        youngs_modulus: E [MPa].
        poisson_ratio: ν [-].
        diffusivity: Of lithium through it [µm²/s]; None when the library has none.
        host_strain_share: Share of the lattice strain of the grain below that it takes by itself [-].
        misfit: Further strain it takes when free, equal in all directions [-].
        yield_strength: Start of plastic flow [MPa], or None.
        hardening_modulus: Rise of the yield strength per plastic strain [MPa].
        adhesion: Strength of its bond to the particle [MPa], or None.
        toughness: Energy that separates it from the particle [J/m²], or None.
        thermal_expansion: α [1/K], or None.
        stress_free_temperature: At which it was put on [K]; None where the case does not say it of the layer.
    """

    name: str
    youngs_modulus: float
    poisson_ratio: float
    diffusivity: float | None
    host_strain_share: float
    misfit: float
    yield_strength: float | None
    hardening_modulus: float
    adhesion: float | None
    toughness: float | None
    thermal_expansion: float | None = None
    stress_free_temperature: float | None = None

    @property
    def stiffness(self) -> TransverseStiffness:
        """Elastic constants [MPa]."""
        return TransverseStiffness.isotropic(self.youngs_modulus, self.poisson_ratio)

    @property
    def plane_strain_modulus(self) -> float:
        """E' = E/(1 − ν²) [MPa]."""
        return self.youngs_modulus / (1 - self.poisson_ratio**2)

    def numbers(self) -> dict[str, object]:
        """What the solver computes with, as plain JSON values in µm, s and MPa."""
        return asdict(self)


def layer_names() -> list[str]:
    """Names of the layers a case may ask for."""
    return library.names_of_kind(*KINDS)


def load_layer(choice: str | LayerMaterial) -> Layer:
    """A layer of a case.

    Args:
        choice: Name in the library, or a choice with numbers replaced.

    Raises:
        MaterialError: When the name is unknown, or a number it needs is nowhere.
    """
    chosen = LayerMaterial(base=choice) if isinstance(choice, str) else choice
    if chosen.base not in layer_names():
        raise MaterialError(library.no_such("layer", chosen.base, layer_names()))
    entries = checks.entries_of(library.record(chosen.base))
    values = {field: _number(field, chosen, entries) for field in _FIELDS}
    missing = [field for field in ("youngs_modulus", "poisson_ratio") if values[field] is None]
    if missing:
        raise MaterialError(f"{chosen.base} has no {' and no '.join(missing)}; give {' and '.join(missing)}")
    return Layer(name=chosen.base, stress_free_temperature=chosen.stress_free_temperature, **values)  # type: ignore[arg-type]


def _number(field: str, chosen: LayerMaterial, entries: Mapping[str, Entry]) -> float | None:
    given = getattr(chosen, field)
    if given is not None:
        return float(given)
    entry = entries.get(_FIELDS[field])
    return _ABSENT.get(field) if entry is None else entry.value * UNITS[entry.unit].factor
