"""Figures and table of a small recorded run: they appear, show something, and can be made again."""

from __future__ import annotations

import json
import re
import shutil
import sys

import matplotlib.image
import numpy as np
import pytest
import synthetic
from mpi4py import MPI

import solver.report.page
from solver.case.schema import Indicators
from solver.errors import OutputError
from solver.indicators.settings import IndicatorSettings
from solver.output.folder import RunFolder
from solver.output.recorder import Recorder
from solver.report.figures import figures_from_run
from solver.report.page import write_report
from solver.report.run_data import read_run
from solver.report.table import results_text
from solver.solve.phases import Phases

COMM = MPI.COMM_SELF


def record(path, grains=6, mechanics=True, kind="vtkhdf", amplitudes=(0.0, 2.0, 1.0), flat=False):
    domain = synthetic.section(COMM, grains=grains) if flat else synthetic.domain(COMM, divisions=6, grains=grains)
    with RunFolder(path, COMM) as folder:
        indicators = Indicators().model_dump(mode="json")
        folder.write_json("case.resolved.json", {"name": "a small ball", "indicators": indicators})
        folder.write_text("case.yaml", "name: <a small ball>\n")
        recorder = Recorder(folder, domain, IndicatorSettings(length=0.2), kind, Phases())
        for index, amplitude in enumerate(amplitudes):
            recorder.on_state(synthetic.state(domain, index, 600.0 * index, amplitude, mechanics))
        recorder.close()
        folder.write_json("summary.json", recorder.summary.as_data() | {"left_out": ["no cracks open"]})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return record(tmp_path_factory.mktemp("run") / "charge")


def names(paths):
    return sorted(path.name for path in paths)


ALL = [
    "boundaries.png",
    "boundary_tractions.png",
    "cutaway.png",
    "radial_final.png",
    "radial_highest_risk.png",
    "risk.png",
    "section_final.png",
    "section_highest_risk.png",
]


def test_all_figures_appear_and_are_not_empty(run):
    figures = figures_from_run(run)
    assert names(figures) == ALL
    for figure in figures:
        picture = matplotlib.image.imread(figure)
        assert min(picture.shape[:2]) > 500
        # A picture of one colour would have no spread; text alone has less than this.
        assert np.std(picture[..., :3]) > 0.05, figure.name
    assert names((run / "figures").iterdir()) == ALL


def test_run_data_knows_the_run(run):
    data = read_run(run)
    assert data.name == "a small ball"
    assert (data.worst, data.final) == (1, 2)
    assert data.thresholds == [100.0, 210.0, 425.0, 745.0]
    assert data.label(1) == "charging, SoC 48 %, 10 min"
    assert data.centre == pytest.approx(np.zeros(3), abs=1e-6)
    assert data.radius == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mechanics": False}, ["cutaway.png", "radial_final.png", "section_final.png"]),
        ({"grains": 1, "amplitudes": (0.0, 1.0)}, ["cutaway.png", "radial_final.png", "risk.png", "section_final.png"]),
        ({"kind": "vtu", "amplitudes": (0.5,)}, [name for name in ALL if "highest" not in name]),
        ({"flat": True}, [name for name in ALL if name not in ("cutaway.png", "boundaries.png")]),
    ],
    ids=["lithium only", "single crystal", "one state, vtu", "section"],
)
def test_runs_with_less_in_them_have_fewer_figures(tmp_path, options, expected):
    assert names(figures_from_run(record(tmp_path / "run", **options))) == expected


def test_an_unstressed_run_can_be_drawn(tmp_path):
    assert "risk.png" in names(figures_from_run(record(tmp_path / "run", amplitudes=(0.0, 0.0))))


def test_without_pyvista_only_the_picture_that_needs_it_is_left_out(tmp_path, monkeypatch, caplog):
    monkeypatch.delitem(sys.modules, "solver.report.cutaway", raising=False)
    monkeypatch.setitem(sys.modules, "pyvista", None)
    assert names(figures_from_run(record(tmp_path / "run", amplitudes=(0.5,)))) == [
        name for name in ALL if "highest" not in name and name not in ("cutaway.png", "boundaries.png")
    ]
    assert "no cut-away picture" in caplog.text


def test_a_folder_without_a_run_is_refused(tmp_path, run):
    with pytest.raises(OutputError, match="not the folder of a finished run"):
        figures_from_run(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    (broken / "fields.vtkhdf").unlink()
    with pytest.raises(OutputError, match="no fields there"):
        figures_from_run(broken)


@pytest.mark.parametrize("options", [{}, {"mechanics": False}, {"flat": True, "amplitudes": (0.5,)}])
def test_the_page_holds_everything_and_asks_for_nothing(tmp_path, options):
    folder = record(tmp_path / "run", **options)
    page = write_report(folder)
    text = page.read_text(encoding="utf-8")
    assert page == folder / "report.html"
    states = len(options.get("amplitudes", (0.0, 2.0, 1.0)))
    assert text.count("{source:") == states == len(list((folder / "figures" / "frames").glob("*.png")))
    assert text.count("<img") == 1 + sum(
        not name.startswith("section") for name in names((folder / "figures").glob("*.png"))
    )
    assert "name: &lt;a small ball&gt;" in text
    assert "lithium imbalance: at most" in text
    # Nothing is fetched: every source is embedded, and there is no address of another place.
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)', text) == []
    assert "http" not in text.replace("http-equiv", "")


def test_frames_of_a_long_run_are_chosen_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(solver.report.page, "_MOST_FRAMES", 2)
    folder = record(tmp_path / "run")
    write_report(folder)
    assert names((folder / "figures" / "frames").iterdir()) == ["state_0000.png", "state_0002.png"]


def test_the_table_tells_the_main_numbers(run):
    summary = json.loads((run / "summary.json").read_text())
    text = results_text(summary)
    value = summary["values"]["boundary_normal_p95"]
    line = next(line for line in text.splitlines() if "normal traction p95" in line)
    assert f"{value['final']:.3g}" in line
    assert f"{value['maximum']['value']:.3g}" in line
    assert "48 %" in line
    for words in ("above 745 MPa", "mismatch", "gradient", "core", "rim", "lithium imbalance", "left out"):
        assert words in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_the_table_leaves_out_what_is_not_known(tmp_path):
    path = record(tmp_path / "run", grains=1, amplitudes=(1.0,))
    text = results_text(json.loads((path / "summary.json").read_text()))
    assert "normal traction" not in text
    assert "first principal stress p95" in text
    assert "nan" not in text.lower()
