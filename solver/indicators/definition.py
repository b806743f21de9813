"""What an indicator is: its definition as data, the settings it reads, and the interface of a family of indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solver.indicators.view import StateView


@dataclass(frozen=True)
class Definition:
    """One number of the history table.

    Attributes:
        key: Column name.
        unit: Unit shown in the header; "-" for a pure number.
        meaning: What it is, in words.
        equation: Number in docs/theory.md, "" when there is none.
        threshold: Value it is to be compared with, and its source; "" when there is none.
    """

    key: str
    unit: str
    meaning: str
    equation: str = ""
    threshold: str = ""

    @property
    def header(self) -> str:
        """Column title with unit."""
        return f"{self.key} [{self.unit}]"


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


class Indicator(Protocol):
    """A family of indicators: stateless, evaluated on all ranks for every output state."""

    name: str
    needs_stress: bool
    needs_mismatch: bool

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """Definitions of the numbers `evaluate` returns, in that order."""

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """The numbers of one state, the same on every rank; NaN where one is not defined."""
