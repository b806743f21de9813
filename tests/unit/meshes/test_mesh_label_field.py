"""Label fields: what is where, and grains of the volumes asked for around voids and along the radius."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meshes.cell_fit import fit_on_cloud
from meshes.grown import grow_grains, hole_volume, solid_volume
from meshes.label_field import LabelField, radial_shapes, shape_matrices
from meshes.particle import Grains, Particle
from meshes.power_diagram import cell_measures, power_diagram
from meshes.spheroid import Spheroid

OUTLINE = Spheroid(5.0, 1.2)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return np.random.default_rng(0).uniform(-6.0, 6.0, (20_000, 3))


@pytest.fixture(scope="module")
def field() -> LabelField:
    """Twenty grains, six pores, a void with a channel."""
    random = np.random.default_rng(1)
    seeds, weights = 2.0 * random.normal(size=(20, 3)), random.random(20)
    pores, radii = 2.5 * random.normal(size=(6, 3)), random.uniform(0.3, 0.9, 6)
    return LabelField(OUTLINE, seeds, weights, None, pores, radii, 1.0, 0.3)


def test_a_point_belongs_to_the_grain_of_smallest_power_distance(field: LabelField, points: np.ndarray) -> None:
    distance = ((points[:, None] - field.positions) ** 2).sum(axis=2) - field.weights
    np.testing.assert_array_equal(field.grain(points), distance.argmin(axis=1) + 1)


def test_nothing_is_outside_in_pores_in_the_void_and_in_its_channel(field: LabelField, points: np.ndarray) -> None:
    outside = (OUTLINE.to_ball(points) ** 2).sum(axis=1) > 1.0
    in_pores = (np.linalg.norm(points[:, None] - field.pore_centres, axis=2) < field.pore_radii).any(axis=1)
    in_void = np.linalg.norm(points, axis=1) < 1.0
    in_channel = (np.hypot(points[:, 0], points[:, 1]) < 0.3) & (points[:, 2] > 0.0)
    np.testing.assert_array_equal(field.label(points) == 0, outside | in_pores | in_void | in_channel)
    closed = replace(field, channel_radius=None)
    np.testing.assert_array_equal(closed.label(points) == 0, outside | in_pores | in_void)


def test_metric_of_a_long_grain() -> None:
    """Unit determinant; a step along the radius counts as one across it that is shorter by the elongation."""
    positions = np.array([[0.0, 0.0, 3.0], [2.0, -1.0, 0.5], [0.0, 0.0, 0.0]])
    matrices = shape_matrices(radial_shapes(positions, 2.5))
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0)
    along, across = matrices[0, 2, 2], matrices[0, 0, 0]
    assert np.sqrt(across / along) == pytest.approx(2.5)
    np.testing.assert_allclose(matrices[2], np.eye(3))  # no radius at the centre


def test_round_metric_gives_the_power_diagram(field: LabelField, points: np.ndarray) -> None:
    same = replace(field, shapes=radial_shapes(field.positions, 1.0))
    np.testing.assert_array_equal(same.label(points), field.label(points))


@pytest.mark.parametrize("elongation", [1.0, 3.0])
def test_slopes_of_distances(field: LabelField, points: np.ndarray, elongation: float) -> None:
    long = replace(field, shapes=radial_shapes(field.positions, elongation))
    here, grains = points[:50], np.arange(50) % 20
    value, slope = long.distance_to(here, grains)
    step = 1e-6 * np.array([1.0, -2.0, 0.5])
    changed, _ = long.distance_to(here + step, grains)
    np.testing.assert_allclose(changed - value, slope @ step, rtol=1e-4, atol=1e-9)


def test_height_over_the_nearest_wall(field: LabelField) -> None:
    """On top of a pore, beside the channel, under the void."""
    top = field.pore_centres[5] + [0.0, 0.0, field.pore_radii[5] + 0.01]
    alone = replace(field, pore_centres=field.pore_centres[5:], pore_radii=field.pore_radii[5:])
    places = np.array([top, [0.32, 0.0, 3.0], [0.0, 0.0, -1.05]])
    height, out = alone.nearest_wall(places)
    np.testing.assert_allclose(height, [0.01, 0.02, 0.05], atol=1e-12)
    np.testing.assert_allclose(out, [[0, 0, 1], [1, 0, 0], [0, 0, -1]], atol=1e-12)


def test_grains_around_a_void_have_exact_volumes() -> None:
    """The part of every cell between outer surface and void, by closed expressions: within 1e-4, as for dense ones."""
    described = Particle(grains=Grains(count=40, spread="40 %"), void={"radius": "2 um"})
    outline = Spheroid(5.0)
    grown = grow_grains(described, outline)
    diagram = power_diagram(grown.field.positions, grown.field.weights, outline)
    volumes = cell_measures(diagram, outline).volumes - cell_measures(diagram, Spheroid(2.0)).volumes
    np.testing.assert_allclose(volumes, grown.target_volumes, rtol=1.1e-4)
    assert grown.target_volumes.sum() == pytest.approx(4.0 / 3.0 * np.pi * (5.0**3 - 2.0**3))
    assert np.linalg.norm(grown.field.positions, axis=1).min() > 2.0


def test_volume_of_a_void_with_its_channel() -> None:
    """Against points of a grid: 2e6 of them tell the hole's volume to about 1e-3."""
    field = LabelField(OUTLINE, np.zeros((1, 3)), np.zeros(1), void_radius=2.0, channel_radius=0.7)
    axis = np.linspace(-5.7, 5.7, 128)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = (OUTLINE.to_ball(grid) ** 2).sum(axis=1) < 1.0
    counted = (inside & field.in_void(grid)).sum() * (axis[1] - axis[0]) ** 3
    assert hole_volume(field) == pytest.approx(counted, rel=5e-3)
    assert solid_volume(field) + hole_volume(field) == pytest.approx(OUTLINE.volume)


def test_weights_of_long_grains_meet_their_volumes() -> None:
    """Unrelaxed, unequal grains; points other than those of the fit see them within four standard deviations."""
    random = np.random.default_rng(2)
    points = random.uniform(-5.0, 5.0, (60_000, 3))
    points = points[(points**2).sum(axis=1) < 25.0]
    targets = random.lognormal(0.0, 0.5, 40)
    field = LabelField(Spheroid(5.0), points[:40], np.zeros(40), radial_shapes(points[:40], 2.0))
    weights = fit_on_cloud(field, targets, points[::2])
    counts = np.bincount(replace(field, weights=weights).grain(points[1::2]) - 1, minlength=40)
    shares = targets / targets.sum()
    noise = np.sqrt(shares * len(points[1::2]))
    assert (np.abs(counts - shares * len(points[1::2])) < 4.0 * noise + 3.0).all()
    assert abs(weights.mean()) < 1e-9
