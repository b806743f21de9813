"""Size and place of a particle: what is inside it or around it must not change them."""

from __future__ import annotations

import numpy as np
import pytest

from meshes.extent import extent
from meshes.particle_mesh import MATRIX, PORE_WALL, SYMMETRY, ParticleMesh, all_facets, cell_volumes, tagged_mesh

N = 8


def cube(lower: float, upper: float, keep=lambda centroid: True, region=lambda centroid: 1) -> ParticleMesh:
    """Cube of tetrahedra from `lower` to `upper`, some cells left out, with regions by centroid."""
    axis = np.linspace(lower, upper, N + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(len(points)).reshape((N + 1,) * 3)
    corner = np.stack([number[i : N + i, j : N + j, k : N + k].ravel() for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    split = np.array([[0, 1, 3, 7], [0, 1, 7, 5], [0, 5, 7, 4], [0, 3, 2, 7], [0, 6, 4, 7], [0, 2, 6, 7]])
    cells = corner.T[:, split].reshape(-1, 4)
    flipped = cell_volumes(points, cells) < 0
    cells[flipped] = cells[flipped][:, [0, 1, 3, 2]]
    centroids = points[cells].mean(axis=1)
    kept = np.array([keep(place) for place in centroids])
    regions = np.array([region(place) for place in centroids])
    return tagged_mesh(points, cells[kept], regions[kept])


def ball_radius(volume: float) -> float:
    return (3 * volume / (4 * np.pi)) ** (1 / 3)


def test_a_solid_has_the_radius_of_its_volume():
    found = extent(cube(-1.0, 1.0))
    assert found.volume == pytest.approx(8.0)
    assert found.radius == pytest.approx(ball_radius(8.0))
    assert found.centre == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_void_takes_volume_but_no_radius():
    mesh = cube(-1.0, 1.0, keep=lambda place: np.abs(place).max() > 0.5)
    inner = np.abs(mesh.points[mesh.facets]).max(axis=(1, 2)) < 0.75
    tagged = ParticleMesh(
        mesh.points, mesh.cells, mesh.grain, mesh.facets, np.where(inner, PORE_WALL, mesh.facet_tags).astype(np.int32)
    )
    assert extent(tagged).volume == pytest.approx(7.0)
    assert extent(tagged).radius == pytest.approx(ball_radius(8.0))
    # Walls that nobody told apart from the surface: the radius falls back on the solid.
    assert extent(mesh).radius == pytest.approx(ball_radius(7.0))


def test_a_matrix_does_not_count():
    found = extent(cube(-1.0, 1.0, region=lambda place: 1 if np.abs(place).max() < 0.5 else MATRIX))
    assert found.volume == pytest.approx(1.0)
    assert found.radius == pytest.approx(ball_radius(1.0))


def test_a_sector_has_centre_and_radius_of_the_whole():
    mesh = cube(0.0, 1.0)
    on_plane = [(mesh.points[mesh.facets][:, :, axis] == 0.0).all(axis=1) for axis in range(3)]
    tags = np.select(on_plane, SYMMETRY, mesh.facet_tags).astype(np.int32)
    found = extent(ParticleMesh(mesh.points, mesh.cells, mesh.grain, mesh.facets, tags))
    assert found.volume == pytest.approx(1.0)
    assert found.radius == pytest.approx(ball_radius(8.0))
    assert found.centre == pytest.approx([0, 0, 0])


def test_a_section_has_the_radius_of_a_circle():
    angle = np.linspace(0, 2 * np.pi, 61)[:-1]
    points = np.column_stack([np.append(2 * np.cos(angle), 0), np.append(2 * np.sin(angle), 0), np.zeros(61)])
    ring = np.arange(60)
    cells = np.column_stack([ring, (ring + 1) % 60, np.full(60, 60)])
    mesh = tagged_mesh(points, cells, np.ones(60, dtype=int))
    area = 60 / 2 * 4 * np.sin(2 * np.pi / 60)
    assert len(all_facets(mesh.cells).corners) == 120
    assert extent(mesh).volume == pytest.approx(area)
    assert extent(mesh).radius == pytest.approx(np.sqrt(area / np.pi))
