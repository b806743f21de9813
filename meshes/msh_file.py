"""Gmsh's mesh file, binary format 4.1, written directly: the same mesh gives the same bytes, and no Gmsh is needed.

Volumes are named grain_1, grain_2, …; the facet groups "outer" and "grain_boundary". Every grain is one volume entity, every pair
of grains that touch, and every grain's outer surface, is one surface entity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import meshio
import numpy as np
from numpy.typing import NDArray

from meshes.errors import MeshError
from meshes.tetmesh import GRAIN_BOUNDARY, OUTER, TetMesh, facet_grains

_SURFACE, _VOLUME = 2, 3
_TRIANGLE, _TETRAHEDRON = 2, 4
_SIZE, _INT, _DOUBLE = np.dtype("<u8"), np.dtype("<i4"), np.dtype("<f8")
FACET_GROUPS = {OUTER: "outer", GRAIN_BOUNDARY: "grain_boundary"}


@dataclass(frozen=True)
class _Block:
    """Elements of one entity: dimension, entity tag, physical tag, corners (n, 3) or (n, 4)."""

    dimension: int
    tag: int
    physical: int
    corners: NDArray[np.int64]


def write_msh(mesh: TetMesh, path: Path) -> None:
    """Write a mesh with its named groups.

    Args:
        mesh: The mesh.
        path: File to write (not atomic; the store takes care of that).
    """
    blocks = [*_surface_blocks(mesh), *_volume_blocks(mesh)]
    node_blocks, numbers = _node_blocks(mesh, blocks)
    with path.open("wb") as stream:
        stream.write(b"$MeshFormat\n4.1 1 8\n" + np.array([1], _INT).tobytes() + b"\n$EndMeshFormat\n")
        stream.write(_names(mesh))
        _write_entities(stream, mesh, blocks)
        _write_nodes(stream, mesh, node_blocks)
        _write_elements(stream, blocks, numbers)


def _surface_blocks(mesh: TetMesh) -> Iterator[_Block]:
    pairs = facet_grains(mesh)
    distinct, member = np.unique(pairs, axis=0, return_inverse=True)
    order = np.argsort(member.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(member.ravel(), minlength=len(distinct)))
    for number, rows in enumerate(np.split(order, ends[:-1])):
        if len(rows):
            physical = OUTER if distinct[number, 1] == 0 else GRAIN_BOUNDARY
            yield _Block(_SURFACE, number + 1, physical, mesh.facets[rows])


def _volume_blocks(mesh: TetMesh) -> Iterator[_Block]:
    order = np.argsort(mesh.grain, kind="stable")
    ends = np.cumsum(np.bincount(mesh.grain - 1, minlength=mesh.grain_count))
    for number, rows in enumerate(np.split(order, ends[:-1])):
        yield _Block(_VOLUME, number + 1, number + 1, mesh.cells[rows])


def _node_blocks(mesh: TetMesh, blocks: list[_Block]) -> tuple[list[tuple[_Block, NDArray[np.int64]]], NDArray[np.int64]]:
    """Nodes of every entity (a node belongs to the first entity that has it) and their numbers in the file."""
    owner = np.full(len(mesh.points), len(blocks), dtype=np.int64)
    for number in range(len(blocks) - 1, -1, -1):
        owner[blocks[number].corners.ravel()] = number
    order = np.argsort(owner, kind="stable")
    ends = np.cumsum(np.bincount(owner, minlength=len(blocks) + 1))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    parts = np.split(order, ends[:-1])
    return [(block, nodes) for block, nodes in zip(blocks, parts) if len(nodes)], numbers


def _names(mesh: TetMesh) -> bytes:
    tags = [tag for tag in FACET_GROUPS if (mesh.facet_tags == tag).any()]
    lines = [f'{_SURFACE} {tag} "{FACET_GROUPS[tag]}"' for tag in tags]
    lines += [f'{_VOLUME} {grain} "grain_{grain}"' for grain in range(1, mesh.grain_count + 1)]
    return "\n".join(["$PhysicalNames", str(len(lines)), *lines, "$EndPhysicalNames", ""]).encode()


def _write_entities(stream: BinaryIO, mesh: TetMesh, blocks: list[_Block]) -> None:
    surfaces = sum(block.dimension == _SURFACE for block in blocks)
    stream.write(b"$Entities\n" + np.array([0, 0, surfaces, len(blocks) - surfaces], _SIZE).tobytes())
    around = _surfaces_of_grains(mesh)
    for block in blocks:
        corners = mesh.points[block.corners.ravel()]
        box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        bounding = around[block.tag] if block.dimension == _VOLUME else []
        stream.write(np.array([block.tag], _INT).tobytes() + box.astype(_DOUBLE).tobytes())
        stream.write(np.array([1], _SIZE).tobytes() + np.array([block.physical], _INT).tobytes())
        stream.write(np.array([len(bounding)], _SIZE).tobytes() + np.array(bounding, _INT).tobytes())
    stream.write(b"\n$EndEntities\n")


def _surfaces_of_grains(mesh: TetMesh) -> dict[int, list[int]]:
    """Signed surface entities around every grain: positive where the surface points out of it."""
    around: dict[int, list[int]] = {grain: [] for grain in range(1, mesh.grain_count + 1)}
    for number, (grain, other) in enumerate(np.unique(facet_grains(mesh), axis=0).tolist()):
        around[grain].append(number + 1)
        if other:
            around[other].append(-(number + 1))
    return around


def _write_nodes(stream: BinaryIO, mesh: TetMesh, node_blocks: list[tuple[_Block, NDArray[np.int64]]]) -> None:
    count = sum(len(nodes) for _, nodes in node_blocks)
    stream.write(b"$Nodes\n" + np.array([len(node_blocks), count, 1, count], _SIZE).tobytes())
    first = 1
    for block, nodes in node_blocks:
        stream.write(np.array([block.dimension, block.tag, 0], _INT).tobytes())
        stream.write(np.array([len(nodes)], _SIZE).tobytes())
        stream.write(np.arange(first, first + len(nodes)).astype(_SIZE).tobytes())
        stream.write(mesh.points[nodes].astype(_DOUBLE).tobytes())
        first += len(nodes)
    stream.write(b"\n$EndNodes\n")


def _write_elements(stream: BinaryIO, blocks: list[_Block], numbers: NDArray[np.int64]) -> None:
    count = sum(len(block.corners) for block in blocks)
    stream.write(b"$Elements\n" + np.array([len(blocks), count, 1, count], _SIZE).tobytes())
    first = 1
    for block in blocks:
        kind = _TRIANGLE if block.dimension == _SURFACE else _TETRAHEDRON
        tags = np.arange(first, first + len(block.corners))
        stream.write(np.array([block.dimension, block.tag, kind], _INT).tobytes())
        stream.write(np.array([len(block.corners)], _SIZE).tobytes())
        stream.write(np.column_stack([tags, numbers[block.corners]]).astype(_SIZE).tobytes())
        first += len(block.corners)
    stream.write(b"\n$EndElements\n")


def read_msh(path: Path) -> TetMesh:
    """Read a mesh that `write_msh` wrote.

    Raises:
        MeshError: If the file is missing, damaged, or has no tagged tetrahedra.
    """
    try:
        data = meshio.read(path, file_format="gmsh")
        tags = data.cell_data["gmsh:physical"]
        cells, grain = _concatenate(data, tags, "tetra")
        facets, facet_tags = _concatenate(data, tags, "triangle")
    except (OSError, KeyError, ValueError, IndexError, meshio.ReadError) as error:
        raise MeshError(f"{path}: cannot be read as a mesh file ({type(error).__name__}: {error})") from error
    return TetMesh(np.ascontiguousarray(data.points, dtype=np.float64), cells, grain, facets, facet_tags)


def _concatenate(data: meshio.Mesh, tags: list[NDArray], kind: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    chosen = [number for number, block in enumerate(data.cells) if block.type == kind]
    corners = np.concatenate([data.cells[number].data for number in chosen]).astype(np.int64)
    return corners, np.concatenate([tags[number] for number in chosen]).astype(np.int32)
