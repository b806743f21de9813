"""Weakest-link failure probability of the particle's volume (eq. 4.7)."""

from __future__ import annotations

import numpy as np

from solver.indicators.definition import Definition
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import maximum, total
from solver.indicators.view import StateView


class FailureProbability:
    """Weibull statistics on the tensile first principal stress of the cells."""

    name = "failure probability"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        constants = (
            f"m = {settings.weibull_modulus:g}, σ₀ = {settings.weibull_stress:g} MPa, "
            f"V₀ = {settings.weibull_volume:g} um^3 (m and σ₀ are by default those of three micro-tensile tests of "
            "NMC811, Sedlatschek 2026: a guide, not a calibration)"
        )
        return (
            Definition(
                "weibull_stress",
                "MPa",
                "uniform tension of the reference volume that breaks it as likely as this stress field the particle",
                "4.7",
                constants,
            ),
            Definition("failure_probability", "-", "probability that the weakest link breaks", "4.7", constants),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        tension = np.maximum(view.stress.first_principal, 0.0)
        largest = maximum(tension, view.comm)
        if not largest > 0.0:
            return {"weibull_stress": 0.0, "failure_probability": 0.0}
        # Powers of the ratio to the largest value: the integral cannot overflow, whatever the modulus.
        volume = view.layout.cells.volume / settings.weibull_volume
        integral = total((tension / largest) ** settings.weibull_modulus * volume, view.comm)
        stress = largest * integral ** (1.0 / settings.weibull_modulus)
        load = min(stress / settings.weibull_stress, 1e3)
        return {
            "weibull_stress": stress,
            "failure_probability": -float(np.expm1(-min(load**settings.weibull_modulus, 700.0))),
        }
