"""Every shipped design, at small size, from its case file to its results."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from solver.case.load import load_case, load_text
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings
from solver.report.saved import open_fields
from solver.run import run_case

DESIGNS = sorted((Path(__file__).parents[2] / "cases" / "designs").glob("*.yaml"))
MOST_GRAINS = 6


def reduced(path: Path) -> str:
    """The case with few grains, coarse elements, few pores, and minutes of charge in place of hours."""
    yaml = YAML()
    case: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"))
    particle = case["particle"]
    if particle.get("grains", {}).get("count", 1) > MOST_GRAINS:
        particle["grains"]["count"] = MOST_GRAINS
    radius = float(str(particle["radius"]).split()[0])
    elements = 0.17 if "roughness" in particle else 0.25 if "pores" in particle else 0.35
    particle["mesh"] = {"size": f"{elements * radius:g} um"}
    if "pores" in particle:
        particle["pores"]["detail"] = "0.5 %"
    case["electrochemistry"]["protocol"] = ["Charge at C/2 for 6 min"]
    case["output"] = {"fields": 1, "pictures": False}
    stream = StringIO()
    yaml.dump(case, stream)
    return stream.getvalue()


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_case_is_right(path: Path) -> None:
    assert load_case(path).warnings == ()


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_design_runs(path: Path, tmp_path: Path) -> None:
    loaded = load_text(reduced(path), path)
    folder = run_case(loaded, tmp_path / "run", progress=False)
    history = pd.read_csv(folder / "history.csv")
    assert history["state_of_charge [-]"].iloc[-1] == pytest.approx(
        1.0 - loaded.case.electrochemistry.initial_stoichiometry + 0.05, abs=1e-6
    )
    assert history["lithium_imbalance [-]"].max() < 1e-8
    assert abs(history["first_principal_p95 [MPa]"].iloc[-1]) > 1.0  # a pressed particle is under compression
    titles = {definition.header for definition in definitions(IndicatorSettings.of(loaded.case.indicators))}
    assert titles <= set(history.columns)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    report = summary["mesh"]["report"]
    assert report["minimum_sicn"] > 0.02
    features = ("pores", "void", "coating", "matrix", "roughness")
    asked = [name for name in features if getattr(loaded.case.particle, name) is not None]
    assert len(report["sections"]) >= len(asked)  # what was built against what was asked
    fields = open_fields(folder)
    assert len(fields.volume(len(fields.times) - 1).cells) == report["cells"]
