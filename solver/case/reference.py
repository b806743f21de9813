"""docs/cases.md from the schema: one table per section, so that the page cannot disagree with the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from solver.case.schema import Case
from solver.case.shapes import Shape, field_example, field_shapes

_HEAD = """\
# Case files

A case is one YAML file (YAML 1.2, UTF-8). `vegard new` writes a commented one, `vegard check` tells what is wrong with
it, `vegard schema` prints a JSON schema for completion in editors. This page is printed from the program:
`vegard schema --markdown > docs/cases.md`.

- A value with a dimension is text with a unit: `5 um`, `10 min`, `25 degC`, `4e-15 m^2/s`. A bare number there is
  refused. A fraction may be written `30 %` or `0.3`.
- Keys that are left out have the defaults below. Unknown keys, and keys written twice, are errors.
- File names are relative to the folder of the case file.
- x is the stoichiometry: lithium per formula unit, 1 when full. The state of charge is SoC = 1 − mean x: charging
  removes lithium.

A short case:

```yaml
material: NMC811
particle:
  radius: 3 um
  grains: {count: 40, orientation: random}
electrochemistry:
  protocol:
    - Charge at 1C until 75 % SoC
```
"""

_TAIL = """\
## Protocol steps

| step | meaning |
|---|---|
| `Charge at 1C until 4.3 V` | constant current until the particle has this potential against lithium |
| `Charge at 1C until 70 % SoC` | constant current until the mean stoichiometry is 0.30 |
| `Charge at C/2 for 20 min` | constant current for a time |
| `Discharge at 0.5C for 1 h or until 3 V` | lithium goes back in, until the first of several ends |
| `Hold at 4.3 V until C/20` | constant voltage until the current has fallen; also `for 30 min`, or both with `or` |
| `Rest for 10 min` | no current |
| `Follow drive.csv` | current from a table, to its last row; see [drive cycles](drive-cycles.md) |
| `Follow drive.csv until 3 V or until 4.3 V` | the same until a voltage (or a state of charge, or for a time) |
| `Follow tester.csv with 1C = 5 A, charge positive` | the same for a table in amperes, as cyclers count them |
| `Repeat 20 times: Charge at 3C for 1 min; Rest for 1 min` | several steps, separated by `;`, again and again |

`cycles: 3` goes through the whole protocol three times. A protocol of several currents (`Charge at 3C until 4.1 V`,
then `Charge at 2C until 4.2 V`, …) is a list of such steps.

A current is a C-rate (`1C`, `C/2`, `0.3C`) of `one_c_capacity`. Voltages need a material with a voltage curve and
`kinetics: butler-volmer` or `fast`. A step that has met its end already when it begins is over at once. A step that
is to end at a voltage or a current, and does not come to it, stops the run with a message; with a time as well (`… or
for 2 h`) it ends by time. The ends that were met are in `protocol` of `summary.json`, see [outputs](outputs.md).
Voltages are met to 0.1 mV, currents to 0.1 %, times and states of charge exactly.

Steps that end at a time or at a state of charge must be reachable in order, and the states of charge must lie inside
the lattice table of the material.
"""


def reference_text() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD]
    sections = list(_sections(Case, ()))
    for path, model in sections:
        shared = sum(other == path for other, _ in sections) > 1
        title = "Top level" if not path else f"`{'.'.join(path)}`" + (f": `{Shape(model).example()}`" if shared else "")
        summary = (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        parts.append(f"## {title}\n\n{' '.join(summary.split())}\n\n{key_table(model)}")
    return "\n".join([*parts, _TAIL])


def _sections(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    yield path, model
    for key, entry in model.model_fields.items():
        for shape in field_shapes(entry):
            if shape.model is not None:
                yield from _sections(shape.model, (*path, key))


def key_table(model: type[BaseModel]) -> str:
    """Table of the keys of a block, Markdown."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, entry in model.model_fields.items():
        meaning = (entry.description or "").replace("|", "\\|")
        rows.append(f"| `{key}` | {_value(key, entry)} | {_default(entry)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _value(key: str, entry: FieldInfo) -> str:
    words = [_shape_words(shape) for shape in field_shapes(entry)]
    example = f", such as `{field_example(key, entry)}`" if entry.default is None and "block" not in words[0] else ""
    return " or ".join(dict.fromkeys(words)) + example


def _shape_words(shape: Shape) -> str:
    if shape.quantity is not None:
        return str(shape.quantity["description"])
    if shape.choices:
        return " or ".join(f"`{choice}`" for choice in shape.choices)
    if shape.model is not None:
        return "block, see below"
    if shape.item:
        low, high = shape.limit("min_length"), shape.limit("max_length")
        count = f"list of {low}" if low == high and low else f"list of {low or 0} to {high}" if high else "list"
        return f"{count}: {_shape_words(shape.item[0])}"
    return shape.words().removeprefix("a ")


def _default(entry: FieldInfo) -> str:
    if entry.is_required():
        return "required"
    value: Any = entry.default
    if isinstance(value, BaseModel):
        chosen = ", ".join(f"{key}: {getattr(value, key)}" for key in sorted(value.model_fields_set))
        return f"`{{{chosen}}}`" if chosen else "its defaults"
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if not isinstance(value, list) else f"`[{', '.join(str(part) for part in value)}]`"
