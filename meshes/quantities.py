"""Dimensional values: read from text with a unit, kept as floats in the micro system (µm, s, MPa).

A case file writes `5 um` or `20 GPa`; a bare number where a unit is needed is refused. Energies per area come out in
J/m² (= MPa µm), amounts per volume stay in mol/m³, temperatures in K, so that the solver never converts anything.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


class Dimension(NamedTuple):
    """What a value measures: the unit it is stored in, an example to show, and the unit it is written back with."""

    name: str
    unit: str
    example: str


LENGTH = Dimension("length", "um", "5 um")
TIME = Dimension("time", "s", "30 min")
STRESS = Dimension("stress", "MPa", "150 GPa")
TEMPERATURE = Dimension("temperature", "K", "25 degC")
DIFFUSIVITY = Dimension("diffusivity", "um^2/s", "4e-15 m^2/s")
CONCENTRATION = Dimension("concentration", "mol/m^3", "49061 mol/m^3")
MOLAR_VOLUME = Dimension("molar volume", "m^3/mol", "1e-6 m^3/mol")
MOLAR_ENERGY = Dimension("molar energy", "J/mol", "25 kJ/mol")
SPECIFIC_CAPACITY = Dimension("specific capacity", "mA*h/g", "200 mAh/g")
DENSITY = Dimension("density", "kg/m^3", "4780 kg/m^3")
FRACTURE_ENERGY = Dimension("energy per area", "J/m^2", "0.3 J/m^2")
VOLUME = Dimension("volume", "um^3", "1 um^3")
AREA = Dimension("area", "um^2", "1 um^2")
FRACTION = Dimension("fraction", "", "13.1 %")
VOLTAGE = Dimension("voltage", "V", "4.3 V")
CURRENT_DENSITY = Dimension("current density", "A/m^2", "3.4 A/m^2")
AREA_RESISTANCE = Dimension("area resistance", "ohm*m^2", "10 ohm*cm^2")
VELOCITY = Dimension("velocity", "um/s", "1e-9 m/s")
EXPANSION = Dimension("thermal expansion", "1/K", "1.3e-5 1/K")
ANGLE = Dimension("angle", "deg", "10 deg")

# A unit is letters with at most a one-digit power, joined by * / or blanks, or one over it: nothing that could make a
# parser work hard.
_UNIT = r"[A-Za-zµμ°Å%]+(?:\^-?\d|\*\*-?\d|[²³])?"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*((?:(?<=\s)1/)?{_UNIT}(?:\s?[*/·]\s?{_UNIT}|\s{_UNIT}){{0,4}})?\s*")
_MAXIMUM_TEXT = 80


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # noqa: PLC0415  (pint takes 0.2 s to start; most commands never need it)

    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("percent = 0.01 = %")
    return registry


@lru_cache(maxsize=256)
def _convert(number: float, unit: str, target: str) -> float:
    return float(_quantity(number, unit).to(target or "dimensionless").magnitude)


def _quantity(number: float, unit: str) -> Any:
    unit = unit.replace("mAh", "mA*h").replace("·", "*").replace("%", "percent").replace("°C", "degC")
    return _registry().Quantity(number, unit)


def parse_quantity(value: object, dimension: Dimension) -> float:
    """Value of a dimensional text in the micro system.

    Args:
        value: Text such as "5 um"; a fraction may also be a bare number.
        dimension: What is expected.

    Returns:
        The value in `dimension.unit`.

    Raises:
        ValueError: With what to write instead, when the text is no such quantity.
    """
    hint = f'write a {dimension.name} with a unit, such as "{dimension.example}"'
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and dimension is FRACTION:
        return _finite(float(value), hint)  # type: ignore[arg-type]
    if is_number:
        raise ValueError(f"{value} has no unit; {hint}")
    if not isinstance(value, str):
        raise ValueError(f"expected text, found {type(value).__name__}; {hint}")
    match = _QUANTITY.fullmatch(value) if len(value) <= _MAXIMUM_TEXT else None
    if match is None:
        raise ValueError(f'"{value[:_MAXIMUM_TEXT]}" is not a {dimension.name}; {hint}')
    number, unit = float(match.group(1)), match.group(2) or ""
    if not unit and dimension is not FRACTION:
        raise ValueError(f'"{value}" has no unit; {hint}')
    try:
        return _finite(_convert(number, unit, dimension.unit), hint)
    except ValueError:
        raise
    except Exception as error:  # pint raises many kinds, all mean the same here
        raise ValueError(f'"{value}" is not a {dimension.name}; {hint}') from error


def split_quantity(text: str) -> tuple[float, str] | None:
    """Number and unit of a text such as "5 um" or "13 %", whatever it measures; None when it is no such text."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAXIMUM_TEXT else None
    return (float(match.group(1)), (match.group(2) or "").strip()) if match is not None else None


def convert_unit(number: float, unit: str, target: str) -> float:
    """A number of one unit in another.

    Raises:
        ValueError: When one of the units is unknown, or they measure different things.
    """
    if unit == target:
        return number
    try:
        return _convert(number, unit, target)
    except Exception as error:  # pint raises many kinds, all mean the same here
        raise ValueError(f'"{number:g} {unit}" cannot be given in "{target}"') from error


def base_quantity(text: str) -> Any:
    """A quantity of whatever dimension as a pint quantity in base units, for comparing; a pure number as a float.

    Raises:
        ValueError: When the text is no quantity.
    """
    parts = split_quantity(text)
    if parts is None:
        raise ValueError(f'"{text[:_MAXIMUM_TEXT]}" is no number with a unit')
    try:
        based = _quantity(*parts).to_base_units()
    except Exception as error:  # pint raises many kinds, all mean the same here
        raise ValueError(f'"{text}" has a unit that is not known') from error
    return float(based.magnitude) if based.dimensionless else based


def _finite(value: float, hint: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number; {hint}")
    return value


def format_quantity(value: float, dimension: Dimension) -> str:
    """Text that `parse_quantity` reads back to the same float."""
    return f"{value!r} {dimension.unit}".strip()


def quantity(dimension: Dimension, minimum: str, maximum: str) -> Any:
    """Pydantic type of a dimensional value within limits given as text, e.g. `quantity(LENGTH, "0.2 um", "50 um")`."""
    low, high = parse_quantity(minimum, dimension), parse_quantity(maximum, dimension)

    def read(value: object) -> float:
        number = parse_quantity(value, dimension)
        if not low <= number <= high:
            shown = f'"{value}"' if isinstance(value, str) else f"{value}"
            raise ValueError(f"{shown} is outside {minimum} to {maximum}")
        return number

    types: Any = ["string", "number"] if dimension is FRACTION else "string"
    schema = {
        "type": types,
        "examples": [dimension.example],
        "description": f"{dimension.name}, {minimum} to {maximum}",
    }
    return Annotated[
        float,
        BeforeValidator(read),
        PlainSerializer(lambda value: format_quantity(value, dimension), return_type=str, when_used="json"),
        WithJsonSchema(schema),
    ]
