"""The two tables of a run: output states with all indicators, and every attempted time step."""

from __future__ import annotations

from pathlib import Path

from solver.indicators.definition import Definition
from solver.output.files import Table
from solver.solve.state import State, StepResult

STATE_DEFINITIONS = (
    Definition("state", "-", "number of the output state, from 0"),
    Definition("time", "s", "time since the start of the protocol"),
    Definition("protocol_step", "-", "step of the protocol, from 1; 0 at the start"),
    Definition("state_of_charge", "-", "1 − mean stoichiometry", "3.5"),
    Definition("mean_stoichiometry", "-", "volume mean of x"),
    Definition("voltage", "V", "potential of the particle against lithium; empty without a voltage curve", "11.1"),
    Definition("state_of_charge_rate", "1/h", "rate of the state of charge, positive on charge; empty where it jumps"),
    Definition(
        "energy_imbalance",
        "-",
        "with two-way coupling: free energy not accounted for, over what is dissipated and stored; below 0.05",
        "13.11",
    ),
)

STEP_COLUMNS = (
    "attempt [-]",
    "time [s]",
    "step [s]",
    "protocol_step [-]",
    "accepted [-]",
    "reason",
    "error_over_tolerance [-]",
    "largest_change [-]",
    "iterations [-]",
    "outer_iterations [-]",
    "mean_stoichiometry [-]",
    "voltage [V]",
    "state_of_charge_rate [1/h]",
)


def state_values(state: State) -> dict[str, float]:
    """The columns of a state that are not indicators, by key."""
    return {
        "state": state.index,
        "time": state.time,
        "protocol_step": state.step_number,
        "state_of_charge": state.state_of_charge,
        "mean_stoichiometry": state.mean_stoichiometry,
        "voltage": state.potential,
        "state_of_charge_rate": -3600.0 * state.rate,
        "energy_imbalance": state.energy_imbalance,
    }


class History:
    """Writes `history.csv` and `steps.csv`; used on rank 0 only.

    Args:
        folder: Run folder.
        definitions: Definitions of the indicators, in the order of the columns.
        states: So many output states that are there stay.
        attempts: And so many attempted steps.
    """

    def __init__(self, folder: Path, definitions: tuple[Definition, ...], states: int = 0, attempts: int = 0) -> None:
        self._keys = [definition.key for definition in (*STATE_DEFINITIONS, *definitions)]
        headers = [definition.header for definition in (*STATE_DEFINITIONS, *definitions)]
        self._states = Table(folder / "history.csv", headers, states)
        self._steps = Table(folder / "steps.csv", STEP_COLUMNS, attempts)
        self._attempts = attempts

    def add_state(self, values: dict[str, float]) -> None:
        """Adds one output state, given by key."""
        self._states.append([values[key] for key in self._keys])

    def add_step(self, result: StepResult) -> None:
        """Adds one attempted step."""
        self._attempts += 1
        self._steps.append(
            [
                self._attempts,
                result.time,
                result.step,
                result.step_number,
                int(result.accepted),
                result.reason,
                result.error,
                result.change,
                result.iterations,
                result.outer,
                result.mean_stoichiometry,
                result.potential,
                -3600.0 * result.rate,
            ]
        )

    def close(self) -> None:
        """Closes both files."""
        self._states.close()
        self._steps.close()
