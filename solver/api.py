"""What a notebook or a script needs: `from solver import load_case, run_case, open_run`.

Objects show themselves as tables and pictures where the front end asks for HTML.
"""

from __future__ import annotations

import html
import json
from functools import cached_property
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from solver import run
from solver.case.load import LoadedCase, load_case
from solver.case.schema import Indicators
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings
from solver.output.folder import FIGURES, FRAMES
from solver.report.page import write_report
from solver.report.run_data import RunData, read_run
from solver.report.saved import SavedFields
from solver.report.sections import draw_frames
from solver.report.style import SETTINGS

__all__ = ["LoadedCase", "Picture", "Run", "load_case", "open_run", "run_case"]

_HEADLINES = (
    "boundary_normal_p95",
    "mismatch_boundary_normal_p95",
    "gradient_boundary_normal_p95",
    "first_principal_p95",
    "first_principal_nonlocal_max",
    "elastic_energy",
    "lithium_imbalance",
)


class Picture:
    """A picture in a file, shown by notebooks.

    Attributes:
        path: The PNG.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()

    def __repr__(self) -> str:
        return f"Picture({self.path.name!r})"


class Run:
    """Results of a run.

    Args:
        folder: Results folder.

    Attributes:
        folder: The same.

    Raises:
        OutputError: When the folder is not that of a run with results.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data: RunData = read_run(folder)

    @property
    def name(self) -> str:
        """Title of the run."""
        return self._data.name

    @property
    def fields(self) -> SavedFields:
        """Fields of the output states as arrays."""
        return self._data.fields

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row per output state, a column per indicator, units in the names."""
        return pd.read_csv(self.folder / "history.csv")

    @cached_property
    def steps(self) -> pd.DataFrame:
        """One row per attempted time step."""
        return pd.read_csv(self.folder / "steps.csv")

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Every indicator with its final and largest value, the state of charge there, unit and meaning."""
        case = json.loads((self.folder / "case.resolved.json").read_text(encoding="utf-8"))
        settings = IndicatorSettings.of(Indicators.model_validate(case["indicators"]))
        meanings = {definition.key: definition.meaning for definition in definitions(settings)}
        rows = {
            key: {
                "final": value["final"],
                "largest": value["maximum"]["value"],
                "at state of charge": value["maximum"]["state_of_charge"],
                "unit": value["unit"],
                "meaning": meanings[key],
            }
            for key, value in self._data.summary["values"].items()
            if key in meanings and "maximum" in value
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def section(self, state: int = -1) -> Picture:
        """Section through an output state; the last one by default."""
        number = range(len(self.fields.times))[state]
        place = self.folder / FIGURES / FRAMES
        place.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(SETTINGS):
            [path] = draw_frames(self._data, [number], place)
        return Picture(path)

    def figure(self, name: str) -> Picture:
        """A figure of the run by its name, such as "risk" or "cutaway".

        Raises:
            KeyError: When there is no such figure; the message names those there are.
        """
        path = self.folder / FIGURES / f"{name}.png"
        if not path.exists():
            there = sorted(each.stem for each in path.parent.glob("*.png"))
            raise KeyError(f"no figure {name!r}; there are {', '.join(there)}")
        return Picture(path)

    def report(self) -> Path:
        """Draws the figures anew and writes report.html; returns it."""
        return write_report(self.folder)

    def __repr__(self) -> str:
        return f"Run({self.folder.name!r}: {self.name}, {len(self.fields.times)} output states)"

    def _repr_html_(self) -> str:
        shown = self.indicators.reindex([key for key in _HEADLINES if key in self.indicators.index])
        return f"<h4>{html.escape(self.name)}</h4>" + shown.to_html(float_format=lambda value: f"{value:.4g}")


def run_case(case: LoadedCase | Path | str, folder: Path | str, *, force: bool = False, progress: bool = True) -> Run:
    """Solves a case and opens its results; collective under MPI.

    Args:
        case: A loaded case, or the path of a case file.
        folder: Results folder.
        force: Replace results that are there.
        progress: Show progress.

    Raises:
        VegardError: When the case is wrong, the mesh cannot be made, the results cannot be written, or a step fails.
    """
    loaded = case if isinstance(case, LoadedCase) else load_case(Path(case))
    return Run(run.run_case(loaded, Path(folder), force=force, progress=progress))


def open_run(folder: Path | str) -> Run:
    """Opens the results of a run.

    Raises:
        OutputError: When the folder is not that of a run with results.
    """
    return Run(Path(folder))
