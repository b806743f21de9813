"""Coatings, islands, matrix and interface layer around meshes of different kinds: volumes, tags, columns, refusals."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meshes import engine
from meshes.body import Body
from meshes.coating import MEMBRANE_BELOW, coating_model
from meshes.combinations import misfits
from meshes.dense import DenseMesh
from meshes.designs import Coating
from meshes.errors import MeshError
from meshes.extrusion import extrude, offsets
from meshes.growth import grow, start_growth
from meshes.interface import interface_columns
from meshes.islands import islands, patch_count
from meshes.layers import add_layers
from meshes.matrix import volume_within
from meshes.mouths import least_area, lids
from meshes.msh_file import read_msh, write_msh
from meshes.particle import Particle
from meshes.particle_mesh import (
    BLOCKED,
    COATED_BLOCKED,
    COATED_CONTACT,
    COATED_SURFACE,
    COATING,
    COATING_INNER,
    COATING_INNER_BLOCKED,
    COATING_LAYER,
    COATING_OUTER,
    CONTACT,
    GRAIN_BOUNDARY,
    INTERFACE,
    INTERFACE_OUTER,
    LITHIUM_SURFACE,
    MATRIX,
    MATRIX_OUTER,
    OUTER,
    PORE_WALL,
    WETTED_PORE_WALL,
    ParticleMesh,
    areas_of,
    cell_volumes,
    facet_areas,
    facet_grains,
    grain_volumes,
    tagged_mesh,
)
from meshes.spheroid import Spheroid
from meshes.statistics import report_on

RADIUS = 5.0
SHELL = {"material": "any", "thickness": "0.2 um"}
MEMBRANE = {"material": "any", "thickness": "0.02 um"}


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def grains(dense_twelve: DenseMesh) -> Body:
    return Body(dense_twelve.mesh, outline=Spheroid(RADIUS), size=dense_twelve.size)


def layered(grains: Body, **options: Any) -> ParticleMesh:
    return add_layers(grains, described(**options), silent).mesh


def described(**options: Any) -> Particle:
    grains = {} if "from_file" in options else {"grains": {"count": 12}}
    return Particle.model_validate({**grains, **options})


def area_by_tag(mesh: ParticleMesh) -> dict[int, float]:
    tags, rows = np.unique(mesh.facet_tags, return_inverse=True)
    return dict(zip(tags.tolist(), np.bincount(rows, facet_areas(mesh))))


def volume_of(mesh: ParticleMesh, region: int) -> float:
    return float(cell_volumes(mesh.points, mesh.cells[mesh.grain == region]).sum())


def test_a_shell_has_the_volume_of_its_thickness(grains: Body) -> None:
    """Flat facets of 0.56 µm in a radius of 5 µm lose 0.3 % of area; the layer between them loses as much."""
    body = add_layers(grains, described(coating=SHELL), silent)
    mesh = body.mesh
    exact = 4.0 / 3.0 * np.pi * (5.2**3 - 5.0**3)
    assert volume_of(mesh, COATING) == pytest.approx(exact, rel=0.005)
    [section] = body.sections
    assert section.data["volume"] == pytest.approx(volume_of(mesh, COATING))
    assert section.data["volume_exact"] == pytest.approx(exact)
    assert set(mesh.facet_tags) == {GRAIN_BOUNDARY, COATING_INNER, COATING_OUTER}
    assert np.allclose(grain_volumes(mesh), grain_volumes(grains.mesh))
    # The outer nodes lie on the larger sphere: the offset follows the facets, 0.2 % longer at nodes than between.
    outer = mesh.points[np.unique(mesh.facets[mesh.facet_tags == COATING_OUTER])]
    assert np.linalg.norm(outer, axis=1) == pytest.approx(5.2, abs=0.002)


@pytest.mark.parametrize("elements", [1, 2, 4])
def test_layers_of_elements_through_a_shell(grains: Body, elements: int) -> None:
    mesh = layered(grains, coating={**SHELL, "elements": elements})
    facets = (grains.mesh.facet_tags == OUTER).sum()
    assert (mesh.grain == COATING).sum() == 3 * elements * facets


def test_shells_lie_on_each_other_in_order(grains: Body) -> None:
    mesh = layered(grains, coating=[SHELL, {**SHELL, "thickness": "0.4 um", "elements": 1}])
    radii = [
        np.linalg.norm(mesh.points[mesh.facets[mesh.facet_tags == tag]], axis=2).mean()
        for tag in (COATING_INNER, COATING_LAYER, COATING_OUTER)
    ]
    assert radii == pytest.approx([5.0, 5.2, 5.6], abs=0.003)
    assert volume_of(mesh, COATING + 1) == pytest.approx(4.0 / 3.0 * np.pi * (5.6**3 - 5.2**3), rel=0.005)


def test_facets_are_turned_outwards_of_the_inner_region(grains: Body) -> None:
    mesh = layered(grains, coating=SHELL, matrix={"material": "any"})
    layers = np.isin(mesh.facet_tags, (COATING_INNER, COATING_OUTER, MATRIX_OUTER))
    a, b, c = (mesh.points[mesh.facets[layers, corner]] for corner in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a) > 0.0).all()
    pairs = facet_grains(mesh)
    assert (pairs[mesh.facet_tags == COATING_OUTER] == (COATING, MATRIX)).all()
    assert (pairs[mesh.facet_tags == MATRIX_OUTER] == (MATRIX, 0)).all()


@pytest.mark.parametrize("share", [0.05, 0.25, 0.672, 0.95])
def test_islands_cover_the_share_asked_for(grains: Body, share: float) -> None:
    """To within half a facet, of which there are 2500."""
    mesh = layered(grains, coating={**MEMBRANE, "coverage": share})
    areas = area_by_tag(mesh)
    built = areas[COATED_SURFACE] / (areas[COATED_SURFACE] + areas[OUTER])
    assert built == pytest.approx(
        share, abs=0.5 * facet_areas(mesh).max() / sum(areas[tag] for tag in (COATED_SURFACE, OUTER))
    )


def test_islands_are_of_the_size_asked_for_and_of_their_seed(grains: Body) -> None:
    mesh = grains.mesh
    outer = mesh.facets[mesh.facet_tags == OUTER]
    small, large = (islands(mesh.points, outer, 0.3, size, [1]) for size in (0.8, 3.0))
    assert patch_count(outer, small) > 3 * patch_count(outer, large)
    assert (islands(mesh.points, outer, 0.3, 0.8, [1]) == small).all()
    other = islands(mesh.points, outer, 0.3, 0.8, [2])
    # Independent patterns of 30 % have 18 % in common in neither, 42 % of facets differ; ±10 % for their few patches.
    assert (other != small).mean() == pytest.approx(0.42, abs=0.1)


def test_the_matrix_gives_the_volume_fraction_exactly(grains: Body) -> None:
    for shape, fraction in (("sphere", 0.5), ("sphere", 0.85), ("box", 0.3)):
        mesh = layered(grains, matrix={"material": "any", "shape": shape, "volume_fraction": fraction})
        particle = grain_volumes(mesh).sum()
        assert particle / (particle + volume_of(mesh, MATRIX)) == pytest.approx(fraction, rel=1e-9)
        assert set(mesh.facet_tags) == {GRAIN_BOUNDARY, CONTACT, MATRIX_OUTER}
        outer = mesh.points[np.unique(mesh.facets[mesh.facet_tags == MATRIX_OUTER])]
        reach = np.linalg.norm(outer, axis=1) if shape == "sphere" else np.abs(outer).max(axis=1)
        assert np.ptp(reach) < 1e-6 * reach.max()


def test_elements_of_the_matrix_grow_outwards(grains: Body) -> None:
    mesh = layered(grains, matrix={"material": "any", "volume_fraction": 0.1})
    areas, tags = facet_areas(mesh), mesh.facet_tags
    assert np.median(areas[tags == MATRIX_OUTER]) > 4.0 * np.median(areas[tags == CONTACT])
    assert report_on(Body(mesh), described()).minimum_sicn > 0.2


def test_blocked_parts_of_a_coated_particle(grains: Body) -> None:
    """Contact and membrane are independent patterns; under a shell the grains know what touches above them."""
    matrix = {"material": "any", "coverage": 0.6}
    mesh = layered(grains, coating={**MEMBRANE, "coverage": 0.5}, matrix=matrix)
    areas = area_by_tag(mesh)
    whole = sum(areas[tag] for tag in (CONTACT, BLOCKED, COATED_CONTACT, COATED_BLOCKED))
    assert (areas[CONTACT] + areas[COATED_CONTACT]) / whole == pytest.approx(0.6, abs=0.001)
    assert (areas[COATED_CONTACT] + areas[COATED_BLOCKED]) / whole == pytest.approx(0.5, abs=0.001)
    assert min(areas[CONTACT], areas[COATED_BLOCKED]) > 0.05 * whole
    shelled = layered(grains, coating=SHELL, matrix=matrix)
    areas = area_by_tag(shelled)
    share = areas[COATING_INNER] / (areas[COATING_INNER] + areas[COATING_INNER_BLOCKED])
    assert share == pytest.approx(0.6, abs=0.01)
    assert areas[COATING_OUTER] / (areas[COATING_OUTER] + areas[BLOCKED]) == pytest.approx(0.6, abs=0.001)


def test_lithium_only_passes_facets_of_grains(grains: Body) -> None:
    for options in (
        {"coating": [SHELL, SHELL], "matrix": {"material": "any", "coverage": 0.5, "interface": "limited"}},
        {"coating": MEMBRANE, "matrix": {"material": "any", "interface": "limited"}},
    ):
        mesh = layered(grains, **options)
        passes = np.isin(mesh.facet_tags, LITHIUM_SURFACE)
        assert passes.any()
        assert (facet_grains(mesh)[passes, 0] <= mesh.grain_count).all()


def test_columns_of_the_interface_layer(grains: Body, tmp_path: Path) -> None:
    """Three tetrahedra between each facet of the particle and one of the matrix, also after a file."""
    mesh = layered(grains, coating=SHELL, matrix={"material": "any", "interface": "limited", "coverage": 0.7})
    write_msh(mesh, tmp_path / "mesh.msh")
    for layer in (mesh, read_msh(tmp_path / "mesh.msh")):
        found = interface_columns(layer)
        assert len(found.cells) == (layer.grain == INTERFACE).sum() == 3 * len(found.areas)
        assert (np.bincount(found.columns) == 3).all()
        volumes = np.bincount(found.columns, cell_volumes(layer.points, layer.cells[found.cells]))
        # 1 % of the radius; the layer widens outwards by 2 % of it.
        assert volumes / found.areas == pytest.approx(0.05, rel=0.02)
        centres = layer.points[layer.cells[found.cells]].mean(axis=1).reshape(-1, 3, 3).mean(axis=1)
        outwards = centres / np.linalg.norm(centres, axis=1)[:, None]
        assert (outwards * found.normals).sum(axis=1).min() > 0.998
        top = areas_of(layer.points, layer.facets[layer.facet_tags == INTERFACE_OUTER])
        assert top.sum() == pytest.approx(found.areas.sum() * (5.25 / 5.2) ** 2, rel=0.001)


def test_columns_in_two_dimensions_and_without_a_layer(grains: Body) -> None:
    assert len(interface_columns(grains.mesh).cells) == 0
    mesh = layered(Body(disc(40)), dimension=2, matrix={"material": "any", "interface": "limited", "coverage": 0.5})
    found = interface_columns(mesh)
    assert len(found.cells) == 80
    assert (np.bincount(found.columns) == 2).all()
    assert found.areas == pytest.approx(2.0 * np.sin(np.pi / 40))


def disc(count: int) -> ParticleMesh:
    """A disc of radius 1 as a fan of triangles, one grain."""
    angle = 2.0 * np.pi * np.arange(count) / count
    points = np.vstack([np.zeros((1, 3)), np.column_stack([np.cos(angle), np.sin(angle), 0.0 * angle])])
    rim = 1 + np.arange(count)
    cells = np.column_stack([np.zeros(count, dtype=int), rim, np.roll(rim, -1)])
    return tagged_mesh(points, cells, np.ones(count, dtype=int))


def test_layers_around_a_disc() -> None:
    """In two dimensions a shell is a ring, and fractions are of areas."""
    body = Body(disc(60))
    mesh = layered(body, dimension=2, coating={**SHELL, "model": "shell"}, matrix={"material": "any", "shape": "box"})
    assert volume_of(mesh, COATING) == pytest.approx(np.pi * (1.2**2 - 1.0), rel=0.002)
    particle = volume_of(mesh, 1) + volume_of(mesh, COATING)
    assert particle / (particle + volume_of(mesh, MATRIX)) == pytest.approx(0.5, rel=1e-9)
    assert set(mesh.facet_tags) == {COATING_INNER, COATING_OUTER, MATRIX_OUTER}


def test_offsets_around_the_edges_of_a_cube() -> None:
    """All faces of a cube move by the thickness; along normals averaged at nodes its edges would be rounded off."""
    corners = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    squares = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    facets = np.array([half for a, b, c, d in squares for half in ([a, b, c], [a, c, d])])
    layer = extrude(corners, facets, 0.25, 2)
    assert layer.points[8:].min() == pytest.approx(-0.25)
    assert cell_volumes(layer.points, layer.cells).min() > 0.0
    assert cell_volumes(layer.points, layer.cells).sum() == pytest.approx(1.5**3 - 1.0)


def test_a_surface_that_folds_back_on_itself_gets_no_shell() -> None:
    """The bottom of a notch in a disc is wider than the disc's outline there: no direction leads out of it."""
    mesh = disc(24)
    points = mesh.points.copy()
    points[4:7] *= 0.4
    along = np.array([-points[5, 1], points[5, 0], 0.0]) / np.linalg.norm(points[5])
    points[4] -= 0.7 * along
    points[6] += 0.7 * along
    folded = Body(replace(mesh, points=points))
    with pytest.raises(MeshError, match=r"^particle\.coating\.thickness: a layer of 0\.3 um is too thick"):
        layered(folded, dimension=2, coating={"material": "any", "thickness": "0.3 um"})


def test_directions_are_evened_out_over_a_dent(grains: Body) -> None:
    """One node 0.75 µm below the surface: sweeps of a layer 1 µm thick along the normals there would cross."""
    mesh = grains.mesh
    outer = mesh.facets[mesh.facet_tags == OUTER]
    points = mesh.points.copy()
    points[outer[0, 0]] *= 0.85
    layer = extrude(points, outer, 1.0, 1)
    assert cell_volumes(layer.points, layer.cells).min() > 0.0
    nodes, local = np.unique(outer, return_inverse=True)
    straight = layer.points.copy()
    straight[len(points) :] = points[nodes] + offsets(points[nodes], local.reshape(-1, 3))
    assert cell_volumes(straight, layer.cells).min() < 0.0


def test_thickness_decides_between_membrane_and_shell() -> None:
    thin, thick = (
        Coating(material="any", thickness=f"{factor * MEMBRANE_BELOW * RADIUS} um") for factor in (0.99, 1.01)
    )
    assert [coating_model(layer, RADIUS) for layer in (thin, thick)] == ["membrane", "shell"]
    assert coating_model(Coating(material="any", thickness="1 um", model="membrane"), RADIUS) == "membrane"


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"coating": [SHELL, MEMBRANE]}, ("coating",)),
        ({"coating": {**SHELL, "coverage": 0.5}}, ("coating", "coverage")),
        ({"coating": [MEMBRANE, {**MEMBRANE, "coverage": 0.5}]}, ("coating",)),
        ({"coating": {**SHELL, "thickness": "0.6 um", "model": "membrane"}}, ("coating", "model")),
        ({"coating": [{**SHELL, "thickness": "0.002 um", "model": "shell"}]}, ("coating", 0, "model")),
        ({"coating": {**SHELL, "thickness": "2 um"}, "radius": "1 um"}, ("coating", "thickness")),
        ({"matrix": {"material": "any", "shape": "box", "volume_fraction": 0.5}}, ("matrix", "volume_fraction")),
        ({"matrix": {"material": "any"}, "pores": {"law": "gp-ncm", "wetted": "all"}}, ("pores", "wetted")),
        ({"matrix": {"material": "any"}, "void": {"radius": "1 um", "wetted": True}}, ("void", "wetted")),
        ({"coating": SHELL, "from_file": {"path": "any.msh"}}, ("coating", "model")),
    ],
)
def test_layers_that_make_no_sense_are_refused_by_name(options: dict[str, Any], option: tuple[str | int, ...]) -> None:
    assert [misfit.option for misfit in misfits(described(**options))] == [option]


def test_a_matrix_that_would_cut_the_particle_is_refused_with_a_limit(grains: Body) -> None:
    stretched = grains.mesh.points * [1.0, 1.0, 1.6]
    mesh = ParticleMesh(stretched, *(getattr(grains.mesh, name) for name in ("cells", "grain", "facets", "facet_tags")))
    with pytest.raises(MeshError, match=r"^particle\.matrix\.volume_fraction: .* write at most 36 %$"):
        layered(Body(mesh), matrix={"material": "any"})
    assert layered(Body(mesh), matrix={"material": "any", "volume_fraction": 0.36}).grain_count == 12


def test_voids_of_a_mesh_from_a_file_get_no_coating(grains: Body) -> None:
    """Its outer surface is the piece that reaches farthest; without one grain inside there is another piece."""
    around = np.linalg.norm(grains.mesh.points[grains.mesh.cells].mean(axis=1), axis=1) > 1.2
    used, cells = np.unique(grains.mesh.cells[around], return_inverse=True)
    hollow = tagged_mesh(grains.mesh.points[used], cells.reshape(-1, 4), grains.mesh.grain[around])
    mesh = layered(Body(hollow), coating={**SHELL, "model": "shell"}, from_file={"path": "any.msh"})
    wall = np.linalg.norm(mesh.points[mesh.facets[mesh.facet_tags == OUTER]], axis=2)
    assert 0.0 < wall.max() < 2.5
    assert volume_of(mesh, COATING) == pytest.approx(4.0 / 3.0 * np.pi * (5.2**3 - 5.0**3), rel=0.005)


def test_the_matrix_does_not_enter_open_pores(grains: Body) -> None:
    """Holes of 0.9 µm in the surface, ragged because whole tetrahedra were taken out: the matrix ends at lids."""
    body = pitted(grains)
    enclosed = volume_within(body.mesh.points, body.mesh.facets[body.mesh.facet_tags != GRAIN_BOUNDARY])
    matrix = {"material": "any", "volume_fraction": 0.4, "interface": "limited"}
    finished = add_layers(body, described(coating=SHELL, matrix=matrix), silent)
    mesh = finished.mesh
    assert WETTED_PORE_WALL not in mesh.facet_tags
    pairs = facet_grains(mesh)
    assert {COATING, INTERFACE, MATRIX} <= set(pairs[mesh.facet_tags == PORE_WALL, 0])
    # What the outer surface encloses: grains, layers and matrix, and the pores that stayed empty.
    outer = volume_within(mesh.points, mesh.facets[mesh.facet_tags == MATRIX_OUTER])
    empty = outer - cell_volumes(mesh.points, mesh.cells).sum()
    pores = grain_volumes(grains.mesh).sum() - enclosed
    # They reach up to the lids, 0.25 µm above the particle over a part of 8 %.
    assert pores < empty < pores + 0.25 * 0.08 * 4.0 * np.pi * RADIUS**2
    assert finished.sections[1].data["volume_fraction"] == pytest.approx(0.4, rel=1e-9)


def pitted(grains: Body) -> Body:
    """The grains with eight pits at the corners of a cube, their walls wetted."""
    mesh = grains.mesh
    pits = RADIUS / 3**0.5 * np.array(list(product((1.0, -1.0), repeat=3)))
    distance = np.linalg.norm(mesh.points[mesh.cells].mean(axis=1)[:, None] - pits, axis=2).min(axis=1)
    used, cells = np.unique(mesh.cells[distance > 0.9], return_inverse=True)
    left = tagged_mesh(mesh.points[used], cells.reshape(-1, 4), mesh.grain[distance > 0.9])
    smooth = (np.linalg.norm(left.points[left.facets], axis=2) > RADIUS - 1e-6).all(axis=1)
    walls = (left.facet_tags == OUTER) & ~smooth
    return Body(replace(left, facet_tags=np.where(walls, WETTED_PORE_WALL, left.facet_tags).astype(np.int32)))


def test_lids_leave_islands_of_surface_alone() -> None:
    """A square of 5 × 5 points without the ring around its middle triangles."""
    points = np.array([[x, y, 0.01 * x * y] for x in range(5) for y in range(5)], dtype=float)
    whole = [[5 * x + y + step for step in half] for x in range(4) for y in range(4) for half in ([0, 5, 6], [0, 6, 1])]
    triangles = np.array(whole)
    middle = points[triangles].mean(axis=1)[:, :2] - 2.0
    rim = np.abs(middle).max(axis=1) > 1.0
    dish = np.vstack([points, [2.0, 2.0, -3.0]])
    outline = [0, 5, 10, 15, 20, 21, 22, 23, 24, 19, 14, 9, 4, 3, 2, 1]
    below = np.array([[second, first, 25] for first, second in zip(outline, [*outline[1:], 0])])
    island = np.array([[12, 17, 18]])
    surface = np.concatenate([triangles[rim], below, island])
    points, covers = lids(dish, surface, partial(engine.run, time_limit=60))
    closed = np.concatenate([surface, covers])
    edges = np.sort(closed[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert len(lids(points, closed, partial(engine.run, time_limit=60))[1]) == 0


def test_a_fold_in_the_surface_of_carved_grains_is_no_skin(grains: Body) -> None:
    """A node drawn past its neighbours turns a facet over; it becomes a wall, and the layers leave a hole above it."""
    mesh = grains.mesh
    outer = mesh.facets[mesh.facet_tags == OUTER]
    points = mesh.points.copy()
    a, b, c = outer[0]
    middle = 0.5 * (points[b] + points[c])
    points[a] = (middle + 0.2 * (middle - points[a])) * 0.99
    body = replace(grains, mesh=replace(mesh, points=points))
    growth = start_growth(body.mesh, sector=False, outermost_only=False, carved=Spheroid(RADIUS))
    lost = len(outer) - len(growth.surface)
    assert 1 <= lost <= 6
    assert (growth.tags == PORE_WALL).sum() == lost
    grown = grow(growth, 0.2, 1, COATING, "any")
    assert cell_volumes(grown.points, grown.cells[len(mesh.cells) :]).min() > 0.0


def test_an_outline_in_space_is_spanned() -> None:
    """A loop that crosses itself when seen from any side: its lid has its edges once each, the inner ones twice."""
    angle = 2.0 * np.pi * np.arange(9) / 9
    places = np.column_stack([np.sin(2.0 * angle), np.cos(angle), 0.8 * np.sin(angle)])
    triangles = least_area(places, np.arange(9))
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    distinct, uses = np.unique(edges, axis=0, return_counts=True)
    around = np.sort(np.column_stack([np.arange(9), (np.arange(9) + 1) % 9]), axis=1)
    assert {tuple(edge) for edge in distinct[uses == 1].tolist()} == {tuple(edge) for edge in around.tolist()}
    assert len(triangles) == 7
