"""How large a mesh will be, without making it; measured on meshes of 1 to 1000 grains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from meshes.particle import Particle
from meshes.seeds import grain_count
from meshes.sizing import element_size
from meshes.spheroid import Spheroid


@dataclass(frozen=True)
class MeshEstimate:
    """Expected numbers of a mesh, good to about 10 %.

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
    grains = grain_count(particle)
    size = element_size(domain, grains, None if particle.mesh.size is None else float(particle.mesh.size))
    diameter = 2.0 * domain.radius / grains ** (1.0 / 3.0)
    ideal = 6.0 * math.sqrt(2.0) * domain.volume / size**3
    crowding = size / diameter
    cells = ideal * (0.62 + 34.0 * crowding**3.4)
    outer_facets = 1.1 * domain.surface_area / (0.25 * math.sqrt(3.0) * size**2)
    nodes = 0.1611 * cells + 0.2643 * outer_facets
    edges = nodes + cells + 0.5 * outer_facets - 1.0
    return MeshEstimate(grains, round(cells), round(nodes), round(edges), _seconds(grains, cells), size)


def _seconds(grains: int, cells: float) -> float:
    return 0.7 + 1.5e-2 * grains + 1.2e-5 * cells
