"""Curves and histograms: risk against state of charge, radial profiles, distribution of boundary tractions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from mpi4py import MPI
from numpy.typing import NDArray

from solver.indicators.layout import REGION_BOUNDS, REGIONS
from solver.indicators.statistics import weighted_percentiles
from solver.report.run_data import RunData, cell_centroids, cell_volumes, facet_areas, grains_of
from solver.report.style import BLACK, BLUE, ORANGE, SERIES, SKY, VERMILION, new_figure, round_up, save

_BINS = 20
# Percentiles of fewer cells than this are noise; the innermost bins of a coarse mesh stay empty.
_FEWEST_CELLS = 25
_BAND_LEVELS = (5.0, 25.0, 50.0, 75.0, 95.0)


def draw_risk(run: RunData, path: Path) -> Path:
    """Draws boundary tractions, shares of area above the thresholds, and regions, against the state of charge."""
    figure = new_figure(13.0, 4.2)
    left, middle, right = figure.subplots(1, 3)
    boundaries = bool(np.isfinite(run.history["boundary_normal_p95"]).any())
    quantity = "boundary_normal" if boundaries else "first_principal"
    name = "normal traction on grain boundaries" if boundaries else "first principal stress"
    parts = {
        f"{quantity}_p99": ("total, 99th percentile", SKY),
        f"{quantity}_p95": ("total, 95th percentile", BLUE),
        f"mismatch_{quantity}_p95": ("mismatch part, 95th", ORANGE),
        f"gradient_{quantity}_p95": ("gradient part, 95th", VERMILION),
    }
    for key, (label, colour) in parts.items():
        _against_charge(left, run, run.history[key], label, colour)
    left.set(ylabel=f"{name} [MPa]", title="What pulls")
    for threshold, colour in zip(run.thresholds, SERIES):
        share = 100.0 * run.history[f"boundary_area_above_{threshold:g}MPa"]
        _against_charge(middle, run, share, f"above {threshold:g} MPa", colour)
    middle.set(ylabel="share of grain-boundary area [%]", title="How much is above a strength")
    bounds = zip((0.0, *REGION_BOUNDS), (*REGION_BOUNDS, 1.0))
    for (low, high), region, colour in zip(bounds, REGIONS, SERIES):
        key = f"{region}_boundary_tension" if boundaries else f"{region}_first_principal_p95"
        _against_charge(right, run, run.history[key], f"{region} (r/R {low:g}–{high:g})", colour)
    what = "mean tensile boundary traction" if boundaries else "first principal stress, 95th percentile"
    right.set(ylabel=f"{what} [MPa]", title="Where")
    for axes in (left, middle, right):
        axes.set_xlabel(_charge_axis(run)[1])
        low, high = axes.get_ylim()
        axes.set_ylim(min(0.0, low) if low < -0.1 * high else 0.0, 1.25 * high)
        _legend(axes, run)
    figure.suptitle(f"{run.name}: crack risk over the protocol")
    return save(figure, path)


def _charge_axis(run: RunData) -> tuple[NDArray[np.float64], str]:
    """State of charge, or time where the charge stays the same."""
    charge = run.history["state_of_charge"]
    if np.ptp(charge) > 1e-6:
        return np.asarray(100.0 * charge), "state of charge [%]"
    return np.asarray(run.history["time"] / 60.0), "time [min]"


def _against_charge(axes: Axes, run: RunData, values: NDArray[np.float64], label: str, colour: str) -> None:
    """One curve in the order of time: full lines while lithium leaves or rests, dashed while it returns."""
    abscissa, _ = _charge_axis(run)
    axes.plot(abscissa, values, linestyle="none", marker="o", color=colour)
    axes.plot([], [], marker="o", color=colour, label=label)
    returning = np.diff(run.history["state_of_charge"]) < -1e-9
    for style, chosen in (("-", ~returning), ("--", returning)):
        for number in np.flatnonzero(chosen):
            axes.plot(abscissa[number : number + 2], values[number : number + 2], linestyle=style, color=colour)


def _legend(axes: Axes, run: RunData) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if np.any(np.diff(run.history["state_of_charge"]) < -1e-9):
        handles.append(Line2D([], [], color=BLACK, linestyle="--"))
        labels.append("discharge")
    axes.legend(handles, labels)


def draw_radial(run: RunData, state: int, title: str, path: Path) -> Path:
    """Draws profiles of lithium and stress over the radius, with bands for the spread at equal radius."""
    grid = grains_of(run.fields.volume(state))
    volume = cell_volumes(grid)
    radius = np.linalg.norm(cell_centroids(grid) - run.centre, axis=1) / run.radius
    profiles = {"stoichiometry x [-]": grid.point_data["stoichiometry"][grid.cells].mean(axis=1)}
    if run.has_stress:
        profiles["hydrostatic stress [MPa]"] = grid.cell_data["hydrostatic_stress"]
        profiles["first principal stress [MPa]"] = grid.cell_data["first_principal_stress"]
    figure = new_figure(4.3 * len(profiles), 4.0)
    panels = np.atleast_1d(figure.subplots(1, len(profiles)))
    for axes, (label, values) in zip(panels, profiles.items()):
        _profile(axes, radius, values.astype(np.float64), volume)
        axes.set(xlabel="r/R [-]", ylabel=label, xlim=(0.0, 1.0))
        if "stress" in label:
            axes.axhline(0.0, color=BLACK, linewidth=0.6)
        for bound in REGION_BOUNDS:
            axes.axvline(bound, color="#999999", linewidth=0.8, linestyle=":")
    panels[0].legend(loc="best")
    figure.suptitle(f"{run.name}: {title} ({run.label(state)}), radial profiles")
    return save(figure, path)


def _profile(axes: Axes, radius: NDArray[np.float64], values: NDArray[np.float64], volume: NDArray[np.float64]) -> None:
    bins = np.minimum((radius * _BINS).astype(int), _BINS - 1)
    table = np.array(
        [
            weighted_percentiles(values[bins == number], volume[bins == number], _BAND_LEVELS, MPI.COMM_SELF)
            for number in range(_BINS)
        ]
    )
    middle = (np.arange(_BINS) + 0.5) / _BINS
    known = np.bincount(bins, minlength=_BINS) >= _FEWEST_CELLS
    middle, table = middle[known], table[known]
    bands = ((0, 4, 0.35, "5 – 95 % of volume"), (1, 3, 0.75, "25 – 75 %"))
    for low, high, strength, label in bands:
        axes.fill_between(middle, table[:, low], table[:, high], color=SKY, alpha=strength, linewidth=0.0, label=label)
    axes.plot(middle, table[:, 2], color=BLUE, label="median")


def draw_boundary_histogram(run: RunData, path: Path) -> Path | None:
    """Draws how the grain-boundary area is distributed over the normal traction; None for a single crystal."""
    states = dict.fromkeys((run.worst, run.final))
    grids = {state: run.fields.boundary(state) for state in states}
    samples = {
        state: (grid.cell_data["normal_traction"].astype(np.float64), facet_areas(grid))
        for state, grid in grids.items()
        if grid is not None and "normal_traction" in grid.cell_data
    }
    if not samples:
        return None
    figure = new_figure(8.0, 4.4)
    axes = figure.subplots()
    extent = max(float(np.percentile(np.abs(values), 99.8)) for values, _ in samples.values())
    limit = round_up(max(extent, 1.15 * max(run.thresholds, default=1.0)))
    edges = np.linspace(-limit, limit, 81)
    for (state, (values, area)), colour in zip(samples.items(), (VERMILION, BLUE)):
        share = 100.0 * np.histogram(np.clip(values, -limit, limit), edges, weights=area)[0] / area.sum()
        role = "highest risk" if state == run.worst else "final state"
        if state == run.worst:
            axes.stairs(share, edges, color=colour, fill=True, alpha=0.3)
        axes.stairs(share, edges, color=colour, linewidth=1.6, label=f"{role}: {run.label(state)}")
    values, area = samples[run.worst]
    top = axes.get_ylim()[1]
    axes.set_ylim(0.0, 1.3 * top)
    for number, threshold in enumerate(run.thresholds):
        share = 100.0 * area[values > threshold].sum() / area.sum()
        height = top * (1.22 - 0.085 * number)
        axes.plot([threshold, threshold], [0.0, height], color=BLACK, linewidth=0.9, linestyle="--")
        axes.text(threshold, height, f" {threshold:g} MPa: {share:.3g} % of the area above", va="center", fontsize=9)
    axes.axvline(0.0, color=BLACK, linewidth=0.6)
    axes.set(xlabel="normal traction on grain boundaries [MPa]", ylabel="share of grain-boundary area per bar [%]")
    axes.set_xlim(-limit, limit)
    axes.legend(loc="upper left")
    axes.set_title(f"{run.name}: tractions on grain boundaries")
    return save(figure, path)
