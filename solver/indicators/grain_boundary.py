"""Tractions that pull grain boundaries apart or shear them: facet means, shares of area, faces between two grains.

Equations 4.2 and 4.3. A *face* is the whole boundary between two grains: its traction is the area mean of the traction
vectors of its facets, which no refinement of the mesh can make larger.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.indicators.definition import Definition
from solver.indicators.percentiles import percentile_definitions, percentile_values
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import share_above, total, totals, weighted_mean
from solver.indicators.view import StateView, Traction

THRESHOLD_SOURCES = {
    100.0: "common in models, unmeasured",
    210.0: "used in models, source not traced",
    425.0: "used in models, source not traced",
    745.0: "micro-tensile, NMC811, n = 3 (Sedlatschek 2026)",
}


def boundary_risk(
    normal: NDArray[np.float64], shear: NDArray[np.float64], settings: IndicatorSettings
) -> NDArray[np.float64]:
    """Boundary risk R of (n,) normal and shear tractions [MPa]; 1 is the strength envelope (eq. 4.3)."""
    return np.hypot(np.maximum(normal, 0.0) / settings.normal_strength, shear / settings.shear_strength)


def face_tractions(
    view: StateView, traction: Traction
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Normal and shear traction of each face between two grains [MPa] and its area [µm²], the same on every rank."""
    facets = view.layout.facets
    along, area = traction.normal, facets.area
    tangential = traction.vector - along[:, None] * facets.normal
    columns = np.column_stack([area, area * along, area[:, None] * tangential])
    count = len(facets.pair_grains)
    local = np.zeros((count, columns.shape[1]))
    for column, values in enumerate(columns.T):
        local[:, column] = np.bincount(facets.pair, values, minlength=count)
    sums = totals(local, view.comm)
    return sums[:, 1] / sums[:, 0], np.linalg.norm(sums[:, 2:], axis=1) / sums[:, 0], sums[:, 0]


class GrainBoundary:
    """Normal and shear traction, risk, and shares of the boundary area above given tractions."""

    name = "grain boundary"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        strengths = f"strength {settings.normal_strength:g} MPa normal, {settings.shear_strength:g} MPa shear"
        return (
            Definition("boundary_area", "um^2", "area of all grain boundaries"),
            *percentile_definitions(
                "boundary_normal", "MPa", "the facet-averaged normal traction, tension positive, by area", "4.2"
            ),
            *percentile_definitions("boundary_shear", "MPa", "the facet-averaged shear traction, by area", "4.2"),
            *percentile_definitions("boundary_risk", "-", "the boundary risk R of a facet, by area", "4.3", strengths),
            *(
                Definition(
                    f"boundary_area_above_{threshold:g}MPa",
                    "-",
                    f"share of the boundary area with a normal traction above {threshold:g} MPa",
                    "4.2",
                    THRESHOLD_SOURCES.get(threshold, "given in the case"),
                )
                for threshold in settings.boundary_thresholds
            ),
            Definition("boundary_area_at_risk", "-", "share of the boundary area with R above 1", "4.3", strengths),
            *percentile_definitions(
                "face_normal", "MPa", "the normal traction averaged over the face between two grains, by area", "4.2"
            ),
            *percentile_definitions("face_risk", "-", "the boundary risk R of a face, by area", "4.3", strengths),
            Definition(
                "traction_jump",
                "-",
                "area mean of the difference of the tractions on both sides over the area mean of the traction: "
                "zero in exact equilibrium, a measure of the accuracy",
                "4.2",
            ),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        comm, area, traction = view.comm, view.layout.facets.area, view.stress.traction
        risk = boundary_risk(traction.normal, traction.shear, settings)
        size = weighted_mean(np.linalg.norm(traction.vector, axis=1), area, comm)
        values = {
            "boundary_area": total(area, comm),
            **percentile_values("boundary_normal", traction.normal, area, comm),
            **percentile_values("boundary_shear", traction.shear, area, comm),
            **percentile_values("boundary_risk", risk, area, comm),
        }
        for threshold in settings.boundary_thresholds:
            values[f"boundary_area_above_{threshold:g}MPa"] = share_above(traction.normal, area, threshold, comm)
        values["boundary_area_at_risk"] = share_above(risk, area, 1.0, comm)
        jump = weighted_mean(traction.jump, area, comm)
        return values | self._faces(view, settings) | {"traction_jump": jump / size if size > 0.0 else float("nan")}

    @staticmethod
    def _faces(view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        normal, shear, area = face_tractions(view, view.stress.traction)
        risk = boundary_risk(normal, shear, settings)
        # Every rank holds the whole table: equal shares of the weight leave the percentiles as they are.
        share = area / view.comm.size
        return {
            **percentile_values("face_normal", normal, share, view.comm),
            **percentile_values("face_risk", risk, share, view.comm),
        }
