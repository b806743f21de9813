"""Numbers of the library as short text, the same in the terminal and in docs/materials.md."""

from __future__ import annotations

from solver.materials.records import Entry

_UNITS = {"1": "", "angstrom": "Å", "angstrom^3": "Å³", "degC": "°C", "MPa*m^0.5": "MPa √m"}
_POWERS = {"^2": "²", "^3": "³", "um": "µm"}


def unit_text(unit: str) -> str:
    """A library unit as printed, e.g. `m²/s`; empty for a pure number."""
    shown = _UNITS.get(unit, unit)
    for plain, printed in _POWERS.items():
        shown = shown.replace(plain, printed)
    return shown


def number_text(value: float) -> str:
    """Up to six digits, no trailing zeros, exponents as in 4e-15."""
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def range_text(entry: Entry) -> str:
    """The range of a number, or a dash."""
    return "–" if entry.range is None else f"{number_text(entry.range[0])} … {number_text(entry.range[1])}"


def name_text(name: str) -> str:
    """A key as words; symbols such as C11 and a0 stay as they are."""
    return name.replace("_", " ")


def percent(value: float) -> str:
    """A strain in percent with sign and two decimals; no negative zero."""
    return f"{value * 100 + 0.0:+.2f}" if abs(value) >= 5e-5 else "0.00"
