from __future__ import annotations

from pathlib import Path

import meshio
import numpy as np
import pytest

from meshes.errors import MeshError
from meshes.imported import read_foreign_mesh
from meshes.particle import MeshFile
from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, ParticleMesh, facet_areas, grain_centroids, grain_volumes


def write(mesh: ParticleMesh, path: Path, numbers: np.ndarray, name: str, **options: object) -> None:
    meshio.write(path, meshio.Mesh(mesh.points, [("tetra", mesh.cells)], cell_data={name: [numbers]}), **options)


def write_like_neper(mesh: ParticleMesh, path: Path) -> None:
    """Text of version 2.2 with three tags per element and sections that only Neper knows, as `neper -M` makes it."""
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$MeshVersion", "2.2.3", "$EndMeshVersion"]
    lines += ["$Domain", "sphere", "$EndDomain", "$Nodes", f"{len(mesh.points)}"]
    lines += [f"{n + 1} {x:.12f} {y:.12f} {z:.12f}" for n, (x, y, z) in enumerate(mesh.points)]
    lines += ["$EndNodes", "$Elements", f"{1 + len(mesh.facets) + len(mesh.cells)}", "1 15 3 1 1 0 1"]
    lines += [f"{n + 2} 2 3 7 7 0 " + " ".join(map(str, corners + 1)) for n, corners in enumerate(mesh.facets)]
    first = 2 + len(mesh.facets)
    cells = zip(mesh.cells + 1, mesh.grain)
    lines += [f"{first + n} 4 3 {g} {g} 0 " + " ".join(map(str, c)) for n, (c, g) in enumerate(cells)]
    lines += ["$EndElements", "$NSets", "1", "x0", "2", "1", "2", "$EndNSets", "$Fasets", "1", "x0", "1", "3 1 2 3"]
    lines += ["$EndFasets", "$PhysicalNames", "2", '3 1 "poly1"', '3 2 "poly2"', "$EndPhysicalNames"]
    lines += ["$ElsetOrientations", "2 rodrigues:active", "1 0.1 0.2 0.3", "2 0.3 0.2 0.1", "$EndElsetOrientations", ""]
    path.write_text("\n".join(lines))


def check_cubes(mesh: ParticleMesh, unit: float = 1.0) -> None:
    assert grain_volumes(mesh) == pytest.approx([unit**3, unit**3])
    assert grain_centroids(mesh)[:, 0] == pytest.approx([0.5 * unit, 1.5 * unit])
    areas = facet_areas(mesh)
    assert areas[mesh.facet_tags == OUTER].sum() == pytest.approx(10.0 * unit**2)
    assert areas[mesh.facet_tags == GRAIN_BOUNDARY].sum() == pytest.approx(unit**2)


def test_neper_meshes_are_read(two_cubes: ParticleMesh, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_like_neper(two_cubes, tmp_path / "n2-id1.msh")
    foreign = read_foreign_mesh(MeshFile(path="n2-id1.msh"), tmp_path)
    check_cubes(foreign.mesh)
    assert foreign.grain_numbers == {"1": 1, "2": 2}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("file", "name", "options"),
    [
        ("cubes.xdmf", "grain", {}),
        ("cubes.vtu", "grain_id", {}),
        ("cubes.mesh", "medit:ref", {}),
        ("cubes.msh", "gmsh:physical", {"file_format": "gmsh22", "binary": False}),
        ("odd.vtu", "phase", {}),
    ],
)
def test_usual_formats_and_names(two_cubes: ParticleMesh, tmp_path: Path, file: str, name: str, options: dict) -> None:
    write(two_cubes, tmp_path / file, np.where(two_cubes.grain == 1, 17, 40), name, **options)
    foreign = read_foreign_mesh(MeshFile(path=file, length_unit="2 um"), tmp_path)
    check_cubes(foreign.mesh, unit=2.0)
    assert foreign.grain_numbers == {"1": 17, "2": 40}


def test_the_named_data_wins_over_the_usual(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    data = {"grain": [np.arange(12)], "mine": [two_cubes.grain]}
    meshio.write(tmp_path / "a.vtu", meshio.Mesh(two_cubes.points, [("tetra", two_cubes.cells)], cell_data=data))
    check_cubes(read_foreign_mesh(MeshFile(path="a.vtu", grain_data="mine"), tmp_path).mesh)


def test_data_that_tell_grains_apart_win_over_constant_ones(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    data = {"gmsh:physical": [np.ones(12, dtype=int)], "gmsh:geometrical": [two_cubes.grain]}
    meshio.write(tmp_path / "a.vtu", meshio.Mesh(two_cubes.points, [("tetra", two_cubes.cells)], cell_data=data))
    check_cubes(read_foreign_mesh(MeshFile(path="a.vtu"), tmp_path).mesh)


def test_inverted_tetrahedra_are_turned_and_loose_nodes_dropped(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    cells = two_cubes.cells.copy()
    cells[3] = cells[3][[1, 0, 2, 3]]
    points = np.vstack([[[9.0, 9.0, 9.0]], two_cubes.points])
    mesh = ParticleMesh(points, cells + 1, two_cubes.grain, two_cubes.facets, two_cubes.facet_tags)
    write(mesh, tmp_path / "a.vtu", two_cubes.grain, "grain")
    foreign = read_foreign_mesh(MeshFile(path="a.vtu"), tmp_path)
    check_cubes(foreign.mesh)
    assert len(foreign.mesh.points) == 12
    assert "1 tetrahedra turned round" in foreign.notes


def refuse(tmp_path: Path, mesh: meshio.Mesh | None, message: str, **options: str) -> None:
    if mesh is not None:
        meshio.write(tmp_path / "bad.vtu", mesh)
    with pytest.raises(MeshError, match=message):
        read_foreign_mesh(MeshFile(path="bad.vtu", **options), tmp_path)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    refuse(tmp_path, None, "no such file")
    (tmp_path / "bad.vtu").write_text("<VTKFile")
    refuse(tmp_path, None, "meshio cannot read it")
    (tmp_path / "bad.xyzzy").write_text("?")
    with pytest.raises(MeshError, match="meshio cannot read it"):
        read_foreign_mesh(MeshFile(path="bad.xyzzy"), tmp_path)


def test_meshes_without_what_is_needed(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    points, cells, grain = two_cubes.points, two_cubes.cells, two_cubes.grain
    refuse(tmp_path, meshio.Mesh(points, [("triangle", two_cubes.facets)]), "holds no tetrahedra")
    refuse(tmp_path, meshio.Mesh(points, [("tetra", cells)]), "no cell data that looks like grain numbers")
    half = meshio.Mesh(points, [("tetra", cells)], cell_data={"grain": [grain + 0.5]})
    refuse(tmp_path, half, "no cell data that looks like grain numbers")
    asked = meshio.Mesh(points, [("tetra", cells)], cell_data={"grain": [grain]})
    refuse(tmp_path, asked, 'no integer cell data "label" .* there are: "grain"', grain_data="label")
    refuse(tmp_path, meshio.Mesh(points, [("tetra10", np.array([[*range(10)]]))]), "curved tetrahedra")
    refuse(tmp_path, meshio.Mesh(points, [("tetra", cells), ("hexahedron", [list(range(8))])]), "only tetrahedra")


def test_bodies_that_are_no_particle(two_cubes: ParticleMesh, tmp_path: Path) -> None:
    points = np.vstack([two_cubes.points, two_cubes.points])
    twice = np.where((two_cubes.grain == 2)[:, None], two_cubes.cells + 12, two_cubes.cells)
    apart = meshio.Mesh(points, [("tetra", twice)], cell_data={"grain": [two_cubes.grain]})
    refuse(tmp_path, apart, "2 pieces that share no facet .are there duplicate nodes")
    squashed = two_cubes.points * [1.0, 1.0, 0.0]
    flat = meshio.Mesh(squashed, [("tetra", two_cubes.cells)], cell_data={"grain": [two_cubes.grain]})
    refuse(tmp_path, flat, "without positive volume")
    many = meshio.Mesh(two_cubes.points, [("tetra", np.tile(two_cubes.cells, (2000, 1)))])
    many.cell_data = {"grain": [np.arange(24_000)]}
    refuse(tmp_path, many, "24000 different numbers")
