"""Looks that all figures share: sizes, colour maps and colours that stay apart for colour-blind readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from solver.output.files import replace_with

STOICHIOMETRY_MAP = "cividis"
STRESS_MAP = "RdBu_r"

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
SERIES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
OUTLINE = "#1a1a1a"

_RESOLUTION = 170

SETTINGS: dict[str, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "figure.titlesize": 11.5,
}


def new_figure(width: float, height: float) -> Figure:
    """Empty figure in inches, without any display or global state; draw within `matplotlib.rc_context(SETTINGS)`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, resolution: int = _RESOLUTION) -> Path:
    """Writes a PNG in one step, with so many dots per inch."""
    replace_with(path, lambda temporary: figure.savefig(temporary, format="png", dpi=resolution))
    return path


def stress_scale(values: NDArray[np.float64]) -> tuple[Normalize, float]:
    """Colour scale of a stress: white at zero, the same steps on both sides, the extreme hundredths left out.

    Returns:
        The scale, symmetric about zero, and the lower end worth showing [MPa].
    """
    low, high = (float(value) for value in np.percentile(values, [1.0, 99.0])) if len(values) else (0.0, 0.0)
    limit = round_up(max(abs(low), abs(high), 1e-9))
    return Normalize(-limit, limit), -min(limit, round_up(max(-low, 0.1 * limit)))


def round_up(value: float) -> float:
    """Next number of the form 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if step * power >= value) * power)
