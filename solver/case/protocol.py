"""Charging protocols as data, and the plan that connects their steps; `solver.case.protocol_text` reads them.

The state of charge is 1 − mean stoichiometry (eq. 3.5 of docs/theory.md), so charging removes lithium and raises it.
A step that ends at a voltage or a current ends where the solver finds it; the plan holds an estimate.
A step that follows a table takes its current from a file, see `solver.case.current_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from solver.case.course import Course

LONGEST_STEP = 1000 * 3600.0
_SECONDS_PER_HOUR = 3600.0
# Rounding in "from 5 % until 5 % SoC" must not decide whether a step goes up or down.
_SAME_STATE = 1e-9
_HOLD_ESTIMATE = 1800.0  # how long a held voltage takes, when nobody says
_LONGEST_HOLD = 100 * 3600.0
_MARGIN = 0.02

Kind = Literal["charge", "discharge", "rest", "hold", "follow"]
EndKind = Literal["soc", "voltage", "current"]
# Stoichiometry at which a voltage is in equilibrium.
StoichiometryAt = Callable[[float], float]


@dataclass(frozen=True)
class StepEnd:
    """What ends a step besides time.

    Attributes:
        kind: What is watched.
        value: State of charge [-], voltage [V] or current in multiples of the 1C current.
        text: As the user wrote it.
    """

    kind: EndKind
    value: float
    text: str


@dataclass(frozen=True)
class TableChoice:
    """A file of currents, and what the user says about it.

    Attributes:
        file: Name, relative to the folder of the case.
        one_c_current: Current called 1C [A], for columns in amperes.
        charge_is_positive: Whether currents that charge are positive, as cyclers count; cell models do the opposite.
    """

    file: str
    one_c_current: float | None = None
    charge_is_positive: bool = False


@dataclass(frozen=True)
class ProtocolStep:
    """One step of a protocol.

    Attributes:
        kind: What happens to the particle.
        c_rate: Current in multiples of the 1C current, positive; 0 where it is none or varies.
        duration: Longest time of the step [s], or None when only an end is given.
        ends: What ends the step before that.
        voltage: Voltage held [V]; None unless the kind is "hold".
        table: Currents followed; None unless the kind is "follow".
        text: The step as the user wrote it.
    """

    kind: Kind
    c_rate: float
    duration: float | None
    ends: tuple[StepEnd, ...]
    text: str
    voltage: float | None = None
    table: TableChoice | None = None

    @property
    def direction(self) -> int:
        """Sign of the change of the state of charge: +1, −1, or 0 where it is none or not known."""
        return {"charge": 1, "discharge": -1, "rest": 0, "hold": 0, "follow": 0}[self.kind]

    @property
    def until_soc(self) -> float | None:
        """State of charge at which the step ends [-], if one is given."""
        return next((end.value for end in self.ends if end.kind == "soc"), None)

    @property
    def needs_voltage(self) -> bool:
        """Whether the step can only be taken with a material of known voltage."""
        return self.kind == "hold" or any(end.kind == "voltage" for end in self.ends)


@dataclass(frozen=True)
class PlannedStep:
    """A step with the states of charge it connects.

    Attributes:
        step: The step.
        start_soc: State of charge at its start [-].
        end_soc: State of charge at its end [-].
        duration: Time it takes [s].
        is_exact: Whether the three are known; otherwise they are estimates at equilibrium.
        longest: Time after which it is given up, or ends, without having met an end [s].
    """

    step: ProtocolStep
    start_soc: float
    end_soc: float
    duration: float
    is_exact: bool = True
    longest: float = LONGEST_STEP


def plan_protocol(
    steps: Iterable[ProtocolStep],
    initial_stoichiometry: float,
    capacity_ratio: float,
    stoichiometry_at: StoichiometryAt | None = None,
    is_exact: bool = True,
    courses: Mapping[TableChoice, Course] | None = None,
) -> tuple[PlannedStep, ...]:
    """States of charge and times of the steps.

    Args:
        steps: The protocol.
        initial_stoichiometry: Mean lithium content x at the start [-].
        capacity_ratio: Capacity called 1C over the theoretical capacity [-]: dSoC/dt = C-rate · ratio / 3600 s.
        stoichiometry_at: Equilibrium stoichiometry of a voltage, for estimates.
        is_exact: Whether the start is known or itself an estimate.
        courses: What the tables that are followed mean for the particle.

    Returns:
        One entry per step.

    Raises:
        ValueError: When a step would have to run backwards to reach its state of charge.
    """
    planned: list[PlannedStep] = []
    soc = 1.0 - initial_stoichiometry
    for step in steps:
        if step.kind == "hold":
            planned.append(_planned_hold(step, soc, stoichiometry_at))
        elif step.table is not None:
            planned.append(_planned_course(step, soc, (courses or {})[step.table], is_exact))
        else:
            planned.append(_planned_current(step, soc, capacity_ratio, stoichiometry_at, is_exact))
        soc, is_exact = planned[-1].end_soc, planned[-1].is_exact
    return tuple(planned)


def _planned_hold(step: ProtocolStep, soc: float, stoichiometry_at: StoichiometryAt | None) -> PlannedStep:
    end = soc if stoichiometry_at is None or step.voltage is None else 1.0 - stoichiometry_at(step.voltage)
    duration = _HOLD_ESTIMATE if step.duration is None else step.duration
    longest = _LONGEST_HOLD if step.duration is None else step.duration
    return PlannedStep(step, soc, end, duration, is_exact=False, longest=longest)


def _planned_course(step: ProtocolStep, soc: float, course: Course, is_exact: bool) -> PlannedStep:
    """A table runs to its end, unless something else ends it before."""
    duration = course.duration if step.duration is None else min(step.duration, course.duration)
    end = soc - course.gain(0.0, duration)
    is_exact = is_exact and course.is_exact and not step.ends
    return PlannedStep(step, soc, end, duration, is_exact=is_exact, longest=duration)


def _planned_current(
    step: ProtocolStep, soc: float, capacity_ratio: float, stoichiometry_at: StoichiometryAt | None, is_exact: bool
) -> PlannedStep:
    rate = step.direction * step.c_rate * capacity_ratio / _SECONDS_PER_HOUR
    target = step.until_soc
    if target is not None and is_exact and (target - soc) * step.direction <= _SAME_STATE:
        raise ValueError(_wrong_way(step, soc))
    times = [] if step.duration is None else [step.duration]
    if target is not None:
        times.append(max(0.0, (target - soc) / rate))
    voltages = [end.value for end in step.ends if end.kind == "voltage"]
    if not voltages:
        duration = min(times)
        longest = duration if is_exact else _way_to_the_end(step, soc, rate)
        return PlannedStep(step, soc, soc + rate * duration, duration, is_exact, longest)
    if stoichiometry_at is not None:
        times += [max(0.0, (1.0 - stoichiometry_at(voltage) - soc) / rate) for voltage in voltages]
    longest = min([_way_to_the_end(step, soc, rate), *([] if step.duration is None else [step.duration])])
    duration = min([*times, longest])
    return PlannedStep(step, soc, soc + rate * duration, duration, is_exact=False, longest=longest)


def _way_to_the_end(step: ProtocolStep, soc: float, rate: float) -> float:
    """Time in which a current empties or fills the particle, from wherever it may be [s]."""
    return step.duration if step.duration is not None else (1.0 + _MARGIN) / abs(rate)


def percent(fraction: float) -> str:
    """A state of charge as a person writes it: 0.7 → "70 %"."""
    return f"{round(100.0 * fraction, 6):.6g} %"


def _wrong_way(step: ProtocolStep, soc: float) -> str:
    up = step.direction > 0
    side, other = ("above", "discharge") if up else ("below", "charge")
    target = percent(step.until_soc or 0.0)
    return (
        f'"{step.text}" starts at {percent(soc)} SoC, so it cannot {step.kind} to {target}; '
        f"write a state of charge {side} {percent(soc)}, or {other}"
    )
