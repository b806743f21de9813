"""What was asked against what was built: sizes, areas, volumes, quality, in numbers and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from meshes.arrays import Array
from meshes.body import Body, ReportSection
from meshes.particle import Particle
from meshes.particle_mesh import (
    GRAIN_BOUNDARY,
    MATRIX,
    PORE_WALLS,
    SYMMETRY,
    ParticleMesh,
    facet_areas,
    facet_grains,
    grain_volumes,
)
from meshes.quality import Quality, measure_quality


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
        volume: Volume of the grains [µm³].
        outer_area: Area of the outer surface of the grains, bare or not [µm²].
        boundary_area: Area of all grain boundaries, each counted once [µm²].
        diameter_mean: Mean volume-equivalent grain diameter [µm].
        diameter_spread: Coefficient of variation of these diameters [-].
        diameter_range: Smallest and largest of them [µm].
        minimum_sicn: Smallest signed inverse condition number [-]; here and below without coatings and interface layer.
        median_sicn: Its median [-].
        minimum_dihedral: Smallest dihedral angle [degrees].
        maximum_dihedral: Largest dihedral angle [degrees].
        poor_cells: Number of tetrahedra with a dihedral angle below 10 degrees.
        size: Element size asked for or chosen [µm].
        volume_asked: Volume of the smooth particle [µm³].
        boundary_area_exact: Boundary area of the tessellation before its small features were removed [µm²].
        diameter_mean_asked: Mean diameter of the target volumes [µm].
        diameter_spread_asked: Coefficient of variation asked for [-].
        volume_deviation: Root mean square of (grain volume / target − 1) [-].
        attempts: Meshing attempts made.
        seconds: Time the mesh took [s].
        grain_numbers: Grain 1..N → number in the file it came from (empty if it was made here).
        notes: What the user should know.
        versions: Versions of the programs that made the mesh.
        sections: What is to say about pores, coatings and the like.
        dimension: 2 for a cross-section; what is called a volume above is then an area, an area a length, a tetrahedron
            a triangle, a dihedral angle one of a triangle, and diameters are those of discs.
    """

    grains: int
    cells: int
    nodes: int
    outer_facets: int
    boundary_facets: int
    boundaries: int
    volume: float
    outer_area: float
    boundary_area: float
    diameter_mean: float
    diameter_spread: float
    diameter_range: tuple[float, float]
    minimum_sicn: float
    median_sicn: float
    minimum_dihedral: float
    maximum_dihedral: float
    poor_cells: int
    size: float | None = None
    volume_asked: float | None = None
    boundary_area_exact: float | None = None
    diameter_mean_asked: float | None = None
    diameter_spread_asked: float | None = None
    volume_deviation: float | None = None
    attempts: int = 1
    seconds: float = 0.0
    grain_numbers: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[ReportSection, ...] = ()
    dimension: int = 3

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
        sections = tuple(
            ReportSection(part["title"], tuple((a, b, c) for a, b, c in part["rows"]), part["data"])
            for part in data["sections"]
        )
        return cls(**{**data, "diameter_range": (low, high), "notes": tuple(data["notes"]), "sections": sections})

    def text(self) -> str:
        """A table for the terminal."""
        rows = [("", "built", "asked"), *self._rows()]
        for section in self.sections:
            rows += [(section.title, "", ""), *((f"  {name}", built, asked) for name, built, asked in section.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _rows(self) -> list[tuple[str, str, str]]:
        words = _WORDS[self.dimension]
        return [
            ("grains", f"{self.grains}", ""),
            (f"{words.cells} / nodes", f"{self.cells} / {self.nodes}", ""),
            ("element size", "", _text(self.size, "um")),
            (words.volume, _text(self.volume, words.cubic), _text(self.volume_asked, words.cubic)),
            (words.surface, f"{_text(self.outer_area, words.square)} ({self.outer_facets} facets)", ""),
            (
                f"grain boundaries ({self.boundaries})",
                f"{_text(self.boundary_area, words.square)} ({self.boundary_facets} facets)",
                _text(self.boundary_area_exact, words.square),
            ),
            ("mean grain diameter", _text(self.diameter_mean, "um"), _text(self.diameter_mean_asked, "um")),
            ("spread of diameters", _percent(self.diameter_spread), _percent(self.diameter_spread_asked)),
            ("smallest / largest grain", " / ".join(_text(end, "um") for end in self.diameter_range), ""),
            *([("grain volumes off by (rms)", _percent(self.volume_deviation), "")] if self.dimension == 3 else []),
            ("smallest SICN (median)", f"{self.minimum_sicn:.3f} ({self.median_sicn:.2f})", ""),
            (words.angles, f"{self.minimum_dihedral:.1f}° to {self.maximum_dihedral:.1f}°", ""),
            (f"{words.cells} with angles < 10°", f"{self.poor_cells}", ""),
        ]


class _Words(NamedTuple):
    """What things are called in a mesh of some dimension, and their units."""

    cells: str
    volume: str
    surface: str
    angles: str
    cubic: str
    square: str


_WORDS = {
    3: _Words("tetrahedra", "volume", "outer surface", "dihedral angles", "um^3", "um^2"),
    2: _Words("triangles", "area", "outline", "angles", "um^2", "um"),
}


def _text(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.1f} %"


def equivalent_diameters(volumes: Array, dimension: int = 3) -> Array:
    """Diameters of spheres of these volumes (of discs of these areas) [µm], shape (N,)."""
    return np.sqrt(4.0 / np.pi * volumes) if dimension == 2 else np.cbrt(6.0 / np.pi * volumes)


def measure(mesh: ParticleMesh, quality: Quality, target_volumes: Array | None = None) -> MeshReport:
    """Measure a mesh.

    Args:
        mesh: The mesh.
        quality: Its element quality.
        target_volumes: Volumes the grains were to have [µm³], shape (N,), if they were asked for.

    Returns:
        A report on what was built; whoever made the mesh adds what was asked for and how it went.
    """
    areas, pairs = facet_areas(mesh), facet_grains(mesh)
    boundary = mesh.facet_tags == GRAIN_BOUNDARY
    inner = boundary | np.isin(mesh.facet_tags, (*PORE_WALLS, *SYMMETRY))
    outer = ~inner & (pairs[:, 0] <= mesh.grain_count)
    volumes = grain_volumes(mesh)
    diameters = equivalent_diameters(volumes, mesh.dimension)
    asked = equivalent_diameters(target_volumes, mesh.dimension) if target_volumes is not None else None
    return MeshReport(
        grains=mesh.grain_count,
        cells=len(mesh.cells),
        nodes=len(mesh.points),
        outer_facets=int(outer.sum()),
        boundary_facets=int(boundary.sum()),
        boundaries=len(np.unique(pairs[boundary], axis=0)),
        volume=float(volumes.sum()),
        outer_area=float(areas[outer].sum()),
        boundary_area=float(areas[boundary].sum()),
        diameter_mean=float(diameters.mean()),
        diameter_mean_asked=None if asked is None else float(asked.mean()),
        diameter_spread=float(diameters.std() / diameters.mean()),
        diameter_range=(float(diameters.min()), float(diameters.max())),
        volume_deviation=None if target_volumes is None else _deviation(volumes, target_volumes),
        minimum_sicn=quality.minimum_sicn,
        median_sicn=quality.median_sicn,
        minimum_dihedral=quality.minimum_dihedral,
        maximum_dihedral=quality.maximum_dihedral,
        poor_cells=quality.poor_cells,
        dimension=mesh.dimension,
    )


def _deviation(volumes: Array, targets: Array) -> float:
    """Root mean square relative deviation, the common loss at the flat outer facets taken out."""
    scaled = targets * (volumes.sum() / targets.sum())
    return float(np.sqrt(np.mean((volumes / scaled - 1.0) ** 2)))


def report_on(body: Body, particle: Particle) -> MeshReport:
    """The report on a finished body: what was built against what was asked."""
    mesh = body.mesh
    # Layers are thin on purpose; their own sections say how thin.
    thick = mesh.is_grain | (mesh.grain == MATRIX)
    quality = measure_quality(mesh.points, mesh.cells[thick], mesh.grain[thick])
    spread = None if body.target_volumes is None else float(particle.grains.spread)
    return replace(
        measure(mesh, quality, body.target_volumes),
        attempts=body.attempts,
        size=body.size,
        volume_asked=body.volume_asked,
        boundary_area_exact=body.boundary_area_exact,
        diameter_spread_asked=spread,
        grain_numbers=body.grain_numbers,
        notes=body.notes,
        sections=body.sections,
    )
