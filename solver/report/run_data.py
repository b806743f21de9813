"""What the figures need of a finished run: the history by column, the summary, and the fields of a state."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshes import particle_mesh
from meshes.particle_mesh import MOST_GRAINS
from solver.errors import OutputError
from solver.report.saved import SavedFields, SavedGrid, open_fields


@dataclass(frozen=True)
class RunData:
    """A run read back from its folder.

    Attributes:
        folder: Run folder.
        name: Title of the run.
        history: Columns of `history.csv` by key, NaN where a value is not defined.
        summary: Content of `summary.json`.
        fields: Field series.
    """

    folder: Path
    name: str
    history: dict[str, NDArray[np.float64]]
    summary: dict[str, Any]
    fields: SavedFields

    @property
    def has_stress(self) -> bool:
        """Whether the run computed mechanics."""
        return bool(np.isfinite(self.history["first_principal_p95"]).any())

    @property
    def final(self) -> int:
        """Position of the last state."""
        return len(self.fields.times) - 1

    @property
    def worst(self) -> int:
        """Position of the state of highest risk; the last state when there is no stress."""
        risk = self.summary.get("highest_risk")
        return int(risk["state"]) if risk else self.final

    @property
    def thresholds(self) -> list[float]:
        """Tractions whose exceeded area is reported [MPa], rising."""
        prefix, unit = "boundary_area_above_", "MPa"
        found = (key.removeprefix(prefix).removesuffix(unit) for key in self.history if key.startswith(prefix))
        return sorted(float(text) for text in found)

    def label(self, state: int) -> str:
        """Where in the protocol a state is, for titles."""
        charge, seconds = self.history["state_of_charge"], self.history["time"][state]
        change = charge[state] - charge[state - 1] if state else 0.0
        doing = "" if abs(change) < 1e-9 else "charging, " if change > 0.0 else "discharging, "
        return f"{doing}SoC {100 * charge[state]:.0f} %, {_duration(seconds)}"

    @property
    def dimension(self) -> int:
        """3 for a particle, 2 for a section."""
        return int(self.summary["particle"]["dimension"])

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,) centre of the particle [µm]."""
        return np.array(self.summary["particle"]["centre"])

    @property
    def radius(self) -> float:
        """Radius of the particle [µm]."""
        return float(self.summary["particle"]["radius"])


def read_run(folder: Path) -> RunData:
    """Reads a run folder.

    Raises:
        OutputError: When a table, the summary or the fields are missing.
    """
    try:
        with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        case = json.loads((folder / "case.resolved.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder}: not the folder of a finished run ({error})") from error
    if "particle" not in summary:
        raise OutputError(f"{folder}: written by an older version that did not note the particle's size; run it again")
    keys = [title.split(" [")[0] for title in header]
    table = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows]).reshape(-1, len(keys))
    history = dict(zip(keys, table.T))
    return RunData(folder, str(case.get("name") or folder.name), history, summary, open_fields(folder))


def grains_of(grid: SavedGrid) -> SavedGrid:
    """The cells of a volume that are in grains: no coating, no matrix."""
    inside = grid.cell_data["grain"] <= MOST_GRAINS
    if inside.all():
        return grid
    data = {name: values[inside] for name, values in grid.cell_data.items()}
    return SavedGrid(grid.points, grid.cells[inside], grid.point_data, data)


def cell_volumes(grid: SavedGrid) -> NDArray[np.float64]:
    """(m,) volumes of tetrahedra [µm³], areas of triangles [µm²]."""
    return np.asarray(np.abs(particle_mesh.cell_volumes(grid.points, grid.cells)))


def cell_centroids(grid: SavedGrid) -> NDArray[np.float64]:
    """(m, 3) centroids [µm]."""
    return np.asarray(grid.points[grid.cells].mean(axis=1))


def facet_areas(grid: SavedGrid) -> NDArray[np.float64]:
    """(m,) areas of triangles [µm²], lengths of edges [µm]."""
    return np.asarray(particle_mesh.areas_of(grid.points, grid.cells))


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"
