"""The comparison as a reader gets it: tables on the console, comparison.csv, comparison.json and a figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter, ScalarFormatter
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from solver.compare.statistics import Interval, interval, paired_ratio, rank_agreements, ranking
from solver.compare.values import EXTENT, FACTS, INDICATORS, OTHER, PEAK, unit_of
from solver.output.files import write_json, write_text

_GROUPS = (("peak", PEAK), ("extent", EXTENT), ("other", OTHER))
_MOST_RANKED = 8


def comparison_data(values: pd.DataFrame, facts: pd.DataFrame, failures: Sequence[str]) -> dict[str, Any]:
    """Everything the comparison found, as plain data: content of `comparison.json`."""
    states = [float(charge) for charge in values["state_of_charge"].unique()]
    designs = [str(name) for name in values["design"].unique()]
    return {
        "designs": designs,
        "states_of_charge": states,
        "facts": {fact: _fact(facts, fact, designs) for fact in FACTS},
        "indicators": {
            f"{charge:g}": {name: _indicator(values, name, charge, designs) for name in _present(values)}
            for charge in states
        },
        "rankings": {
            f"{charge:g}": {
                name: ranking(values, name, charge) for name in (*PEAK, *EXTENT) if name in _present(values)
            }
            for charge in states
        },
        "agreement": {f"{charge:g}": [asdict(each) for each in rank_agreements(values, charge)] for charge in states},
        "failures": list(failures),
    }


def _present(values: pd.DataFrame) -> list[str]:
    known = set(values["indicator"])
    return [name for name in INDICATORS if name in known]


def _fact(facts: pd.DataFrame, fact: str, designs: Sequence[str]) -> dict[str, Any]:
    chosen = facts[facts["fact"] == fact]
    return {
        design: asdict(interval(chosen[chosen["design"] == design]["value"].to_numpy(dtype=float)))
        for design in designs
    }


def _indicator(values: pd.DataFrame, name: str, charge: float, designs: Sequence[str]) -> dict[str, Any]:
    chosen = values[(values["indicator"] == name) & (values["state_of_charge"] == charge)]
    by_design = {design: chosen[chosen["design"] == design].set_index("seed")["value"] for design in designs}
    return {
        design: {
            "value": asdict(interval(series.to_numpy(dtype=float))),
            "over_first": asdict(paired_ratio(series, by_design[designs[0]])),
        }
        for design, series in by_design.items()
    }


def write_comparison(folder: Path, values: pd.DataFrame, data: dict[str, Any]) -> None:
    """Writes comparison.csv (one value per line), comparison.json and comparison.png."""
    write_text(folder / "comparison.csv", values.to_csv(index=False))
    write_json(folder / "comparison.json", data)
    _draw(data, folder / "comparison.png")


def comparison_tables(data: dict[str, Any]) -> Iterator[RenderableType]:
    """The tables for the console: particles, indicators at each state of charge, rankings."""
    yield _facts_table(data)
    for charge in data["states_of_charge"]:
        yield _indicator_table(data, charge)
        yield from _ranking_lines(data, charge)


def _new_table(title: str, designs: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold"
    )
    table.add_column("", no_wrap=True)
    for design in designs:
        table.add_column(design, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    return table


def _facts_table(data: dict[str, Any]) -> Table:
    table = _new_table("particles", data["designs"])
    labels = {"active_fraction": "active share of the volume", "capacity": "capacity", "grain_volume": "grain volume"}
    for fact in FACTS:
        cells = [_value(Interval(**data["facts"][fact][design])) for design in data["designs"]]
        table.add_row(labels[fact], *cells, unit_of(fact))
    return table


def _indicator_table(data: dict[str, Any], charge: float) -> Table:
    found = data["indicators"][f"{charge:g}"]
    table = _new_table(
        f"\nat {100 * charge:.0f} % SoC: mean ± 95 % interval over seeds, (× the first design)", data["designs"]
    )
    for title, names in _GROUPS:
        table.add_row(Text(title, style="bold"))
        for name in (name for name in names if name in found):
            cells = []
            for number, design in enumerate(data["designs"]):
                text = _value(Interval(**found[name][design]["value"]))
                cells.append(text + (_ratio(Interval(**found[name][design]["over_first"])) if number else ""))
            table.add_row(f"  {name}", *cells, unit_of(name))
    return table


def _value(found: Interval) -> str:
    if not math.isfinite(found.mean):
        return "–"
    if not math.isfinite(found.low):
        return f"{found.mean:.4g}"
    return f"{found.mean:.4g} ± {found.high - found.mean:.2g}"


def _ratio(found: Interval) -> str:
    if not math.isfinite(found.mean):
        return ""
    if not math.isfinite(found.low):
        return f" (×{found.mean:.2f})"
    return f" (×{found.mean:.2f}, {found.low:.2f}–{found.high:.2f}; lower in {found.lower}/{found.count})"


def _ranking_lines(data: dict[str, Any], charge: float) -> Iterator[Text]:
    rankings, agreements = data["rankings"][f"{charge:g}"], data["agreement"][f"{charge:g}"]
    for title, names in (("peak", PEAK), ("extent", EXTENT)):
        name = next((name for name in names if rankings.get(name)), None)
        if name is not None:
            order = " < ".join(rankings[name][:_MOST_RANKED])
            yield Text(f"least crack risk first, by {title} ({name}): {order}")
    if not agreements:
        return
    taus = [each["tau"] for each in agreements]
    headline = agreements[0]
    yield Text(
        f"agreement of the rankings (Kendall's τ; 1 the same, −1 reversed): {headline['tau']:.2f} between "
        f"{headline['peak']} and {headline['extent']}; {min(taus):.2f} to {max(taus):.2f} over all pairs of a peak and "
        "an extent indicator"
    )


def _draw(data: dict[str, Any], path: Path) -> None:
    """Ratios of the other designs to the first one at the highest state of charge, with their intervals."""
    charge = data["states_of_charge"][-1]
    found = data["indicators"][f"{charge:g}"]
    names = [name for name in (*PEAK, *EXTENT) if name in found]
    first, *designs = data["designs"]
    height_per_name = 0.35 + 0.15 * len(designs)
    figure, axes = plt.subplots(figsize=(8.0, 1.2 + height_per_name * len(names)), layout="constrained")
    for number, design in enumerate(designs):
        ratios = [Interval(**found[name][design]["over_first"]) for name in names]
        centre = np.array([ratio.mean for ratio in ratios])
        low, high = (np.nan_to_num([getattr(ratio, end) for ratio in ratios], nan=0.0) for end in ("low", "high"))
        bars = np.where(low > 0.0, [centre - low, high - centre], 0.0)
        height = np.arange(len(names)) + 0.6 * (number + 0.5) / len(designs) - 0.3
        axes.errorbar(centre, height, xerr=np.abs(np.nan_to_num(bars)), fmt="o", capsize=3, label=design)
    axes.axvline(1.0, color="0.6", linewidth=1.0, zorder=0)
    axes.set_yticks(np.arange(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks([0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0])
    axes.set_xlabel(f"over {first}, at {100 * charge:.0f} % SoC; 95 % interval over seeds")
    if designs:
        axes.legend(loc="best", fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)
