"""Porous particles: places of pores, spaces they form, porosity of meshes, wet walls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from meshes.body import Body
from meshes.build import build_particle
from meshes.grown import grow_grains
from meshes.junctions import boundary_points, junction_points
from meshes.label_field import LabelField, distance_chunks
from meshes.particle import Particle
from meshes.particle_mesh import (
    OUTER,
    PORE_WALL,
    PORE_WALLS,
    WETTED_PORE_WALL,
    ParticleMesh,
    facet_areas,
    tagged_mesh,
)
from meshes.plane_sections import section_porosity, spread_normals
from meshes.pore_law import PoreSizes, preset_law
from meshes.pore_shells import Cloud, shells_of
from meshes.pores import place_pores
from meshes.porosity import measure_porosity
from meshes.quality import check_mesh, measure_quality
from meshes.spheroid import Spheroid
from meshes.wetting import find_pore_spaces, wet_walls

RADIUS = 2.0  # µm


def silent(line: str) -> None:
    pass


def particle(**changes: Any) -> Particle:
    described: dict[str, Any] = {
        "radius": f"{RADIUS} um",
        "grains": {"count": 8, "seed": 3},
        "pores": {"law": "gp-ncm"},
    }
    return Particle.model_validate(described | changes)


@pytest.fixture(scope="module")
def grains() -> LabelField:
    return grow_grains(particle(), Spheroid(RADIUS)).field


@pytest.fixture(scope="module")
def porous(tmp_path_factory: pytest.TempPathFactory) -> Body:
    return build_particle(particle(), tmp_path_factory.getbasetemp(), silent)


def holed_block(divisions: int, emptied: np.ndarray) -> ParticleMesh:
    """A cube of side 2 about the origin made of small cubes, some of which (x, y, z, number) are left out."""
    axis = np.linspace(-1.0, 1.0, divisions + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    n = divisions + 1
    cubes = np.stack(np.meshgrid(*(np.arange(divisions),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    kept = cubes[~(cubes[:, None] == emptied).all(axis=2).any(axis=1)]
    base = kept @ [n * n, n, 1]
    corner = base[:, None] + np.array([x * n * n + y * n + z for z in (0, 1) for y in (0, 1) for x in (0, 1)])
    paths = [(1, 3), (1, 5), (2, 3), (2, 6), (4, 5), (4, 6)]
    cells = np.concatenate([corner[:, [0, one, two, 7]] for one, two in paths])
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    flip = np.linalg.det(edges) < 0
    cells[flip] = cells[flip][:, [0, 1, 3, 2]]
    mesh = tagged_mesh(points, cells, np.ones(len(cells), dtype=np.int64))
    tags = mesh.facet_tags.copy()
    inside = ~(np.abs(points[mesh.facets]) == 1.0).all(axis=1).any(axis=1)
    tags[inside] = PORE_WALL
    return replace(mesh, facet_tags=tags)


def test_junctions_are_where_three_and_four_grains_meet(grains: LabelField) -> None:
    starts = Spheroid(RADIUS).from_ball(np.random.default_rng(1).uniform(-0.5, 0.5, (600, 3)))
    for points, number in ((junction_points(grains, starts), 3), (boundary_points(grains, starts), 2)):
        assert len(points) > 200
        distances = np.sort(np.concatenate(list(distance_chunks(grains, grains.weights, points))), axis=1)
        # A millionth of the square of the radius is what the search stops at.
        assert np.ptp(distances[:, :number], axis=1).max() < 1e-5


def test_single_crystals_have_pores_anywhere() -> None:
    field = LabelField(Spheroid(RADIUS), np.zeros((1, 3)), np.zeros(1))
    starts = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    np.testing.assert_allclose(np.sort(junction_points(field, starts), axis=0), np.sort(starts, axis=0))


@pytest.mark.parametrize("law", ["gp-ncm", "p-ncm"])
def test_placed_pores_have_the_porosity_of_every_shell(grains: LabelField, law: str) -> None:
    shells = shells_of(preset_law(law), 0.0, 3)
    cloud = Cloud(grains, shells)
    pores = place_pores(grains, preset_law(law), PoreSizes(0.002, 0.3), cloud, seed=1, closed=False)
    counted = cloud.porosity(grains.with_pores(pores.centres, pores.radii).in_pore(cloud.points))
    np.testing.assert_allclose(counted, shells.porosity, atol=1e-3)
    again = place_pores(grains, preset_law(law), PoreSizes(0.002, 0.3), cloud, seed=1, closed=False)
    np.testing.assert_array_equal(again.centres, pores.centres)


def test_closed_pores_stay_below_the_surface_and_larger_ones_inside(grains: LabelField) -> None:
    law = preset_law("gp-ncm")
    cloud = Cloud(grains, shells_of(law, 0.0, 3))
    pores = place_pores(grains, law, PoreSizes(0.002, 1.0), cloud, seed=1, closed=True)
    distance = np.linalg.norm(pores.centres, axis=1)
    # Radii are scaled by up to a few percent after the pores are placed a fifth of their radius below the surface.
    assert (distance + 1.05 * pores.radii < RADIUS).all()
    small = slice(pores.giants, None)
    inner = distance[small] < 0.6 * RADIUS
    assert np.median(pores.radii[small][inner]) > 1.1 * np.median(pores.radii[small][~inner])


def test_spaces_of_a_block_with_holes() -> None:
    # Cubes of edge 0.25: one alone; two side by side; two that share only an edge; one at the face x = 1.
    emptied = np.array([[2, 2, 2], [5, 5, 5], [5, 5, 4], [2, 5, 2], [3, 6, 2], [7, 2, 5]])
    mesh = holed_block(8, emptied)
    spaces = find_pore_spaces(mesh, Spheroid(10.0))
    cube = 0.25**3
    closed = spaces.volumes[~spaces.is_open]
    np.testing.assert_allclose(np.sort(closed), [cube, cube, cube, 2 * cube], rtol=1e-12)
    np.testing.assert_allclose(np.sort(spaces.areas[~spaces.is_open]), np.array([6, 6, 6, 10]) / 16, rtol=1e-12)
    assert spaces.is_open.sum() == 1
    # Five walls of the hole at the face; its sixth is the mouth.
    assert spaces.areas[spaces.is_open][0] == pytest.approx(5 / 16)


def test_porosity_of_a_mesh(porous: Body) -> None:
    check_mesh(porous.mesh)
    assert measure_quality(porous.mesh.points, porous.mesh.cells, porous.mesh.grain).minimum_sicn > 0.06
    pores = porous.sections[0].data
    # The promise of the mesher: total to 0.15 %, every shell to 1 %.
    assert abs(pores["porosity"] - pores["porosity_asked"]) < 0.0015
    assert np.abs(np.subtract(pores["shell_porosity"], pores["shell_porosity_asked"])).max() < 0.010
    assert pores["active_volume_fraction"] == pytest.approx(1.0 - pores["porosity"])
    assert sum(pores["space_volume_counts"]) == pores["spaces"]
    law = preset_law("gp-ncm")
    asked = 0.575 * 0.1311 * 4.0 / 3.0 * np.pi * (0.5 * RADIUS) ** 3
    assert sum(pores["giant_volumes"]) == pytest.approx(asked, rel=0.03)
    assert pores["porosity_asked"] == pytest.approx(law.total, abs=1e-3)


def test_pore_spaces_account_for_the_porosity(porous: Body) -> None:
    outline = Spheroid(RADIUS)
    spaces = find_pore_spaces(porous.mesh, outline)
    pores = porous.sections[0].data
    whole = float(spaces.volumes.sum()) / pores["porosity"]
    # Both count pores up to the smooth surface; flat facets beside the mouths make the last per mille.
    assert whole == pytest.approx(outline.volume, rel=0.01)
    wet = porous.mesh.facet_tags[spaces.facets] == WETTED_PORE_WALL
    np.testing.assert_array_equal(wet, spaces.is_open[spaces.space])
    assert 0 < wet.sum() < len(wet)


def test_wetted_walls(porous: Body, grains: LabelField) -> None:
    mesh = replace(
        porous.mesh, facet_tags=np.where(np.isin(porous.mesh.facet_tags, PORE_WALLS), PORE_WALL, porous.mesh.facet_tags)
    )
    # Which pores they were does not matter here, only that walls are told apart by a pore.
    field = grains.with_pores(np.random.default_rng(0).uniform(-1.3, 1.3, (300, 3)), np.full(300, 0.1))
    walls = mesh.facet_tags == PORE_WALL
    areas = facet_areas(mesh)

    def wet_share(wetted: Any) -> float:
        asked = particle(pores={"law": "gp-ncm", "wetted": wetted})
        return float(areas[wet_walls(mesh, asked, field).facet_tags == WETTED_PORE_WALL].sum() / areas[walls].sum())

    assert wet_share("none") == 0.0
    assert wet_share("all") == 1.0
    assert 0.0 < wet_share("connected") < 1.0
    # Pores are wet or dry as a whole: of 300, the share is off by less than a large one.
    assert wet_share("30 %") == pytest.approx(0.3, abs=0.03)


def test_dense_meshes_have_no_porosity(dense_twelve: Any) -> None:
    outline = Spheroid(5.0)
    field = LabelField(outline, dense_twelve.seeds.positions, dense_twelve.seeds.weights)
    cloud = Cloud(field, shells_of(preset_law("p-ncm"), 0.0))
    porosity = measure_porosity(dense_twelve.mesh, outline, cloud, None)
    # What flat facets lose is no porosity; cells that lie in two shells are shared out to a per mille.
    assert porosity.total == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(porosity.shells, 0.0, atol=1.5e-3)
    assert 0.001 < porosity.chord_loss < 0.006
    sections = section_porosity(
        dense_twelve.mesh, outline, spread_normals(8), np.linspace(0, 0.7, 8), porosity.chord_loss
    )
    assert sections.whole == pytest.approx(0.0, abs=1e-3)
    assert sections.inner == pytest.approx(0.0, abs=5e-3)


def test_a_shell_of_pores_is_seen_where_it_is(dense_twelve: Any) -> None:
    """Cells taken out between 0.5 and 0.625 of the radius are porosity of that shell, by their volume."""
    outline = Spheroid(5.0)
    field = LabelField(outline, dense_twelve.seeds.positions, dense_twelve.seeds.weights)
    cloud = Cloud(field, shells_of(preset_law("gp-ncm"), 0.0))
    mesh = dense_twelve.mesh
    radius = np.linalg.norm(mesh.points[mesh.cells].mean(axis=1), axis=1) / 5.0
    gone = (np.abs(radius - 0.5625) < 0.06) & (np.arange(len(radius)) % 3 == 0)
    holed = tagged_mesh(mesh.points, mesh.cells[~gone], mesh.grain[~gone])
    tags = holed.facet_tags.copy()
    exposed = tags == OUTER
    tags[exposed & (np.linalg.norm(holed.points[holed.facets].mean(axis=1), axis=1) < 4.5)] = PORE_WALL
    porosity = measure_porosity(replace(holed, facet_tags=tags), outline, cloud, None)
    shell = 4.0 / 3.0 * np.pi * 125.0 * (0.625**3 - 0.5**3)
    assert porosity.shells[1] * shell == pytest.approx(porosity.whole - porosity.solid, rel=0.25)
    assert porosity.shells[1] > 0.15 > np.delete(porosity.shells, 1).max()
