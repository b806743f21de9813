"""What is printed from the schema and committed: schema for editors, reference page, starter, shipped cases."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from solver.case.document import read_document
from solver.case.json_schema import case_schema, schema_text
from solver.case.load import load_case, load_text
from solver.case.reference import reference_text
from solver.case.schema import Case
from solver.case.shapes import field_shapes
from solver.case.starter import starter_text, write_starter
from solver.errors import OutputError
from solver.materials import material_names

ROOT = Path(__file__).parents[3]
OTHERS = ("study.yaml", *(path.name for path in (ROOT / "cases" / "sweeps").glob("*.yaml")))
SHIPPED = sorted(path for path in (ROOT / "cases").rglob("*.yaml") if path.name not in OTHERS)


def sections(model: type[BaseModel], path: str = "case"):
    for key, entry in model.model_fields.items():
        yield f"{path}.{key}", entry
        for shape in field_shapes(entry):
            if shape.model is not None:
                yield from sections(shape.model, f"{path}.{key}")


def test_committed_schema_is_current():
    committed = (ROOT / "cases/schema/case.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: vegard schema > cases/schema/case.schema.json"


def test_committed_reference_is_current():
    committed = (ROOT / "docs/cases.md").read_text(encoding="utf-8")
    assert committed == reference_text(), "run: vegard schema --markdown > docs/cases.md"


@pytest.mark.parametrize(("key", "entry"), sections(Case), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_is_described(key, entry):
    assert entry.description, f"{key} has no description; the reference and the editors show it"


def test_every_key_is_in_the_reference_page():
    page = reference_text()
    assert all(f"| `{key.rpartition('.')[2]}` |" in page for key, _ in sections(Case))


def test_example_in_the_reference_page_is_a_case():
    text = reference_text().partition("```yaml\n")[2].partition("```")[0]
    load_text(text, Path("c.yaml"))


def test_schema_is_a_schema_and_knows_the_library():
    schema = case_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    protocol = {"electrochemistry": {"protocol": "Rest for 1 min"}}
    assert all(validator.is_valid({"material": name, **protocol}) for name in material_names())
    assert not validator.is_valid({"material": "unobtainium", **protocol})
    assert not validator.is_valid({"material": "NMC811", **protocol, "mechanics": {"couplin": "none"}})
    assert validator.is_valid({"material": "NMC811", **protocol, "mechanics": None})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
class TestShippedCase:
    def test_is_valid_without_warnings(self, path):
        assert load_case(path).warnings == ()

    def test_agrees_with_the_schema_for_editors(self, path):
        jsonschema.validate(read_document(path.read_text(encoding="utf-8")).value, case_schema())

    def test_names_the_schema_in_its_first_line(self, path):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        prefix, _, named = first.partition("$schema=")
        assert prefix == "# yaml-language-server: "
        assert json.loads((path.parent / named).read_text(encoding="utf-8"))["title"] == "Vegard case"


def test_the_promised_cases_are_there():
    names = {str(path.relative_to(ROOT / "cases")) for path in SHIPPED}
    assert {"quickstart.yaml", "dense.yaml"} <= names
    assert any(name.startswith("benchmarks/") for name in names)


class TestStarter:
    def test_is_a_valid_case(self, tmp_path):
        write_starter(tmp_path / "mine.yaml", force=False)
        loaded = load_case(tmp_path / "mine.yaml")
        assert loaded.warnings == ()
        assert "vegard run mine.yaml" in loaded.text
        assert "results/mine" in loaded.text
        jsonschema.validate(read_document(loaded.text).value, case_schema())

    def test_its_commented_lines_are_valid_too(self):
        text = starter_text(Path("c.yaml"))
        for commented in ("# mesh:", "#   size: 0.4 um", "# material: {", "#  - Rest for", "#  - Discharge"):
            assert commented in text
        text = text.replace("material: NMC811 ", "# material: NMC811 ", 1).replace("# material: {", "material: {")
        text = text.replace("  # mesh:", "  mesh:").replace("  #   size", "    size")
        text = text.replace("  #  - Rest", "    - Rest").replace("  #  - Discharge", "    - Discharge")
        case = load_text(text, Path("c.yaml")).case
        assert case.particle.mesh.size == 0.4
        assert len(case.electrochemistry.protocol) == 3
        assert case.material.diffusivity_ratio == 1.0

    def test_never_replaces_a_file_unasked(self, tmp_path):
        path = tmp_path / "mine.yaml"
        path.write_text("precious")
        with pytest.raises(OutputError, match="add --force"):
            write_starter(path, force=False)
        assert path.read_text() == "precious"
        write_starter(path, force=True)
        assert path.read_text() == starter_text(path)

    @pytest.mark.parametrize(
        ("name", "reason"), [("no/such/folder/c.yaml", "make it first"), (".", "is a folder"), ("a\0b", "written")]
    )
    def test_says_why_it_cannot_be_written(self, tmp_path, name, reason):
        with pytest.raises(OutputError, match=reason):
            write_starter(tmp_path / name, force=False)
