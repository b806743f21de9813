"""Stress in coatings and on their bond to the grains (eqs. 8.3, 8.8-8.10)."""

from __future__ import annotations

import numpy as np

from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import share_above
from solver.indicators.view import StateView

_NO_COATING = "empty without a coating"


class CoatingOutside:
    """How far the outside must go for lithium to pass the coating."""

    name = "coating resistance"
    needs_stress = False
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        meaning = (
            "x that the outside is in equilibrium with; that of the surface without a coating, beyond it by the drop "
            "across a coating's resistance; empty with `kinetics: uniform-flux`"
        )
        return (Definition("outside_stoichiometry", "-", meaning, "8.3"),)

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        return {"outside_stoichiometry": view.state.outside}


class Coating:
    """Hoop stress, energy release rate and interface tractions of coatings."""

    name = "coating"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        return (
            *percentile_definitions(
                "coating_hoop",
                "MPa",
                f"the larger principal stress along the surface in coatings, by their volume; {_NO_COATING}",
                "8.8",
            ),
            *percentile_definitions(
                "coating_energy_release",
                "J/m^2",
                f"σ²h/E' of a layer, the energy release rate of a crack in or under it; {_NO_COATING}",
                "8.9",
                "the toughness of the layer's bond (`vegard materials`)",
            ),
            *percentile_definitions(
                "coating_normal_traction",
                "MPa",
                f"the normal traction between grains and coating, by area, tension positive; {_NO_COATING}",
                "8.10",
                "the adhesion of the innermost layer (`vegard materials`)",
            ),
            *percentile_definitions(
                "coating_shear_traction",
                "MPa",
                f"the shear traction between grains and coating, by area; {_NO_COATING}",
                "8.10",
                "the adhesion of the innermost layer (`vegard materials`)",
            ),
            Definition(
                "coating_delaminated_area",
                "-",
                "share of the coated area whose traction is above the adhesion of the innermost layer; empty without a "
                "coating or an adhesion",
                "8.10",
            ),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        coating, comm = view.sample.coating, view.comm
        if coating is None:
            return {definition.key: float("nan") for definition in self.definitions(settings)}
        traction = np.hypot(np.maximum(coating.normal, 0.0), coating.shear)
        delaminated = share_above(traction, coating.areas, coating.adhesion, comm)
        return {
            **percentile_values("coating_hoop", coating.hoop, coating.weights, comm),
            **percentile_values("coating_energy_release", coating.energy_release, coating.weights, comm),
            **percentile_values("coating_normal_traction", coating.normal, coating.areas, comm),
            **percentile_values("coating_shear_traction", coating.shear, coating.areas, comm),
            "coating_delaminated_area": float("nan") if np.isnan(coating.adhesion) else delaminated,
        }
