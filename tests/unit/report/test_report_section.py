"""Plane sections: areas and interpolation on shapes with known cuts."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from solver.report.saved import SavedGrid
from solver.report.section import cut

FRAME = np.eye(3)
TILTED = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]


def grid_of(ball):
    mesh = synthetic.block(divisions=7, grains=4, radius=1.0, ball=ball)
    return SavedGrid(mesh.points, mesh.cells, {}, {}), mesh


def polygon_areas(corners):
    x, y = corners[..., 0], corners[..., 1]
    return 0.5 * np.abs(np.sum(x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1), axis=1))


@pytest.mark.parametrize("height", [-0.73, 0.0, 0.31])
def test_a_cut_through_a_cube_has_the_area_of_its_face(height):
    grid, _ = grid_of(ball=False)
    section = cut(grid, np.array([0.0, 0.0, height]), FRAME)
    # The corners' order goes round each polygon, or the areas would not add up.
    assert polygon_areas(section.corners).sum() == pytest.approx(4.0, rel=1e-6)


def test_the_face_of_a_half_is_cut_next_to_it():
    """All cells above the plane, as in a sector: the cells behind the face show."""
    _, mesh = grid_of(ball=False)
    upper = mesh.points[mesh.cells][..., 2].min(axis=1) > 1.0 / 7.0 - 1e-9
    section = cut(SavedGrid(mesh.points, mesh.cells[upper], {}, {}), np.array([0.0, 0.0, 1.0 / 7.0]), FRAME)
    assert polygon_areas(section.corners).sum() == pytest.approx(4.0, rel=1e-6)


def test_a_tilted_cut_through_a_ball_is_a_disc():
    grid, _ = grid_of(ball=True)
    section = cut(grid, np.zeros(3), TILTED)
    radius = np.linalg.norm(section.corners, axis=-1).max()
    assert radius == pytest.approx(1.0, abs=0.02)
    # A polygon inscribed in the circle, of sides about 2/7: some 3 % less area.
    assert polygon_areas(section.corners).sum() == pytest.approx(np.pi, rel=0.05)


def test_values_are_interpolated_linearly():
    grid, _ = grid_of(ball=True)
    origin = np.array([0.1, -0.05, 0.2])
    section = cut(grid, origin, TILTED)
    slope = np.array([1.0, -2.0, 0.5])
    values = section.interpolate(grid.points @ slope)
    places = origin + section.corners @ TILTED[:2]
    assert values == pytest.approx(places @ slope, abs=1e-9)


def test_triangles_are_cut_into_lines():
    _, mesh = grid_of(ball=False)
    facets = SavedGrid(mesh.points, mesh.facets[mesh.facet_tags == synthetic.OUTER], {}, {})
    lines = cut(facets, np.array([0.0, 0.0, 0.1]), FRAME)
    lengths = np.linalg.norm(lines.corners[:, 0] - lines.corners[:, 1], axis=1)
    assert lengths.sum() == pytest.approx(8.0, rel=1e-6)
