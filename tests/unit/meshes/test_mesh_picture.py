from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from meshes.dense import DenseMesh
from meshes.errors import MeshError
from meshes.orientation import c_axes
from meshes.particle import Grains, Particle
from meshes.particle_mesh import COATED_SURFACE, COATING, MATRIX, ParticleMesh, grain_centroids, tagged_mesh
from meshes.picture import picture


def test_a_picture_shows_the_particle_twice(dense_twelve: DenseMesh, tmp_path: Path) -> None:
    mesh = dense_twelve.mesh
    axes = c_axes(Particle(grains=Grains(count=12)), grain_centroids(mesh), tmp_path)
    picture(mesh, axes, tmp_path / "grains.png")
    image = matplotlib.image.imread(tmp_path / "grains.png")[..., :3]
    middle = image.shape[1] // 2
    for half in (image[:, :middle], image[:, middle:]):
        coloured = (half.min(axis=2) < 0.98).mean()
        assert 0.4 < coloured < 0.9  # a disc fills 3/4 of its square; the rest is white
        assert len(np.unique((half[::7, ::7].reshape(-1, 3) * 20).astype(int), axis=0)) > 12
    assert not np.allclose(image[:, :middle], image[:, middle : 2 * middle])


def test_a_single_grain_has_no_boundaries_to_draw(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    outer = two_cubes.facet_tags == 10001
    one = ParticleMesh(
        two_cubes.points,
        two_cubes.cells,
        np.ones(12, dtype=np.int32),
        two_cubes.facets[outer],
        two_cubes.facet_tags[outer],
    )
    picture(one, np.array([[0.0, 0.0, 1.0]]), tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 5000


def test_unwritable_pictures_are_explained(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="cannot be written"):
        picture(two_cubes, np.eye(3)[:2], tmp_path / "missing" / "grains.png")


def left_half(path: Path) -> np.ndarray:
    image = matplotlib.image.imread(path)[..., :3]
    return image[image.shape[0] // 12 :, : image.shape[1] // 2].reshape(-1, 3)  # without the title


def is_gold(pixels: np.ndarray) -> np.ndarray:
    return (pixels[:, 0] > 1.15 * pixels[:, 1]) & (pixels[:, 1] > 2.5 * pixels[:, 2])


def is_grey(pixels: np.ndarray) -> np.ndarray:
    return (np.ptp(pixels, axis=1) < 0.08) & (pixels.max(axis=1) < 0.9) & (pixels.min(axis=1) > 0.2)


@pytest.mark.parametrize(("region", "looks"), [(COATING, is_gold), (MATRIX, is_grey)])
def test_what_is_no_grain_has_its_own_colour(two_cubes: ParticleMesh, tmp_path: Path, region: int, looks) -> None:
    """The second of two cubes is a layer: about half of what is drawn."""
    regions = np.where(two_cubes.grain == 2, region, 1)
    mesh = tagged_mesh(two_cubes.points, two_cubes.cells, regions)
    picture(mesh, np.array([[0.0, 0.0, 1.0]]), tmp_path / "layer.png")
    picture(two_cubes, np.eye(3)[:2], tmp_path / "grains.png")
    pixels, plain = left_half(tmp_path / "layer.png"), left_half(tmp_path / "grains.png")
    drawn = (pixels.min(axis=1) < 0.98).sum()
    assert 0.3 < looks(pixels).sum() / drawn < 0.75
    assert looks(plain).sum() / drawn < 0.05


def test_a_membrane_shines_through_on_the_facets_it_covers(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    covered = two_cubes.points[two_cubes.facets].mean(axis=1)[:, 0] > 1.0
    tags = np.where(covered & (two_cubes.facet_tags == 10001), COATED_SURFACE, two_cubes.facet_tags)
    mesh = ParticleMesh(two_cubes.points, two_cubes.cells, two_cubes.grain, two_cubes.facets, tags.astype(np.int32))
    picture(mesh, np.eye(3)[:2], tmp_path / "covered.png")
    picture(two_cubes, np.eye(3)[:2], tmp_path / "bare.png")
    pixels, bare = left_half(tmp_path / "covered.png"), left_half(tmp_path / "bare.png")
    changed = np.abs(pixels - bare).max(axis=1) > 0.05
    assert 0.2 < changed.sum() / (bare.min(axis=1) < 0.98).sum() < 0.75
    assert pixels[changed][:, 2].mean() < bare[changed][:, 2].mean() - 0.1  # towards gold


def test_a_cross_section_is_seen_from_above(tmp_path: Path) -> None:
    """Two squares side by side fill half of a square picture, without the margin."""
    points = np.array([[x, y, 0.0] for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0)])
    cells = np.array([[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]])
    mesh = tagged_mesh(points, cells, np.array([1, 1, 2, 2]))
    picture(mesh, np.eye(3)[:2], tmp_path / "plane.png")
    pixels = left_half(tmp_path / "plane.png")
    share = (pixels.min(axis=1) < 0.98).mean() * 11.0 / 12.0
    assert share == pytest.approx(0.5 / 1.16**2, abs=0.02)
