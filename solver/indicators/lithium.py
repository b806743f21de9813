"""Where the lithium is: extremes and regional means of the stoichiometry."""

from __future__ import annotations

from solver.indicators.definition import Definition
from solver.indicators.layout import REGIONS
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, weighted_mean
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
            *(Definition(f"stoichiometry_{name}", "-", f"volume mean of x in the {name}", "4.8") for name in REGIONS),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        domain, cells = view.layout.domain, view.layout.cells
        used = view.vertex_stoichiometry[domain.cell_vertices[cells.index]].ravel()
        values = {
            "stoichiometry_min": -maximum(-used, view.comm),
            "stoichiometry_max": maximum(used, view.comm),
        }
        for number, name in enumerate(REGIONS):
            weight = cells.volume * (cells.region == number)
            values[f"stoichiometry_{name}"] = weighted_mean(view.cell_stoichiometry, weight, view.comm)
        return values
