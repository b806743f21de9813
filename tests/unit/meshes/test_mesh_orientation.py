from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meshes.errors import MeshError
from meshes.orientation import c_axes, scatter_angles, widest_scatter
from meshes.particle import FileOrientation, FixedOrientation, Grains, Particle

HERE = Path()
CENTROIDS = np.random.default_rng(1).normal(size=(5, 3))


def particle(**grains: object) -> Particle:
    return Particle(grains=Grains(count=5, **grains))


def test_random_axes_are_uniform_on_the_sphere() -> None:
    """Moments of 20 000 axes: mean 0, second moments δ/3, |z| uniform; five standard deviations each."""
    axes = c_axes(particle(), np.zeros((20_000, 3)), HERE)
    assert np.allclose(np.linalg.norm(axes, axis=1), 1.0)
    assert np.abs(axes.mean(axis=0)).max() < 5.0 / np.sqrt(3 * 20_000)
    assert np.abs(axes.T @ axes / 20_000 - np.eye(3) / 3.0).max() < 5.0 * np.sqrt(4.0 / 45.0 / 20_000)
    heights = np.histogram(np.abs(axes[:, 2]), bins=20, range=(0.0, 1.0))[0]
    chi_squared = ((heights - 1000.0) ** 2 / 1000.0).sum()
    assert chi_squared < 19.0 + 5.0 * np.sqrt(2.0 * 19.0)


def test_random_axes_depend_on_their_seed_only() -> None:
    one = c_axes(particle(seed=1, orientation_seed=8), CENTROIDS, HERE)
    assert np.array_equal(one, c_axes(particle(seed=2, orientation_seed=8), 2.0 * CENTROIDS, HERE))
    assert not np.allclose(one, c_axes(particle(seed=1, orientation_seed=9), CENTROIDS, HERE))
    assert not np.allclose(one, c_axes(particle(seed=1), CENTROIDS, HERE))


def test_radial_axes_point_away_from_the_centre() -> None:
    centroids = np.vstack([CENTROIDS, np.zeros(3)])
    axes = c_axes(particle(orientation="radial"), centroids, HERE)
    assert np.allclose(axes[:5] * np.linalg.norm(CENTROIDS, axis=1)[:, None], CENTROIDS)
    assert axes[5].tolist() == [0.0, 0.0, 1.0]
    assert c_axes(particle(orientation="radial"), np.full((1, 3), 1e-9), HERE).shape == (1, 3)


def test_fixed_axes_are_normalised() -> None:
    axes = c_axes(particle(orientation=FixedOrientation(axis=[0.0, 3.0, 4.0])), CENTROIDS, HERE)
    assert np.allclose(axes, [[0.0, 0.6, 0.8]] * 5)


@pytest.mark.parametrize(("name", "separator"), [("axes.txt", " "), ("axes.csv", ",")])
def test_axes_from_a_file(tmp_path: Path, name: str, separator: str) -> None:
    rows = [[0.0, 0.0, 2.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, -1.0]]
    lines = ["# c axes", *(separator.join(map(str, row)) for row in rows)]
    (tmp_path / name).write_text("\n".join(lines))
    axes = c_axes(particle(orientation=FileOrientation(file=name)), CENTROIDS, tmp_path)
    assert np.allclose(axes, np.array(rows) / np.linalg.norm(rows, axis=1)[:, None])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 0\n0 1 0\n", "5 grains need 5 lines"),
        ("1 0\n" * 5, "5 grains need 5 lines"),
        ("1 0 0\n" * 4 + "0 0 0\n", "grain 5: the axis has no direction"),
        ("1 0 0\n" * 4 + "nan 0 0\n", "grain 5: the axis has no direction"),
        ("up\n" * 5, "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_bad_files_of_axes_are_explained(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "axes.txt").write_text(text)
    with pytest.raises(MeshError, match=message):
        c_axes(particle(orientation=FileOrientation(file="axes.txt")), CENTROIDS, tmp_path)


def test_tangential_axes_lie_across_the_radius_at_any_azimuth() -> None:
    """Second moments of 20 000 axes about x: ½ along y and z, 0 along x; five standard deviations of cos² (√⅛)."""
    centroids = np.tile([2.0, 0.0, 0.0], (20_000, 1))
    axes = c_axes(particle(orientation="tangential"), centroids, HERE)
    assert np.allclose(np.linalg.norm(axes, axis=1), 1.0)
    assert np.abs(axes[:, 0]).max() < 1e-12
    assert (axes[:, 1] ** 2).mean() == pytest.approx(0.5, abs=5.0 * np.sqrt(0.125 / 20_000))
    across = (c_axes(particle(orientation="tangential"), CENTROIDS, HERE) * CENTROIDS).sum(axis=1)
    assert np.abs(across).max() < 1e-12


@pytest.mark.parametrize("degrees", [1.0, 10.0, 35.0])
@pytest.mark.parametrize("orientation", ["radial", "tangential", FixedOrientation(axis=[1.0, 0.0, 0.0])])
def test_scatter_is_the_root_mean_square_angle(orientation: object, degrees: float) -> None:
    """40 000 axes about x; squares of the angles spread by their mean (√2 of it about a plane): five times over √n."""
    centroids = np.tile([2.0, 0.0, 0.0], (40_000, 1))
    axes = c_axes(particle(orientation=orientation, orientation_scatter=f"{degrees} deg"), centroids, HERE)
    along = np.clip(np.abs(axes[:, 0]), 0.0, 1.0)
    angles = np.degrees(np.arcsin(along) if orientation == "tangential" else np.arccos(along))
    assert (angles**2).mean() == pytest.approx(degrees**2, rel=0.035 if orientation == "tangential" else 0.025)
    # No side is preferred.
    assert np.abs(axes[:, 1:].mean(axis=0)).max() < 5.0 / np.sqrt(2 * 40_000)


@pytest.mark.parametrize("about_plane", [False, True])
def test_the_widest_scatter_is_the_uniform_distribution(about_plane: bool) -> None:
    """The height along the axis of uniform axes is uniform: chi squared of 20 bins, five standard deviations."""
    random = np.random.default_rng(3)
    angles = scatter_angles(20_000, widest_scatter(about_plane=about_plane), random, about_plane=about_plane)
    heights = np.histogram(np.sin(angles) if about_plane else np.cos(angles), bins=20, range=(0.0, 1.0))[0]
    assert ((heights - 1000.0) ** 2 / 1000.0).sum() < 19.0 + 5.0 * np.sqrt(2.0 * 19.0)


def test_scatter_leaves_the_same_grains_other_axes_of_their_own_seed() -> None:
    one = c_axes(particle(orientation="radial", orientation_scatter="10 deg", orientation_seed=1), CENTROIDS, HERE)
    two = c_axes(particle(orientation="radial", orientation_scatter="10 deg", orientation_seed=2), CENTROIDS, HERE)
    again = c_axes(particle(orientation="radial", orientation_scatter="10 deg", orientation_seed=1), CENTROIDS, HERE)
    assert np.array_equal(one, again)
    assert not np.allclose(one, two)
