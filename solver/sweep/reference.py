"""The keys of sweep files for people (docs/sweep-keys.md) and for editors (cases/schema/sweep.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from solver.case.json_schema import DIALECT
from solver.case.reference import key_table
from solver.case.schema import Case
from solver.case.shapes import field_shapes, model_paths
from solver.sweep.schema import Axis, Sweep

_HEAD = """\
# Keys of a sweep file

A sweep file is one YAML file (YAML 1.2, UTF-8), like a [case](cases.md): values with a dimension have a unit, unknown
keys are errors, file names are relative to its folder. [Sweeps](sweeps.md) explains it with examples. This page is
printed from the program: `vegard schema --sweep --markdown > docs/sweep-keys.md`.
"""


def sweep_reference_text() -> str:
    """The page, Markdown."""
    axis_words = "One thing that is varied: values, a range, or sections by name. A plain list stands for `values`."
    return "\n".join(
        [
            _HEAD,
            f"## Top level\n\n{Sweep.__doc__}\n\n{key_table(Sweep)}",
            f"## One of `axes`\n\n{axis_words}\n\n{key_table(Axis)}",
        ]
    )


def sweep_schema() -> dict[str, Any]:
    """JSON schema of a sweep file, as data; it knows every key of a case as the name of an axis."""
    schema = Sweep.model_json_schema()
    schema = {"$schema": DIALECT, **schema, "title": "Vegard sweep"}
    schema["$defs"]["AxisOrValues"] = schema["properties"]["axes"].pop("additionalProperties")
    reference = {"$ref": "#/$defs/AxisOrValues"}
    schema["properties"]["axes"] |= {
        "properties": {".".join(path): {**reference, "description": meaning} for path, meaning in _case_keys()},
        "additionalProperties": reference,
    }
    return schema


def sweep_schema_text() -> str:
    """The schema as it is committed: indented JSON with a newline at the end."""
    return json.dumps(sweep_schema(), indent=1, ensure_ascii=False) + "\n"


def _case_keys() -> list[tuple[tuple[str, ...], str]]:
    """All keys of a case with what they mean."""
    found: dict[tuple[str, ...], str] = {}
    for path in model_paths(Case):
        models: list[type[BaseModel]] = [Case]
        entry = None
        for step in path:
            entry = next(model.model_fields[step] for model in models if step in model.model_fields)
            models = [shape.model for shape in field_shapes(entry) if shape.model is not None]
        found[path] = (entry.description or "") if entry is not None else ""
    return list(found.items())
