"""What is printed from the schema of sweeps and committed, and the sweeps that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from sweep_files import load

from solver.case.document import read_document
from solver.sweep.cases import check_cases
from solver.sweep.load import load_sweep
from solver.sweep.reference import sweep_reference_text, sweep_schema, sweep_schema_text
from solver.sweep.schema import Axis, Sweep

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "cases" / "sweeps").glob("*.yaml"))


def test_committed_schema_is_current() -> None:
    committed = (ROOT / "cases/schema/sweep.schema.json").read_text(encoding="utf-8")
    assert committed == sweep_schema_text(), "run: vegard schema --sweep > cases/schema/sweep.schema.json"


def test_committed_reference_is_current() -> None:
    committed = (ROOT / "docs/sweep-keys.md").read_text(encoding="utf-8")
    assert committed == sweep_reference_text(), "run: vegard schema --sweep --markdown > docs/sweep-keys.md"


@pytest.mark.parametrize("model", [Sweep, Axis])
def test_every_key_is_described(model: type) -> None:
    assert all(entry.description for entry in model.model_fields.values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_sweep_is_right(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../schema/sweep.schema.json"
    jsonschema.validate(read_document(path.read_text(encoding="utf-8")).value, sweep_schema())
    checked = check_cases(load_sweep(path))
    assert checked.warnings == []
    assert len(checked.cases) > 10


def test_schema_for_editors_refuses_what_the_program_refuses(tmp_path: Path) -> None:
    schema = sweep_schema()
    good = {"base": "base.yaml", "axes": {"particle.radius": {"from": "1 um", "to": "2 um", "steps": 2}}}
    jsonschema.validate(good, schema)
    load(tmp_path, json.dumps(good["axes"]).join(("axes: ", "\n")))
    for wrong in ({"axes": {}}, {"base": "b", "axis": {}}, {"base": "b", "axes": {"particle.radius": {"fro": 1}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
