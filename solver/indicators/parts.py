"""What causes the stress: orientation mismatch of the grains, or the gradient of lithium (eq. 2.7).

The mismatch part is the stress of the same particle at uniform x = mean; it does not depend on the rate. The gradient
part is the rest. Percentiles of the parts do not add up to those of the total.
"""

from __future__ import annotations

from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView, StressView

PARTS = {
    "mismatch": "the mismatch part (uniform x = mean)",
    "gradient": "the gradient part (total − mismatch)",
}


class Parts:
    """Main percentiles of both parts."""

    name = "mismatch and gradient"
    needs_stress = True
    needs_mismatch = True

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        quantities = {
            "first_principal": "the first principal value of the cell-averaged stress of {}, by volume",
            "hydrostatic": "the hydrostatic part of the cell-averaged stress of {}, by volume",
            "boundary_normal": "the facet-averaged normal traction of {}, by area",
        }
        return tuple(
            definition
            for part, words in PARTS.items()
            for key, text in quantities.items()
            for definition in percentile_definitions(f"{part}_{key}", "MPa", text.format(words), "2.7")
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        return {
            **self._part("mismatch", view.mismatch, view),
            **self._part("gradient", view.gradient, view),
        }

    @staticmethod
    def _part(part: str, stress: StressView, view: StateView) -> dict[str, float]:
        volume, area, comm = view.layout.cells.volume, view.layout.facets.area, view.comm
        return {
            **percentile_values(f"{part}_first_principal", stress.first_principal, volume, comm),
            **percentile_values(f"{part}_hydrostatic", stress.hydrostatic, volume, comm),
            **percentile_values(f"{part}_boundary_normal", stress.traction.normal, area, comm),
        }
