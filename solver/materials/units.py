"""Units that library files may use, and the factor of each to the micro system (µm, s, MPa) the solver works in.

A closed table instead of a unit parser: loading a material must cost milliseconds, and a test compares every factor
with `meshes.quantities`. Quantities the solver never reads keep their unit (factor 1).
"""

from __future__ import annotations

from typing import NamedTuple


class LibraryUnit(NamedTuple):
    """What a unit measures and the factor from it to the solver's unit."""

    measures: str
    factor: float


UNITS: dict[str, LibraryUnit] = {
    "1": LibraryUnit("number", 1.0),
    "GPa": LibraryUnit("stress", 1e3),
    "MPa": LibraryUnit("stress", 1.0),
    "J/m^2": LibraryUnit("energy per area", 1.0),
    "MPa/um": LibraryUnit("stress per length", 1.0),
    "MPa*m^0.5": LibraryUnit("fracture toughness", 1.0),
    "m^2/s": LibraryUnit("diffusivity", 1e12),
    "um^2/s": LibraryUnit("diffusivity", 1.0),
    "J/mol": LibraryUnit("molar energy", 1.0),
    "mol/m^3": LibraryUnit("concentration", 1.0),
    "mol/m^2/s": LibraryUnit("molar flux", 1.0),
    "m^3/mol": LibraryUnit("molar volume", 1.0),
    "g/mol": LibraryUnit("molar mass", 1.0),
    "kg/m^3": LibraryUnit("density", 1.0),
    "g/cm^3": LibraryUnit("density", 1e3),
    "mAh/g": LibraryUnit("specific capacity", 1.0),
    "mA/g": LibraryUnit("specific current", 1.0),
    "Wh/kg": LibraryUnit("specific energy", 1.0),
    "A/m^2": LibraryUnit("current density", 1.0),
    "S/m": LibraryUnit("conductivity", 1.0),
    "V": LibraryUnit("voltage", 1.0),
    "V/K": LibraryUnit("entropy", 1.0),
    "K": LibraryUnit("temperature", 1.0),
    "degC": LibraryUnit("Celsius temperature", 1.0),
    "1/K": LibraryUnit("thermal expansion", 1.0),
    "1/h": LibraryUnit("rate", 1.0),
    "m/s": LibraryUnit("velocity", 1.0),
    "angstrom": LibraryUnit("lattice length", 1.0),
    "angstrom^3": LibraryUnit("lattice volume", 1.0),
    "nm": LibraryUnit("length", 1e-3),
    "um": LibraryUnit("length", 1.0),
    "um^3": LibraryUnit("volume", 1.0),
    "m^2/g": LibraryUnit("specific area", 1.0),
}
