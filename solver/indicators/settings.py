"""Numbers that the case fixes for the indicators."""

from __future__ import annotations

from dataclasses import dataclass

from solver.case.schema import Indicators


@dataclass(frozen=True)
class IndicatorSettings:
    """Numbers that the case fixes for the indicators.

    Attributes:
        length: Declared physical length ℓ [µm] of averages and of the boundary zone.
        boundary_thresholds: Tractions [MPa] whose exceeded area is reported.
        normal_strength: Grain-boundary strength σ_n [MPa] in the boundary risk.
        shear_strength: Grain-boundary shear strength τ_n [MPa] in the boundary risk.
        weibull_modulus: Modulus m [-].
        weibull_stress: Scale σ₀ [MPa].
        weibull_volume: Reference volume V₀ [µm³].
    """

    length: float = 0.15
    boundary_thresholds: tuple[float, ...] = (100.0, 210.0, 425.0, 745.0)
    normal_strength: float = 300.0
    shear_strength: float = 300.0
    weibull_modulus: float = 6.91
    weibull_stress: float = 745.0
    weibull_volume: float = 1.0

    @classmethod
    def of(cls, case: Indicators) -> IndicatorSettings:
        """Settings of a case's section `indicators`."""
        return cls(
            length=case.length,
            # Rounded as in the names of the columns, which must differ.
            boundary_thresholds=tuple(sorted({float(f"{value:g}") for value in case.boundary_thresholds})),
            normal_strength=case.normal_strength,
            shear_strength=case.shear_strength,
            weibull_modulus=case.weibull_modulus,
            weibull_stress=case.weibull_stress,
            weibull_volume=case.weibull_volume,
        )
