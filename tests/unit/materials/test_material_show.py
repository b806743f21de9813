"""What the user sees of the library: terminal tables, the picture, the documentation."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib.image
import pytest
from rich.console import Console
from ruamel.yaml import YAML

from solver.materials import MaterialChoice, MaterialError, library, load_material, material_names, plot, show
from solver.materials.document import document
from solver.materials.words import number_text, percent

ROOT = Path(__file__).parents[3]
OTHERS = library.names_of_kind("coating", "surface_layer", "solid_electrolyte", "reference")


def printed(*renderables, width=120):
    console = Console(width=width, record=True, file=io.StringIO())
    for renderable in renderables:
        console.print(renderable)
    return console.export_text()


def test_the_list_names_every_material_even_on_a_narrow_terminal():
    text = printed(show.list_materials(), width=80)
    assert all(name in text for name in material_names())
    assert "…" not in text  # nothing cut off


@pytest.mark.parametrize("name", [*material_names(), *OTHERS, "grain_boundary"])
def test_everything_can_be_shown(name):
    text = printed(*show.material_table(name))
    assert name in text
    assert re.search(r"\b(primary|secondary|derived|recalled|assumed)\b", text)


def test_one_material_shows_number_unit_range_confidence_and_source():
    text = printed(*show.material_table("NMC811"), width=200)
    line = next(line for line in text.splitlines() if "aggregate youngs modulus" in line)
    assert re.search(r"150 GPa\s+138 … 184\s+derived\s+between indentation.*\[Sedlatschek2026, Parks2023\]", line)
    assert "Chen et al., J. Electrochem. Soc. 167, 080534 (2020)" in text
    assert "cycled_cell" in text


def test_unknown_names_are_refused_with_a_suggestion(tmp_path):
    with pytest.raises(MaterialError, match="did you mean NMC811"):
        show.material_table("NMC81")
    with pytest.raises(MaterialError, match="no active material"):
        plot.plot_material("ZrO2", tmp_path / "a.png")


@pytest.mark.parametrize("name", ["NMC811", "EEC-Ni90", "isotropic-benchmark"])
def test_the_picture_is_a_picture(tmp_path, name):
    path = tmp_path / "curves.png"
    plot.plot_material(name, path)
    pixels = matplotlib.image.imread(path)
    assert min(pixels.shape[:2]) > 600
    assert pixels[..., :3].std() > 0.05  # not blank


@pytest.mark.parametrize("where", ["curves.nonsense", "missing/curves.png"])
def test_a_picture_that_cannot_be_written_is_an_error_for_the_user(tmp_path, where):
    with pytest.raises(MaterialError, match="cannot write the picture"):
        plot.plot_material("NMC811", tmp_path / where)


def test_the_documentation_is_current():
    """Rewrite it with `python -m solver.materials.document > docs/materials.md`."""
    assert (ROOT / "docs" / "materials.md").read_text(encoding="utf-8") == document()


def test_the_examples_of_the_documentation_work():
    blocks = re.findall(r"```yaml\n(.*?)```", document(), flags=re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        choice = YAML(typ="safe").load(block)["material"]
        load_material(choice if isinstance(choice, str) else MaterialChoice(**choice))


@pytest.mark.parametrize(
    ("value", "text"), [(4e-15, "4e-15"), (1e6, "1e6"), (49061.0, "49061"), (0.43, "0.43"), (-5.25e-2, "-0.0525")]
)
def test_numbers_as_text(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(-0.0732, "-7.32"), (0.0163, "+1.63"), (0.0, "0.00"), (-1e-9, "0.00")])
def test_percent_as_text(value, text):
    assert percent(value) == text
