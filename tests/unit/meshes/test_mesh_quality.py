from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meshes.dense import DenseMesh
from meshes.errors import MeshError
from meshes.improve import improve
from meshes.particle_mesh import (
    GRAIN_BOUNDARY,
    OUTER,
    ParticleMesh,
    cell_volumes,
    enclosed_volume,
    facet_areas,
    facet_grains,
    grain_centroids,
    grain_volumes,
    tagged_mesh,
)
from meshes.quality import check_mesh, dihedral_angles, inverse_condition, measure_quality
from meshes.spheroid import Spheroid

REGULAR = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
CORNER = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_the_regular_tetrahedron_is_perfect() -> None:
    assert inverse_condition(REGULAR) == pytest.approx(1.0)
    assert np.allclose(dihedral_angles(REGULAR), np.degrees(np.arccos(1.0 / 3.0)))


def test_the_corner_of_a_cube_has_known_angles_and_condition() -> None:
    """Three right angles, three of acos(1/√3); condition from the singular values of the map."""
    assert sorted(dihedral_angles(CORNER)) == pytest.approx([54.7356103] * 3 + [90.0] * 3)
    regular = np.array([[1.0, 0.0, 0.0], [0.5, 3**0.5 / 2, 0.0], [0.5, 3**0.5 / 6, (2 / 3) ** 0.5]])
    jacobian = (CORNER[1:] - CORNER[0]).T @ np.linalg.inv(regular.T)
    expected = 3.0 / (np.linalg.norm(jacobian) * np.linalg.norm(np.linalg.inv(jacobian)))
    assert inverse_condition(CORNER) == pytest.approx(expected)


def test_inverted_and_flat_tetrahedra_have_no_positive_quality() -> None:
    assert inverse_condition(REGULAR[[1, 0, 2, 3]]) == pytest.approx(-1.0)
    assert inverse_condition(CORNER * [1.0, 1.0, 0.0]) == pytest.approx(0.0)


def test_measures_of_two_cubes(two_cubes: ParticleMesh) -> None:
    check_mesh(two_cubes)
    assert grain_volumes(two_cubes) == pytest.approx([1.0, 1.0])
    assert grain_centroids(two_cubes) == pytest.approx(np.array([[0.5, 0.5, 0.5], [1.5, 0.5, 0.5]]))
    areas = facet_areas(two_cubes)
    assert areas[two_cubes.facet_tags == OUTER].sum() == pytest.approx(10.0)
    assert areas[two_cubes.facet_tags == GRAIN_BOUNDARY].sum() == pytest.approx(1.0)
    assert enclosed_volume(two_cubes) == pytest.approx(2.0)
    grains = facet_grains(two_cubes)
    assert grains[two_cubes.facet_tags == GRAIN_BOUNDARY].tolist() == [[1, 2], [1, 2]]
    assert (grains[two_cubes.facet_tags == OUTER, 1] == 0).all()


def test_facets_that_do_not_belong_are_noticed(two_cubes: ParticleMesh) -> None:
    with pytest.raises(ValueError, match="tagged facets"):
        facet_grains(replace(two_cubes, facets=two_cubes.facets[1:], facet_tags=two_cubes.facet_tags[1:]))


def broken(mesh: ParticleMesh, cells: np.ndarray, grain: np.ndarray) -> ParticleMesh:
    return ParticleMesh(mesh.points, cells, grain.astype(np.int32), mesh.facets, mesh.facet_tags)


def test_inverted_cells_are_named_by_grain(two_cubes: ParticleMesh) -> None:
    cells = two_cubes.cells.copy()
    cells[8] = cells[8][[0, 1, 3, 2]]
    with pytest.raises(MeshError, match="grain 2: 1 tetrahedra without positive volume"):
        check_mesh(broken(two_cubes, cells, two_cubes.grain))


def test_cells_that_overlap_are_named_by_grain(two_cubes: ParticleMesh) -> None:
    cells = np.vstack([two_cubes.cells, two_cubes.cells[:1]])
    grain = np.append(two_cubes.grain, 1)
    with pytest.raises(MeshError, match=r"grain 1: \d+ facets belong to more than two"):
        check_mesh(broken(two_cubes, cells, grain))


def test_split_grains_and_missing_grains_are_named(two_cubes: ParticleMesh) -> None:
    grain = two_cubes.grain.copy()
    grain[grain == 2] = 4
    grain[two_cubes.points[two_cubes.cells].mean(axis=1)[:, 0] > 1.7] = 1
    with pytest.raises(MeshError) as caught:
        check_mesh(tagged_mesh(two_cubes.points, two_cubes.cells, grain))
    text = str(caught.value)
    assert "grains 2, 3: no cells" in text
    assert "grain 1: consists of several pieces" in text
    check_mesh(tagged_mesh(two_cubes.points, two_cubes.cells, np.where(grain == 4, 2, 1)), one_piece_grains=False)


def test_bodies_without_common_facets_are_refused(two_cubes: ParticleMesh) -> None:
    points = np.vstack([two_cubes.points, two_cubes.points + np.array([0.0, 5.0, 0.0])])
    cells = np.vstack([two_cubes.cells, two_cubes.cells + 12])
    with pytest.raises(MeshError, match="2 pieces that share no facet"):
        check_mesh(tagged_mesh(points, cells, np.tile(two_cubes.grain, 2)), one_piece_grains=False)


def test_overlapping_grains_do_not_add_up(two_cubes: ParticleMesh) -> None:
    facets = two_cubes.facets.copy()
    far = int((two_cubes.points[facets][:, :, 0].min(axis=1) == 2.0).argmax())
    facets[far] = facets[far][::-1]  # an outer facet turned inwards: the volumes cannot agree
    with pytest.raises(MeshError, match="grains add up to"):
        check_mesh(replace(two_cubes, facets=facets))


def test_improving_mends_squashed_tetrahedra_and_keeps_the_surface(dense_twelve: DenseMesh) -> None:
    """Inner nodes are pushed until a tetrahedron around them is almost flat; afterwards the mesh is good again."""
    mesh = dense_twelve.mesh
    domain = Spheroid(5.0)
    inner = np.ones(len(mesh.points), dtype=bool)
    inner[mesh.facets.ravel()] = False
    points = mesh.points.copy()
    for node in np.flatnonzero(inner)[::200]:
        around = mesh.cells[(mesh.cells == node).any(axis=1)]
        before = cell_volumes(points, around).min()
        while cell_volumes(points, around).min() > 0.02 * before:
            kept = points[node].copy()
            points[node] += [0.0, 0.0, 0.002]
        points[node] = kept
    spoilt = replace(mesh, points=points)
    assert cell_volumes(points, mesh.cells).min() > 0.0
    assert measure_quality(points, mesh.cells, mesh.grain).minimum_dihedral < 5.0
    mended = improve(spoilt, domain)
    quality = measure_quality(mended.points, mended.cells, mended.grain)
    assert quality.minimum_dihedral > 10.0
    check_mesh(mended)
    outer = np.unique(mesh.facets[mesh.facet_tags == OUTER])
    assert np.abs(np.linalg.norm(mended.points[outer], axis=1) - 5.0).max() < 1e-9
    assert grain_volumes(mended) == pytest.approx(grain_volumes(mesh), rel=0.02)
