"""The run in a few numbers: final and extreme values of every indicator, with units and where they occurred."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from solver.indicators.definition import Definition
from solver.indicators.registry import DEFINITIONS_VERSION
from solver.materials.radial import RadialMaterial
from solver.output.history import STATE_DEFINITIONS
from solver.solve.domain import Domain
from solver.solve.guards import VOLTAGE_GUARD, Tables, Warnings
from solver.solve.state import StepResult

# What "the state of highest risk" is chosen by, in this order: the first that is defined in some state.
RISK_KEYS = ("boundary_risk_p95", "first_principal_p95")


@dataclass(frozen=True)
class MaterialFacts:
    """What a summary knows of the material.

    Attributes:
        tables: Ranges in which it is known.
        capacity: Charge for x from 1 to 0 [mAh/g]; NaN when not known.
    """

    tables: Tables = field(default_factory=Tables)
    capacity: float = math.nan

    @classmethod
    def of(cls, material: RadialMaterial) -> MaterialFacts:
        """From what the grains are made of."""
        voltage = material.materials[-1].open_circuit
        tables = Tables(material.stoichiometry_range, (0.0, 1.0) if voltage is None else voltage.valid)
        return cls(tables, material.theoretical_capacity)


_COLLECTED = ("states", "ends", "accepted", "rejected", "outer")


class Summary:
    """Collects output states; the same on every rank.

    Args:
        definitions: Definitions of the indicators.
        domain: The particle.
        material: What the grains are made of.
    """

    def __init__(
        self, definitions: tuple[Definition, ...], domain: Domain, material: MaterialFacts | None = None
    ) -> None:
        material = material or MaterialFacts()
        self._particle = {
            "dimension": domain.dimension,
            "centre": [float(value) for value in domain.centroid],
            "radius": float(domain.radius),
        }
        self.definitions = (*STATE_DEFINITIONS, *definitions)
        self.states: list[dict[str, float]] = []
        self.ends: list[dict[str, float | str | None]] = []
        self._capacity, self._charge = material.capacity, math.nan
        self._warnings = Warnings(material.tables)
        self.accepted = 0
        self.rejected = 0
        self.outer = 0

    def add(self, values: dict[str, float], ended: str = "") -> list[str]:
        """Adds an output state.

        Args:
            values: All columns of the history by key.
            ended: Why a step of the protocol ended with it.

        Returns:
            What guards warn about for the first time.
        """
        self.states.append(values)
        if ended and values["protocol_step"]:
            names = ("protocol_step", "time", "state_of_charge", "voltage", "state_of_charge_rate")
            moved = _plain(self._capacity * (values["state_of_charge"] - self._charge))
            self.ends.append({name: _plain(values[name]) for name in names} | {"capacity": moved} | {"ended_by": ended})
        if ended:
            self._charge = values["state_of_charge"]
        return self._warnings.look(values)

    def count(self, result: StepResult) -> bool:
        """Counts an attempted step; returns whether it brought a warning for the first time."""
        self.accepted += result.accepted
        self.rejected += not result.accepted
        self.outer += result.outer
        return bool(result.warning) and self._warnings.add(VOLTAGE_GUARD.name, result.warning, result.time)

    @property
    def attempts(self) -> int:
        """Number of attempted steps."""
        return self.accepted + self.rejected

    def memory(self) -> dict[str, Any]:
        """Everything collected, as plain JSON values but for NaN."""
        return {name: getattr(self, name) for name in _COLLECTED} | {
            "charge": self._charge,
            "warnings": self._warnings.as_data(),
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """Goes on from what was collected, with null for NaN."""
        for name in _COLLECTED:
            setattr(self, name, memory[name])
        self.states = [{key: math.nan if value is None else value for key, value in row.items()} for row in self.states]
        self._charge = math.nan if memory["charge"] is None else memory["charge"]
        self._warnings.recall(memory["warnings"])

    def highest_risk(self) -> tuple[int, str] | None:
        """Position of the output state of highest risk and the key it was chosen by; None without stress."""
        for key in RISK_KEYS:
            defined = [number for number, values in enumerate(self.states) if math.isfinite(values.get(key, math.nan))]
            if defined:
                return max(defined, key=lambda number: self.states[number][key]), key
        return None

    def as_data(self) -> dict[str, Any]:
        """Content of `summary.json`."""
        risk = self.highest_risk()
        worst = None
        if risk:
            state = self.states[risk[0]]
            worst = {name: state[name] for name in ("state", "time", "state_of_charge")} | {"chosen_by": risk[1]}
        return {
            "definitions_version": DEFINITIONS_VERSION,
            "output_states": len(self.states),
            "steps_accepted": self.accepted,
            "steps_rejected": self.rejected,
            "outer_iterations": self.outer,
            "protocol": self.ends,
            "warnings": self._warnings.as_data(),
            "highest_risk": worst,
            "values": {definition.key: self._values(definition) for definition in self.definitions},
            "particle": self._particle,
        }

    def _values(self, definition: Definition) -> dict[str, Any]:
        """Unit, final value and extremes over the output states of one column."""
        column = [(values[definition.key], values) for values in self.states]
        finite = [entry for entry in column if math.isfinite(entry[0])]
        data: dict[str, Any] = {"unit": definition.unit, "final": column[-1][0] if column else None}
        if finite:
            for name, pick in (("minimum", min), ("maximum", max)):
                value, state = pick(finite, key=lambda entry: entry[0])
                data[name] = {"value": value, "time": state["time"], "state_of_charge": state["state_of_charge"]}
        return data


def _plain(value: float) -> float | None:
    """A number as JSON can hold it."""
    return float(value) if math.isfinite(value) else None
