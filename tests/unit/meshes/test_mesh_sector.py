"""An eighth of a particle: exact symmetry planes, the volume of an octant, sound grains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meshes.build import build_particle
from meshes.particle import Grains, Particle
from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, SYMMETRY, facet_areas, grain_volumes
from meshes.quality import check_mesh, measure_quality
from meshes.seeds import mirrored, place_seeds
from meshes.spheroid import Spheroid


def silent(line: str) -> None:
    pass


@pytest.mark.parametrize(("count", "aspect_ratio"), [(1, 1.0), (7, 1.0), (4, 1.8)])
def test_an_octant_has_flat_symmetry_planes_and_an_eighth_of_the_volume(count: int, aspect_ratio: float) -> None:
    particle = Particle(radius="2 um", aspect_ratio=aspect_ratio, sector="eighth", grains=Grains(count=count, seed=4))
    body = build_particle(particle, Path(), silent)
    mesh, outline = body.mesh, Spheroid(2.0, aspect_ratio)
    check_mesh(mesh)
    assert mesh.grain_count == count
    assert measure_quality(mesh.points, mesh.cells, mesh.grain).is_good
    assert mesh.points.min() == 0.0
    assert set(np.unique(mesh.facet_tags)) == {OUTER, *SYMMETRY} | ({GRAIN_BOUNDARY} if count > 1 else set())
    areas = facet_areas(mesh)
    for axis, tag in enumerate(SYMMETRY):
        assert (mesh.points[mesh.facets[mesh.facet_tags == tag], axis] == 0.0).all()
        quarter = np.pi / 4.0 * np.delete(outline.semi_axes, axis).prod()
        assert areas[mesh.facet_tags == tag].sum() == pytest.approx(quarter, rel=4e-3)  # chords of the arc
    outer = np.unique(mesh.facets[mesh.facet_tags == OUTER])
    assert np.abs((outline.to_ball(mesh.points[outer]) ** 2).sum(axis=1) - 1.0).max() < 1e-9
    assert body.volume_asked == pytest.approx(outline.volume / 8.0)
    assert grain_volumes(mesh).sum() == pytest.approx(body.volume_asked, rel=6e-3)  # flat outer facets
    if count > 1:
        exact = body.boundary_area_exact
        assert areas[mesh.facet_tags == GRAIN_BOUNDARY].sum() == pytest.approx(exact, rel=0.02)


def test_mirror_images_fill_the_whole_particle() -> None:
    particle = Particle(sector="eighth", grains=Grains(count=5))
    seeds = place_seeds(particle, Spheroid(5.0))
    assert seeds.positions.min() > 0.0
    assert seeds.target_volumes.sum() == pytest.approx(Spheroid(5.0).volume / 8.0)
    whole = mirrored(seeds, Spheroid(5.0))
    assert np.allclose(whole.positions[:5], seeds.positions, atol=1e-6)
    assert len(np.unique(np.sign(whole.positions), axis=0)) == 8


def test_a_mean_diameter_counts_the_grains_of_the_octant() -> None:
    whole = place_seeds(Particle(grains=Grains(mean_diameter="2.5 um")), Spheroid(5.0))
    eighth = place_seeds(Particle(sector="eighth", grains=Grains(mean_diameter="2.5 um")), Spheroid(5.0))
    assert len(eighth.positions) == pytest.approx(len(whole.positions) / 8.0, abs=0.5)
