"""Field formats by the name a case gives them. A new format is one new file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

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

    def finish(self) -> None:
        """Removes what the finished series does not need."""

    def memory(self) -> dict[str, Any]:
        """What a writer that goes on with the series needs to know, as plain JSON values."""


# The last argument is the memory of a writer whose series goes on, or None.
FieldFormat = Callable[[RunFolder, Layout, IndicatorSettings, fem.FunctionSpace, dict[str, Any] | None], FieldWriter]

FORMATS: dict[str, FieldFormat] = {"vtkhdf": VtkHdfWriter, "vtu": VtuWriter}
