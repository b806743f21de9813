"""What one library file holds: the shape of the data, without any check across fields (see checks.py).

Every number is a leaf {value, unit, range, confidence, source, note}. Strain tables, voltages and diffusivities are
named choices with a default, so that a case can pick another one by name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from meshes.description import Description

Confidence = Literal["primary", "secondary", "derived", "recalled", "assumed", "case"]

STRAIN_COLUMNS = ["x", "a", "c", "volume", "strain_a", "strain_c", "confidence"]
STRAIN_UNITS = ["1", "angstrom", "angstrom", "angstrom^3", "1", "1", "word"]
VOLTAGE_COLUMNS = ["x", "U"]
VOLTAGE_UNITS = ["1", "V"]


def _tuple(row: Any) -> Any:
    """YAML knows lists only; rows of fixed width are tuples."""
    return tuple(row) if isinstance(row, list) else row


def _tuples(rows: Any) -> Any:
    return [_tuple(row) for row in rows] if isinstance(rows, list) else rows


Interval = Annotated[tuple[float, float], BeforeValidator(_tuple)]


StrainRows = Annotated[
    list[tuple[float, float, float, float, float, float, Confidence]], BeforeValidator(_tuples), Field(min_length=2)
]
VoltageRows = Annotated[list[tuple[float, float]], BeforeValidator(_tuples), Field(min_length=2)]
Kind = Literal["active_material", "coating", "surface_layer", "solid_electrolyte", "reference"]


class Entry(Description):
    """One number: its value and unit, the range it may lie in, how well it is known, who says so."""

    value: float
    unit: str
    range: Interval | None
    confidence: Confidence
    source: list[str]
    note: str = ""


Groups = dict[str, dict[str, Entry]]


class StrainTable(Description):
    """Lattice parameters and strains against stoichiometry, one row per x, x rising."""

    axis: str
    source: list[str]
    note: str
    columns: list[str]
    units: list[str]
    rows: StrainRows


class VoltageTable(Description):
    """Open-circuit voltage [V] against stoichiometry, x rising."""

    columns: list[str]
    units: list[str]
    confidence: Confidence
    source: list[str]
    note: str
    rows: VoltageRows


class Profile(Description):
    """A quantity as a formula of s, where s itself is a formula of x; valid between two stoichiometries."""

    expression: str
    variable: str
    valid: Interval
    unit: str
    confidence: Confidence
    source: list[str]
    note: str = ""


class Diffusivity(Description):
    """In-plane diffusivity with its activation energy; with a profile it depends on x and the value is a sample."""

    value: Entry
    activation_energy: Entry
    profile: Profile | None = None


class StrainChoices(Description):
    """Named strain tables."""

    default: str
    choices: dict[str, StrainTable]


class VoltageChoices(Description):
    """Named open-circuit voltages."""

    default: str
    choices: dict[str, VoltageTable | Profile]


class DiffusivityChoices(Description):
    """Named diffusivities."""

    default: str
    choices: dict[str, Diffusivity]


class MaterialRecord(Description):
    """One file of the library, except families, grain boundaries and sources."""

    name: str
    kind: Kind
    family: str | None = None
    formula: str | None = None
    title: str
    notes: list[str] = Field(default_factory=list)
    quantities: Groups
    strain: StrainChoices | None = None
    open_circuit: VoltageChoices | None = None
    diffusivity: DiffusivityChoices | None = None
    entropy: Profile | None = None


class FamilyRecord(Description):
    """Quantities that several materials share."""

    name: str
    kind: Literal["family"]
    title: str
    quantities: Groups


class BoundarySet(Description):
    """Cohesive numbers of grain boundaries."""

    title: str
    strength: Entry
    toughness: Entry
    normal_stiffness: Entry
    shear_strength_ratio: Entry
    shear_toughness_ratio: Entry


class BoundaryRecord(Description):
    """The grain-boundary file: named sets and the measurements behind them."""

    name: str
    kind: Literal["grain_boundary"]
    title: str
    notes: list[str] = Field(default_factory=list)
    sets: dict[str, BoundarySet]
    quantities: Groups


class SourceRecord(Description):
    """Meaning of the confidence words and the list of sources."""

    confidence: dict[Confidence, str]
    sources: dict[str, str]


class Remark(Description):
    """A conflict or a gap of the data, in words."""

    title: str
    text: str


class RemarkRecord(Description):
    """Conflicts and gaps of the whole library."""

    kind: Literal["remarks"]
    conflicts: list[Remark]
    gaps: list[Remark]
