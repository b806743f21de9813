"""From what pydantic found wrong to one line per problem in the words of the person who wrote the file."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from solver.case.document import Path, shorten
from solver.case.schema import Case
from solver.case.shapes import Shape, allows_none, field_example, field_shapes, model_paths

# Nobody mends more in one go, and a suggestion for every one of ten thousand wrong keys takes seconds.
MAXIMUM_PROBLEMS = 60

# Words that people use for a key, by the key's path.
_SYNONYMS = {
    "particle.grains.mean_diameter": ("grain_size", "grain_diameter", "diameter", "mean_size", "average_diameter", "d"),
    "particle.grains.count": ("number", "n", "grain_count", "number_of_grains", "num_grains", "n_grains"),
    "particle.grains.spread": ("std", "sigma", "deviation", "distribution", "variation", "cv"),
    "particle.grains.orientation": ("texture", "orientations", "c_axis", "c_axes", "alignment"),
    "particle.grains.seed": ("random_seed", "seed"),
    "particle.grains.relaxation": ("lloyd", "smoothing"),
    "particle.radius": ("size", "r", "particle_radius", "particle_size"),
    "particle.aspect_ratio": ("aspect", "shape"),
    "particle.mesh.size": ("mesh_size", "element_size", "h", "resolution", "edge_length"),
    "particle.from_file": ("mesh_file", "msh", "file_name"),
    "electrochemistry.protocol": ("c_rate", "rate", "steps", "current", "soc", "charge", "cutoff", "cycles"),
    "electrochemistry.initial_stoichiometry": ("initial_soc", "x0", "initial_x", "initial_concentration", "start"),
    "electrochemistry.temperature": ("temp", "t"),
    "electrochemistry.one_c_capacity": ("capacity", "specific_capacity", "nominal_capacity"),
    "mechanics.stress_free_stoichiometry": ("reference_stoichiometry", "stress_free", "x_ref"),
    "mechanics.coupling": ("couple",),
    "numerics.time_tolerance": ("tolerance", "tol", "rtol", "atol"),
    "numerics.maximum_step": ("dt", "dt_max", "max_step", "time_step", "timestep"),
    "numerics.minimum_step": ("dt_min", "min_step"),
    "numerics.initial_step": ("dt0", "first_step"),
    "output.fields": ("field_count", "snapshots", "frames", "states"),
    "output.pictures": ("figures", "plots", "images"),
    "material": ("materials", "chemistry", "cathode"),
    "name": ("title", "label"),
}
_PATHS_BY_SYNONYM = {word: path for path, words in _SYNONYMS.items() for word in words}
_MEANT_KEY = re.compile(r'^unknown key; did you mean "(\w+)"\?$')
_YES_NO = dict.fromkeys(("yes", "on", "y", "1"), "true") | dict.fromkeys(("no", "off", "n", "0"), "false")


def translate(
    error: ValidationError, shapes: tuple[Shape, ...], data: Any, base: Path, root: type[BaseModel] = Case
) -> list[tuple[Path, str]]:
    """Path and explanation of every problem pydantic found.

    Args:
        error: What pydantic raised.
        shapes: What is allowed at `base`.
        data: The value that was checked.
        base: Path of that value in the file.
        root: Model of the whole file, for suggestions and examples.

    Returns:
        One entry per problem; of a union, only the problems of the alternative that was meant.
    """
    details = error.errors(include_url=False)[: MAXIMUM_PROBLEMS + 1]
    traced = (_Tracer(detail, base, root).trace(shapes, data) for detail in details)
    return list(dict.fromkeys(entry for entry in traced if entry is not None))


def missing_but_misspelt(found: Iterable[tuple[Path, str]]) -> set[Path]:
    """Paths of keys that are missing only because they were misspelt beside: that is one problem, not two."""
    return {(*path[:-1], match.group(1)) for path, text in found if (match := _MEANT_KEY.search(text))}


def unknown_key(key: str, parent: Path, root: type[BaseModel] = Case) -> str:
    """What to say about a key that does not exist under `parent` in a file of the model `root`."""
    suggestion = _suggest_key(key, tuple(part for part in parent if isinstance(part, str)), root)
    return f"unknown key; {suggestion}"


class _Tracer:
    """Follows one error of pydantic from the outermost value to the place it belongs to."""

    def __init__(self, detail: ErrorDetails, base: Path, root: type[BaseModel]) -> None:
        self.detail = detail
        self.path = base
        self.root = root

    def trace(self, shapes: tuple[Shape, ...], data: Any) -> tuple[Path, str] | None:
        """The problem, or None when it belongs to an alternative that was not meant."""
        location = list(self.detail["loc"])
        while location:
            if len(shapes) > 1:
                meant = _meant(shapes, data)
                if meant is None:
                    return self.path, _mismatch(shapes, data, self.path, self.root)
                label = str(location.pop(0))
                if label != _label(meant, label):
                    return None
                if meant.model is None and not meant.item:
                    break
                shapes = (meant,)
                continue
            step = location.pop(0)
            shapes, data = self._enter(shapes[0], step, data)
            if not shapes:
                break
        return self.path, _explain(self.detail, shapes, self.path, self.root)

    def _enter(self, shape: Shape, step: int | str, data: Any) -> tuple[tuple[Shape, ...], Any]:
        """Shapes and value one level further in; no shapes when the key does not exist."""
        self.path = (*self.path, step)
        if shape.model is not None and isinstance(step, str):
            field = shape.model.model_fields.get(step)
            inner = data.get(step) if isinstance(data, dict) else None
            return (field_shapes(field) if field is not None else ()), inner
        if shape.item and isinstance(step, int):
            return shape.item, data[step] if isinstance(data, list) and step < len(data) else None
        return (), None


def _meant(shapes: tuple[Shape, ...], data: Any) -> Shape | None:
    """The alternative of a union that a value was meant to be."""
    if isinstance(data, dict):
        models = [shape for shape in shapes if shape.model is not None]
        likeness = [_likeness(shape.model, data) for shape in models if shape.model is not None]
        if len(models) == 1:
            return models[0]
        return models[likeness.index(max(likeness))] if models and max(likeness) > 0 else None
    if isinstance(data, list):
        return next((shape for shape in shapes if shape.item), None)
    return next((shape for shape in shapes if shape.model is None and not shape.item), None)


def _likeness(model: type[BaseModel], data: Mapping[str, Any]) -> int:
    """How many keys of a block are those of a model, or nearly."""
    return sum(bool(difflib.get_close_matches(str(key)[:40], model.model_fields, 1, 0.7)) for key in list(data)[:100])


def _label(shape: Shape, label: str) -> str:
    """The label itself when pydantic gave it to this alternative, else something different from it."""
    if shape.model is not None:
        return label if shape.model.__name__ in label else ""
    if shape.choices:
        return label if label.startswith("literal") else ""
    return label if "literal" not in label and not any(letter.isupper() for letter in label.split("(")[0]) else ""


def _explain(detail: ErrorDetails, shapes: tuple[Shape, ...], path: Path, root: type[BaseModel]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), path[:-1], root)
    if kind == "missing":
        return f"is missing; write {path[-1]}: {_example(shapes, path, root)}"
    if value is None:
        return f"has no value; write {_example(shapes, path, root)}"
    unfit = bool(shapes) and shapes[0].quantity is not None and isinstance(value, dict | list | bool)
    if kind in ("value_error", "assertion_error") and not unfit:
        return shorten(str(detail.get("ctx", {}).get("error", detail["msg"])), 500)
    if kind in _EXPLANATIONS and shapes:
        return _EXPLANATIONS[kind](value, shapes[0], _example(shapes, path, root))
    return _mismatch(shapes, value, path, root) if shapes else shorten(detail["msg"], 200)


def _example(shapes: tuple[Shape, ...], path: Path, root: type[BaseModel]) -> str:
    """YAML of a value for the key at `path`: the example or default of its field where there is one."""
    models: list[type[BaseModel]] = [root]
    field = None
    for step in path:
        field = next((model.model_fields[str(step)] for model in models if step in model.model_fields), None)
        models = [shape.model for shape in field_shapes(field) if shape.model] if field is not None else []
    if field is not None:
        return field_example(str(path[-1]), field)
    return shapes[0].example() if shapes else "a value"


def _mismatch(shapes: tuple[Shape, ...], value: Any, path: Path, root: type[BaseModel]) -> str:
    """A value of the wrong kind: what was expected, what was found, and what to write."""
    words = [shape for shape in shapes if shape.model is None]
    blocks = [shape for shape in shapes if shape.model is not None]
    if words and words[0].choices:
        return _not_a_choice(value, words[0], [block.example() for block in blocks], _example(shapes, path, root))
    expected = [*(shape.words() for shape in words), *(f"a block such as {block.example()}" for block in blocks)]
    fix = next((fix for fix in (_repair(value, shape) for shape in shapes) if fix), None)
    advice = f"write {fix}" if fix else f"write for example {_example(shapes, path, root)}"
    return f"expected {' or '.join(expected)}, found {describe(value)}; {advice}"


def _repair(value: Any, shape: Shape) -> str | None:
    """The same value as it should have been written, where that is plain to see."""
    if shape.model is not None:
        return _as_block(value, shape.model) if isinstance(value, str) else None
    if shape.item:
        return f"[{shorten(value)}]" if isinstance(value, str) else None
    if shape.kind is bool:
        return _YES_NO.get(str(value).strip().lower())
    if shape.kind is str and shape.quantity is None:
        return f'"{describe(value)}" in quotes' if isinstance(value, int | float) else None
    number = _as_number(value) if shape.kind in (int, float) and shape.quantity is None else None
    if number is None:
        return None
    if shape.kind is int:
        return f"{round(number)}" if abs(number) < 1e15 else None
    return f"{number:g}" + (" without quotes" if isinstance(value, str) and "%" not in value else "")


def _as_block(value: str, model: type[BaseModel]) -> str | None:
    """A file name or library name given where the block around it is needed."""
    required = [key for key, field in model.model_fields.items() if field.is_required()]
    is_text = len(required) == 1 and field_shapes(model.model_fields[required[0]])[0].kind is str
    return f"{{{required[0]}: {shorten(value)}}}" if is_text else None


def _as_number(value: Any) -> float | None:
    text = str(value).strip().replace(",", ".") if isinstance(value, str | int | float) else ""
    scale, text = (0.01, text[:-1]) if text.endswith("%") else (1.0, text)
    try:
        number = scale * float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _not_a_choice(value: Any, shape: Shape, blocks: Iterable[str], example: str) -> str:
    choices = [str(choice) for choice in shape.choices]
    options = ", ".join([*choices, *blocks])
    near = difflib.get_close_matches(str(value).lower(), choices, 1, 0.6)
    advice = f"did you mean {near[0]}?" if near else f"write for example {example}"
    return f"{describe(value)} is not one of {options}; {advice}"


def _outside(value: Any, shape: Shape, example: str) -> str:
    low, high = shape.limits()
    written = f"{value:g}" if isinstance(value, float) else shorten(str(value), 30)
    between = "not between" if shape.limit("gt") is not None and shape.limit("lt") is not None else "outside"
    return f"{written} is {between} {low} and {high}" if "not" in between else f"{written} is {between} {low} to {high}"


def _wrong_length(value: Any, shape: Shape, example: str) -> str:
    low, high = shape.limit("min_length"), shape.limit("max_length")
    allowed = f"exactly {low}" if low == high else f"{low or 0} to {high}"
    what = "characters" if isinstance(value, str) else "entries"
    found = f"{len(value)} {what}" if len(value) else "nothing"
    advice = "shorten it" if isinstance(value, str) and value else f"write for example {example}"
    return f"holds {found}, needs {allowed} {what}; {advice}"


_EXPLANATIONS: Mapping[str, Callable[[Any, Shape, str], str]] = {
    "greater_than_equal": _outside,
    "less_than_equal": _outside,
    "greater_than": _outside,
    "less_than": _outside,
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "string_too_short": _wrong_length,
    "string_too_long": _wrong_length,
    "string_pattern_mismatch": lambda *_: "holds a line break or a character that does not show; write plain text",
    "finite_number": lambda value, shape, _: f"{value} is not a finite number; write {shape.words()}",
}


def describe(value: Any) -> str:
    """A value in words for a message: the text itself, the number, or what kind of thing it is."""
    if isinstance(value, str):
        return f'"{shorten(value)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            f"a block with {', '.join(shorten(str(key), 20) for key in list(value)[:3])}" if value else "an empty block"
        )
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else shorten(str(value), 30)


def _suggest_key(key: str, parent: tuple[str, ...], root: type[BaseModel]) -> str:
    paths = _all_paths(root)
    siblings = [path[-1] for path in paths if path[:-1] == parent]
    word = key.strip().lower().replace("-", "_").replace(" ", "_")
    if close := difflib.get_close_matches(word, siblings, 1, 0.8):
        return f'did you mean "{close[0]}"?'
    elsewhere = [path for path in paths if path[-1] == word]
    if word in _PATHS_BY_SYNONYM and root is Case:
        elsewhere.insert(0, tuple(_PATHS_BY_SYNONYM[word].split(".")))
    # The nearest in the tree first: a key of a block inside this one before one of another section.
    elsewhere.sort(key=lambda path: (path[: len(parent)] != parent, len(path)))
    if elsewhere:
        return f'did you mean "{_relative(elsewhere[0], parent)}"?'
    if close := difflib.get_close_matches(word, siblings, 1, 0.6):
        return f'did you mean "{close[0]}"?'
    if close := difflib.get_close_matches(word, sorted({path[-1] for path in paths}), 1, 0.75):
        target = min((path for path in paths if path[-1] == close[0]), key=len)
        return f'did you mean "{_relative(target, parent)}"?'
    return f"the keys here are {', '.join(siblings)}" if siblings else "no key is allowed here"


@cache
def _all_paths(root: type[BaseModel]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(model_paths(root)))


def _relative(path: tuple[str, ...], parent: tuple[str, ...]) -> str:
    return ".".join(path[len(parent) :] if parent and path[: len(parent)] == parent else path)


def accept_variants(field: FieldInfo, value: Any) -> Any:
    """The value with harmless variants made right: an empty section is its defaults, "Random " is random."""
    shapes = field_shapes(field)
    if value is None and len(shapes) == 1 and shapes[0].model is not None and not allows_none(field):
        return {}
    if isinstance(value, str):
        word = value.strip().lower().replace("_", "-").replace(" ", "-")
        return next((choice for shape in shapes for choice in shape.choices if choice == word), value)
    if isinstance(value, dict) and (meant := _meant(shapes, value)) is not None and meant.model is not None:
        fields = meant.model.model_fields
        return {key: accept_variants(fields[key], entry) if key in fields else entry for key, entry in value.items()}
    return value
