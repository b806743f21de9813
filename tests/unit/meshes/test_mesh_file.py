from __future__ import annotations

from pathlib import Path

import meshio
import numpy as np
import pytest

from meshes.dense import DenseMesh
from meshes.errors import MeshError
from meshes.msh_file import read_msh, write_msh
from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, facet_areas, grain_centroids, grain_volumes


@pytest.fixture
def written(dense_twelve: DenseMesh, tmp_path: Path) -> Path:
    write_msh(dense_twelve.mesh, tmp_path / "particle.msh")
    return tmp_path / "particle.msh"


def test_what_is_written_is_read_back(dense_twelve: DenseMesh, written: Path) -> None:
    """Nodes and cells may come in another order; the grains must be the same bodies, bit for bit in each node."""
    mesh, original = read_msh(written), dense_twelve.mesh
    assert np.array_equal(np.unique(mesh.points, axis=0), np.unique(original.points, axis=0))
    assert grain_volumes(mesh) == pytest.approx(grain_volumes(original), rel=1e-12)
    assert grain_centroids(mesh) == pytest.approx(grain_centroids(original), rel=1e-9)
    for tag in (OUTER, GRAIN_BOUNDARY):
        area = facet_areas(original)[original.facet_tags == tag].sum()
        assert facet_areas(mesh)[mesh.facet_tags == tag].sum() == pytest.approx(area, rel=1e-12)


def test_writing_again_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_msh(read_msh(written), tmp_path / "again.msh")
    assert (tmp_path / "again.msh").read_bytes() == written.read_bytes()


def test_meshio_reads_the_same_mesh_with_named_groups(written: Path) -> None:
    mesh, other = read_msh(written), meshio.read(written)
    assert np.array_equal(other.points, mesh.points)
    assert np.array_equal(np.concatenate([block.data for block in other.cells if block.type == "tetra"]), mesh.cells)
    tags = np.concatenate(
        [t for t, block in zip(other.cell_data["gmsh:physical"], other.cells) if block.type == "triangle"]
    )
    assert np.array_equal(tags, mesh.facet_tags)
    names = {name: tuple(value) for name, value in other.field_data.items()}
    assert names["outer"] == (OUTER, 2)
    assert names["grain_boundary"] == (GRAIN_BOUNDARY, 2)
    assert [names[f"grain_{grain}"] for grain in range(1, 13)] == [(grain, 3) for grain in range(1, 13)]


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_damaged_files_are_refused(written: Path, keep: float) -> None:
    content = written.read_bytes()
    written.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(MeshError, match="cannot be read"):
        read_msh(written)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"nothing\.msh: cannot be read"):
        read_msh(tmp_path / "nothing.msh")
