"""The library in the terminal: a table of all materials, and everything known of one, as rich renderables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from solver.materials import library
from solver.materials.build import load_material, open_circuit_of
from solver.materials.layer import layer_names, load_layer
from solver.materials.records import (
    BoundaryRecord,
    DiffusivityChoices,
    Entry,
    Groups,
    MaterialRecord,
    StrainTable,
    VoltageChoices,
)
from solver.materials.words import name_text, number_text, percent, range_text, unit_text

_COLOURS = {"primary": "green", "secondary": "green", "derived": "cyan", "recalled": "yellow", "assumed": "yellow"}
_SHOWN_VOLTAGES = 9


def list_materials() -> Table:
    """One line per active material: end of its strain table, diffusivity, capacity."""
    table = Table(
        title="Active materials",
        caption="Strains at the lowest x of the table. `vegard materials NAME` shows every number with its source; so "
        f"it does for {', '.join([*layer_names(), *library.names_of_kind('reference'), 'grain_boundary'])}.",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("name", no_wrap=True)
    for heading in ("x", "ε_a %", "ε_c %", "ΔV %", "D_ab m²/s", "mAh/g"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in library.material_names():
        material = load_material(name)
        low = material.stoichiometry_range[0]
        strains = (material.lattice.a(low), material.lattice.c(low), material.lattice.volume_change(low))
        table.add_row(
            name,
            f"{low:g}",
            *(percent(float(strain)) for strain in strains),
            number_text(material.diffusivity_ab * 1e-12),
            number_text(material.theoretical_capacity),
        )
    return table


def list_layers() -> Table:
    """One line per coating, surface layer and solid electrolyte: what the solver takes from the library."""
    table = Table(title="Coatings and solid electrolytes", box=box.SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    for heading in ("E GPa", "ν", "D m²/s", "host strain", "yield MPa", "adhesion MPa", "toughness J/m²"):
        table.add_column(heading, justify="right")
    for name in layer_names():
        layer = load_layer(name)
        diffusivity = None if layer.diffusivity is None else layer.diffusivity * 1e-12
        strengths = (layer.yield_strength, layer.adhesion, layer.toughness)
        numbers = (layer.youngs_modulus / 1e3, layer.poisson_ratio, diffusivity, layer.host_strain_share, *strengths)
        table.add_row(name, *("–" if number is None else number_text(number) for number in numbers))
    return table


def material_table(name: str) -> list[RenderableType]:
    """Everything the library knows of one material, coating, electrolyte, or of grain boundaries.

    Raises:
        MaterialError: When the name is unknown.
    """
    if name == "grain_boundary":
        return _boundary_tables(library.grain_boundaries())
    record = library.record(name)
    parts: list[RenderableType] = [_heading(record), *_note_lines(record.notes), _quantity_table(record.quantities)]
    if record.diffusivity:
        parts.append(_diffusivity_table(record.diffusivity))
    if record.strain:
        for key, table in record.strain.choices.items():
            parts.append(_strain_table(key, table, is_default=key == record.strain.default))
    if record.open_circuit:
        parts.append(_voltage_table(record.open_circuit))
    return [*parts, _sources_of(record)]


def _heading(record: MaterialRecord | BoundaryRecord) -> Text:
    formula = record.formula if isinstance(record, MaterialRecord) else None
    return Text.assemble((record.name, "bold"), f"  {formula}" if formula else "", f"\n{record.title}")


def _note_lines(notes: list[str]) -> list[RenderableType]:
    return [Text(f"• {note}", style="italic") for note in notes]


def _entry_table(title: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("quantity", overflow="fold")
    table.add_column("value", no_wrap=True)
    table.add_column("range")
    table.add_column("confidence", no_wrap=True)
    table.add_column("note, source", overflow="fold", ratio=1)
    return table


def _add_entries(table: Table, entries: Mapping[str, Entry]) -> None:
    for key, entry in entries.items():
        sources = f"[{', '.join(entry.source)}]" if entry.source else ""
        table.add_row(
            f"  {name_text(key)}",
            f"{number_text(entry.value)} {unit_text(entry.unit)}".rstrip(),
            range_text(entry),
            Text(entry.confidence, style=_COLOURS.get(entry.confidence, "")),
            Text(" ".join(filter(None, (entry.note, sources)))),
        )


def _quantity_table(groups: Groups) -> Table:
    table = _entry_table("Quantities")
    for group, entries in groups.items():
        table.add_row(Text(name_text(group), style="bold"))
        _add_entries(table, entries)
    return table


def _diffusivity_table(diffusivities: DiffusivityChoices) -> Table:
    table = _entry_table("Diffusivities in the basal plane, and their activation energies")
    for name, choice in diffusivities.choices.items():
        mark = " (default)" if name == diffusivities.default else ""
        depends = ", depends on x" if choice.profile else ""
        table.add_row(Text(f"{name}{mark}{depends}", style="bold"))
        _add_entries(table, {"value": choice.value, "activation_energy": choice.activation_energy})
    return table


def _strain_table(name: str, strain: StrainTable, *, is_default: bool) -> Table:
    sources = f" [{', '.join(strain.source)}]" if strain.source else ""
    table = Table(
        title=f"Strain table {name}{' (default)' if is_default else ''}; x: {strain.axis}",
        caption=Text(f"{strain.note}{sources}"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("x", "a Å", "c Å", "V Å³", "ε_a %", "ε_c %", "ΔV %", "ε_c − ε_a %", "confidence"):
        table.add_column(heading, justify="left" if heading == "confidence" else "right", no_wrap=True)
    for x, a, c, volume, strain_a, strain_c, confidence in reversed(strain.rows):
        change = (1 + strain_a) ** 2 * (1 + strain_c) - 1
        strains = (strain_a, strain_c, change, strain_c - strain_a)
        table.add_row(
            f"{x:g}",
            f"{a:.4f}",
            f"{c:.3f}",
            f"{volume:.2f}",
            *map(percent, strains),
            Text(confidence, style=_COLOURS.get(confidence, "")),
        )
    return table


def _voltage_table(voltages: VoltageChoices) -> Table:
    table = Table(title="Open-circuit voltages against lithium metal", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("name", "valid x", "U V at x", "confidence", "source", "note"):
        table.add_column(heading, overflow="fold")
    for name, voltage in voltages.choices.items():
        curve = open_circuit_of(name, voltage)
        samples = np.linspace(*curve.valid, _SHOWN_VOLTAGES)
        shown = ", ".join(f"{value:.3f} at {x:.2f}" for x, value in zip(samples, curve(samples)))
        low, high = curve.valid
        table.add_row(
            f"{name}{' (default)' if name == voltages.default else ''}",
            f"{low:g} … {high:g}",
            shown,
            Text(voltage.confidence, style=_COLOURS.get(voltage.confidence, "")),
            ", ".join(voltage.source) or "–",
            voltage.note,
        )
    return table


def _boundary_tables(record: BoundaryRecord) -> list[RenderableType]:
    table = _entry_table("Cohesive sets")
    for name, boundary in record.sets.items():
        table.add_row(Text(f"{name}: {boundary.title}", style="bold"))
        _add_entries(table, {key: entry for key, entry in boundary if isinstance(entry, Entry)})
    return [_heading(record), *_note_lines(record.notes), table, _quantity_table(record.quantities)]


def _sources_of(record: MaterialRecord) -> Text:
    """Full references of the keys that occur in a record."""
    cited = cited_sources(record)
    known = library.sources().sources
    return Text("Sources\n" + "\n".join(f"  {key}: {known[key]}" for key in sorted(cited)), style="dim")


def cited_sources(record: MaterialRecord) -> set[str]:
    """Source keys used anywhere in a record."""
    cited = {key for named in record.quantities.values() for entry in named.values() for key in entry.source}
    if record.strain:
        cited |= {key for table in record.strain.choices.values() for key in table.source}
    if record.open_circuit:
        cited |= {key for voltage in record.open_circuit.choices.values() for key in voltage.source}
    if record.diffusivity:
        choices = record.diffusivity.choices.values()
        cited |= {key for each in choices for entry in (each.value, each.activation_energy) for key in entry.source}
        cited |= {key for each in choices if each.profile for key in each.profile.source}
    if record.entropy:
        cited |= set(record.entropy.source)
    return cited
