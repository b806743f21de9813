"""The JSON schema of case files, for completion and checks while typing in an editor; cases/schema/ holds a copy."""

from __future__ import annotations

import json
from typing import Any

from solver.case.schema import Case
from solver.materials import material_names

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def case_schema() -> dict[str, Any]:
    """JSON schema of a case file, as data."""
    schema = Case.model_json_schema()
    schema = {"$schema": DIALECT, "title": "Vegard case", **schema}
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


def schema_text() -> str:
    """The schema as it is committed: indented JSON with a newline at the end."""
    return json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"
