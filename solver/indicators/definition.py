"""What an indicator is: its definition as data, and the interface of a family of indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solver.indicators.settings import IndicatorSettings
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


class Indicator(Protocol):
    """A family of indicators: stateless, evaluated on all ranks for every output state."""

    name: str
    needs_stress: bool
    needs_mismatch: bool

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """Definitions of the numbers `evaluate` returns, in that order."""

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """The numbers of one state, the same on every rank; NaN where one is not defined."""
