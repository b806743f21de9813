"""What lies around the grains, from inside outwards: coatings, the interface layer, the matrix."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from meshes import engine
from meshes.arrays import Indices
from meshes.body import Body, Progress, ReportSection
from meshes.carved import is_carved
from meshes.coating import Problem, coating_model, coating_problems
from meshes.designs import Coating
from meshes.errors import MeshError, Unmeshable
from meshes.growth import Growth, finished, grow, start_growth
from meshes.islands import islands
from meshes.layer_report import contact_section, layer_volume, matrix_section, membrane_section, shell_section
from meshes.matrix import fill_around, matrix_problems, volume_within
from meshes.mouths import lids
from meshes.particle import Particle
from meshes.particle_mesh import (
    BLOCKED,
    COATED_BLOCKED,
    COATED_CONTACT,
    COATED_SURFACE,
    COATING,
    COATING_INNER,
    COATING_INNER_BLOCKED,
    COATING_LAYER,
    COATING_OUTER,
    CONTACT,
    INTERFACE,
    INTERFACE_OUTER,
    MATRIX,
    MATRIX_OUTER,
    OUTER,
    PORE_WALL,
    SYMMETRY,
    WETTED_PORE_WALL,
)
from meshes.quality import check_mesh
from meshes.surface_mesh import Runner

# Thickness of the interface layer over the radius: thin against every grain, thick enough for its tetrahedra.
INTERFACE_THICKNESS = 0.01
# So that islands and contacts with the same seed are not the same.
_OF_ISLANDS, _OF_CONTACTS = 11, 12

Mask = NDArray[np.bool_]


def layer_problems(particle: Particle) -> list[Problem]:
    """What is wrong with coatings and matrix: keys, and what to write instead."""
    return [*coating_problems(particle), *matrix_problems(particle)]


def add_layers(body: Body, particle: Particle, progress: Progress) -> Body:
    """Put the coatings and the matrix of a description, one without `layer_problems`, around the grains.

    Raises:
        MeshError: If they cannot be meshed; names the option.
    """
    if not particle.coatings and particle.matrix is None:
        return body
    from_file = particle.from_file is not None
    outline = body.outline if particle.dimension == 3 and is_carved(particle) else None
    growth = start_growth(body.mesh, particle.sector == "eighth", outermost_only=from_file, carved=outline)
    radius = _radius_within(growth) if from_file else float(particle.radius)
    growth, sections = _with_coatings(growth, body, particle)
    islanded = _islands(growth, particle, radius)
    if islanded.any():
        sections.append(membrane_section(particle.coatings, growth, islanded))
    contact: Mask = np.zeros(len(growth.skin), dtype=bool)
    if particle.matrix is not None:
        growth, contact, surroundings = _with_matrix(growth, particle, radius, progress)
        sections += surroundings
    growth = growth.tagged(growth.skin, _skin_tags(particle, islanded, contact))
    mesh = finished(growth)
    check_mesh(mesh, one_piece_grains=False)
    return replace(body, mesh=mesh, sections=(*body.sections, *sections))


def _with_coatings(growth: Growth, body: Body, particle: Particle) -> tuple[Growth, list[ReportSection]]:
    """The particle with its shells, and what is to say about them."""
    sections, height = [], 0.0
    for number, layer in enumerate(_shells(particle)):
        option = "particle.coating" + (f".{number}" if isinstance(particle.coating, list) else "")
        thickness = float(layer.thickness)
        grown = grow(growth, thickness, layer.elements, COATING + number, f"{option}.thickness")
        if number:
            grown = grown.tagged(growth.surface, COATING_LAYER)
        exact = _exact_layer(body, particle, height, height + thickness)
        sections.append(shell_section(number + 1, layer, growth, grown, exact))
        growth, height = grown, height + thickness
    return growth.tagged(growth.surface, COATING_OUTER) if sections else growth, sections


def _shells(particle: Particle) -> tuple[Coating, ...]:
    return tuple(layer for layer in particle.coatings if coating_model(layer, float(particle.radius)) == "shell")


def _exact_layer(body: Body, particle: Particle, below: float, above: float) -> float | None:
    """Volume of a layer on a smooth and closed outline; None if the outline is another one."""
    is_open = particle.pores is not None or (particle.void is not None and particle.void.open)
    if body.outline is None or is_open or particle.shape != "round" or particle.roughness is not None:
        return None
    share = 1.0 if particle.sector == "full" else 0.5**particle.dimension
    return share * layer_volume(body.outline, below, above, particle.dimension)


def _islands(growth: Growth, particle: Particle, radius: float) -> Mask:
    """Facets of the skin under a membrane, shape (k,)."""
    if not particle.coatings or _shells(particle):
        return np.zeros(len(growth.skin), dtype=bool)
    layer = particle.coatings[0]  # all cover the same
    size, seed = float(layer.island_size) * radius, [layer.seed, _OF_ISLANDS]
    return islands(growth.points, growth.skin, float(layer.coverage), size, seed)


def _with_matrix(
    growth: Growth, particle: Particle, radius: float, progress: Progress
) -> tuple[Growth, Mask, list[ReportSection]]:
    """The particle within its matrix, the facets in contact (k,), and what is to say about them."""
    matrix = particle.matrix
    assert matrix is not None
    run = partial(engine.run, time_limit=particle.mesh.time_limit)
    size, seed = float(matrix.island_size) * radius, [matrix.seed, _OF_CONTACTS]
    contact = islands(growth.points, growth.surface, float(matrix.coverage), size, seed)
    inside, within = growth, _volume_of(growth, run)
    touching = COATING_OUTER if _shells(particle) else CONTACT
    growth = _dried(growth).tagged(growth.surface, np.where(contact, touching, BLOCKED))
    if matrix.interface == "limited":
        below = INTERFACE_THICKNESS * radius
        growth = grow(growth, below, 1, INTERFACE, "particle.matrix.interface")
        growth = growth.tagged(growth.surface, INTERFACE_OUTER)
    progress(f"filling the matrix around {len(growth.surface)} facets")
    # The matrix does not enter pores: it ends at lids over their mouths.
    growth, closed = _closed(growth, run)
    total = within / float(matrix.volume_fraction)
    filling = fill_around(growth.points, closed, total, matrix, np.zeros(3), growth.sector, run)
    growth = growth.with_cells(filling.points, filling.cells, MATRIX).tagged(filling.outer, MATRIX_OUTER)
    for plane, tag in zip(filling.planes, SYMMETRY):
        growth = growth.tagged(plane, tag)
    fraction = within / volume_within(filling.points, filling.outer)
    section = matrix_section(matrix, inside, growth, fraction, filling.half_width)
    return growth, contact, [section, contact_section(matrix, inside, contact)]


def _closed(growth: Growth, run: Runner) -> tuple[Growth, Indices]:
    """The surface with lids over the mouths of pores, (k + l, dimension); an eighth stays open at its planes.

    Raises:
        MeshError: If a mouth cannot be closed.
    """
    if growth.sector or growth.surface.shape[1] == 2:
        return growth, growth.surface
    try:
        points, covers = lids(growth.points, growth.surface, run)
    except Unmeshable as failure:
        text = (
            f"particle.matrix: the mouths of pores could not be closed ({failure}); write another particle.grains.seed"
        )
        raise MeshError(text) from failure
    return replace(growth, points=points).tagged(covers, PORE_WALL), np.concatenate([growth.surface, covers])


def _volume_of(growth: Growth, run: Runner) -> float:
    """Volume within the surface, pores included [µm³]."""
    closed_growth, closed = _closed(growth, run)
    return volume_within(closed_growth.points, closed)


def _dried(growth: Growth) -> Growth:
    """The same with all walls of pores dry, now that none of them opens to the outside."""
    return replace(growth, tags=np.where(growth.tags == WETTED_PORE_WALL, PORE_WALL, growth.tags))


def _skin_tags(particle: Particle, islanded: Mask, contact: Mask) -> Indices:
    """Tags of the facets of grains below all layers, shape (k,)."""
    if _shells(particle):
        blocked = ~contact & (particle.matrix is not None)
        return np.where(blocked, COATING_INNER_BLOCKED, COATING_INNER)
    if particle.matrix is None:
        return np.where(islanded, COATED_SURFACE, OUTER)
    return np.where(islanded, np.where(contact, COATED_CONTACT, COATED_BLOCKED), np.where(contact, CONTACT, BLOCKED))


def _radius_within(growth: Growth) -> float:
    """Radius of a ball of the volume within the skin [µm]."""
    return float(np.cbrt(3.0 / (4.0 * math.pi) * volume_within(growth.points, growth.skin)))
