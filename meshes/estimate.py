"""How large a mesh will be, without making it; measured on meshes of 1 to 1000 grains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from meshes.arrays import Array
from meshes.particle import Particle
from meshes.seeds import grain_count
from meshes.sizing import cell_sizes, element_size
from meshes.spheroid import Spheroid

# Tetrahedra of an even mesh over those of regular tetrahedra, and how it grows as grains get few elements wide.
_FILLING = 0.542
_CROWDING = 19.0
_CROWDING_POWER = 2.79
_OUTER = 1.1
_NODES_PER_CELL = 0.161
_NODES_PER_OUTER_FACET = 0.264
_STEPS = 100


@dataclass(frozen=True)
class MeshEstimate:
    """Expected numbers of a mesh: within 6 % at default sizes, 20 % where grains are as small as elements.

    Args:
        grains: Number of grains.
        cells: Number of tetrahedra.
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
    """Expected size of the mesh of a dense particle.

    Args:
        particle: The description; it must not be a mesh file.

    Raises:
        MeshError: If the grain count is impossible.
    """
    domain = Spheroid(float(particle.radius), particle.aspect_ratio)
    sectors = 8 if particle.sector == "eighth" else 1
    grains = sectors * grain_count(particle)
    size = element_size(domain, grains, None if particle.mesh.size is None else float(particle.mesh.size))
    volumes = _typical_volumes(float(particle.grains.spread), domain.volume / grains)
    local = cell_sizes(size, volumes)
    crowding = local / np.cbrt(6.0 / np.pi * volumes)
    ideal = 6.0 * math.sqrt(2.0) * volumes / local**3
    cells = grains / sectors * float((ideal * (_FILLING + _CROWDING * crowding**_CROWDING_POWER)).mean())
    surface = domain.surface_area / sectors + (3.0 * math.pi / 4.0 * domain.radius**2 if sectors > 1 else 0.0)
    outer_facets = _OUTER * surface * float((4.0 / math.sqrt(3.0) / local**2).mean())
    nodes = _NODES_PER_CELL * cells + _NODES_PER_OUTER_FACET * outer_facets
    edges = nodes + cells + 0.5 * outer_facets - 1.0  # Euler's formula
    seconds = 0.7 + 6e-3 * grains + 4e-5 * cells
    return MeshEstimate(grains // sectors, round(cells), round(nodes), round(edges), seconds, size)


def _typical_volumes(spread: float, mean: float) -> Array:
    """Volumes at even steps of the size law [µm³]."""
    steps = ndtri((np.arange(_STEPS) + 0.5) / _STEPS)
    volumes = np.exp(3.0 * math.sqrt(math.log1p(spread**2)) * steps)
    return volumes * (mean / volumes.mean())
