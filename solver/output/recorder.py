"""The observer that turns accepted states into results: indicators, tables, fields, summary."""

from __future__ import annotations

import logging
from typing import Any

from solver.indicators.registry import IndicatorSet, definitions
from solver.indicators.settings import IndicatorSettings
from solver.output.folder import RunFolder
from solver.output.history import History, state_values
from solver.output.summary import MaterialFacts, Summary
from solver.output.writers import FORMATS, FieldWriter
from solver.solve.domain import Domain
from solver.solve.phases import Phases
from solver.solve.state import State, StepResult

log = logging.getLogger(__name__)


class Recorder:
    """Records a run; hand it to the time loop as an observer. Construction is collective.

    Args:
        folder: Open run folder.
        domain: The distributed particle.
        settings: Numbers the case fixes for the indicators.
        field_format: Name of a format in `solver.output.writers.FORMATS`.
        phases: Stopwatch.
        material: What the grains are made of, for guards and capacities.
        kept: What a run that goes on had recorded, see `memory`.

    Attributes:
        summary: What was recorded so far.
    """

    def __init__(
        self,
        folder: RunFolder,
        domain: Domain,
        settings: IndicatorSettings,
        field_format: str,
        phases: Phases,
        material: MaterialFacts | None = None,
        kept: dict[str, Any] | None = None,
    ) -> None:
        self._folder, self._phases = folder, phases
        with phases.measure("indicator set-up"):
            self._indicators = IndicatorSet(domain, settings)
        self._settings, self._format = settings, FORMATS[field_format]
        self._fields: FieldWriter | None = None  # begun with the first state, which knows where x may jump
        table = definitions(settings)
        self.summary = Summary(table, domain, material)
        if kept is not None:
            self.summary.recall(kept["summary"])
        self._earlier = kept["fields"] if kept is not None else None
        states, attempts = len(self.summary.states), self.summary.attempts
        self._history = History(folder.path, table, states, attempts) if folder.comm.rank == 0 else None

    def on_state(self, state: State) -> None:
        """Evaluates and writes an output state; collective."""
        view = self._indicators.view(state)
        with self._phases.measure("indicators"):
            values = state_values(state) | self._indicators.evaluate(view)
        with self._phases.measure("field output"):
            if self._history is not None:
                self._history.add_state(values)
            if self._fields is None:
                space = state.stoichiometry.function_space
                self._fields = self._format(self._folder, self._indicators.layout, self._settings, space, self._earlier)
            self._fields.write(view)
        for warning in self.summary.add(values, state.ended):
            self._warn(f"at {state.time:.6g} s {warning}")
        self._folder.update_status(states=state.index + 1, time=state.time, state_of_charge=state.state_of_charge)

    def on_step(self, result: StepResult) -> None:
        """Notes an attempted step."""
        if self._history is not None:
            self._history.add_step(result)
        if self.summary.count(result):
            self._warn(f"at {result.time:.6g} s {result.warning}")

    def _warn(self, text: str) -> None:
        """Tells once what a guard found, in the log; the summary counts how often."""
        if self._folder.comm.rank == 0:
            log.warning(text)

    def memory(self) -> dict[str, Any]:
        """What is needed to go on recording, as plain JSON values but for NaN."""
        fields = self._earlier if self._fields is None else self._fields.memory()
        return {"summary": self.summary.memory(), "fields": fields}

    def finish(self) -> None:
        """Tidies up after a run that has come to its end."""
        if self._fields is not None:
            self._fields.finish()

    def close(self) -> None:
        """Closes the tables; the summary stays available."""
        if self._history is not None:
            self._history.close()
