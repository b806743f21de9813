"""What is read from the runs of a comparison: indicators at equal state of charge, and facts about each particle."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from solver.compare.members import Member
from solver.errors import OutputError

# Peak indicators say how bad it gets at the worst places, extent indicators how much of the particle is affected.
PEAK = ("first_principal_nonlocal_max", "boundary_normal_p99", "face_normal_p95")
EXTENT = ("boundary_area_at_risk", "boundary_area_above_425MPa", "first_principal_volume_above", "energy_density")
OTHER = (
    "boundary_normal_p95",
    "boundary_shear_p95",
    "basal_shear_p95",
    "core_boundary_tension",
    "rim_boundary_tension",
)
INDICATORS = (*PEAK, *EXTENT, *OTHER)
UNITS = {
    "energy_density": "MJ/m^3",
    **dict.fromkeys(("boundary_area_at_risk", "boundary_area_above_425MPa", "first_principal_volume_above"), "-"),
}
FACTS = ("active_fraction", "capacity", "grain_volume")
_FACT_UNITS = {"active_fraction": "-", "capacity": "mAh/cm^3", "grain_volume": "um^3"}
_CUBIC_CENTIMETRE_PER_CUBIC_METRE = 1e6
_GRAM_PER_KILOGRAM = 1e3


def unit_of(name: str) -> str:
    """Unit of an indicator or a fact."""
    return _FACT_UNITS.get(name, UNITS.get(name, "MPa"))


def read_history(folder: Path) -> pd.DataFrame:
    """All output states of a run, columns by key.

    Raises:
        OutputError: When the history cannot be read.
    """
    try:
        table = pd.read_csv(folder / "history.csv")
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder}: its history cannot be read ({error})") from error
    table.columns = [title.split(" [")[0] for title in table.columns]
    return table


def first_charge(folder: Path) -> pd.DataFrame:
    """History of a run until its state of charge falls for the first time; columns by key.

    Raises:
        OutputError: When the history cannot be read.
    """
    table = read_history(folder)
    charge = table["state_of_charge"].to_numpy()
    falling = np.flatnonzero(np.diff(charge) < -1e-6)
    table = table.iloc[: falling[0] + 1] if len(falling) else table
    rising = np.concatenate([[True], np.diff(table["state_of_charge"].to_numpy()) > 1e-9])
    return table[rising]


def common_states_of_charge(members: Sequence[Member], count: int = 2) -> list[float]:
    """Even steps up to the highest state of charge that every run reaches in its first charge."""
    histories = [first_charge(member.folder)["state_of_charge"] for member in members]
    top, bottom = min(float(charge.max()) for charge in histories), max(float(charge.min()) for charge in histories)
    if top <= bottom:
        raise OutputError("the runs have no state of charge in common; give them protocols that charge alike")
    return [round(bottom + (top - bottom) * step / count, 4) for step in range(1, count + 1)]


def tidy_table(members: Sequence[Member], states_of_charge: Sequence[float]) -> pd.DataFrame:
    """Indicators of all runs at equal states of charge: design, seed, state_of_charge, indicator, value.

    Between two output states of a run a value is interpolated linearly in the state of charge; outside of what the run
    covers it is empty.
    """
    rows = []
    for member in members:
        history = first_charge(member.folder)
        history = history.assign(energy_density=_energy_density(history, member.folder))
        charge = history["state_of_charge"].to_numpy()
        for name in INDICATORS:
            if name not in history:
                continue
            values = history[name].to_numpy(dtype=float)
            known = np.isfinite(values)
            for asked in states_of_charge:
                value = math.nan
                if known.any() and charge[known].min() - 1e-9 <= asked <= charge[known].max() + 1e-9:
                    value = float(np.interp(asked, charge[known], values[known]))
                rows.append((member.design, member.seed, asked, name, value))
    return pd.DataFrame(rows, columns=["design", "seed", "state_of_charge", "indicator", "value"])


def facts_table(members: Sequence[Member]) -> pd.DataFrame:
    """Share of active material, capacity per volume of the particle and grain volume: design, seed, fact, value."""
    rows = []
    for member in members:
        for name, value in _facts(member.folder).items():
            rows.append((member.design, member.seed, name, value))
    return pd.DataFrame(rows, columns=["design", "seed", "fact", "value"])


def _facts(folder: Path) -> dict[str, float]:
    case, summary = _read(folder / "case.resolved.json"), _read(folder / "summary.json")
    material = _read(folder / "provenance.json")["material"]
    report, particle = summary["mesh"]["report"], case["particle"]
    fraction = math.nan if particle.get("from_file") else _active_fraction(report, particle)
    capacity = fraction * _capacity_per_volume(material, particle["dimension"])
    return {"active_fraction": fraction, "capacity": capacity, "grain_volume": float(report["volume"])}


def _capacity_per_volume(material: dict[str, Any], dimension: int) -> float:
    """Theoretical capacity of the solid [mAh/cm³]; of a radial composition the mean by volume, at sharp boundaries."""
    if "shells" in material:
        ends = np.array([0.0, *material["radii"], 1.0]) ** dimension
        parts = [_capacity_per_volume(shell, dimension) for shell in material["shells"]]
        return float(np.diff(ends) @ parts)
    per_volume = material["density [kg/m^3]"] * _GRAM_PER_KILOGRAM * material["theoretical_capacity [mAh/g]"]
    return float(per_volume / _CUBIC_CENTIMETRE_PER_CUBIC_METRE)


def _active_fraction(report: dict[str, Any], particle: dict[str, Any]) -> float:
    """Share of solid in the particle; what flat facets lose of it is no porosity and does not count."""
    for section in report["sections"]:
        if "active_volume_fraction" in section["data"]:
            return float(section["data"]["active_volume_fraction"])
    part = 8.0 if particle["sector"] == "eighth" else 1.0
    return float(report["volume_asked"]) * part / _envelope(particle)


def _envelope(particle: dict[str, Any]) -> float:
    """Volume inside the smooth outer shape [µm³] (of a slab of 1 µm in two dimensions)."""
    radius, aspect = _length(particle["radius"]), float(particle["aspect_ratio"])
    equator = radius * aspect ** (-1.0 / 3.0)
    # A section is cut at the equator: a disc, whatever the aspect ratio.
    return math.pi * equator**2 if particle["dimension"] == 2 else 4.0 / 3.0 * math.pi * radius**3


def _length(text: str | float) -> float:
    return float(str(text).split()[0])


def _energy_density(history: pd.DataFrame, folder: Path) -> pd.Series:
    """Elastic energy over the volume of the grains [MJ/m³ = pJ/µm³]."""
    return history["elastic_energy"] / float(_read(folder / "summary.json")["mesh"]["report"]["volume"])


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({error})") from error
    return data
