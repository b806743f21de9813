"""The axes of a sweep as choices: what each value is called, and what it changes in the case."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from solver.case.checks import Finding
from solver.case.document import Path as KeyPath
from solver.case.document import shorten
from solver.case.problems import describe
from solver.sweep.places import key_path, leaves, shapes_at
from solver.sweep.ranges import Range, make_range
from solver.sweep.schema import Axis, Sweep

PLACEHOLDER = "{value}"
SEED_LABEL = "seed"
SEED_PATH: KeyPath = ("particle", "grains", "seed")
# Columns of the tables besides the axes.
RESERVED = frozenset({"run", "name", "state", "error", "digest", "mesh", SEED_LABEL})
_LONGEST_TEXT = 60

Change = tuple[KeyPath, Any]


@dataclass(frozen=True)
class Choice:
    """One value of one axis.

    Attributes:
        label: Short name of the axis.
        text: The value in tables and names.
        value: The value in constraints and tables of results: a word, number, or text with a unit.
        changes: What is different in the case; None takes a key away.
        place: Where it is written in the sweep file.
    """

    label: str
    text: str
    value: str | float | int | bool
    changes: tuple[Change, ...]
    place: KeyPath


@dataclass(frozen=True)
class Levels:
    """An axis ready to be combined with others.

    Attributes:
        name: As in the sweep file.
        label: Short name.
        choices: Its values; of a range without steps none.
        between: The value at a share of a range, 0 to 1; None for an axis that is no range.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    between: Callable[[float], Choice] | None = None

    def examples(self) -> tuple[Choice, ...]:
        """Its values, or the ends of its range."""
        ends = (self.between(0.0), self.between(1.0)) if self.between is not None else ()
        return self.choices or ends


def short_labels(names: Iterable[str]) -> dict[str, str]:
    """The last word of each dotted name, or as many as tell it from the others."""
    parts = {name: name.split(".") for name in names}
    length = dict.fromkeys(parts, 1)
    while True:
        labels = {name: "_".join(words[-length[name] :]) for name, words in parts.items()}
        count = Counter(labels.values())
        unclear = [name for name in parts if count[labels[name]] > 1 or labels[name] in RESERVED]
        unclear = [name for name in unclear if length[name] < len(parts[name])]
        if not unclear:
            return labels
        for name in unclear:
            length[name] += 1


def compile_axes(sweep: Sweep) -> tuple[list[Levels], list[Finding]]:
    """The axes of a sweep in order, and what is wrong with them."""
    labels = short_labels(sweep.axes)
    axes: list[Levels] = []
    findings: list[Finding] = []
    for name, written in sweep.axes.items():
        place: KeyPath = ("axes", name)
        axis = Axis(values=written) if isinstance(written, list) else written
        if labels[name] in RESERVED:
            findings.append(Finding(place, f'"{name}" is a name the tables need; choose another and write its "key"'))
            continue
        try:
            axes.append(_compile(name, labels[name], axis, place, isinstance(written, list)))
        except ValueError as error:
            findings.append(Finding(place, str(error)))
    return axes, [*findings, *_collisions(sweep, axes)]


def _collisions(sweep: Sweep, axes: list[Levels]) -> Iterator[Finding]:
    """Axes that would write over each other; a key with values of its own may refine what a section says."""
    paths = {axis.name: {path for choice in axis.examples() for path, _ in choice.changes} for axis in axes}
    refined = {name for name, axis in sweep.axes.items() if isinstance(axis, Axis) and axis.sections is not None}
    for name, earlier in itertools.combinations(paths, 2):
        if (name in refined) == (earlier in refined) and any(
            overlap(one, other) for one in paths[name] for other in paths[earlier]
        ):
            yield Finding(("axes", earlier), f'sets the same key of the case as "{name}"; keep one, or join them')
    if sweep.seeds != 1:
        taken = [
            name for name in paths if any(overlap(path, SEED_PATH) for path in paths[name]) and name not in refined
        ]
        if taken:
            yield Finding(("seeds",), f'"{taken[0]}" sets the seed already; leave "seeds" out')


def overlap(one: KeyPath, other: KeyPath) -> bool:
    """Whether one place holds the other, or they are the same."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def seed_axis(sweep: Sweep, first: int) -> Levels | None:
    """The seeds as an axis; None when there is one and it is not named.

    Args:
        sweep: The sweep.
        first: Seed of the base case.
    """
    if sweep.seeds == 1:
        return None
    seeds = sweep.seeds if isinstance(sweep.seeds, list) else range(first, first + sweep.seeds)
    choices = (Choice(SEED_LABEL, str(seed), seed, ((SEED_PATH, seed),), ("seeds",)) for seed in seeds)
    return Levels(SEED_LABEL, SEED_LABEL, tuple(choices))


def _compile(name: str, label: str, axis: Axis, place: KeyPath, is_list: bool) -> Levels:
    if axis.sections is not None:
        choices = (
            Choice(label, section, section, tuple(leaves(block)), (*place, "sections", section))
            for section, block in axis.sections.items()
        )
        return Levels(name, label, tuple(choices))
    changes = _changes(name, axis)
    if axis.first is not None:
        span = _span(name, axis)

        def between(share: float) -> Choice:
            return _choice(label, span.between(share), changes, (*place, "from"))

        values = span.values(axis.steps) if axis.steps else []
        return Levels(name, label, tuple(_choice(label, value, changes, place) for value in values), between)
    base = place if is_list else (*place, "values")
    named = axis.values.items() if isinstance(axis.values, dict) else enumerate(axis.values or [])
    choices = (_choice(label, value, changes, (*base, key), key) for key, value in named)
    return Levels(name, label, tuple(choices))


def _span(name: str, axis: Axis) -> Range:
    path = key_path(axis.key or name) if axis.write is None else None
    is_whole = path is not None and any(shape.kind is int for shape in shapes_at(path))
    assert axis.first is not None
    assert axis.to is not None
    return make_range(axis.first, axis.to, axis.scale, is_whole)


def _choice(
    label: str, value: Any, changes: Callable[[Any], tuple[Change, ...]], place: KeyPath, name: str | int = 0
) -> Choice:
    """A choice that is shown by the name it was given, or else by its value."""
    if isinstance(name, str):
        return Choice(label, name, name, changes(value), place)
    is_plain = isinstance(value, str | int | float)
    text = _text(value)
    return Choice(label, text, value if is_plain else text, changes(value), place)


def _changes(name: str, axis: Axis) -> Callable[[Any], tuple[Change, ...]]:
    """What a value of an axis changes in a case."""
    template = axis.write
    if template is not None and PLACEHOLDER not in json.dumps(template, ensure_ascii=False):
        raise ValueError(f'"write" says nowhere {PLACEHOLDER}, the place of the value; add it')
    if template is not None and axis.key is None and key_path(name) is not None and shapes_at(key_path(name) or ()):
        return _setting(name, template)
    if template is not None and axis.key is None:
        if not isinstance(template, dict):
            raise ValueError(f'"write" is {describe(template)}; write its "key" too, or a block of the case')
        return lambda value: tuple(leaves(_filled(template, value)))
    return _setting(axis.key or name, template)


def _setting(key: str, template: Any) -> Callable[[Any], tuple[Change, ...]]:
    path = key_path(key)
    if path is None:
        raise ValueError(f'"{shorten(key)}" is no key of a case; write for example "particle.radius"')
    return lambda value: ((path, value if template is None else _filled(template, value)),)


def _filled(template: Any, value: Any) -> Any:
    """A template with the value in its places: itself where nothing stands beside it, as text inside a text."""
    if isinstance(template, str):
        return value if template == PLACEHOLDER else template.replace(PLACEHOLDER, _text(value))
    if isinstance(template, list):
        return [_filled(entry, value) for entry in template]
    if isinstance(template, dict):
        return {key: _filled(entry, value) for key, entry in template.items()}
    return template


def _text(value: Any) -> str:
    """A value as it is shown: words and numbers plainly, anything else shortened."""
    if value is None:
        return "default"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list) and len(value) == 1:
        return _text(value[0])
    return shorten(json.dumps(value, ensure_ascii=False, default=str).replace('"', ""), _LONGEST_TEXT)
