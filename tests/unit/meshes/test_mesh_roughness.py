"""Rough surfaces: height as asked, volume kept, grains still sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meshes.body import Body
from meshes.combinations import misfits
from meshes.dense import DenseMesh
from meshes.designs import Roughness
from meshes.errors import MeshError
from meshes.particle import Grains, MeshOptions, Particle
from meshes.particle_mesh import cell_volumes
from meshes.quality import check_mesh, inverse_condition
from meshes.roughness import bumps, roughen
from meshes.spheroid import Spheroid


def silent(line: str) -> None:
    pass


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(4).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


@pytest.fixture
def smooth(dense_twelve: DenseMesh) -> Body:
    return Body(dense_twelve.mesh, outline=Spheroid(5.0), size=dense_twelve.size)


@pytest.mark.parametrize("wavelength", ["30 %", "60 %", "200 %"])
def test_bumps_have_the_height_and_width_asked_for(wavelength: str) -> None:
    """20 000 random directions; a field of n independent bumps gives its deviation to a few per cent."""
    roughness = Roughness(amplitude="3 %", wavelength=wavelength)
    places = directions(20_000)
    heights = bumps(roughness, places)
    assert heights.mean() == pytest.approx(0.0, abs=0.001)
    assert heights.std() == pytest.approx(0.03, rel=0.04)
    assert np.abs(heights).max() < 3.0 * 0.03
    # The slope of a wave of length L and of standard deviation s is s 2π/L; a third of it is lost along the radius.
    step = 1e-4 * np.cross(places, [0.0, 0.0, 1.0])
    slope = (bumps(roughness, (places + step)) - heights) / np.maximum(np.linalg.norm(step, axis=1), 1e-300)
    expected = 0.03 * 2.0 * np.pi / float(roughness.wavelength) * np.sqrt(1.0 / 3.0)
    assert np.sqrt((slope**2).mean()) == pytest.approx(expected, rel=0.3)


def test_bumps_depend_on_their_seed() -> None:
    places = directions(50)
    one, two = (bumps(Roughness(amplitude="3 %", seed=seed), places) for seed in (1, 2))
    assert np.array_equal(one, bumps(Roughness(amplitude="3 %", seed=1), places))
    assert np.abs(one - two).max() > 0.01


@pytest.mark.parametrize(("amplitude", "wavelength"), [("3 %", "60 %"), ("11 %", "200 %")])
def test_a_rough_particle_keeps_its_volume_and_its_grains(smooth: Body, amplitude: str, wavelength: str) -> None:
    roughness = Roughness(amplitude=amplitude, wavelength=wavelength)
    rough = roughen(smooth, Particle(roughness=roughness), silent)
    mesh = rough.mesh
    check_mesh(mesh)
    before = cell_volumes(smooth.mesh.points, smooth.mesh.cells).sum()
    assert cell_volumes(mesh.points, mesh.cells).sum() == pytest.approx(before, rel=1e-12)
    assert np.array_equal(mesh.facet_tags, smooth.mesh.facet_tags)
    assert inverse_condition(mesh.points[mesh.cells]).min() > 0.1  # 0.15 and more were seen
    data = rough.sections[0].data
    # The surface is built of facets an eighth of the bumps' width, so some of the height is missed.
    assert data["amplitude"] == pytest.approx(data["amplitude_asked"], rel=0.1)


def test_without_roughness_nothing_moves(smooth: Body) -> None:
    assert roughen(smooth, Particle(), silent) is smooth


def test_bumps_that_turn_elements_over_are_refused(smooth: Body) -> None:
    steep = Particle(roughness=Roughness(amplitude="12 %", wavelength="20 %"))
    with pytest.raises(MeshError, match=r"particle\.roughness\.amplitude"):
        roughen(smooth, steep, silent)
    with pytest.raises(MeshError, match=r"particle\.roughness\.amplitude"):
        roughen(replace(smooth, outline=Spheroid(2.0)), steep, silent)


def test_bumps_too_steep_or_too_narrow_are_refused_before_meshing() -> None:
    steep = Particle(grains=Grains(count=1), roughness=Roughness(amplitude="5 %", wavelength="60 %"))
    [found] = misfits(steep)
    assert found.option == ("roughness", "amplitude")
    assert "at most 3.3 %" in found.text
    narrow = Particle(grains=Grains(count=1), roughness=Roughness(amplitude="1 %", wavelength="20 %"))
    [found] = misfits(narrow)
    assert found.option == ("roughness", "wavelength")
    advised = found.text.split("mesh.size: ")[1]
    fine = Particle(grains=narrow.grains, roughness=narrow.roughness, mesh=MeshOptions(size=advised))
    assert not list(misfits(fine))
