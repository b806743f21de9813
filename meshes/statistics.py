"""What was asked against what was built: sizes, areas, volumes, quality, in numbers and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from meshes.arrays import Array
from meshes.quality import Quality
from meshes.tetmesh import GRAIN_BOUNDARY, OUTER, TetMesh, facet_areas, facet_grains, grain_volumes


@dataclass(frozen=True)
class MeshReport:
    """Figures of one mesh; "asked" values are None for a mesh that was read from a file.

    Args:
        grains: Number of grains.
        cells: Number of tetrahedra.
        nodes: Number of nodes.
        outer_facets: Number of facets on the outer surface.
        boundary_facets: Number of facets on grain boundaries.
        boundaries: Number of pairs of grains that touch.
        size: Element size asked for or chosen [µm].
        volume: Volume of the mesh [µm³].
        volume_asked: Volume of the smooth particle [µm³].
        outer_area: Area of the outer surface [µm²].
        boundary_area: Area of all grain boundaries, each counted once [µm²].
        boundary_area_exact: The same of the tessellation before its small features were removed [µm²].
        diameter_mean: Mean volume-equivalent grain diameter [µm].
        diameter_mean_asked: The same of the target volumes [µm].
        diameter_spread: Coefficient of variation of these diameters [-].
        diameter_spread_asked: Coefficient of variation asked for [-].
        diameter_range: Smallest and largest of them [µm].
        volume_deviation: Root mean square of (grain volume / target − 1) [-].
        minimum_sicn: Smallest signed inverse condition number [-].
        median_sicn: Its median [-].
        minimum_dihedral: Smallest dihedral angle [degrees].
        maximum_dihedral: Largest dihedral angle [degrees].
        poor_cells: Number of tetrahedra with a dihedral angle below 10 degrees.
        attempts: Meshing attempts made.
        seconds: Time the mesh took [s].
        grain_numbers: Grain 1..N → number in the file it came from (empty if they are the same).
        notes: What the user should know.
        versions: Versions of the programs that made the mesh.
    """

    grains: int
    cells: int
    nodes: int
    outer_facets: int
    boundary_facets: int
    boundaries: int
    size: float | None
    volume: float
    volume_asked: float | None
    outer_area: float
    boundary_area: float
    boundary_area_exact: float | None
    diameter_mean: float
    diameter_mean_asked: float | None
    diameter_spread: float
    diameter_spread_asked: float | None
    diameter_range: tuple[float, float]
    volume_deviation: float | None
    minimum_sicn: float
    median_sicn: float
    minimum_dihedral: float
    maximum_dihedral: float
    poor_cells: int
    attempts: int
    seconds: float
    grain_numbers: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MeshReport:
        """The report that `to_json` wrote.

        Raises:
            TypeError: If keys are missing or unknown.
        """
        low, high = data["diameter_range"]
        return cls(**{**data, "diameter_range": (low, high), "notes": tuple(data["notes"])})

    def text(self) -> str:
        """A table for the terminal."""
        rows = [
            ("", "built", "asked"),
            ("grains", f"{self.grains}", ""),
            ("tetrahedra / nodes", f"{self.cells} / {self.nodes}", ""),
            ("element size", "", _text(self.size, "um")),
            ("volume", _text(self.volume, "um^3"), _text(self.volume_asked, "um^3")),
            ("outer surface", f"{_text(self.outer_area, 'um^2')} ({self.outer_facets} facets)", ""),
            (
                f"grain boundaries ({self.boundaries})",
                f"{_text(self.boundary_area, 'um^2')} ({self.boundary_facets} facets)",
                _text(self.boundary_area_exact, "um^2"),
            ),
            ("mean grain diameter", _text(self.diameter_mean, "um"), _text(self.diameter_mean_asked, "um")),
            ("spread of diameters", _percent(self.diameter_spread), _percent(self.diameter_spread_asked)),
            ("smallest / largest grain", " / ".join(_text(end, "um") for end in self.diameter_range), ""),
            ("grain volumes off by (rms)", _percent(self.volume_deviation), ""),
            ("smallest SICN (median)", f"{self.minimum_sicn:.3f} ({self.median_sicn:.2f})", ""),
            ("dihedral angles", f"{self.minimum_dihedral:.1f}° to {self.maximum_dihedral:.1f}°", ""),
            ("tetrahedra with angles < 10°", f"{self.poor_cells}", ""),
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _text(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.1f} %"


def equivalent_diameters(volumes: Array) -> Array:
    """Diameters of spheres of these volumes [µm], shape (N,)."""
    return np.cbrt(6.0 / np.pi * volumes)


def measure(
    mesh: TetMesh,
    quality: Quality,
    seconds: float,
    *,
    attempts: int = 1,
    size: float | None = None,
    volume_asked: float | None = None,
    boundary_area_exact: float | None = None,
    target_volumes: Array | None = None,
    spread_asked: float | None = None,
    grain_numbers: Mapping[str, int] | None = None,
    notes: tuple[str, ...] = (),
    versions: Mapping[str, str] | None = None,
) -> MeshReport:
    """Measure a mesh; arguments as in `MeshReport`, target volumes in µm³, shape (N,)."""
    areas = facet_areas(mesh)
    outer = mesh.facet_tags == OUTER
    volumes = grain_volumes(mesh)
    diameters = equivalent_diameters(volumes)
    pairs = facet_grains(mesh)[mesh.facet_tags == GRAIN_BOUNDARY]
    targets = None if target_volumes is None else target_volumes * (volumes.sum() / target_volumes.sum())
    return MeshReport(
        grains=mesh.grain_count,
        cells=len(mesh.cells),
        nodes=len(mesh.points),
        outer_facets=int(outer.sum()),
        boundary_facets=int((~outer).sum()),
        boundaries=len(np.unique(pairs, axis=0)),
        size=size,
        volume=float(volumes.sum()),
        volume_asked=volume_asked,
        outer_area=float(areas[outer].sum()),
        boundary_area=float(areas[~outer].sum()),
        boundary_area_exact=boundary_area_exact,
        diameter_mean=float(diameters.mean()),
        diameter_mean_asked=None if target_volumes is None else float(equivalent_diameters(target_volumes).mean()),
        diameter_spread=float(diameters.std() / diameters.mean()),
        diameter_spread_asked=spread_asked,
        diameter_range=(float(diameters.min()), float(diameters.max())),
        volume_deviation=None if targets is None else float(np.sqrt(np.mean((volumes / targets - 1.0) ** 2))),
        minimum_sicn=quality.minimum_sicn,
        median_sicn=quality.median_sicn,
        minimum_dihedral=quality.minimum_dihedral,
        maximum_dihedral=quality.maximum_dihedral,
        poor_cells=quality.poor_cells,
        attempts=attempts,
        seconds=seconds,
        grain_numbers=grain_numbers or {},
        notes=notes,
        versions=versions or {},
    )
