from __future__ import annotations

import numpy as np
import pytest

from meshes.dense import DenseMesh, mesh_particle
from meshes.particle import Grains, Particle
from meshes.particle_mesh import ParticleMesh, tagged_mesh


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="session")
def dense_twelve() -> DenseMesh:
    """Twelve unequal, unrelaxed grains in a sphere of 5 µm: about 1 s."""
    return mesh_particle(Particle(grains=Grains(count=12, spread="40 %", relaxation=0, seed=5)), silent)


@pytest.fixture
def two_cubes() -> ParticleMesh:
    """Two unit cubes side by side, six tetrahedra each; grains 1 and 2 meet at x = 1."""
    points = np.array([[x, y, z] for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    cells = []
    for base in (0, 4):
        corner = np.array([0, 4, 2, 6, 1, 5, 3, 7]) + base  # x fastest, then y, then z
        paths = [(1, 3), (1, 5), (2, 3), (2, 6), (4, 5), (4, 6)]
        cells += [[corner[0], corner[one], corner[two], corner[7]] for one, two in paths]
    cells = np.array(cells)
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    flip = np.linalg.det(edges) < 0
    cells[flip] = cells[flip][:, [0, 1, 3, 2]]
    return tagged_mesh(points, cells, np.repeat([1, 2], 6))
