from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from meshes.dense import DenseMesh
from meshes.errors import MeshError
from meshes.orientation import c_axes
from meshes.particle import Grains, Particle
from meshes.particle_mesh import ParticleMesh, grain_centroids
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
