"""How large a mesh will be, without making it; measured on meshes of 1 to 1000 grains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from meshes.arrays import Array
from meshes.coating import coating_model
from meshes.errors import MeshError
from meshes.grown import channel_radius
from meshes.particle import Particle
from meshes.pore_law import GIANT_REACH, GIANT_SHARE
from meshes.pore_options import law_asked, sizes_asked, small_pore_volume
from meshes.seeds import grain_count
from meshes.sizing import carved_size, cell_sizes, section_size
from meshes.spheroid import Spheroid

# Tetrahedra of an even mesh over those of regular tetrahedra, and how it grows as grains get few elements wide.
_FILLING = 0.542
_CROWDING = 19.0
_CROWDING_POWER = 2.79
_OUTER = 1.1
_NODES_PER_CELL = 0.161
_NODES_PER_OUTER_FACET = 0.264
# Of a matrix, per facet of the particle, at volume fractions of 5 to 90 %.
_MATRIX_CELLS = 2.7
_MATRIX_NODES = 0.32
# Of carved particles: over dense ones, and edges at a wall over its radius of curvature, and their growth from there.
_CARVED = 1.4
_CARVED_NODES = 1.22
_SIZE_AT_VOID = 0.22
_SIZE_AT_CHANNEL = 0.47
_GROWTH = 0.25
# Around a pore, within 30 %: fewer where pores are crowded.
_CELLS_PER_PORE = 370.0
_NODES_PER_PORE = 87.0
_FACETS_PER_PORE = 60.0
_STEPS = 100
# Of cross-sections: triangles over regular ones, and what comes with every pore.
_SECTION_FILLING = 0.92
_CELLS_PER_HOLE = 37.0
_EDGES_PER_HOLE = 11.0
_GRAINS_IN_PLANE = 1.5  # times N^(2/3): number density, times mean caliper, times area
_MOST_CELLS = {2: 5_000_000, 3: 40_000_000}


@dataclass(frozen=True)
class MeshEstimate:
    """Expected numbers of a mesh: within 6 % at default sizes, 20 % where grains are as small as elements.

    Args:
        grains: Number of grains.
        cells: Number of tetrahedra, or triangles.
        nodes: Number of nodes (unknowns of a linear scalar field).
        edges: Number of edges (nodes + edges: unknowns of a quadratic scalar field).
        seconds: Time to make the mesh [s] on one core of about 2020.
        size: Element size [µm].
    """

    grains: int
    cells: int
    nodes: int
    edges: int
    seconds: float
    size: float


def estimate_cells(particle: Particle) -> MeshEstimate:
    """Expected size of the mesh of a particle.

    Args:
        particle: The description; it must not be a mesh file.

    Raises:
        MeshError: If the grain count is impossible.
    """
    if particle.dimension == 2:
        return _section(particle)
    domain = Spheroid(float(particle.radius), particle.aspect_ratio)
    sectors = 8 if particle.sector == "eighth" else 1
    grains = sectors * grain_count(particle)
    size = carved_size(particle, domain, grains)
    void = 0.0 if particle.void is None else float(particle.void.radius)
    volumes = _typical_volumes(float(particle.grains.spread), (domain.volume - Spheroid(void).volume) / grains)
    local = cell_sizes(size, volumes / particle.grains.elongation)
    crowding = local / np.cbrt(6.0 / np.pi * volumes)
    ideal = 6.0 * math.sqrt(2.0) * volumes / local**3
    cells = grains / sectors * float((ideal * (_FILLING + _CROWDING * crowding**_CROWDING_POWER)).mean())
    is_carved = bool(particle.pores or void or particle.grains.elongation > 1.0)
    if is_carved:
        cells = _CARVED * (cells + _around_void(particle, domain, size))
    surface = domain.surface_area / sectors + (3.0 * math.pi / 4.0 * domain.radius**2 if sectors > 1 else 0.0)
    outer_facets = _OUTER * surface * float((4.0 / math.sqrt(3.0) / local**2).mean())
    nodes = (_CARVED_NODES if is_carved else 1.0) * (_NODES_PER_CELL * cells + _NODES_PER_OUTER_FACET * outer_facets)
    skin = _OUTER * domain.surface_area / sectors * float((4.0 / math.sqrt(3.0) / local**2).mean())
    more_cells, more_nodes = _around(particle, skin)
    pores = _pores(particle)
    cells, nodes = cells + more_cells + _CELLS_PER_PORE * pores, nodes + more_nodes + _NODES_PER_PORE * pores
    outer_facets += _FACETS_PER_PORE * pores
    edges = nodes + cells + 0.5 * outer_facets - 1.0  # Euler's formula
    seconds = 0.7 + 6e-3 * grains + (1.2e-4 if pores or void else 4e-5) * cells
    if particle.grains.elongation > 1.0:
        seconds += 0.05 * grains + 1e-4 * cells
    return MeshEstimate(grains // sectors, round(cells), round(nodes), round(edges), seconds, size)


def _around_void(particle: Particle, domain: Spheroid, size: float) -> float:
    """Regular tetrahedra more than elsewhere, around the void and its channel, where elements are smaller."""
    void = particle.void
    if void is None:
        return 0.0
    radius, cells = float(void.radius), 0.0
    walls = [(radius, _SIZE_AT_VOID, lambda r: 4.0 * math.pi * r**2)]
    channel = channel_radius(void)
    if channel is not None:
        length = float(domain.semi_axes[2]) - radius
        walls.append((channel, _SIZE_AT_CHANNEL, lambda r: 2.0 * math.pi * length * r))
    for wall, share, area in walls:
        distance = np.linspace(0.0, size / _GROWTH, 200)
        edges = np.minimum(size, share * wall + _GROWTH * distance)
        more = area(wall + distance) * (edges**-3 - size**-3)
        cells += 6.0 * math.sqrt(2.0) * _FILLING * float(more.sum() * distance[1])
    return cells


def _pores(particle: Particle) -> float:
    """Number of pores."""
    return 0.0 if particle.pores is None else small_pore_volume(particle) / sizes_asked(particle).mean


def _section(particle: Particle) -> MeshEstimate:
    """Expected size of the mesh of a cross-section: within 15 % for dense ones."""
    domain = Spheroid(float(particle.radius), particle.aspect_ratio)
    grains = grain_count(particle)
    size = section_size(domain, grains, None if particle.mesh.size is None else float(particle.mesh.size))
    radius = float(domain.semi_axes[0])
    rim = 2.0 * math.pi * radius / size
    cells, loops = _SECTION_FILLING * math.pi * radius**2 / (0.25 * math.sqrt(3.0) * size**2), 1.0
    if particle.pores is not None:
        law = law_asked(particle)
        giants = GIANT_SHARE * law.on_central_disc(GIANT_REACH) * GIANT_REACH**2 if law.giants else 0.0
        holes = (law.on_central_disc(1.0) - giants) * math.pi * radius**2 / _mean_cut(particle)
        cells, loops, rim = cells + _CELLS_PER_HOLE * holes, 1.0 + holes, rim + _EDGES_PER_HOLE * holes
    nodes = 0.5 * (cells + rim) + 1.0 - loops
    prisms = sum(layer.elements for layer in particle.coatings if coating_model(layer, radius) == "shell")
    more = 2.0 * prisms + (8.0 if particle.matrix is not None else 0.0)
    cells, nodes = cells + more * rim, nodes + 0.5 * more * rim
    edges = nodes + cells - 1.0 + loops  # Euler's formula
    seconds = 0.5 + 2e-3 * grains + 1e-4 * cells * (3.0 if loops > 1.0 else 1.0)
    in_plane = max(1, round(_GRAINS_IN_PLANE * grains ** (2.0 / 3.0)))
    return MeshEstimate(min(grains, in_plane), round(cells), round(nodes), round(edges), seconds, size)


def _mean_cut(particle: Particle) -> float:
    """Mean area of the circles in which a plane cuts the pores [µm²]."""
    radii = np.cbrt(0.75 / np.pi * sizes_asked(particle).volumes(_STEPS, np.random.default_rng(0)))
    radii *= np.cbrt(sizes_asked(particle).detail)
    return 2.0 / 3.0 * math.pi * float((radii**3).sum() / radii.sum())


def _around(particle: Particle, skin: float) -> tuple[float, float]:
    """Tetrahedra and nodes of shells, interface layer and matrix around so many facets; within 30 % for a matrix."""
    shells = [layer for layer in particle.coatings if coating_model(layer, float(particle.radius)) == "shell"]
    prisms = sum(layer.elements for layer in shells)
    if particle.matrix is None:
        return 3.0 * prisms * skin, 0.5 * prisms * skin
    prisms += particle.matrix.interface == "limited"
    return (3.0 * prisms + _MATRIX_CELLS) * skin, (0.5 * prisms + _MATRIX_NODES) * skin


def refuse_huge(particle: Particle) -> None:
    """Stop before a mesh is made that no machine could hold.

    Raises:
        MeshError: If there would be too many tetrahedra.
    """
    estimate = estimate_cells(particle)
    most = _MOST_CELLS[particle.dimension]
    if estimate.cells > most:
        cells = "tetrahedra" if particle.dimension == 3 else "triangles"
        raise MeshError(
            f"particle.mesh.size: elements of {estimate.size:.3g} um would make {estimate.cells / 1e6:.0f} million "
            f"{cells}; {most // 10**6} million are the most, choose larger elements"
        )


def _typical_volumes(spread: float, mean: float) -> Array:
    """Volumes at even steps of the size law [µm³]."""
    steps = ndtri((np.arange(_STEPS) + 0.5) / _STEPS)
    volumes = np.exp(3.0 * math.sqrt(math.log1p(spread**2)) * steps)
    return volumes * (mean / volumes.mean())
