"""Stress in the grains: percentiles of the invariants of the cell-averaged tensor (eq. 4.1)."""

from __future__ import annotations

from solver.indicators import tensors
from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, share_above
from solver.indicators.view import StateView

# Strength of a primary grain [MPa] in Chen et al. (2024).
GRAIN_STRENGTH = 600.0
_GRAIN_STRENGTH_TEXT = f"{GRAIN_STRENGTH:g} MPa, grain (Chen 2024)"


class Stress:
    """First principal, hydrostatic and von Mises stress, weighted by volume."""

    name = "stress"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        averaged = "of the cell-averaged stress"
        weighted = f"{averaged}, by volume"
        return (
            *percentile_definitions(
                "first_principal", "MPa", f"the first principal value {weighted}", "4.1", _GRAIN_STRENGTH_TEXT
            ),
            Definition(
                "first_principal_volume_above",
                "-",
                f"share of the volume with a first principal value {averaged} above the strength of a grain",
                "4.1",
                _GRAIN_STRENGTH_TEXT,
            ),
            *percentile_definitions("hydrostatic", "MPa", f"the hydrostatic part {weighted}", "4.1"),
            *percentile_definitions("von_mises", "MPa", f"the von Mises equivalent {weighted}", "4.1"),
            Definition(
                "first_principal_nonlocal_max",
                "MPa",
                "largest first principal value of the stress averaged inside grains over the declared length "
                f"({settings.length:g} um): the peak to compare designs by",
                "4.1",
                _GRAIN_STRENGTH_TEXT,
            ),
            Definition(
                "first_principal_max",
                "MPa",
                "largest first principal value of a cell: a diagnostic only, it grows without limit on finer meshes",
            ),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        stress, volume = view.stress, view.layout.cells.volume
        average = view.layout.nonlocal_average
        return {
            **percentile_values("first_principal", stress.first_principal, volume, view.comm),
            "first_principal_volume_above": share_above(stress.first_principal, volume, GRAIN_STRENGTH, view.comm),
            **percentile_values("hydrostatic", stress.hydrostatic, volume, view.comm),
            **percentile_values("von_mises", stress.von_mises, volume, view.comm),
            "first_principal_nonlocal_max": maximum(tensors.first_principal(average(stress.cell_stress)), view.comm),
            "first_principal_max": maximum(stress.first_principal, view.comm),
        }
