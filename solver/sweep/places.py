"""Places in a case by dotted key, and cases with other values there; nothing is ever changed in place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from solver.case.document import Path as KeyPath
from solver.case.schema import Case
from solver.case.shapes import Shape, field_shapes

_KEY = re.compile(r"[A-Za-z_]\w*(\[[1-9]\d{0,3}\])*(\.[A-Za-z_]\w*(\[[1-9]\d{0,3}\])*)*")
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")


def key_path(text: str) -> KeyPath | None:
    """Steps of a dotted key such as `particle.grains.count` or `coating[2].thickness`; None when it is no such key."""
    if _KEY.fullmatch(text) is None:
        return None
    return tuple(name or int(number) - 1 for name, number in _STEP.findall(text))


def value_at(data: Any, path: KeyPath) -> Any:
    """The value at a place, None where there is none."""
    for step in path:
        inside = isinstance(data, list) and isinstance(step, int) and step < len(data)
        data = data[step] if inside or (isinstance(data, dict) and step in data) else None
    return data


def with_value(data: Any, path: KeyPath, value: Any) -> Any:
    """A copy of plain data with another value at a place; None takes the key away, so that its default holds.

    Blocks on the way are made where they are missing, and take the place of a word or number that stands there.

    Raises:
        IndexError: When the path names an entry that a list does not have.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        entries = list(data) if isinstance(data, list) else []
        entries[step] = with_value(entries[step], rest, value)
        return entries
    block = dict(data) if isinstance(data, dict) else {}
    if value is None and not rest:
        block.pop(step, None)
        return block
    return block | {step: with_value(block.get(step), rest, value)}


def leaves(block: Mapping[str, Any] | None, base: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Places and values of a block that is to be merged: lists, words and numbers; None takes a key away."""
    for key, value in (block or {}).items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*base, key))
        else:
            yield (*base, key), value


def shapes_at(path: KeyPath, model: type[BaseModel] = Case) -> tuple[Shape, ...]:
    """What a case may hold at a place; nothing when it has no such key."""
    shapes: tuple[Shape, ...] = (Shape(model),)
    for step in path:
        if isinstance(step, int):
            shapes = tuple(item for shape in shapes for item in shape.item)
            continue
        models = [shape.model for shape in shapes if shape.model is not None]
        fields = [inner.model_fields[step] for inner in models if step in inner.model_fields]
        shapes = tuple(shape for field in fields for shape in field_shapes(field))
    return shapes
