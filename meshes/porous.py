"""Porous particles: pores are placed and meshed, the porosity of the mesh is measured, radii corrected, meshed again.

The mesher itself is given by the caller: this room knows only pores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meshes.arrays import Array, Indices
from meshes.body import Progress, ReportSection
from meshes.label_field import LabelField
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from meshes.pore_law import PorosityLaw, giant_volumes
from meshes.pore_options import law_asked, pores_stay_closed, sizes_asked, small_pore_volume
from meshes.pore_report import PoresAsked, pore_section
from meshes.pore_shells import Cloud, shells_of, without_left_out
from meshes.pores import PoreSet, corrected, lost_grains, place_pores
from meshes.porosity import Porosity, measure_porosity
from meshes.wetting import PoreSpaces, find_pore_spaces, void_volume, wet_walls

# Flat facets make pores smaller: so much larger are they asked of the mesher at first.
_FLATNESS = 1.013
_ROUNDS = 3
# A mesh this close needs no correction; beyond the second figures the report carries a note.
_AIM = (0.0010, 0.006)
_PROMISED = (0.0015, 0.010)
_PORES_PER_SHELL = 8


@dataclass(frozen=True)
class PorousMesh:
    """A porous mesh and how it came about.

    Args:
        mesh: The mesh, walls tagged dry or wet.
        field: What it was made from.
        kept: Grains (from 0) of the field without pores that are left, shape (k,).
        solid: Share of the cell of each of them that is no pore, shape (k,).
        section: What the report says.
        notes: What the user should know.
        attempts: Meshes made.
    """

    mesh: ParticleMesh
    field: LabelField
    kept: Indices
    solid: Array
    section: ReportSection
    notes: tuple[str, ...]
    attempts: int


@dataclass(frozen=True)
class _Round:
    """One mesh of the correction."""

    mesh: ParticleMesh
    field: LabelField
    pores: PoreSet
    porosity: Porosity
    spaces: PoreSpaces

    def misses(self, asked: Array, cloud: Cloud) -> tuple[float, float]:
        """Error of the total and of the worst shell."""
        total = float(asked @ cloud.shell_points / cloud.shell_points.sum())
        return abs(self.porosity.total - total), float(np.abs(self.porosity.shells - asked).max())


def mesh_with_pores(
    particle: Particle, field: LabelField, make: Callable[[LabelField], ParticleMesh], progress: Progress
) -> PorousMesh:
    """Mesh a particle with the pores it asks for.

    Args:
        particle: The description; it has pores.
        field: Its grains and its void, without pores.
        make: Makes a mesh of a field, its walls tagged `PORE_WALL`.
        progress: Is told, in a line each, what is being done.

    Returns:
        The mesh; grains that lie almost wholly in giant pores are gone from it.

    Raises:
        MeshError: If there are no such pores.
    """
    assert particle.pores is not None
    law, sizes = law_asked(particle), sizes_asked(particle)
    cloud = _cloud(particle, field, law)
    seed = particle.grains.seed if particle.pores.seed is None else particle.pores.seed
    pores = place_pores(field, law, sizes, cloud, seed, pores_stay_closed(particle))
    progress(f"{len(pores.radii)} pores placed")
    lost = lost_grains(pores, cloud, field)
    kept = np.setdiff1d(np.arange(field.grain_count), lost)
    best, attempts = _corrected_mesh(_without(field, kept), pores, cloud, make, progress)
    mesh = wet_walls(best.mesh, particle, best.field)
    asked = PoresAsked(law, sizes, cloud.shells, field.outline.radius)
    section = pore_section(mesh, best.field, best.porosity, best.spaces, asked, best.pores.giants)
    notes = _notes(best, cloud, lost)
    return PorousMesh(mesh, best.field, kept, _solid_shares(best.field, cloud), section, notes, attempts)


def _cloud(particle: Particle, field: LabelField, law: PorosityLaw) -> Cloud:
    """Points of the particle with shells in which there are enough pores to be told apart."""
    sizes, outline = sizes_asked(particle), field.outline
    count = int(np.clip(small_pore_volume(particle) / sizes.mean / _PORES_PER_SHELL, 1, 5))
    shells = shells_of(law, field.void_radius / float(outline.semi_axes.min()), count)
    giants = float(np.sum(giant_volumes(law, outline.radius)))
    return Cloud(field, without_left_out(shells, giants, outline.volume, sizes.left_out_volume))


def _without(field: LabelField, kept: Indices) -> LabelField:
    """The field of these grains alone."""
    shapes = None if field.shapes is None else field.shapes[kept]
    return replace(field, positions=field.positions[kept], weights=field.weights[kept], shapes=shapes)


def _corrected_mesh(
    field: LabelField,
    pores: PoreSet,
    cloud: Cloud,
    make: Callable[[LabelField], ParticleMesh],
    progress: Progress,
) -> tuple[_Round, int]:
    """The best of some meshes, each with pores corrected by what the one before had; and how many were made."""
    asked = cloud.shells.porosity
    pores = replace(pores, radii=_FLATNESS * pores.radii)
    best: _Round | None = None
    error = np.inf
    for attempt in range(1, _ROUNDS + 1):
        made = _round(make, field, pores, cloud)
        total, shell = made.misses(asked, cloud)
        progress(f"porosity {100 * made.porosity.total:.2f} %, worst shell off by {100 * shell:.2f} %")
        if max(total / _PROMISED[0], shell / _PROMISED[1]) < error:
            best, error = made, max(total / _PROMISED[0], shell / _PROMISED[1])
        if total < _AIM[0] and shell < _AIM[1]:
            break
        pores = corrected(pores, made.porosity.shells, cloud, field)
    assert best is not None
    return best, attempt


def _round(make: Callable[[LabelField], ParticleMesh], field: LabelField, pores: PoreSet, cloud: Cloud) -> _Round:
    holed = field.with_pores(pores.centres, pores.radii)
    mesh = make(holed)
    spaces = find_pore_spaces(mesh, field.outline)
    porosity = measure_porosity(mesh, field.outline, cloud, void_volume(mesh, holed, spaces))
    return _Round(mesh, holed, pores, porosity, spaces)


def _solid_shares(field: LabelField, cloud: Cloud) -> Array:
    """Share of the cell of every grain that is in no pore, shape (N,)."""
    grain = field.grain(cloud.points) - 1
    solid = ~field.in_pore(cloud.points)
    whole = np.bincount(grain, minlength=field.grain_count)
    return np.bincount(grain[solid], minlength=field.grain_count) / np.maximum(whole, 1)


def _notes(best: _Round, cloud: Cloud, lost: Indices) -> tuple[str, ...]:
    notes = []
    if len(lost):
        some = f"{len(lost)} grains lie" if len(lost) > 1 else f"grain {lost[0] + 1} lies"
        notes.append(f"{some} almost wholly in giant pores and {'are' if len(lost) > 1 else 'is'} left out")
    total, shell = best.misses(cloud.shells.porosity, cloud)
    if total > _PROMISED[0] or shell > _PROMISED[1]:
        notes.append(
            f"the porosity differs from what is asked for by {100 * total:.2f} % in all and {100 * shell:.2f} % in a "
            "shell; a larger pores.detail or a smaller mesh.size comes closer"
        )
    return tuple(notes)
