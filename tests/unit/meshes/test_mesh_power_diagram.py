from __future__ import annotations

import numpy as np
import pytest

from meshes.power_diagram import PowerLabels, cell_measures, power_diagram
from meshes.spheroid import Spheroid


def ball_points(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    points = random.normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    return points * np.cbrt(random.random(count))[:, None]


@pytest.mark.parametrize("aspect_ratio", [1.0, 2.5, 0.4])
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_cells_fill_the_particle_and_match_counted_points(count: int, aspect_ratio: float) -> None:
    domain = Spheroid(5.0, aspect_ratio)
    seeds = domain.from_ball(ball_points(count, 1))
    weights = np.random.default_rng(2).random(count)
    volumes = cell_measures(power_diagram(seeds, weights, domain), domain).volumes
    assert volumes.sum() == pytest.approx(domain.volume, rel=1e-12)
    sample = domain.from_ball(ball_points(200_000, 3))
    share = np.bincount(PowerLabels(seeds, weights)(sample), minlength=count) / len(sample)
    # Five standard deviations of counting.
    assert np.abs(share - volumes / domain.volume).max() < 5.0 * np.sqrt(0.25 / len(sample))


@pytest.mark.parametrize("aspect_ratio", [1.0, 1.8])
def test_face_areas_are_the_derivative_of_volumes(aspect_ratio: float) -> None:
    """dV_i/dw_j = -A_ij / (2 |x_i - x_j|), by central differences of 1e-4 µm² (error of second order)."""
    domain = Spheroid(5.0, aspect_ratio)
    seeds = domain.from_ball(0.95 * ball_points(25, 4))
    measures = cell_measures(power_diagram(seeds, np.zeros(25), domain), domain)
    step = np.zeros(25)
    step[7] = 1e-4
    change = (
        cell_measures(power_diagram(seeds, step, domain), domain).volumes
        - cell_measures(power_diagram(seeds, -step, domain), domain).volumes
    ) / 2e-4
    for (first, second), area in zip(measures.pairs.tolist(), measures.areas):
        if 7 in (first, second):
            other = first + second - 7
            expected = -area / (2.0 * np.linalg.norm(seeds[7] - seeds[other]))
            assert change[other] == pytest.approx(expected, abs=1e-5)


def test_half_space_cap_has_the_textbook_volume() -> None:
    """Two seeds: the plane between them cuts off a cap πh²(3R - h)/3."""
    domain = Spheroid(2.0)
    seeds = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.8]])
    measures = cell_measures(power_diagram(seeds, np.zeros(2), domain), domain)
    height = 2.0 - 1.4
    assert measures.volumes[1] == pytest.approx(np.pi * height**2 * (6.0 - height) / 3.0, rel=1e-12)
    assert measures.areas[0] == pytest.approx(np.pi * (4.0 - 1.4**2), rel=1e-12)
