"""Is the mesh sound, and how good is it? Vectorised; failures name the grain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.particle_mesh import Facets, ParticleMesh, all_facets, cell_volumes, enclosed_volume

WANTED_SICN = 0.08
WANTED_DIHEDRAL = 3.5
_VOLUME_BALANCE = 1e-10

_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
# For edge (i, j) the two facets that meet there are opposite to the other two corners.
_OPPOSITE = ((2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1))


@dataclass(frozen=True)
class Quality:
    """Extremes and typical values of element quality.

    Args:
        minimum_sicn: Smallest signed inverse condition number (1 for a regular tetrahedron or triangle) [-].
        median_sicn: Its median [-].
        minimum_dihedral: Smallest dihedral angle, or angle at a corner of a triangle [degrees].
        maximum_dihedral: Largest such angle [degrees].
        poor_cells: Number of cells with such an angle below 10 degrees.
        worst_grain: Grain of the cell with the smallest angle.
    """

    minimum_sicn: float
    median_sicn: float
    minimum_dihedral: float
    maximum_dihedral: float
    poor_cells: int
    worst_grain: int

    @property
    def is_good(self) -> bool:
        """Whether the mesh is as good as the mesher promises."""
        return self.minimum_sicn > WANTED_SICN and self.minimum_dihedral > WANTED_DIHEDRAL


def inverse_condition(corners: Array) -> Array:
    """Signed inverse condition number [-], shape (...), of cells with corners (..., 4, 3) or (..., 3, 3).

    1 for a regular tetrahedron or triangle; triangles lie in the plane z = 0.
    """
    if corners.shape[-2] == 3:
        return _inverse_condition_of_triangles(corners)
    edges = corners[..., 1:, :] - corners[..., :1, :]
    # Map from the regular tetrahedron with unit edges: columns of J are images of its orthonormal axes.
    first = edges[..., 0, :]
    second = (2.0 * edges[..., 1, :] - edges[..., 0, :]) / np.sqrt(3.0)
    third = (3.0 * edges[..., 2, :] - edges[..., 0, :] - edges[..., 1, :]) / np.sqrt(6.0)
    cofactors = np.stack([np.cross(second, third), np.cross(third, first), np.cross(first, second)], axis=-2)
    determinant = (first * cofactors[..., 0, :]).sum(axis=-1)
    norm = np.sqrt((first**2).sum(axis=-1) + (second**2).sum(axis=-1) + (third**2).sum(axis=-1))
    cofactor_norm = np.sqrt((cofactors**2).sum(axis=(-1, -2)))
    return 3.0 * determinant / np.maximum(norm * cofactor_norm, 1e-300)


def _inverse_condition_of_triangles(corners: Array) -> Array:
    first, second = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    twice_area = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    squares = (first**2).sum(axis=-1) + (second**2).sum(axis=-1) + ((second - first) ** 2).sum(axis=-1)
    return 2.0 * np.sqrt(3.0) * twice_area / np.maximum(squares, 1e-300)


def corner_angles(corners: Array) -> Array:
    """The three angles [degrees], shape (..., 3), of triangles with corners (..., 3, 3)."""
    to_next, to_last = np.roll(corners, -1, axis=-2) - corners, np.roll(corners, 1, axis=-2) - corners
    across = np.linalg.norm(np.cross(to_next, to_last), axis=-1)
    return np.degrees(np.arctan2(across, (to_next * to_last).sum(axis=-1)))


def dihedral_angles(corners: Array) -> Array:
    """The six dihedral angles [degrees], shape (..., 6), of tetrahedra with corners (..., 4, 3)."""
    a, b, c, d = (corners[..., corner, :] for corner in range(4))
    normals = np.stack(
        [np.cross(c - b, d - b), np.cross(d - a, c - a), np.cross(b - a, d - a), np.cross(c - a, b - a)], axis=-2
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-300)
    cosines = [-(normals[..., one, :] * normals[..., two, :]).sum(axis=-1) for one, two in _OPPOSITE]
    return np.degrees(np.arccos(np.clip(np.stack(cosines, axis=-1), -1.0, 1.0)))


def measure_quality(points: Array, cells: Indices, grain: NDArray[np.integer]) -> Quality:
    """Element quality of a mesh; arguments as in `ParticleMesh`."""
    corners = points[cells]
    sicn = inverse_condition(corners)
    angles = corner_angles(corners) if cells.shape[1] == 3 else dihedral_angles(corners)
    smallest = angles.min(axis=1)
    return Quality(
        minimum_sicn=float(sicn.min()),
        median_sicn=float(np.median(sicn)),
        minimum_dihedral=float(smallest.min()),
        maximum_dihedral=float(angles.max()),
        poor_cells=int((smallest < 10.0).sum()),
        worst_grain=int(grain[smallest.argmin()]),
    )


def check_mesh(mesh: ParticleMesh, one_piece_grains: bool = True) -> None:
    """Refuse a mesh that is not a proper division of one body into grains.

    Args:
        mesh: The mesh.
        one_piece_grains: Whether every grain must be connected through facets.

    Raises:
        MeshError: Naming the grains, with every problem found.
    """
    facets = all_facets(mesh.cells)
    problems = [*_inverted(mesh), *_empty(mesh), *_crowded(mesh, facets), *_pieces(mesh, facets, one_piece_grains)]
    if not problems:
        problems = _unbalanced(mesh)
    if problems:
        raise MeshError(problems)


def _inverted(mesh: ParticleMesh) -> list[str]:
    bad = cell_volumes(mesh.points, mesh.cells) <= 0.0
    if not bad.any():
        return []
    return [f"{_grain_list(mesh.grain[bad])}: {bad.sum()} {_cell_name(mesh)} without positive volume"]


def _cell_name(mesh: ParticleMesh) -> str:
    return "tetrahedra" if mesh.dimension == 3 else "triangles"


def _empty(mesh: ParticleMesh) -> list[str]:
    missing = np.flatnonzero(np.bincount(mesh.grain[mesh.is_grain], minlength=mesh.grain_count + 1)[1:] == 0) + 1
    return [f"{_grain_list(missing)}: no cells"] if len(missing) else []


def _crowded(mesh: ParticleMesh, facets: Facets) -> list[str]:
    crowded = facets.uses > 2
    if not crowded.any():
        return []
    grains = mesh.grain[facets.cells[crowded, 0]]
    return [f"{_grain_list(grains)}: {crowded.sum()} facets belong to more than two {_cell_name(mesh)}"]


def _pieces(mesh: ParticleMesh, facets: Facets, one_piece_grains: bool) -> list[str]:
    inner = facets.cells[facets.cells[:, 1] >= 0]
    pieces, _ = _components(inner, len(mesh.cells))
    problems = []
    if pieces > 1:
        problems.append(f"the particle consists of {pieces} pieces that share no facet (are there duplicate nodes?)")
    if one_piece_grains:
        same = mesh.grain[inner[:, 0]] == mesh.grain[inner[:, 1]]
        _, piece = _components(inner[same], len(mesh.cells))
        grain_of_piece = np.unique(np.column_stack([mesh.grain, piece]), axis=0)[:, 0]
        split = np.flatnonzero(np.bincount(grain_of_piece) > 1)
        if len(split):
            problems.append(f"{_grain_list(split)}: consists of several pieces")
    return problems


def _components(pairs: Indices, count: int) -> tuple[int, Indices]:
    graph = coo_matrix((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    number, labels = connected_components(graph, directed=False)
    return int(number), labels


def _unbalanced(mesh: ParticleMesh) -> list[str]:
    inside, total = enclosed_volume(mesh), float(cell_volumes(mesh.points, mesh.cells).sum())
    if abs(total - inside) <= _VOLUME_BALANCE * inside:
        return []
    return [f"the grains add up to {total:.12g} um^3, but the outer surface encloses {inside:.12g} um^3"]


def _grain_list(grains: NDArray[np.integer]) -> str:
    distinct = np.unique(grains).tolist()
    shown = ", ".join(str(grain) for grain in distinct[:8]) + (", …" if len(distinct) > 8 else "")
    return f"grain{'s' if len(distinct) > 1 else ''} {shown}"
