"""Charging protocols written as text: "Charge at 1C until 70 % SoC" becomes a `ProtocolStep`.

The state of charge is 1 − mean stoichiometry (eq. 3.5 of docs/theory.md), so charging removes lithium and raises it.
Only what the solver can do is accepted; what it cannot do yet (voltage limits) is refused with the nearest thing that
it can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from meshes.quantities import FRACTION, TIME, parse_quantity

EXAMPLE = "Charge at 1C until 70 % SoC"
SLOWEST_RATE, FASTEST_RATE = 1e-4, 100.0
LONGEST_STEP = 1000 * 3600.0
_MAXIMUM_TEXT = 200
# Rounding in "from 5 % until 5 % SoC" must not decide whether a step goes up or down.
_SAME_STATE = 1e-9

_STEP = re.compile(
    r"(charge|discharge|rest|charging|discharging|resting)\b\s*(?:(?:at|with|by)\s+)?(.*?)\s*"
    r"(?:\b(until|till|to|for)\b\s*(.*))?",
    re.I,
)
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)?\s*C\s*(?:/\s*(\d+\.?\d*|\.\d+))?", re.I)
_STATE_OF_CHARGE = re.compile(
    r"(?:an?\s+)?(?:(soc|state of charge)\b[\s:=]*)?(?:of\s+)?([-+]?[\d.]+\s*%?)\s*(soc|state of charge)?", re.I
)
_VOLTAGE = re.compile(r"\d\s*m?v(?:olts?)?\b", re.I)
_STOICHIOMETRY = re.compile(r"x\s*[=<>]|stoichiometry", re.I)
_CURRENT = re.compile(r"\d\s*[mµu]?a\b|\d\s*[mµu]?a\s*/", re.I)

Kind = Literal["charge", "discharge", "rest"]
_KINDS: dict[str, Kind] = {"char": "charge", "disc": "discharge", "rest": "rest"}


@dataclass(frozen=True)
class ProtocolStep:
    """One step of a protocol.

    Attributes:
        kind: What happens to the particle.
        c_rate: Current in multiples of the 1C current, positive; 0 for a rest.
        duration: Length of the step [s], or None when it ends at a state of charge.
        until_soc: State of charge [-] at which the step ends, or None when it ends after a time.
        text: The step as the user wrote it.
    """

    kind: Kind
    c_rate: float
    duration: float | None
    until_soc: float | None
    text: str

    @property
    def direction(self) -> int:
        """Sign of the change of the state of charge: +1, −1 or 0."""
        return {"charge": 1, "discharge": -1, "rest": 0}[self.kind]


@dataclass(frozen=True)
class PlannedStep:
    """A step with the states of charge it connects and the time it takes [s]."""

    step: ProtocolStep
    start_soc: float
    end_soc: float
    duration: float


def parse_step(text: str) -> ProtocolStep:
    """Read one step.

    Args:
        text: Such as "Charge at 1C until 70 % SoC", "Discharge at C/2 for 20 min" or "Rest for 10 min".

    Returns:
        The step.

    Raises:
        ValueError: With what to write instead.
    """
    shown = f'"{text[:_MAXIMUM_TEXT]}"'
    words = " ".join(text.split()).rstrip(".;")
    if len(words) > _MAXIMUM_TEXT:
        raise ValueError(
            f'a step of {len(words)} characters is too long; write one per list entry, such as "{EXAMPLE}"'
        )
    match = _STEP.fullmatch(words)
    if match is None:
        raise ValueError(_not_a_step(words, shown))
    word, rate_text, keyword, end_text = match.groups()
    kind = _KINDS[word.lower()[:4]]
    if kind == "rest":
        return ProtocolStep("rest", 0.0, _rest_duration(rate_text, keyword, end_text, shown), None, words)
    if not rate_text:
        end = f"{keyword} {end_text}" if end_text else "until 70 % SoC"
        raise ValueError(f'{shown} does not say how fast; write "{kind.title()} at 1C {end}"')
    c_rate = _parse_rate(rate_text, kind, shown)
    if not end_text:
        raise ValueError(f'{shown} does not say when it ends; write "{words} until 70 % SoC" or "{words} for 20 min"')
    duration, until_soc = _parse_end(str(keyword).lower(), end_text, shown)
    return ProtocolStep(kind, c_rate, duration, until_soc, words)


def parse_protocol(texts: Iterable[str]) -> tuple[ProtocolStep, ...]:
    """Read the steps in order; raises ValueError at the first that cannot be read."""
    return tuple(parse_step(text) for text in texts)


def plan_protocol(
    steps: Iterable[ProtocolStep], initial_stoichiometry: float, capacity_ratio: float
) -> tuple[PlannedStep, ...]:
    """States of charge and times of the steps at the currents asked for.

    Args:
        steps: The protocol.
        initial_stoichiometry: Mean lithium content x at the start [-].
        capacity_ratio: Capacity called 1C over the theoretical capacity [-]: dSoC/dt = C-rate · ratio / 3600 s.

    Returns:
        One entry per step.

    Raises:
        ValueError: When a step would have to run backwards to reach its state of charge.
    """
    planned: list[PlannedStep] = []
    soc = 1.0 - initial_stoichiometry
    for step in steps:
        rate = step.direction * step.c_rate * capacity_ratio / 3600.0
        if step.until_soc is None:
            duration = step.duration or 0.0
            end = soc + rate * duration
        else:
            end = step.until_soc
            if (end - soc) * step.direction <= _SAME_STATE:
                raise ValueError(_wrong_way(step, soc))
            duration = (end - soc) / rate
        planned.append(PlannedStep(step, soc, end, duration))
        soc = end
    return tuple(planned)


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


def _not_a_step(words: str, shown: str) -> str:
    if re.match(r"hold\b|cv\b|constant voltage", words, re.I):
        return f'{shown}: holding a voltage is not available yet; write a constant-current step, such as "{EXAMPLE}"'
    if re.match(r"cycle|repeat|pulse", words, re.I):
        return f"{shown}: repeated steps are not available yet; write each step as its own list entry"
    return f'{shown} is not a protocol step; start with Charge, Discharge or Rest, for example "{EXAMPLE}"'


def _rest_duration(rate_text: str, keyword: str | None, end_text: str | None, shown: str) -> float:
    if keyword is not None and keyword.lower() != "for":
        raise ValueError(f'{shown}: a rest ends after a time; write "Rest for 10 min"')
    text = " ".join(part for part in (rate_text, end_text) if part)
    if not text:
        raise ValueError(f'{shown} does not say how long; write "Rest for 10 min"')
    return _parse_duration(text, shown)


def _parse_rate(text: str, kind: str, shown: str) -> float:
    if _VOLTAGE.search(text):
        raise ValueError(f'{shown}: holding a voltage is not available yet; write a C-rate: "{kind.title()} at 1C …"')
    if _CURRENT.search(text):
        raise ValueError(f'{shown}: the current is given as a C-rate; write "at 1C", "at C/2" or "at 0.3C"')
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f'{shown}: "{text}" is not a C-rate; write "{kind.title()} at 1C …", "at C/2" or "at 0.3C"')
    numerator, denominator = float(match.group(1) or 1), float(match.group(2) or 1)
    if numerator == 0.0:
        raise ValueError(f'{shown}: no current flows at 0C; write "Rest for 10 min"')
    c_rate = numerator / denominator if denominator else float("inf")
    if not SLOWEST_RATE <= c_rate <= FASTEST_RATE:
        raise ValueError(f"{shown}: {c_rate:g}C is outside {SLOWEST_RATE:g}C to {FASTEST_RATE:g}C")
    return c_rate


def _parse_end(keyword: str, text: str, shown: str) -> tuple[float | None, float | None]:
    """(duration [s], None) or (None, state of charge)."""
    if re.search(r"\b(or|and|until|for)\b", text, re.I):
        raise ValueError(f"{shown}: a step ends at a state of charge or after a time; write one of the two")
    if _VOLTAGE.search(text):
        raise ValueError(
            f"{shown}: a voltage limit is not available yet; write the state of charge at which the step ends, "
            'such as "until 80 % SoC"'
        )
    if _STOICHIOMETRY.search(text):
        raise ValueError(f'{shown}: write the end as a state of charge, SoC = 1 − x: "until 70 % SoC" for x = 0.3')
    if keyword == "for":
        return _parse_duration(text, shown), None
    return None, _parse_soc(text, shown)


def _parse_soc(text: str, shown: str) -> float:
    match = _STATE_OF_CHARGE.fullmatch(text)
    named = match is not None and bool(match.group(1) or match.group(3))
    if match is None or not (named or "%" in match.group(2)):
        raise ValueError(f'{shown}: "{text}" is not a state of charge; {_soc_advice(text)}')
    try:
        soc = parse_quantity(match.group(2), FRACTION)
    except ValueError as error:
        raise ValueError(f'{shown}: "{text}" is not a state of charge; write "until 70 % SoC"') from error
    if not 0.0 <= soc <= 1.0:
        hint = f"; write {soc:g} %" if 1.0 < soc <= 100.0 and "%" not in text else "; write 0 % to 100 % SoC"
        raise ValueError(f"{shown}: a state of charge of {percent(soc)} does not exist{hint}")
    return soc


def _soc_advice(text: str) -> str:
    if re.search(r"\d\s*(s|sec|min|h|hr|hours?|minutes?|seconds?)$", text, re.I):
        return f'write "for {text}"'
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f'write "until {text} {"SoC" if float(text) < 1 else "% SoC"}"'
    return 'write a number with % and SoC, such as "until 70 % SoC"'


def _parse_duration(text: str, shown: str) -> float:
    try:
        duration = parse_quantity(text, TIME)
    except ValueError as error:
        raise ValueError(f'{shown}: "{text}" is not a time; write "for 20 min", "for 1.5 h" or "for 30 s"') from error
    if not 1e-3 <= duration <= LONGEST_STEP:
        raise ValueError(f"{shown}: {duration:g} s is outside 1 ms to 1000 h")
    return duration
