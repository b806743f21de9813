"""Where the lithium is: extremes and regional means of the stoichiometry."""

from __future__ import annotations

import numpy as np

from solver.indicators.definition import Definition
from solver.indicators.layout import REGIONS
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, weighted_mean, weighted_percentiles
from solver.indicators.view import StateView


class Lithium:
    """Spread of x over the particle."""

    name = "lithium"
    needs_stress = False
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        return (
            Definition("stoichiometry_min", "-", "smallest x at a mesh vertex"),
            Definition("stoichiometry_max", "-", "largest x at a mesh vertex"),
            Definition(
                "stoichiometry_jump_p95",
                "-",
                "95th percentile of the difference of x across a grain-boundary facet, by area",
                "12.5",
            ),
            *(Definition(f"stoichiometry_{name}", "-", f"volume mean of x in the {name}", "4.8") for name in REGIONS),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        cells, facets = view.layout.cells, view.layout.facets
        used = view.corner_stoichiometry[cells.index].ravel()
        [jump] = weighted_percentiles(np.abs(view.stoichiometry_jump), facets.area, (95.0,), view.comm)
        values = {
            "stoichiometry_min": -maximum(-used, view.comm),
            "stoichiometry_max": maximum(used, view.comm),
            "stoichiometry_jump_p95": float(jump),
        }
        for number, name in enumerate(REGIONS):
            weight = cells.volume * (cells.region == number)
            values[f"stoichiometry_{name}"] = weighted_mean(view.cell_stoichiometry, weight, view.comm)
        return values
