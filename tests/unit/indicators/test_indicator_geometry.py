"""Where things are: distances to triangles, boundary facets, regions, averages over a length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from meshes.particle_mesh import GRAIN_BOUNDARY, areas_of
from solver.errors import MeshError
from solver.indicators.layout import REGIONS, build_layout
from solver.indicators.nonlocal_average import NonlocalAverage
from solver.indicators.proximity import edge_distance, near_facets, triangle_distance

COMM = MPI.COMM_SELF


@pytest.fixture(scope="module")
def mesh(layout):
    return synthetic.block(divisions=6, grains=7) if layout.domain.dimension == 3 else synthetic.flat_mesh()


@pytest.fixture(scope="module", params=["particle", "section"])
def layout(request):
    domain = synthetic.domain(COMM, divisions=6, grains=7) if request.param == "particle" else synthetic.section(COMM)
    return build_layout(domain, 0.2)


def test_distance_to_triangles_against_dense_sampling():
    random = np.random.default_rng(4)
    points, triangles = random.normal(size=(300, 3)), random.normal(size=(300, 3, 3))
    first, second = np.meshgrid(np.linspace(0, 1, 61), np.linspace(0, 1, 61))
    inside = first + second <= 1.0 + 1e-12
    weights = np.stack([1.0 - first[inside] - second[inside], first[inside], second[inside]], axis=1)
    samples = np.einsum("sc,nci->nsi", weights, triangles)
    sampled = np.linalg.norm(samples - points[:, None], axis=2).min(axis=1)
    exact = triangle_distance(points, triangles)
    # Sampling can only be too far, by at most the distance between samples.
    assert np.all(exact <= sampled + 1e-12)
    assert np.max(sampled - exact) < 0.1


def test_distance_to_edges_is_that_to_flat_triangles():
    random = np.random.default_rng(5)
    points, edges = random.normal(size=(300, 3)), random.normal(size=(300, 2, 3))
    sampled = np.linalg.norm(
        edges[:, :1] + np.linspace(0, 1, 201)[:, None] * (edges[:, 1:] - edges[:, :1]) - points[:, None], axis=2
    )
    gap = sampled.min(axis=1) - edge_distance(points, edges)
    # Sampling can only be too far, by at most half the distance between samples.
    assert gap.min() > -1e-12
    assert gap.max() < 0.02


@pytest.mark.parametrize("distance", [0.05, 0.3, 1.5])
def test_near_facets_finds_what_brute_force_finds(distance):
    random = np.random.default_rng(6)
    points = random.uniform(-2, 2, size=(400, 3))
    triangles = random.uniform(-2, 2, size=(30, 1, 3)) + 0.5 * random.normal(size=(30, 3, 3))
    pairs = triangle_distance(np.repeat(points, 30, axis=0), np.tile(triangles, (400, 1, 1))).reshape(400, 30)
    expected = pairs.min(axis=1) <= distance
    assert 0 < expected.sum() < 400
    assert np.array_equal(near_facets(points, triangles, distance, COMM), expected)


def test_nothing_is_near_where_there_are_no_boundaries():
    assert not near_facets(np.zeros((5, 3)), np.zeros((0, 3, 3)), 1.0, COMM).any()


def test_boundary_facets_are_those_of_the_mesh(mesh, layout):
    tagged = mesh.facets[mesh.facet_tags == GRAIN_BOUNDARY]
    areas, facets = areas_of(mesh.points, tagged), layout.facets
    assert len(facets.area) == len(tagged)
    assert facets.area.sum() == pytest.approx(areas.sum(), rel=1e-12)
    assert np.all(facets.grains[:, 0] < facets.grains[:, 1])
    assert len(facets.pair_grains) == len(np.unique(facets.grains, axis=0))
    assert np.array_equal(facets.pair_grains[facets.pair], facets.grains)


def test_normals_are_unit_and_point_from_the_first_grain_to_the_second(layout):
    facets, domain = layout.facets, layout.domain
    assert np.linalg.norm(facets.normal, axis=1) == pytest.approx(np.ones(len(facets.area)), rel=1e-12)
    middle = domain.mesh.geometry.x[domain.cell_vertices].mean(axis=1)
    across = middle[facets.cells[:, 1]] - middle[facets.cells[:, 0]]
    assert np.all(np.einsum("ki,ki->k", across, facets.normal) > 0.0)


def test_facets_lie_in_the_cells_that_claim_them(layout):
    facets, domain = layout.facets, layout.domain
    for side in range(2):
        vertices = domain.cell_vertices[facets.cells[:, side]]
        opposite = np.take_along_axis(vertices, facets.local[:, side : side + 1], axis=1)
        assert not np.any(facets.vertices == opposite)
        shared = (facets.vertices[:, :, None] == vertices[:, None, :]).any(axis=2)
        assert shared.all()


def test_cells_fill_the_particle_and_its_regions(mesh, layout):
    cells = layout.cells
    assert cells.volume.sum() == pytest.approx(layout.domain.volume, rel=1e-12)
    assert set(cells.region) == set(range(len(REGIONS)))
    assert np.all(cells.radius[cells.region == 0] < 0.5)
    assert np.all(cells.radius[cells.region == 2] >= 0.8)


def test_a_boundary_inside_a_grain_is_refused():
    domain = synthetic.domain(COMM, divisions=4, grains=5)
    with pytest.raises(MeshError, match="do not separate two grains"):
        build_layout(replace(domain, grain=np.ones_like(domain.grain)), 0.2)


def averages(length, field):
    random = np.random.default_rng(9)
    centroid = random.uniform(-1, 1, size=(4000, 3))
    grain = (centroid[:, 0] > 0.0).astype(np.int32) + 1
    volume = random.uniform(0.5, 1.5, size=4000) * 8.0 / 4000
    average = NonlocalAverage(centroid, volume, grain, length, COMM)
    return average(field(centroid, grain)[:, None])[:, 0], average.weight, volume


def test_averages_of_a_section_reach_over_discs():
    """One averaging place in the middle: cells within half the length count, and no others."""
    random = np.random.default_rng(9)
    centroid, ones = random.uniform(-1, 1, size=(4000, 2)), np.ones(4000)
    average = NonlocalAverage(centroid, ones, np.ones(4000, dtype=np.int32), 1.0, COMM)
    moment = average(np.stack([ones, (centroid**2).sum(axis=1)], axis=1))
    middles = np.unique(np.floor(centroid / 0.5), axis=0) * 0.5 + 0.25
    inner = np.flatnonzero(np.abs(middles).max(axis=1) < 0.5)
    # ⟨r²⟩ over a disc of radius a about m is |m|² + a²/2, to the noise of some 800 cells.
    expected = (middles**2).sum(axis=1) + 0.125
    assert moment[:, 0] == pytest.approx(1.0)
    assert moment[inner, 1] == pytest.approx(expected[inner], rel=0.1)


def test_averages_of_a_constant_stay_constant_and_stand_for_the_whole_volume():
    found, weight, volume = averages(0.3, lambda centroid, grain: np.full(len(centroid), 7.0))
    assert found == pytest.approx(np.full(len(found), 7.0), rel=1e-13)
    assert weight.sum() == pytest.approx(volume.sum(), rel=1e-13)


def test_averages_never_cross_a_grain_boundary():
    found, _, _ = averages(0.4, lambda centroid, grain: np.where(grain == 1, -100.0, 100.0))
    assert np.abs(found) == pytest.approx(np.full(len(found), 100.0), rel=1e-12)


def test_averages_smooth_noise_and_a_tiny_length_leaves_cells_alone():
    noise = np.random.default_rng(1).normal(size=4000)
    smooth, _, _ = averages(0.5, lambda centroid, grain: noise)
    # A ball of 0.5 holds about 33 cells inside; its mean varies some √33 times less than the cells.
    assert smooth.std() < 0.3
    alone, weight, volume = averages(1e-4, lambda centroid, grain: noise)
    assert np.sort(alone) == pytest.approx(np.sort(noise))
    assert np.sort(weight) == pytest.approx(np.sort(volume))
