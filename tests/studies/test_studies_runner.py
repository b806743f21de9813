"""The runner from a folder of studies to pages and figures, with real runs of a tiny section."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from PIL import Image

from solver.studies.__main__ import main

CASE = """material: NMC811
particle: {radius: 2 um, dimension: 2, grains: {count: 20}, mesh: {size: 0.5 um}}
electrochemistry: {protocol: [Charge at 1C until 20 % SoC]}
output: {fields: 2, pictures: false}
"""
STUDY = """title: Tiny
ordering: fast is worse
answer: It is.
question: Is it?
seeds: 2
designs:
  "{each}C":
    case: case.yaml
    each: [0.2, 1]
    change: {electrochemistry.protocol: ["Charge at {each}C until 20 % SoC"]}
claims:
  - claim: Fast is worse.
    order: [0.2C, 1C]
    at: [20 % SoC]
    peak: [gradient_first_principal_p99]
    extent: [elastic_energy_density]
crossovers:
  - series: "{each}C"
    from_place: core
    to_place: rim
    at: [20 % SoC]
    indicators: ["{place}_boundary_tension"]
figures:
  - {name: places, kind: series, caption: Places, designs: ["{each}C"], indicators: [core_boundary_tension], at: end}
  - {name: course, kind: course, caption: Course, designs: [0.2C, 1C], indicators: [gradient_first_principal_p99]}
meaning: Gradients.
"""


def test_pages_and_figures(tmp_path: Path) -> None:
    folder = tmp_path / "cases" / "tiny"
    folder.mkdir(parents=True)
    (folder / "case.yaml").write_text(CASE)
    (folder / "study.yaml").write_text(STUDY)
    pages, runs = tmp_path / "pages", tmp_path / "runs"
    for _ in range(2):  # the second time everything is there
        main(None, folder.parent, runs, pages)
    assert len(list(runs.glob("tiny/2D/*/seed-*/history.csv"))) == 4
    page = (pages / "tiny.md").read_text(encoding="utf-8")
    assert "| 20 % SoC | gradient first principal p99 (peak) |" in page.replace("0.2C ≺ 1C | ", "")
    assert "2 of 2" in page
    assert "[Tiny](tiny.md)" in (pages / "README.md").read_text(encoding="utf-8")
    for name in ("places", "course"):
        with Image.open(pages / "figures" / f"tiny-{name}.png") as image:
            assert image.width > 300


def test_a_wrong_study_ends_with_its_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.yaml").write_text("title: [")
    with pytest.raises(typer.Exit) as caught:
        main(None, tmp_path, tmp_path / "runs", tmp_path / "pages")
    assert caught.value.exit_code == 2
    assert "study.yaml:" in capsys.readouterr().err
