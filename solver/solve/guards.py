"""Guards: everything that must hold while a run goes on, in one list, with its limit and what happens beyond it.

Guards of a step look at a trial state: what fails is rejected and tried again with a smaller step, down to
`numerics.minimum_step`, where the run stops with the message. Guards of a state look at what is written: they warn, in
the log, below the table of results and in `warnings` of summary.json.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from solver.solve.segments import Reading
from solver.solve.transport import Attempt

Reaction = Literal["reject", "reject, then warn", "warn"]

# P1 elements leave [0, 1] a little next to a steep front, with layered crystals: by 0.008 at 4C, by 0.07 where a
# surface jumps by 0.95, which smaller steps do not mend. More than this spoils strains and voltages.
OVERSHOOT = 0.02
_COARSE = "or the mesh is too coarse for so steep a front"
VOLTAGE_JUMP = 0.1
LITHIUM_IMBALANCE, STRESS_IMBALANCE, ENERGY_IMBALANCE = 1e-8, 1e-4, 0.05
# Tables end where they were measured; closer than this nobody could tell.
BEYOND_TABLE = 0.005


@dataclass(frozen=True)
class Trial:
    """An attempted step as guards see it.

    Attributes:
        attempt: Its outcome.
        before: Reading at the last accepted state.
        after: Reading at the trial state.
        size: Step [s].
    """

    attempt: Attempt
    before: Reading
    after: Reading
    size: float


@dataclass(frozen=True)
class Tables:
    """Ranges of x in which the material is known.

    Attributes:
        lattice: That of the lattice strains of all materials.
        voltage: That of the voltage curve.
    """

    lattice: tuple[float, float] = (0.0, 1.0)
    voltage: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class StepGuard:
    """A guard of attempted steps.

    Attributes:
        name: Short name.
        watches: What must hold.
        limit: The limit in words.
        reaction: What happens otherwise.
        problem: What is wrong with a trial; empty when nothing is.
    """

    name: str
    watches: str
    limit: str
    reaction: Reaction
    problem: Callable[[Trial], str]


@dataclass(frozen=True)
class StateGuard:
    """A guard of output states; `problem` takes the columns of the history by key."""

    name: str
    watches: str
    limit: str
    problem: Callable[[Mapping[str, float], Tables], str]
    reaction: Reaction = "warn"


def _unsolved(trial: Trial) -> str:
    attempt = trial.attempt
    known = attempt.problem or f"the diffusion solve did not converge in {attempt.iterations} iterations"
    return "" if attempt.converged else known


def _not_finite(trial: Trial) -> str:
    attempt = trial.attempt
    found = (attempt.error, attempt.change, attempt.lithium, attempt.lowest, attempt.highest)
    return "" if all(map(math.isfinite, found)) else "the diffusion solve gave numbers that are not finite"


def _empty(trial: Trial) -> str:
    lowest = trial.attempt.lowest
    text = f"x would fall to {lowest:.3f}: the surface is empty and the current cannot be supplied, {_COARSE}"
    return text if lowest < -OVERSHOOT else ""


def _full(trial: Trial) -> str:
    highest = trial.attempt.highest
    text = f"x would rise to {highest:.3f}: the surface is full and the current cannot be taken up, {_COARSE}"
    return text if highest > 1.0 + OVERSHOOT else ""


def _beyond_film(trial: Trial) -> str:
    outside = trial.attempt.outside
    text = f"the outside would have to be at x = {outside:.3f}: the coating passes too little lithium"
    return text if outside < -OVERSHOOT or outside > 1.0 + OVERSHOOT else ""


def _voltage_jump(trial: Trial) -> str:
    change = trial.after.potential - trial.before.potential
    text = f"the voltage would change by {change:.3f} V in {trial.size:.3g} s"
    return text if abs(change) > VOLTAGE_JUMP else ""


STEP_GUARDS = (
    StepGuard("solution", "the equations of the step are solved", "solver tolerance", "reject", _unsolved),
    StepGuard("numbers", "all numbers are finite", "finite", "reject", _not_finite),
    StepGuard("empty", "x anywhere", f"not below −{OVERSHOOT:g}", "reject", _empty),
    StepGuard("full", "x anywhere", f"not above 1 + {OVERSHOOT:g}", "reject", _full),
    StepGuard(
        "film", "x that the outside of a coating stands for", f"within 0 to 1 by {OVERSHOOT:g}", "reject", _beyond_film
    ),
)
VOLTAGE_GUARD = StepGuard(
    "voltage",
    "change of the voltage from one accepted step to the next while the current is steady",
    f"{VOLTAGE_JUMP:g} V",
    "reject, then warn",
    _voltage_jump,
)


def step_problem(trial: Trial) -> str:
    """Why a trial state must not be accepted; empty when it may."""
    return next(filter(None, (guard.problem(trial) for guard in STEP_GUARDS)), "")


def _above(key: str, limit: float, text: str) -> Callable[[Mapping[str, float], Tables], str]:
    """A guard of a column that should vanish; states without it are right."""

    def problem(values: Mapping[str, float], tables: Tables) -> str:
        value = values.get(key, math.nan)
        return text.format(value=value) if value > limit else ""

    return problem


def _outside_unit(values: Mapping[str, float], tables: Tables) -> str:
    low, high = values["stoichiometry_min"], values["stoichiometry_max"]
    text = f"x is between {low:.4f} and {high:.4f}, beyond empty or full: refine the mesh, or lower the current"
    return text if low < -BEYOND_TABLE or high > 1.0 + BEYOND_TABLE else ""


def _outside_lattice(values: Mapping[str, float], tables: Tables) -> str:
    low, high = tables.lattice
    strains = "nobody measured the volume change there, strains are those of the end of the table"
    known = math.isfinite(values.get("first_principal_p95", math.nan))
    return _outside_table(values, tables.lattice, f"the lattice table ends at {low:g} and {high:g}; {strains}", known)


def _outside_voltage(values: Mapping[str, float], tables: Tables) -> str:
    low, high = tables.voltage
    text = f"the voltage curve ends at {low:g} and {high:g}, and goes on by a law of its own (eq. 11.2)"
    return _outside_table(values, tables.voltage, text, math.isfinite(values["voltage"]))


def _outside_table(values: Mapping[str, float], table: tuple[float, float], text: str, known: bool) -> str:
    low, high = values["stoichiometry_min"], values["stoichiometry_max"]
    beyond = low < table[0] - BEYOND_TABLE or high > table[1] + BEYOND_TABLE
    return f"x is between {low:.3f} and {high:.3f}: {text}" if known and beyond else ""


STATE_GUARDS = (
    StateGuard(
        "lithium balance",
        "lithium in the particle against the current (`lithium_imbalance`)",
        f"{LITHIUM_IMBALANCE:g}",
        _above("lithium_imbalance", LITHIUM_IMBALANCE, "lithium is off balance by {value:.1e}; lower the tolerances"),
    ),
    StateGuard(
        "stress balance",
        "integral of the stress of a free particle (`stress_imbalance`)",
        f"{STRESS_IMBALANCE:g}",
        _above(
            "stress_imbalance",
            STRESS_IMBALANCE,
            "stress is off balance by {value:.1e}; lower numerics.displacement_tolerance",
        ),
    ),
    StateGuard(
        "energy balance",
        "free energy that went in against what is stored and dissipated, with two-way coupling (`energy_imbalance`)",
        f"{ENERGY_IMBALANCE:g}",
        _above(
            "energy_imbalance",
            ENERGY_IMBALANCE,
            "energy is off balance by {value:.1e}; refine the mesh, or lower time_tolerance",
        ),
    ),
    StateGuard("range", "x anywhere", f"within 0 to 1 by {BEYOND_TABLE:g}", _outside_unit),
    StateGuard(
        "lattice table", "x anywhere, with mechanics", f"within the table by {BEYOND_TABLE:g}", _outside_lattice
    ),
    StateGuard(
        "voltage table",
        "x anywhere, where there is a voltage",
        f"within the curve by {BEYOND_TABLE:g}",
        _outside_voltage,
    ),
)
GUARDS: tuple[StepGuard | StateGuard, ...] = (*STEP_GUARDS, VOLTAGE_GUARD, *STATE_GUARDS)


class Warnings:
    """What guards warned about, each guard once, with the first state and the number of them."""

    def __init__(self, tables: Tables | None = None) -> None:
        self._tables = tables or Tables()
        self._found: dict[str, dict[str, str | float | int]] = {}

    def look(self, values: Mapping[str, float]) -> list[str]:
        """Looks at an output state; returns what is new."""
        problems = [(guard.name, guard.problem(values, self._tables)) for guard in STATE_GUARDS]
        return [text for name, text in problems if text and self.add(name, text, values["time"])]

    def add(self, guard: str, text: str, time: float) -> bool:
        """Takes a warning; returns whether it is the first of its guard."""
        known = self._found.setdefault(guard, {"guard": guard, "text": text, "time": time, "count": 0})
        known["count"] = int(known["count"]) + 1
        return known["count"] == 1

    def as_data(self) -> list[dict[str, str | float | int]]:
        """Content of `warnings` in summary.json."""
        return [dict(entry) for entry in self._found.values()]

    def recall(self, entries: Iterable[Mapping[str, str | float | int]]) -> None:
        """Goes on from warnings that were given before, as `as_data` told them."""
        self._found = {str(entry["guard"]): dict(entry) for entry in entries}
