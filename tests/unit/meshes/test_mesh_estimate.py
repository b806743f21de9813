from __future__ import annotations

import pytest

from meshes.dense import DenseMesh, mesh_particle
from meshes.estimate import estimate_cells
from meshes.particle import Grains, MeshOptions, Particle
from meshes.particle_mesh import ParticleMesh


def edge_count(mesh: ParticleMesh) -> int:
    """From Euler's formula for a ball, V - E + F - T = 1 with F = (4 T + outer facets) / 2."""
    outer = int((mesh.facet_tags == 10001).sum())
    return len(mesh.points) + len(mesh.cells) + outer // 2 - 1


@pytest.mark.parametrize(
    "particle",
    [
        Particle(grains=Grains(count=3)),
        Particle(grains=Grains(count=40)),
        Particle(grains=Grains(count=10), mesh=MeshOptions(size="0.9 um")),
        Particle(aspect_ratio=2.0, grains=Grains(count=8)),
    ],
)
def test_estimates_are_good_to_a_fifth(particle: Particle) -> None:
    estimate = estimate_cells(particle)
    mesh = mesh_particle(particle, lambda line: None).mesh
    assert estimate.grains == mesh.grain_count
    assert estimate.cells == pytest.approx(len(mesh.cells), rel=0.2)
    assert estimate.nodes == pytest.approx(len(mesh.points), rel=0.2)
    assert estimate.edges == pytest.approx(edge_count(mesh), rel=0.2)
    assert estimate.seconds > 0.0


def test_default_sizes_keep_the_promised_numbers_of_tetrahedra() -> None:
    expected = {30: 15e3, 100: 40e3, 300: 100e3, 1000: 260e3}
    for grains, cells in expected.items():
        assert estimate_cells(Particle(grains=Grains(count=grains))).cells == pytest.approx(cells, rel=0.25)


def test_the_estimate_of_the_uneven_dozen(dense_twelve: DenseMesh) -> None:
    particle = Particle(grains=Grains(count=12, spread="40 %", relaxation=0, seed=5))
    assert estimate_cells(particle).cells == pytest.approx(len(dense_twelve.mesh.cells), rel=0.2)
