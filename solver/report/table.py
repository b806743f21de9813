"""The crack-risk numbers of a run as a table for the console and the log."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from solver.indicators.grain_boundary import THRESHOLD_SOURCES
from solver.indicators.layout import REGION_BOUNDS, REGIONS

_WIDTH = 120
_MOST_ENDS = 8
_ABOVE = "boundary_area_above_"


@dataclass(frozen=True)
class _Row:
    """A line of the table: label, column of the history, unit to show, factor to it, and what to compare with."""

    label: str
    key: str
    unit: str = "MPa"
    factor: float = 1.0
    compare: str = ""


_BOUNDARIES = (
    _Row("normal traction p95", "boundary_normal_p95"),
    _Row("normal traction p99", "boundary_normal_p99"),
    _Row("shear traction p95", "boundary_shear_p95"),
    _Row("risk R p95", "boundary_risk_p95", "", compare="1 is the strength"),
    _Row("normal traction of whole faces p95", "face_normal_p95"),
)
_GRAINS = (
    _Row("first principal stress p95", "first_principal_p95"),
    _Row("first principal stress p99", "first_principal_p99"),
    _Row("volume above 600 MPa", "first_principal_volume_above", "%", 100.0, "grain (Chen 2024)"),
    _Row("first principal, non-local maximum", "first_principal_nonlocal_max"),
    _Row("hydrostatic stress p95", "hydrostatic_p95"),
    _Row("(003) normal stress p95", "layer_normal_p95"),
    _Row("basal resolved shear p95", "basal_shear_p95", compare="86 → 39 MPa charged (Stallard 2022)"),
    _Row("volume above basal shear strength", "basal_shear_volume_above", "%", 100.0),
)
_CAUSES = (
    _Row("mismatch: normal traction p95", "mismatch_boundary_normal_p95"),
    _Row("gradient: normal traction p95", "gradient_boundary_normal_p95"),
    _Row("mismatch: first principal stress p95", "mismatch_first_principal_p95"),
    _Row("gradient: first principal stress p95", "gradient_first_principal_p95"),
)
_OVERALL = (
    _Row("elastic energy", "elastic_energy", "pJ"),
    _Row("share of it near grain boundaries", "energy_near_boundaries", "%", 100.0),
    _Row("Weibull stress", "weibull_stress", compare="745 MPa, n = 3 (Sedlatschek 2026)"),
    _Row("failure probability", "failure_probability", "%", 100.0),
)
_COATING = (
    _Row("hoop stress p95", "coating_hoop_p95"),
    _Row("energy release rate p95", "coating_energy_release_p95", "J/m²", compare="toughness of the bond"),
    _Row("normal traction on the bond p95", "coating_normal_traction_p95", compare="adhesion"),
    _Row("shear traction on the bond p95", "coating_shear_traction_p95", compare="adhesion"),
    _Row("area above the adhesion", "coating_delaminated_area", "%", 100.0),
)
_GUARDS = (
    _Row("lithium imbalance", "lithium_imbalance", "", compare="below 1e-8"),
    _Row("stress imbalance", "stress_imbalance", "", compare="below 1e-4"),
    _Row("traction jump across boundaries", "traction_jump", "%", 100.0, "falls as the mesh is refined"),
)


def results_table(summary: Mapping[str, Any]) -> RenderableType:
    """Table of a run's final and highest numbers.

    Args:
        summary: Content of `summary.json`.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("crack risk", no_wrap=True)
    table.add_column("final", justify="right", no_wrap=True)
    table.add_column("highest", justify="right", no_wrap=True)
    table.add_column("at SoC", justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("compare with")
    values = summary["values"]
    for title, rows in _sections(values):
        shown = [row for row in rows if _is_known(values.get(row.key))]
        if shown:
            table.add_row(Text(title, style="bold"))
        for row in shown:
            table.add_row(*_cells(row, values[row.key]))
    return Group(table, *(Text(line) for line in _remarks(summary)))


def results_text(summary: Mapping[str, Any]) -> str:
    """The same table as plain text, for the log."""
    stream = io.StringIO()
    console = Console(file=stream, width=_WIDTH, color_system=None, highlight=False, force_jupyter=False)
    console.print(results_table(summary))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _sections(values: Mapping[str, Any]) -> Iterator[tuple[str, tuple[_Row, ...]]]:
    thresholds = sorted((key for key in values if key.startswith(_ABOVE)), key=_threshold)
    shares = tuple(
        _Row(f"area above {_threshold(key):g} MPa", key, "%", 100.0, THRESHOLD_SOURCES.get(_threshold(key), ""))
        for key in thresholds
    )
    bounds = [f"r/R {low:g}–{high:g}" for low, high in zip((0.0, *REGION_BOUNDS), (*REGION_BOUNDS, 1.0))]
    regions = tuple(
        _Row(f"{name} ({bound}): boundary tension", f"{name}_boundary_tension") for name, bound in zip(REGIONS, bounds)
    )
    stresses = tuple(_Row(f"{name}: first principal stress p95", f"{name}_first_principal_p95") for name in REGIONS)
    yield "grain boundaries", _BOUNDARIES + shares
    yield "grains", _GRAINS
    yield "cause", _CAUSES
    yield "place", regions + stresses
    yield "overall", _OVERALL
    yield "coating", _COATING
    yield "accuracy", _GUARDS


def _threshold(key: str) -> float:
    return float(key.removeprefix(_ABOVE).removesuffix("MPa"))


def _is_known(value: Mapping[str, Any] | None) -> bool:
    return value is not None and "maximum" in value


def _cells(row: _Row, value: Mapping[str, Any]) -> tuple[str, ...]:
    highest = value["maximum"]
    return (
        f"  {row.label}",
        number_text(value["final"], row.factor),
        number_text(highest["value"], row.factor),
        f"{100.0 * highest['state_of_charge']:.0f} %",
        row.unit,
        row.compare,
    )


def number_text(value: float | None, factor: float = 1.0) -> str:
    """Three significant figures, without an exponent between 0.001 and a million."""
    if value is None or not math.isfinite(value):
        return "–"
    scaled = factor * value
    if scaled == 0.0:
        return "0"
    if not 1e-3 <= abs(scaled) < 1e6:
        return f"{scaled:.1e}"
    return f"{scaled:.3g}" if abs(scaled) < 1000.0 else f"{scaled:.0f}"


def _remarks(summary: Mapping[str, Any]) -> Iterator[str]:
    """Sentences below the table: the worst state and place, and what the numbers leave out."""
    yield "p95, p99: percentiles by area (boundaries) or volume (grains); boundary tension: mean, compression as zero"
    yield from _ends(summary.get("protocol", []))
    worst = summary["highest_risk"]
    if worst:
        when = f"SoC {100.0 * worst['state_of_charge']:.0f} %, {worst['time']:.4g} s"
        yield f"highest risk at {when} (largest {worst['chosen_by']})"
    region = summary["values"]["worst_region"]["final"]
    if _is_number(region):
        yield f"largest boundary tension in the end: {REGIONS[int(region)]}"
    for warning in summary.get("warnings", []):
        states = f" ({warning['count']} times)" if warning["count"] > 1 else ""
        yield f"warning: {warning['text']}; first at {warning['time']:.4g} s{states}"
    yield "left out: " + "; ".join(summary["left_out"])


def _ends(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where the steps of the protocol ended that did not end by time alone."""
    met = [step for step in steps if step["ended_by"] != "time"]
    for step in met[:_MOST_ENDS]:
        voltage = f", {step['voltage']:.4f} V" if _is_number(step["voltage"]) else ""
        moved = f", {step['capacity']:+.1f} mAh/g" if _is_number(step.get("capacity")) else ""
        state = f"SoC {100.0 * step['state_of_charge']:.1f} %{voltage}{moved}"
        yield f"step {step['protocol_step']:.0f} ended by {step['ended_by']} after {step['time']:.4g} s: {state}"
    if len(met) > _MOST_ENDS:
        yield f"and {len(met) - _MOST_ENDS} more; all are in summary.json"


def _is_number(value: float | None) -> bool:
    """Whether a value is defined: neither null, as in a file, nor NaN, as in memory."""
    return value is not None and math.isfinite(value)
