"""Meshes made elsewhere: any file that meshio reads with tetrahedra and one integer per grain (Neper, Gmsh, XDMF)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import meshio
import numpy as np
from numpy.typing import NDArray

from meshes.errors import MeshError
from meshes.particle import MeshFile
from meshes.particle_mesh import ParticleMesh, cell_volumes, tagged_mesh
from meshes.quality import check_mesh

# Where common programs put the grain number, the most telling first.
_USUAL_NAMES = ("grain", "grain_id", "grains", "gmsh:physical", "gmsh:geometrical", "medit:ref", "cell_tags")
_MOST_GRAINS = 20_000
_OTHER_SOLIDS = ("hexahedron", "wedge", "pyramid", "polyhedron")


@dataclass(frozen=True)
class ForeignMesh:
    """A mesh from a file.

    Args:
        mesh: The mesh, grains numbered 1..N, facets derived from the grains.
        grain_numbers: Grain 1..N → number in the file.
        notes: What was done to it.
    """

    mesh: ParticleMesh
    grain_numbers: Mapping[str, int]
    notes: tuple[str, ...]


def read_foreign_mesh(description: MeshFile, base_folder: Path) -> ForeignMesh:
    """Read a mesh with grain numbers.

    Args:
        description: File, unit of length, name of the cell data.
        base_folder: Folder that a relative path refers to.

    Raises:
        MeshError: If the file cannot be read, has no tetrahedra or grain numbers, or is no proper division of one body.
    """
    path = base_folder / description.path
    data = _read(path)
    blocks = _tetrahedra(data, path)
    name, tags = _grain_tags(data, blocks, description.grain_data, path)
    cells = np.concatenate([data.cells[number].data for number in blocks]).astype(np.int64)
    numbers, grain = np.unique(tags, return_inverse=True)
    if len(numbers) > _MOST_GRAINS:
        raise MeshError(f'{path}: cell data "{name}" holds {len(numbers)} different numbers; these are hardly grains')
    points = np.asarray(data.points, dtype=np.float64) * float(description.length_unit)
    used, cells = np.unique(cells, return_inverse=True)
    points, cells = np.ascontiguousarray(points[used]), cells.reshape(-1, 4)
    cells, turned = _turned_positive(points, cells)
    notes = [f'grain numbers from cell data "{name}"'] + ([f"{turned} tetrahedra turned round"] if turned else [])
    mesh = tagged_mesh(points, cells, grain.ravel() + 1)
    try:
        check_mesh(mesh, one_piece_grains=False)
    except MeshError as error:
        raise MeshError([f"{path}: {problem}" for problem in error.problems]) from error
    return ForeignMesh(mesh, {str(n + 1): int(number) for n, number in enumerate(numbers)}, tuple(notes))


def _read(path: Path) -> meshio.Mesh:
    if not path.is_file():
        raise MeshError(f"{path}: no such file")
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):  # it likes to print
            return meshio.read(path)
    # Its readers raise all kinds of exceptions on damaged files, and on an unknown ending it calls sys.exit.
    except (Exception, SystemExit) as error:
        raise MeshError(f"{path}: meshio cannot read it ({type(error).__name__}: {error})") from error


def _tetrahedra(data: meshio.Mesh, path: Path) -> list[int]:
    """Numbers of the cell blocks with tetrahedra, if no other solid cells are there."""
    kinds = sorted({block.type for block in data.cells})
    curved = [kind for kind in kinds if kind.startswith("tetra") and kind != "tetra"]
    if curved:
        raise MeshError(f"{path}: holds curved tetrahedra ({', '.join(curved)}); save it with Mesh.ElementOrder = 1")
    others = [kind for kind in kinds if kind.startswith(_OTHER_SOLIDS)]
    if others:
        raise MeshError(f"{path}: holds {', '.join(others)} cells; only tetrahedra can be used")
    blocks = [number for number, block in enumerate(data.cells) if block.type == "tetra"]
    if not blocks:
        raise MeshError(f"{path}: holds no tetrahedra ({', '.join(kinds) or 'no cells at all'})")
    return blocks


def _grain_tags(data: meshio.Mesh, blocks: list[int], asked: str | None, path: Path) -> tuple[str, NDArray[np.int64]]:
    """Name and values of the cell data with the grain numbers."""
    available = {
        name: np.concatenate([np.asarray(values[number]).ravel() for number in blocks])
        for name, values in data.cell_data.items()
        if all(np.asarray(values[number]).size == len(data.cells[number]) for number in blocks)
    }
    integers = {name: values for name, values in available.items() if _holds_integers(values)}
    usual = [*_USUAL_NAMES, *(integers if len(integers) == 1 else ())] if asked is None else [asked]
    # Among the usual names one that tells grains apart comes before one that is the same everywhere.
    found = sorted((name for name in usual if name in integers), key=lambda name: bool(np.ptp(integers[name]) == 0))
    if found:
        return found[0], np.rint(integers[found[0]]).astype(np.int64)
    shown = ", ".join(f'"{name}"' for name in sorted(integers)) or "none"
    wanted = f'no integer cell data "{asked}"' if asked is not None else "no cell data that looks like grain numbers"
    raise MeshError(f"{path}: {wanted} on its tetrahedra; there are: {shown}; name one with from_file.grain_data")


def _holds_integers(values: NDArray) -> bool:
    return values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool(np.array_equal(values, np.rint(values))))


def _turned_positive(points: NDArray[np.float64], cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    negative = cell_volumes(points, cells) < 0.0
    cells[negative] = cells[negative][:, [0, 1, 3, 2]]
    return cells, int(negative.sum())
