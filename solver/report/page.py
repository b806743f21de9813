"""One page that shows a run and opens anywhere: pictures, numbers and provenance in a single HTML file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
import numpy as np

from solver.case.schema import Indicators
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings
from solver.output.files import write_text
from solver.output.folder import FIGURES, FRAMES, REPORT
from solver.report.figures import figures_from_run
from solver.report.run_data import RunData, read_run
from solver.report.sections import draw_frames
from solver.report.style import SETTINGS
from solver.report.table import number_text

_MOST_FRAMES = 60
_IN_SPACE = ("cutaway", "boundaries")
_GUARDS = {"lithium_imbalance": 1e-8, "stress_imbalance": 1e-4}


def write_report(folder: Path) -> Path:
    """Draws the figures of a run and writes `report.html`; call it again at any time, on one process.

    Args:
        folder: Run folder with history, summary and fields.

    Returns:
        The page.

    Raises:
        OutputError: When the folder is not that of a run with results.
    """
    figures_from_run(folder)
    run = read_run(folder)
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solver.report"),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    frames, shown = _frames(run)
    text = environment.get_template("run.html").render(
        run=run,
        facts=_facts(run, provenance),
        cards=list(_cards(run)),
        frames=frames,
        shown=shown,
        space=[picture for picture in _pictures(run) if picture["name"] in _IN_SPACE],
        curves=[picture for picture in _pictures(run) if picture["name"] not in _IN_SPACE],
        indicators=list(_indicators(run)),
        guards=list(_guards(run)),
        left_out=run.summary["left_out"],
        origin=list(_origin(provenance)),
        case=(folder / "case.yaml").read_text(encoding="utf-8"),
    )
    write_text(folder / REPORT, text)
    return folder / REPORT


def _frames(run: RunData) -> tuple[list[dict[str, str]], int]:
    """Sections of the states, evenly chosen where there are many, and which of them is that of highest risk."""
    count = len(run.fields.times)
    states = np.unique(np.linspace(0, count - 1, min(count, _MOST_FRAMES)).round().astype(int))
    place = run.folder / FIGURES / FRAMES
    place.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        paths = draw_frames(run, [int(state) for state in states], place)
    frames = [{"source": _embedded(path), "label": run.label(state)} for state, path in zip(states, paths, strict=True)]
    return frames, int(np.abs(states - run.worst).argmin())


def _pictures(run: RunData) -> Iterator[dict[str, str]]:
    """Figures of the folder besides the sections, which the frames show."""
    for path in sorted((run.folder / FIGURES).glob("*.png")):
        if not path.stem.startswith("section_"):
            yield {"name": path.stem, "title": path.stem.replace("_", " "), "source": _embedded(path)}


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _facts(run: RunData, provenance: dict[str, Any]) -> str:
    material = provenance.get("material", {}).get("name", "several materials")
    kind = "particle" if run.dimension == 3 else "section"
    steps = f"{run.summary['steps_accepted']} time steps, {run.summary['steps_rejected']} repeated"
    return f"{kind} of {material}, radius {run.radius:.3g} µm; {steps}; {provenance.get('date', '')}"


def _cards(run: RunData) -> Iterator[dict[str, str]]:
    """The few numbers to see first."""
    values = run.summary["values"]
    worst = run.summary.get("highest_risk")
    if worst:
        yield {
            "title": "highest risk at",
            "value": f"{100 * worst['state_of_charge']:.0f} % SoC",
            "note": worst["chosen_by"],
        }
    for key, title in (
        ("boundary_normal_p95", "boundary traction, 95 %"),
        ("mismatch_boundary_normal_p95", "by mismatch of grains"),
        ("gradient_boundary_normal_p95", "by lithium gradient"),
        ("first_principal_p95", "first principal stress, 95 %"),
    ):
        if "maximum" in values.get(key, {}):
            highest = values[key]["maximum"]
            note = f"at {100 * highest['state_of_charge']:.0f} % SoC"
            yield {"title": title, "value": f"{number_text(highest['value'])} {values[key]['unit']}", "note": note}


def _indicators(run: RunData) -> Iterator[dict[str, str]]:
    case = json.loads((run.folder / "case.resolved.json").read_text(encoding="utf-8"))
    settings = IndicatorSettings.of(Indicators.model_validate(case["indicators"]))
    for definition in definitions(settings):
        value = run.summary["values"].get(definition.key)
        if value is None or "maximum" not in value:
            continue
        yield {
            "key": definition.key,
            "final": number_text(value["final"]),
            "largest": number_text(value["maximum"]["value"]),
            "charge": f"{100 * value['maximum']['state_of_charge']:.0f} %",
            "unit": "" if definition.unit == "-" else definition.unit,
            "meaning": definition.meaning + (f" (eq. {definition.equation})" if definition.equation else ""),
            "threshold": definition.threshold,
        }


def _guards(run: RunData) -> Iterator[dict[str, Any]]:
    for key, limit in _GUARDS.items():
        value = run.summary["values"].get(key, {}).get("maximum")
        if value is not None:
            text = f"{key.replace('_', ' ')}: at most {value['value']:.1e}, limit {limit:g}"
            yield {"text": text, "fine": value["value"] <= limit}


def _origin(provenance: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where the run came from, one line each."""
    for name, value in provenance.items():
        if name in ("material", "layers", "mesh", "wall_time_s"):
            continue
        shown = ", ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else str(value)
        yield name.replace("_", " "), shown
    spent = sorted(provenance.get("wall_time_s", {}).items(), key=lambda item: -item[1])
    yield "wall time", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent)
