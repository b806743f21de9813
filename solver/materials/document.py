"""docs/materials.md, written from the library: `python -m solver.materials.document > docs/materials.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from solver.materials import library
from solver.materials.build import load_grain_boundary, load_material
from solver.materials.records import (
    BoundaryRecord,
    DiffusivityChoices,
    Entry,
    FamilyRecord,
    Groups,
    MaterialRecord,
    Profile,
    RemarkRecord,
    StrainTable,
    VoltageChoices,
    VoltageTable,
)
from solver.materials.words import name_text, number_text, percent, range_text, unit_text

_INTRODUCTION = """\
# Materials

This page is written from the library in `solver/materials/data` by
`python -m solver.materials.document > docs/materials.md`; change the data, not the page. In the terminal,
`vegard materials` lists the library, `vegard materials NMC811` prints one material and
`vegard materials NMC811 --plot nmc811.png` draws its curves.

Few numbers about cathode particles are measured well, and many models copy numbers without saying so. Therefore every
number here carries its unit, the range it may lie in, a word for how well it is known, and its source. Loading a
material checks all of it: units, ranges and sources; a stable stiffness (eq. 2.3 of the [theory](theory.md)); strain
tables that rise in x, agree with the cell volume V = (√3/2) a²c and start unstrained at x = 1; voltages that fall as
lithium enters; concentration, density and capacity that belong to one and the same crystal.

x is lithium per formula unit, 1 when full. Strains are relative to the crystal at x = 1. Between the rows of a table
the curves are monotone cubics, outside they are constant.
"""

_CASE = """\
## Choosing and changing a material in a case

As it is:

```yaml
material: NMC811
```

Another table of the same material by name, and single numbers replaced (`diffusivity_ratio` is D_c/D_ab):

```yaml
material:
  base: Ni90
  strain_table: from_pristine
  diffusivity_ab: 6e-15 m^2/s
  diffusivity_ratio: 0.1
  C44: 60 GPa
```

Lattice strains of one's own:

```yaml
material:
  base: NMC811
  lattice: {x: [0.0, 0.5, 1.0], strain_a: [-0.02, -0.01, 0.0], strain_c: [-0.04, 0.015, 0.0]}
```

Thermal expansion, for residual stress from cooling (`mechanics.stress_free_temperature`), and the fall of the stiffness
for `mechanics.softening`:

```yaml
material: {base: NMC811, thermal_expansion: 1.2e-5 1/K, thermal_anisotropy: 3e-6 1/K, softening: 0.25}
```

Coatings and electrolytes take `thermal_expansion` as well, and `stress_free_temperature` where they were put on at
another temperature than the usual one (section 14.4 of the theory).

An isotropic model, strain Ω c_max (x - 1)/3 in every direction:

```yaml
material:
  base: NMC811
  youngs_modulus: 150 GPa
  poisson_ratio: 0.27
  partial_molar_volume: 1.3e-6 m^3/mol
  diffusivity_ratio: 1.0
```

A diffusivity that depends on x, one that the library has, or a table of one's own (its logarithm is a monotone cubic;
eq. 14.1 of the theory):

```yaml
material: {base: NMC811, diffusivity: pulse_titration}
```

```yaml
material:
  base: NMC811
  diffusivity_table: {x: [0.2, 0.5, 0.9], diffusivity: [2e-15 m^2/s, 8e-15 m^2/s, 1e-15 m^2/s]}
```

The numbers a run used, with these changes, are in `provenance.json` of its results.
"""

_HEAD = ("quantity", "value", "unit", "range", "confidence", "source", "note")


def document() -> str:
    """The whole page as Markdown."""
    remarks = library.read(library.FOLDER / "remarks.yaml", RemarkRecord)
    parts = [_INTRODUCTION, *_confidence(), *_overview(), _CASE, "## Known conflicts\n"]
    parts += [f"- **{remark.title}.** {remark.text}" for remark in remarks.conflicts]
    parts += ["", "## Gaps, and what matters\n"]
    parts += [f"- **{remark.title}.** {remark.text}" for remark in remarks.gaps]
    parts += ["", "## Active materials\n", *_family(), *_records("active_material")]
    parts += ["## Grain boundaries\n", *_boundaries(library.grain_boundaries())]
    parts += ["## Coatings and surface layers\n", *_records("coating", "surface_layer")]
    parts += ["## Solid electrolytes\n", *_records("solid_electrolyte")]
    parts += ["## Particles and operation\n", *_records("reference")]
    parts += ["## Sources\n", *_sources()]
    return "\n".join(parts).rstrip() + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield _row(head)
    yield _row("---" for _ in head)
    yield from map(_row, rows)
    yield ""


def _confidence() -> Iterator[str]:
    yield "Confidence words:\n"
    yield from _table(("word", "meaning"), library.sources().confidence.items())


def _overview() -> Iterator[str]:
    yield "## Overview\n"
    rows = []
    for name in library.material_names():
        material, record = load_material(name), library.record(name)
        low = material.stoichiometry_range[0]
        strains = (material.lattice.a(low), material.lattice.c(low), material.lattice.volume_change(low))
        stiffness = material.stiffness
        constants = (stiffness.C11, stiffness.C12, stiffness.C13, stiffness.C33, stiffness.C44)
        rows.append(
            (
                f"[{name}](#{name.lower()})",
                record.formula or "–",
                f"{low:g}",
                *(percent(float(strain)) for strain in strains),
                "/".join(f"{constant / 1e3:.0f}" for constant in constants),
                number_text(material.diffusivity_ab * 1e-12),
                number_text(material.diffusion_activation_energy / 1e3),
                number_text(material.maximum_concentration),
                number_text(material.theoretical_capacity),
            )
        )
    yield "Strains at the lowest x of the default table; 1C is by default the capacity in the last column.\n"
    head = ("name", "formula", "x", "ε_a %", "ε_c %", "ΔV %", "C11/C12/C13/C33/C44 GPa")
    yield from _table((*head, "D_ab m²/s", "E_a kJ/mol", "c_max mol/m³", "mAh/g"), rows)


def _family() -> Iterator[str]:
    for name in library.names_of_kind("family"):
        family = library.read(library.FOLDER / f"{name}.yaml", FamilyRecord)
        yield f"### {family.title}\n"
        yield "Used by every layered oxide below whose own table does not name the quantity.\n"
        yield from _quantities(family.quantities)


def _records(*kinds: str) -> Iterator[str]:
    for name in library.names_of_kind(*kinds):
        library.record(name)  # checks it
        yield from _record(library.read(library.FOLDER / f"{name}.yaml", MaterialRecord))


def _record(record: MaterialRecord) -> Iterator[str]:
    yield f"### {record.name}\n"
    yield f"{record.title}{f', {record.formula}' if record.formula else ''}.\n"
    yield from (f"- {note}" for note in record.notes)
    yield ""
    yield from _quantities(record.quantities)
    if record.diffusivity:
        yield from _diffusivities(record.diffusivity)
    if record.strain:
        for name, table in record.strain.choices.items():
            yield from _strain(name, table, is_default=name == record.strain.default)
    if record.open_circuit:
        yield from _voltages(record.open_circuit)
    if record.entropy:
        yield f"Entropy: {_formula(record.entropy)}\n"


def _quantities(groups: Groups) -> Iterator[str]:
    rows = (cells for group, entries in groups.items() for cells in _entry_rows(entries, f"{name_text(group)}: "))
    yield from _table(_HEAD, rows)


def _entry_rows(entries: Mapping[str, Entry], prefix: str = "") -> Iterator[tuple[str, ...]]:
    for key, entry in entries.items():
        yield (
            f"{prefix}{name_text(key)}",
            number_text(entry.value),
            unit_text(entry.unit),
            range_text(entry),
            entry.confidence,
            ", ".join(entry.source),
            entry.note,
        )


def _diffusivities(diffusivities: DiffusivityChoices) -> Iterator[str]:
    yield "Diffusivity in the basal plane:\n"
    rows: list[tuple[str, ...]] = []
    for name, choice in diffusivities.choices.items():
        mark = " (default)" if name == diffusivities.default else ""
        entries = {f"`{name}`{mark}": choice.value, "its activation energy": choice.activation_energy}
        rows += _entry_rows(entries)
    yield from _table(_HEAD, rows)
    for name, choice in diffusivities.choices.items():
        if choice.profile:
            yield f"`{name}` depends on x: {_formula(choice.profile)}\n"


def _strain(name: str, table: StrainTable, *, is_default: bool) -> Iterator[str]:
    mark = " (default)" if is_default else ""
    note = f"{_sentence(table.note)}{_cited(table.source)}"
    yield f"Strain table `{name}`{mark}. x: {table.axis}. {note}\n"
    head = ("x", "a Å", "c Å", "V Å³", "ε_a %", "ε_c %", "ΔV %", "ε_c − ε_a %", "confidence")
    rows = (
        (
            f"{x:g}",
            f"{a:.4f}",
            f"{c:.3f}",
            f"{volume:.2f}",
            *map(percent, (strain_a, strain_c, (1 + strain_a) ** 2 * (1 + strain_c) - 1, strain_c - strain_a)),
            confidence,
        )
        for x, a, c, volume, strain_a, strain_c, confidence in reversed(table.rows)
    )
    yield from _table(head, rows)


def _voltages(voltages: VoltageChoices) -> Iterator[str]:
    yield "Open-circuit voltage against lithium:\n"
    for name, voltage in voltages.choices.items():
        mark = " (default)" if name == voltages.default else ""
        text = _voltage_table(voltage) if isinstance(voltage, VoltageTable) else _formula(voltage)
        yield f"- `{name}`{mark}: {text}"
    yield ""


def _voltage_table(table: VoltageTable) -> str:
    rows = ", ".join(f"{voltage:g} V at {x:g}" for x, voltage in table.rows)
    return f"{rows}. {_sentence(table.confidence)} {_sentence(table.note)}{_cited(table.source)}"


def _formula(profile: Profile) -> str:
    low, high = profile.valid
    where = f"with s = {profile.variable}, valid for {low:g} ≤ x ≤ {high:g}"
    note = f"{_sentence(profile.note)}{_cited(profile.source)}"
    return f"`{profile.expression}` {unit_text(profile.unit)} {where}. {_sentence(profile.confidence)} {note}"


def _boundaries(record: BoundaryRecord) -> Iterator[str]:
    yield from (f"- {note}" for note in record.notes)
    yield ""
    yield "Lengths and toughness for E = 150 GPa; elements should be smaller than a quarter of the cohesive length.\n"
    rows = []
    for name, boundary in record.sets.items():
        numbers = load_grain_boundary(name)
        rows.append(
            (
                f"`{name}`",
                boundary.title,
                f"{numbers.strength:g}",
                f"{numbers.toughness:g}",
                f"{numbers.opening_at_strength * 1e3:.2f} / {numbers.opening_at_failure * 1e3:.2f}",
                f"{numbers.cohesive_length(150e3):.3g}",
                f"{numbers.fracture_toughness(150e3):.3f}",
            )
        )
    head = ("set", "stands for", "strength MPa", "toughness J/m²", "openings nm", "cohesive length µm", "K MPa √m")
    yield from _table(head, rows)
    sets = (
        cells
        for name, boundary in record.sets.items()
        for cells in _entry_rows({key: entry for key, entry in boundary if isinstance(entry, Entry)}, f"{name}: ")
    )
    yield from _table(_HEAD, sets)
    yield "Measurements and inputs of others:\n"
    yield from _quantities(record.quantities)


def _sources() -> Iterator[str]:
    yield from (
        f"- {key}: {text}" for key, text in sorted(library.sources().sources.items(), key=lambda item: item[0].lower())
    )


def _sentence(text: str) -> str:
    """With a full stop, and a capital unless it begins with a symbol such as x or dU/dT."""
    first = text.split(" ", 1)[0]
    begins_with_word = len(first) > 1 and first.isalpha() and first.islower()
    return f"{text[0].upper() if begins_with_word else text[0]}{text[1:]}." if text else ""


def _cited(source: list[str]) -> str:
    return f" [{', '.join(source)}]" if source else ""


if __name__ == "__main__":
    sys.stdout.write(document())
