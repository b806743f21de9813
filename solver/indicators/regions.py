"""Where the particle is worst off: core, middle and rim (eq. 4.8)."""

from __future__ import annotations

import numpy as np

from solver.indicators.definition import Definition
from solver.indicators.layout import REGION_BOUNDS, REGIONS
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import share_above, total, weighted_mean, weighted_percentiles
from solver.indicators.view import StateView

_WHERE = {
    "core": f"r/R < {REGION_BOUNDS[0]:g}",
    "middle": f"{REGION_BOUNDS[0]:g} ≤ r/R < {REGION_BOUNDS[1]:g}",
    "rim": f"r/R ≥ {REGION_BOUNDS[1]:g}",
}


class Regions:
    """Boundaries pulled, principal stress and energy of each region, and the region with the largest tension."""

    name = "core, middle, rim"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        per_region = [
            (
                Definition(
                    f"{name}_boundary_tension",
                    "MPa",
                    f"area mean of the tensile normal traction (compression counts as zero) at {_WHERE[name]}",
                    "4.8",
                ),
                Definition(
                    f"{name}_boundary_area_pulled",
                    "-",
                    f"share of the boundary area at {_WHERE[name]} with a normal traction above the normal strength",
                    "4.8",
                    f"strength {settings.normal_strength:g} MPa",
                ),
                Definition(
                    f"{name}_first_principal_p95",
                    "MPa",
                    f"95th percentile of the first principal value of the cell-averaged stress at {_WHERE[name]}",
                    "4.8",
                ),
                Definition(f"{name}_energy_share", "-", f"share of the elastic energy at {_WHERE[name]}", "4.8"),
            )
            for name in REGIONS
        ]
        numbers = ", ".join(f"{number} {name}" for number, name in enumerate(REGIONS))
        worst = Definition(
            "worst_region", "-", f"region with the largest boundary tension: {numbers}; empty without tension", "4.8"
        )
        return (*(definition for group in per_region for definition in group), worst)

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        cells, facets, comm = view.layout.cells, view.layout.facets, view.comm
        tension = np.maximum(view.stress.traction.normal, 0.0)
        energy = total(view.energy, comm)
        values: dict[str, float] = {}
        for number, name in enumerate(REGIONS):
            inside = cells.region == number
            area = facets.area * (facets.region == number)
            principal = weighted_percentiles(view.stress.first_principal, cells.volume * inside, [95.0], comm)[0]
            values[f"{name}_boundary_tension"] = weighted_mean(tension, area, comm)
            values[f"{name}_boundary_area_pulled"] = share_above(tension, area, settings.normal_strength, comm)
            values[f"{name}_first_principal_p95"] = float(principal)
            values[f"{name}_energy_share"] = total(view.energy[inside], comm) / energy if energy > 0.0 else float("nan")
        tensions = np.array([values[f"{name}_boundary_tension"] for name in REGIONS])
        stressed = np.any(tensions > 0.0)
        values["worst_region"] = float(np.nanargmax(tensions)) if stressed else float("nan")
        return values
