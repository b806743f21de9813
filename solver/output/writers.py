"""Field formats by the name a case gives them. A new format is one new file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dolfinx import fem

from solver.indicators.layout import Layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.folder import RunFolder
from solver.output.vtkhdf import VtkHdfWriter
from solver.output.vtu import VtuWriter


class FieldWriter(Protocol):
    """Writes the fields of output states."""

    def write(self, view: StateView) -> None:
        """Adds a state to the series on disk; collective."""


FieldFormat = Callable[[RunFolder, Layout, IndicatorSettings, fem.FunctionSpace], FieldWriter]

FORMATS: dict[str, FieldFormat] = {"vtkhdf": VtkHdfWriter, "vtu": VtuWriter}
