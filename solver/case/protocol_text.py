"""Protocols as text: "Charge at 1C until 4.3 V" becomes a `ProtocolStep`, with advice for what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from meshes.quantities import FRACTION, TIME, VOLTAGE, parse_quantity
from solver.case.protocol import LONGEST_STEP, Kind, ProtocolStep, StepEnd, TableChoice, percent

EXAMPLE = "Charge at 1C until 70 % SoC"
SLOWEST_RATE, FASTEST_RATE = 1e-4, 100.0
LOWEST_VOLTAGE, HIGHEST_VOLTAGE = 1.0, 6.0
_MAXIMUM_TEXT = 200
_MAXIMUM_REPEATED_TEXT = 2000
_MOST_REPEATS = 1000

_STEP = re.compile(
    r"(charge|discharge|rest|hold|charging|discharging|resting|holding)\b\s*(?:(?:at|with|by)\s+)?(.*?)\s*"
    r"(?:\b(until|till|to|for)\b\s*(.*))?",
    re.I,
)
_REPEAT = re.compile(r"repeat\s+(\d+)\s*(?:times|x)?\s*:\s*(.+)", re.I | re.S)
_FOLLOW = re.compile(
    r"follow(?:ing)?\s+(?P<file>.+?)(?:\s+with\s+(?P<how>.+?))?(?:\s+(?P<keyword>until|till|for)\s+(?P<ends>.+))?", re.I
)
_ONE_C = re.compile(r"1\s*C\s*(?:=|is)\s*(\d+\.?\d*|\.\d+)\s*(m?A)", re.I)
_SIGN = re.compile(r"(?:a\s+)?(?:positive\s+(?P<after>charge|discharge)|(?P<before>charge|discharge)\s+positive)", re.I)
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)?\s*C\s*(?:/\s*(\d+\.?\d*|\.\d+))?", re.I)
_STATE_OF_CHARGE = re.compile(
    r"(?:an?\s+)?(?:(soc|state of charge)\b[\s:=]*)?(?:of\s+)?([-+]?[\d.]+\s*%?)\s*(soc|state of charge)?", re.I
)
_VOLTAGE = re.compile(r"([\d.]+\s*m?v)(?:olts?)?", re.I)
_LOOKS_LIKE_VOLTAGE = re.compile(r"\d\s*m?v(?:olts?)?\b", re.I)
_STOICHIOMETRY = re.compile(r"x\s*[=<>]|stoichiometry", re.I)
_CURRENT = re.compile(r"\d\s*[mµu]?a\b|\d\s*[mµu]?a\s*/", re.I)

_KINDS: dict[str, Kind] = {"char": "charge", "disc": "discharge", "rest": "rest", "hold": "hold"}
Keyword = Literal["for", "until"]


def parse_entry(text: str) -> tuple[ProtocolStep, ...]:
    """Read one entry of a protocol: a step, or "Repeat 20 times: Charge at 2C for 1 min; Rest for 30 s".

    Raises:
        ValueError: With what to write instead.
    """
    match = _REPEAT.fullmatch(text.strip())
    if match is None:
        return (parse_step(text),)
    if len(text) > _MAXIMUM_REPEATED_TEXT:
        raise ValueError(f"a repeated entry of {len(text)} characters is too long; write fewer steps in it")
    count = int(match.group(1))
    if not 1 <= count <= _MOST_REPEATS:
        raise ValueError(f'"Repeat {count} times": write 1 to {_MOST_REPEATS} times')
    steps = [parse_step(part) for part in match.group(2).split(";") if part.strip()]
    return tuple(steps * count)


def parse_protocol(texts: Iterable[str]) -> tuple[ProtocolStep, ...]:
    """Read the entries in order, repeats written out; raises ValueError at the first that cannot be read."""
    return tuple(step for text in texts for step in parse_entry(text))


def parse_step(text: str) -> ProtocolStep:
    """Read one step.

    Args:
        text: Such as "Charge at 1C until 4.3 V", "Hold at 4.3 V until C/20", "Discharge at C/2 for 20 min or until
            3 V", "Charge at 1C until 70 % SoC", "Rest for 10 min" or "Follow drive.csv until 3 V".

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
    if words.lower().startswith("follow"):
        return _follow(words, shown)
    match = _STEP.fullmatch(words)
    if match is None:
        raise ValueError(_not_a_step(words, shown))
    word, how, keyword, rest = match.groups()
    kind = _KINDS[word.lower()[:4]]
    if kind == "rest":
        return ProtocolStep("rest", 0.0, _rest_duration(how, keyword, rest, shown), (), words)
    if kind == "hold":
        return _hold(words, how, keyword, rest, shown)
    if not how:
        end = f"{keyword} {rest}" if rest else "until 70 % SoC"
        raise ValueError(f'{shown} does not say how fast; write "{kind.title()} at 1C {end}"')
    c_rate = _parse_rate(how, kind, shown)
    if not rest:
        raise ValueError(f'{shown} does not say when it ends; write "{words} until 70 % SoC" or "{words} for 20 min"')
    duration, ends = _parse_ends(str(keyword), rest, shown)
    if any(end.kind == "current" for end in ends):
        raise ValueError(f'{shown}: only a held voltage ends at a current; write "until 4.3 V" or "until 70 % SoC"')
    return ProtocolStep(kind, c_rate, duration, ends, words)


def _hold(words: str, how: str, keyword: str | None, rest: str | None, shown: str) -> ProtocolStep:
    if not _VOLTAGE.fullmatch(how or ""):
        raise ValueError(f'{shown} does not say which voltage; write "Hold at 4.3 V until C/20"')
    if not rest:
        raise ValueError(f'{shown} does not say when it ends; write "{words} until C/20" or "{words} for 30 min"')
    duration, ends = _parse_ends(str(keyword), rest, shown)
    if any(end.kind == "voltage" for end in ends):
        raise ValueError(f'{shown}: a held voltage does not change; write "until C/20" or "for 30 min"')
    if any(end.kind == "soc" for end in ends):
        raise ValueError(f'{shown}: a held voltage ends at a current or after a time; write "until C/20"')
    return ProtocolStep("hold", 0.0, duration, ends, words, _parse_voltage(how, shown))


def _follow(words: str, shown: str) -> ProtocolStep:
    match = _FOLLOW.fullmatch(words)
    if match is None:
        raise ValueError(f'{shown} does not say which table; write "Follow drive.csv" or "Follow drive.csv until 3 V"')
    one_c_current, charge_is_positive = None, False
    for part in re.split(r"\s*,\s*|\s+and\s+", match["how"] or ""):
        if amperes := _ONE_C.fullmatch(part):
            one_c_current = float(amperes[1]) * (1e-3 if amperes[2].lower() == "ma" else 1.0)
        elif sign := _SIGN.fullmatch(part):
            charge_is_positive = (sign["after"] or sign["before"]).lower() == "charge"
        elif part:
            raise ValueError(f'{shown}: "{part}" says nothing about a table; write "with 1C = 5 A, charge positive"')
    if one_c_current == 0.0:
        raise ValueError(f'{shown}: the current called 1C is not zero; write "with 1C = 5 A"')
    table = TableChoice(match["file"], one_c_current, charge_is_positive)
    duration, ends = _parse_ends(match["keyword"], match["ends"], shown, 2) if match["ends"] else (None, ())
    if any(end.kind == "current" for end in ends):
        raise ValueError(f'{shown}: only a held voltage ends at a current; write "until 3 V" or "until 10 % SoC"')
    return ProtocolStep("follow", 0.0, duration, ends, words, table=table)


def _not_a_step(words: str, shown: str) -> str:
    if re.match(r"cv\b|constant voltage", words, re.I):
        return f'{shown} is not a protocol step; write "Hold at 4.3 V until C/20"'
    if re.match(r"cycle|repeat|pulse", words, re.I):
        return f'{shown} is not a repeat; write "Repeat 10 times: Charge at 2C for 1 min; Rest for 30 s"'
    return (
        f'{shown} is not a protocol step; start with Charge, Discharge, Hold, Rest or Follow, for example "{EXAMPLE}"'
    )


def _rest_duration(how: str, keyword: str | None, end_text: str | None, shown: str) -> float:
    if keyword is not None and keyword.lower() != "for":
        raise ValueError(f'{shown}: a rest ends after a time; write "Rest for 10 min"')
    text = " ".join(part for part in (how, end_text) if part)
    if not text:
        raise ValueError(f'{shown} does not say how long; write "Rest for 10 min"')
    return _parse_duration(text, shown)


def _parse_rate(text: str, kind: str, shown: str) -> float:
    if _LOOKS_LIKE_VOLTAGE.search(text):
        raise ValueError(f'{shown}: to keep a voltage, write "Hold at {text} until C/20"; a {kind} has a C-rate')
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


def _parse_ends(keyword: str, text: str, shown: str, voltages: int = 1) -> tuple[float | None, tuple[StepEnd, ...]]:
    """Longest time [s] and the ends of a step, "1 h or until 4.3 V" after "for"; at most so many voltages."""
    duration: float | None = None
    ends: list[StepEnd] = []
    for part in re.split(r"\s+or\s+", f"{keyword} {text}", flags=re.I):
        match = re.fullmatch(r"(?:(until|till|to|for)\s+)?(.+)", part.strip(), re.I)
        if match is None or re.search(r"\b(and|until|for)\b", match.group(2), re.I):
            raise ValueError(f'{shown}: join the ends of a step with "or": "for 1 h or until 4.3 V"')
        keyword = (match.group(1) or keyword).lower()
        if keyword == "for":
            if duration is not None:
                raise ValueError(f"{shown} gives two times; write one")
            duration = _parse_duration(match.group(2), shown)
        else:
            ends.append(_parse_end(match.group(2), shown))
    kinds = [end.kind for end in ends]
    if any(kinds.count(kind) > (voltages if kind == "voltage" else 1) for kind in kinds):
        raise ValueError(f"{shown} gives two ends of the same kind; write one")
    return duration, tuple(ends)


def _parse_end(text: str, shown: str) -> StepEnd:
    if _VOLTAGE.fullmatch(text):
        return StepEnd("voltage", _parse_voltage(text, shown), text)
    if _RATE.fullmatch(text) and re.search("c", text, re.I):
        return StepEnd("current", _parse_rate(text, "charge", shown), text)
    if _STOICHIOMETRY.search(text):
        raise ValueError(f'{shown}: write the end as a state of charge, SoC = 1 − x: "until 70 % SoC" for x = 0.3')
    return StepEnd("soc", _parse_soc(text, shown), text)


def _parse_voltage(text: str, shown: str) -> float:
    plain = re.sub(r"olts?$", "", text.strip(), flags=re.I)
    plain = re.sub(r"mv$", "mV", re.sub(r"(?<!m)v$", "V", plain, flags=re.I), flags=re.I)
    try:
        voltage = parse_quantity(plain, VOLTAGE)
    except ValueError as error:
        raise ValueError(f'{shown}: "{text}" is not a voltage; write "4.3 V"') from error
    if not LOWEST_VOLTAGE <= voltage <= HIGHEST_VOLTAGE:
        raise ValueError(f"{shown}: {voltage:g} V is outside {LOWEST_VOLTAGE:g} V to {HIGHEST_VOLTAGE:g} V")
    return voltage


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
