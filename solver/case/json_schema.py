"""The JSON schema of case files, for completion and checks while typing in an editor; cases/schema/ holds a copy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from solver.case.schema import Case
from solver.case.shapes import field_example, field_shapes
from solver.materials import material_names

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def case_schema() -> dict[str, Any]:
    """JSON schema of a case file, as data."""
    schema = Case.model_json_schema()
    schema = {"$schema": DIALECT, **schema, "title": "Vegard case"}
    _describe_limits(schema["properties"], Case)
    for model in _models(Case):
        _describe_limits(schema["$defs"][model.__name__]["properties"], model)
    choices = {"type": "string", "enum": material_names(), "description": "a material of the library"}
    schema["properties"]["material"]["anyOf"][0] = choices
    protocol = schema["$defs"]["Electrochemistry"]["properties"]["protocol"]
    keywords = {key: protocol.pop(key) for key in ("type", "items", "minItems", "maxItems")}
    protocol["anyOf"] = [keywords, {"type": "string"}]
    # An empty section ("numerics:" with all keys commented out) stands for its defaults.
    for name, section in schema["properties"].items():
        if "$ref" in section and name not in schema["required"]:
            section["anyOf"] = [{"$ref": section.pop("$ref")}, {"type": "null"}]
    return schema


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Models of the blocks inside a model, at every depth."""
    for field in model.model_fields.values():
        for shape in field_shapes(field):
            if shape.model is not None:
                yield shape.model
                yield from _models(shape.model)


def _describe_limits(properties: dict[str, Any], model: type[BaseModel]) -> None:
    """Put dimension and limits behind the meaning of every dimensional key: editors show only the description."""
    for key, field in model.model_fields.items():
        limits = [str(shape.quantity["description"]) for shape in field_shapes(field) if shape.quantity is not None]
        meaning = [field.description] if field.description else []
        if limits:
            properties[key]["description"] = "; ".join([*meaning, *limits])
            properties[key]["examples"] = [field_example(key, field)]


def schema_text() -> str:
    """The schema as it is committed: indented JSON with a newline at the end."""
    return json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"
