"""The observer that turns accepted states into results: indicators, tables, fields, summary."""

from __future__ import annotations

from typing import Protocol

from solver.indicators.definition import IndicatorSettings
from solver.indicators.registry import IndicatorSet, definitions
from solver.indicators.view import StateView
from solver.output.folder import RunFolder
from solver.output.history import History, state_values
from solver.output.summary import Summary
from solver.solve.domain import Domain
from solver.solve.state import State, StepResult


class FieldWriter(Protocol):
    """Writes the fields of output states; every call is collective."""

    def write(self, view: StateView) -> None:
        """Adds a state to the series on disk."""


class Recorder:
    """Records a run; hand it to the time loop as an observer.

    Args:
        folder: Open run folder.
        domain: The distributed particle.
        settings: Numbers the case fixes for the indicators.
        fields: Writer of the fields; None for none.
    """

    def __init__(
        self, folder: RunFolder, domain: Domain, settings: IndicatorSettings, fields: FieldWriter | None
    ) -> None:
        self._folder = folder
        self._fields = fields
        self._indicators = IndicatorSet(domain, settings)
        table = definitions(settings)
        self._history = History(folder.path, table) if folder.comm.rank == 0 else None
        self.summary = Summary(table)

    def on_state(self, state: State) -> None:
        """Evaluates and writes an output state; collective."""
        view = self._indicators.view(state)
        values = state_values(state) | self._indicators.evaluate(view)
        if self._history is not None:
            self._history.add_state(values)
        if self._fields is not None:
            self._fields.write(view)
        self.summary.add(values)
        self._folder.update_status(states=state.index + 1, time=state.time, state_of_charge=state.state_of_charge)

    def on_step(self, result: StepResult) -> None:
        """Notes an attempted step."""
        if self._history is not None:
            self._history.add_step(result)
        self.summary.count(result)

    def close(self) -> None:
        """Closes the tables; the summary stays available."""
        if self._history is not None:
            self._history.close()
