from __future__ import annotations

import numpy as np
import pytest

from meshes.frames import SurfaceFrame
from meshes.spheroid import Spheroid


def directions(count: int, seed: int = 3) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1)[:, None]


def test_sphere_measures_are_the_textbook_ones() -> None:
    sphere = Spheroid(3.0)
    assert sphere.volume == pytest.approx(36.0 * np.pi)
    assert sphere.surface_area == pytest.approx(36.0 * np.pi)
    assert sphere.integrated_mean_curvature == pytest.approx(12.0 * np.pi)


@pytest.mark.parametrize(("aspect_ratio", "area"), [(2.0, 338.2642), (0.5, 344.1439)])
def test_spheroid_keeps_the_volume_and_has_the_known_area(aspect_ratio: float, area: float) -> None:
    """Areas from the closed expressions 2πa²(1 + (c/ae) asin e) and 2πa²(1 + (1-e²)/e atanh e)."""
    spheroid = Spheroid(5.0, aspect_ratio)
    assert spheroid.semi_axes.prod() == pytest.approx(125.0)
    assert spheroid.semi_axes[2] / spheroid.semi_axes[0] == pytest.approx(aspect_ratio)
    assert spheroid.surface_area == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize("aspect_ratio", [0.4, 0.7, 1.0, 1.6, 2.5])
def test_map_to_the_sphere_is_conformal_and_inverts(aspect_ratio: float) -> None:
    spheroid = Spheroid(5.0, aspect_ratio)
    where = np.vstack([directions(300), [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]])
    surface = spheroid.from_sphere(where)
    assert np.abs((spheroid.to_ball(surface) ** 2).sum(axis=1) - 1.0).max() < 1e-12
    assert np.abs(spheroid.onto_sphere(surface) - where).max() < 1e-6  # near the poles half the digits are lost
    away = np.abs(where[:, 2]) < 0.999
    for other in (directions(303, 4), directions(303, 5)):
        tangent = np.cross(where, other)[away]
        step = where[away] + 1e-6 * tangent / np.linalg.norm(tangent, axis=1)[:, None]
        stepped = spheroid.from_sphere(step / np.linalg.norm(step, axis=1)[:, None])
        length = np.linalg.norm(stepped - surface[away], axis=1)
        # The same scale in every direction; 1e-4 for the finite step of 1e-6 where the scale changes fast.
        assert np.allclose(1e-6 / length, spheroid.conformal_scale(surface[away]), rtol=1e-4)


@pytest.mark.parametrize("aspect_ratio", [0.4, 1.0, 2.5])
def test_flat_picture_of_the_surface_lifts_back(aspect_ratio: float) -> None:
    spheroid = Spheroid(5.0, aspect_ratio)
    frame = SurfaceFrame.towards(np.array([0.3, -0.5, 0.8]), spheroid)
    surface = spheroid.from_sphere(directions(200))
    flat = frame.flatten(surface)
    assert np.abs(frame.lift(flat) - surface).max() < 1e-6
    assert np.abs(frame.flatten(frame.lift(np.zeros((1, 2))))).max() < 1e-9
    assert frame.stretch(np.zeros((1, 2)))[0] == pytest.approx(1.0)
