"""Voltage and current of a run, from the table of its time steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from solver.report.run_data import RunData
from solver.report.style import BLACK, BLUE, ORANGE, VERMILION, new_figure, save

Array = NDArray[np.float64]

_HOURS_FROM = 7200.0
_RESTING = 1e-6  # 1/h


def draw_voltage(run: RunData, path: Path) -> Path | None:
    """Draws voltage and current over time, and voltage over state of charge; None where there is no voltage."""
    steps = pd.read_csv(run.folder / "steps.csv")
    if "voltage [V]" not in steps:  # a run of an earlier version
        return None
    steps = steps[(steps["accepted [-]"] == 1) & steps["voltage [V]"].notna()]
    if steps.empty:
        return None
    time = (steps["time [s]"] + steps["step [s]"]).to_numpy()
    unit, scale = ("h", 3600.0) if time[-1] > _HOURS_FROM else ("min", 60.0)
    voltage, rate = steps["voltage [V]"].to_numpy(), steps["state_of_charge_rate [1/h]"].to_numpy()
    figure = new_figure(11.0, 4.6)
    left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1.0))
    above, below = left.subplots(2, 1, sharex=True, height_ratios=(2.0, 1.0))
    above.plot(time / scale, voltage, color=BLUE)
    above.set(ylabel="voltage against lithium [V]")
    below.plot(time / scale, rate, color=ORANGE)
    below.axhline(0.0, color=BLACK, linewidth=0.6)
    below.set(xlabel=f"time [{unit}]", ylabel="dSoC/dt [1/h]")
    charge = 100.0 * (1.0 - steps["mean_stoichiometry [-]"].to_numpy())
    _against_charge(right.subplots(), charge, voltage, rate)
    figure.suptitle(f"{run.name}: voltage and current")
    return save(figure, path)


def _against_charge(axes: Axes, charge: Array, voltage: Array, rate: Array) -> None:
    """Voltage over state of charge, charging and discharging apart; rests are the vertical lines between."""
    parts = (("charge", rate > _RESTING, VERMILION), ("discharge", rate < -_RESTING, BLUE))
    axes.plot(charge, voltage, color=BLACK, linewidth=0.5, alpha=0.4)
    for label, chosen, colour in parts:
        if chosen.any():
            axes.plot(charge, np.where(chosen, voltage, np.nan), color=colour, label=label)
    axes.set(xlabel="state of charge [%]", ylabel="voltage against lithium [V]")
    axes.legend()
