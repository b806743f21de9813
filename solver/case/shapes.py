"""What the schema expects at a key, in words: read from the annotations of the pydantic models.

Used wherever a person is told what to write: problems in a case file, and the reference in docs/cases.md.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Shape:
    """One kind of value a key may hold.

    Attributes:
        kind: Bare type: a model class, a Literal, list[…], str, int, float or bool.
        metadata: Limits and JSON schema that came with it.
    """

    kind: Any
    metadata: tuple[Any, ...] = ()

    @property
    def model(self) -> type[BaseModel] | None:
        """The model class, when the value is a block of keys."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, BaseModel) else None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words allowed, when there is a fixed set of them."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def item(self) -> tuple[Shape, ...]:
        """Shapes of an entry, when the value is a list."""
        return alternatives(get_args(self.kind)[0]) if get_origin(self.kind) is list else ()

    @property
    def quantity(self) -> Mapping[str, Any] | None:
        """JSON schema of a dimensional value: "examples" and, as "description", its dimension and limits."""
        return next((entry.json_schema for entry in self.metadata if isinstance(entry, WithJsonSchema)), None)

    def limit(self, name: str) -> Any:
        """A constraint by its annotated-types name (ge, le, gt, lt, min_length, max_length), or None."""
        return next((getattr(entry, name) for entry in self.metadata if hasattr(entry, name)), None)

    def words(self) -> str:
        """Such as "a whole number from 1 to 5000"."""
        if self.quantity is not None:
            return f"a {str(self.quantity['description']).split(',')[0]}"
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.model is not None:
            return "a block of keys"
        if self.item:
            return "a list"
        if get_origin(self.kind) is dict:
            return "a block of names"
        return _SCALAR_WORDS.get(self.kind, "a value") + self._range_words()

    def limits(self) -> tuple[str, str]:
        """Smallest and largest number allowed, as text; "" where there is no limit."""
        low = self.limit("ge") if self.limit("ge") is not None else self.limit("gt")
        high = self.limit("le") if self.limit("le") is not None else self.limit("lt")
        return _number(low), _number(high)

    def _range_words(self) -> str:
        low, high = self.limits()
        lower = f" above {low}" if self.limit("gt") is not None else f" from {low}" if low else ""
        upper = f" below {high}" if self.limit("lt") is not None else f" to {high}" if high else ""
        return f"{lower} and{upper}" if lower and upper and " below" in upper else lower + upper

    def example(self) -> str:
        """YAML of one value that would do."""
        if self.quantity is not None:
            return str(self.quantity["examples"][0])
        if self.choices:
            return str(self.choices[0])
        if self.model is not None:
            key, field = _telling_field(self.model)
            return f"{{{key}: {field_example(key, field)}}}"
        if self.item:
            count = int(self.limit("min_length") or 1)
            return "[" + ", ".join([self.item[0].example()] * count) + "]"
        low, high = self.limits()
        inside = [f"{number:g}" for number in (1.0, 0.3) if float(low or 0) <= number <= float(high or "inf")]
        return {bool: "true", str: "text", int: low or "1", float: (inside or [low])[0]}.get(self.kind, "value")


_SCALAR_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def alternatives(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Shape, ...]:
    """The kinds of value an annotation allows, None left out; one for most keys, more for a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return alternatives(inner, (*_flat(extra), *metadata))
    if origin in (Union, types.UnionType):
        shapes = [alternatives(member) for member in get_args(annotation) if member is not type(None)]
        members = tuple(shape for group in shapes for shape in group)
        outer = metadata if len(members) == 1 else ()
        return tuple(Shape(shape.kind, (*shape.metadata, *outer)) for shape in members)
    return (Shape(annotation, metadata),)


def field_shapes(field: FieldInfo) -> tuple[Shape, ...]:
    """The kinds of value a field of a model allows."""
    return alternatives(field.annotation, tuple(_flat(field.metadata)))


def allows_none(field: FieldInfo) -> bool:
    """Whether a field may be left without a value."""
    return type(None) in get_args(field.annotation)


def field_example(key: str, field: FieldInfo) -> str:
    """YAML of one value for a field: its own example, else its default, else one made up from its kind."""
    if field.examples:
        return _yaml(field.examples[0])
    if key in _EXAMPLES:
        return _EXAMPLES[key]
    shape = field_shapes(field)[0]
    if isinstance(field.default, str | int | float) and field.default != "":
        return _yaml(field.default)
    return shape.example()


# For keys whose kind says too little.
_EXAMPLES = {
    "path": "my-mesh.msh",
    "file": "orientations.txt",
    "base": "NMC811",
    "axis": "[0, 0, 1]",
    "count": "100",
    "mean_diameter": "1 um",
    "name": "dense particle at 1C",
}


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(entry) for entry in value) + "]"
    return str(value)


def model_paths(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all keys of a model and of the blocks inside it."""
    for key, field in model.model_fields.items():
        yield (*path, key)
        for shape in field_shapes(field):
            if shape.model is not None:
                yield from model_paths(shape.model, (*path, key))


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _flat(metadata: Any) -> Iterator[Any]:
    for entry in metadata:
        yield from entry.metadata if isinstance(entry, FieldInfo) else (entry,)


def _telling_field(model: type[BaseModel]) -> tuple[str, FieldInfo]:
    required = [(key, field) for key, field in model.model_fields.items() if field.is_required()]
    return (required or list(model.model_fields.items()))[0]
