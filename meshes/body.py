"""A particle between the builders: its mesh so far, what was asked, and what the report will say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from meshes.arrays import Array
from meshes.particle_mesh import ParticleMesh
from meshes.spheroid import Spheroid

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ReportSection:
    """A part of the mesh report about one feature of a design.

    Args:
        title: What it is about, such as "pores".
        rows: Lines of the table: name, built, asked, as text.
        data: The numbers, as plain JSON values.
    """

    title: str
    rows: tuple[tuple[str, str, str], ...]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Body:
    """A meshed particle on its way through the builders.

    Args:
        mesh: The mesh so far.
        outline: The smooth outer shape of the grains; None for a mesh from a file.
        size: Element size of the grains [µm]; None for a mesh from a file.
        volume_asked: Volume the solid of the grains was to have [µm³].
        target_volumes: Volumes the grains were to have [µm³], shape (N,).
        boundary_area_exact: Grain-boundary area before meshing [µm²].
        attempts: Meshing attempts made.
        notes: What the user should know.
        sections: What the report says about pores, coatings and the like.
        grain_numbers: Grain 1..N → number in the file it came from.
    """

    mesh: ParticleMesh
    outline: Spheroid | None = None
    size: float | None = None
    volume_asked: float | None = None
    target_volumes: Array | None = None
    boundary_area_exact: float | None = None
    attempts: int = 1
    notes: tuple[str, ...] = ()
    sections: tuple[ReportSection, ...] = ()
    grain_numbers: Mapping[str, int] = field(default_factory=dict)

    def with_section(self, section: ReportSection, mesh: ParticleMesh | None = None) -> Body:
        """The body with one more section in its report, and perhaps another mesh."""
        return replace(self, mesh=mesh or self.mesh, sections=(*self.sections, section))
