"""Curves of one material against stoichiometry as a picture: ε_a and ε_c, volume change, voltage, diffusivity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from solver.materials import checks, library
from solver.materials.build import load_material, open_circuit_of
from solver.materials.choice import MaterialChoice
from solver.materials.curves import LatticeStrain
from solver.materials.errors import MaterialError
from solver.materials.records import Diffusivity, MaterialRecord, StrainTable
from solver.materials.units import UNITS
from solver.materials.words import name_text

_BASAL, _ALONG, _VOLUME, _VOLTAGE, _TRANSPORT = "#0072b2", "#d55e00", "#333333", "#009e73", "#7b3294"
_STYLES = ("-", "--", ":", "-.")
_KNOWN = ("primary", "secondary")
_SAMPLES = 800


def plot_material(name: str, path: Path) -> None:
    """Draws one active material; the format follows the file's suffix.

    Filled marks are rows read in a publication, hollow marks are derived, recalled or assumed. Dashed lines are
    alternatives that a case can choose by name.

    Args:
        name: Name of an active material.
        path: File to write.

    Raises:
        MaterialError: When there is no such material, or the file cannot be written in this format.
    """
    if name not in library.material_names():
        raise MaterialError(library.no_such("active material", name, library.material_names()))
    record = library.record(name)
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    axes = figure.subplots(2, 2)
    _draw_strain(axes[0, 0], axes[0, 1], record)
    _draw_voltage(axes[1, 0], record)
    _draw_diffusivity(axes[1, 1], record)
    for each in axes.flat:
        each.set(xlim=(1.02, -0.02), xlabel="lithium per formula unit x  (charging →)")
        each.grid(alpha=0.3, linewidth=0.6)
        each.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{name}: {record.title}", fontsize=12)
    if record.strain:
        marks = "marks: rows of the default table; filled: read in a publication; hollow: derived, recalled or assumed"
        figure.supxlabel(marks, fontsize=8)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise MaterialError(f"{path}: cannot write the picture: {error}") from error


def _draw_strain(lattice: Axes, volume: Axes, record: MaterialRecord) -> None:
    lattice.axhline(0, color="0.6", linewidth=0.8)
    volume.axhline(0, color="0.6", linewidth=0.8)
    lattice.set(ylabel="lattice strain (%)", title="Lattice strain")
    volume.set(ylabel="volume change (%)", title="Volume change of the crystal")
    tables = record.strain.choices if record.strain else {}
    default = record.strain.default if record.strain else ""
    for style, name in zip(_STYLES, sorted(tables, key=lambda each: each != default)):
        label = f" ({name_text(name)})" if len(tables) > 1 else ""
        strain = load_material(MaterialChoice(base=record.name, strain_table=name)).lattice
        _draw_strain_curves(lattice, volume, strain, style, label)
        if name == default:
            _mark_rows(lattice, volume, tables[name])
    if not tables:
        _draw_strain_curves(lattice, volume, load_material(record.name).lattice, "-", "")
    lattice.legend(fontsize=8, frameon=False)
    if len(tables) > 1:
        volume.legend(fontsize=8, frameon=False)


def _draw_strain_curves(lattice: Axes, volume: Axes, strain: LatticeStrain, style: str, label: str) -> None:
    x = np.linspace(strain.stoichiometry[0], strain.stoichiometry[-1], _SAMPLES)
    lattice.plot(x, 100 * strain.a(x), style, color=_BASAL, label=rf"$\varepsilon_a$ in the basal plane{label}")
    lattice.plot(x, 100 * strain.c(x), style, color=_ALONG, label=rf"$\varepsilon_c$ along c{label}")
    volume.plot(x, 100 * strain.volume_change(x), style, color=_VOLUME, label=label.strip(" ()"))


def _mark_rows(lattice: Axes, volume: Axes, table: StrainTable) -> None:
    """The rows themselves, filled where they were read in a publication."""
    for known in (True, False):
        rows = [row[:-1] for row in table.rows if (row[-1] in _KNOWN) == known]
        if rows:
            x, _, _, _, strain_a, strain_c = np.array(rows, dtype=float).T
            change = (1 + strain_a) ** 2 * (1 + strain_c) - 1
            for axes, values, colour in (
                (lattice, strain_a, _BASAL),
                (lattice, strain_c, _ALONG),
                (volume, change, _VOLUME),
            ):
                axes.plot(
                    x, 100 * values, "o", markersize=4, color=colour, markerfacecolor=colour if known else "white"
                )


def _draw_voltage(axes: Axes, record: MaterialRecord) -> None:
    axes.set(ylabel="U (V vs Li)", title="Open-circuit voltage")
    if record.open_circuit is None:
        axes.text(0.5, 0.5, "no voltage in the library", transform=axes.transAxes, ha="center", color="0.4")
        return
    default = record.open_circuit.default
    choices = record.open_circuit.choices
    for style, name in zip(_STYLES, sorted(choices, key=lambda each: each != default)):
        curve = open_circuit_of(name, choices[name])
        x = np.linspace(*curve.valid, _SAMPLES)
        axes.plot(x, curve(x), style, color=_VOLTAGE, label=f"{name_text(name)} ({choices[name].confidence})")
    axes.legend(fontsize=8, frameon=False)


def _draw_diffusivity(axes: Axes, record: MaterialRecord) -> None:
    axes.set(ylabel="D (m²/s)", title="Diffusivity at the reference temperature", yscale="log")
    material = load_material(record.name)
    default = record.diffusivity.default if record.diffusivity else ""
    choices = record.diffusivity.choices if record.diffusivity else {}
    for style, name in zip(_STYLES, sorted(choices, key=lambda each: each != default)):
        _draw_in_plane(axes, name, choices[name], style)
        span = choices[name].value.range
        if name == default and span:
            axes.axhspan(*span, color=_TRANSPORT, alpha=0.08, linewidth=0, label="range")
    along = material.diffusivity_c * 1e-12
    ratio = material.diffusivity_c / material.diffusivity_ab
    axes.axhline(along, color=_ALONG, linewidth=1.2, label=f"along c ({ratio:g} of the default)")
    axes.set_ylim(bottom=along / 40)  # room for the legend
    axes.legend(fontsize=8, frameon=False, loc="lower left")


def _draw_in_plane(axes: Axes, name: str, choice: Diffusivity, style: str) -> None:
    label = f"in the plane: {name_text(name)} ({choice.value.confidence})"
    if choice.profile is None:
        values = np.full(2, choice.value.value)
        axes.plot([0, 1], values * UNITS[choice.value.unit].factor * 1e-12, style, color=_TRANSPORT, label=label)
        return
    x = np.linspace(*choice.profile.valid, _SAMPLES)
    factor = UNITS[choice.profile.unit].factor * 1e-12
    axes.plot(x, checks.evaluate(choice.profile)(x) * factor, style, color=_TRANSPORT, label=label)
