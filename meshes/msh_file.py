"""Gmsh's mesh file, binary format 4.1, written directly: the same mesh gives the same bytes, and no Gmsh is needed.

Regions are named grain_1, grain_2, …, coating_1, matrix, interface; facet groups as in `FACET_GROUPS`. Every region is
one entity, each facet group one: other readers take long over files with many entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices, as_ints
from meshes.errors import MeshError
from meshes.particle_mesh import COATING, FACET_GROUPS, INTERFACE, MATRIX, MOST_GRAINS, ParticleMesh

_CURVE, _SURFACE, _VOLUME = 1, 2, 3
_CORNERS = {_CURVE: 2, _SURFACE: 3, _VOLUME: 4}
_ELEMENT_TYPES = {_CURVE: 1, _SURFACE: 2, _VOLUME: 4}  # Gmsh's numbers of two-node line, triangle, tetrahedron
_SIZE, _INT, _DOUBLE = np.dtype("<u8"), np.dtype("<i4"), np.dtype("<f8")
_HEADER = b"$MeshFormat\n4.1 1 8\n" + np.array([1], _INT).tobytes() + b"\n$EndMeshFormat\n"


@dataclass(frozen=True)
class Block:
    """Elements of one entity.

    Args:
        dimension: 1 for lines, 2 for triangles, 3 for tetrahedra.
        tag: Tag of the entity, and of its physical group if it has a name.
        corners: Nodes from 0, shape (n, dimension + 1).
        name: Name of the physical group; without one there is no group.
    """

    dimension: int
    tag: int
    corners: Indices
    name: str | None = None


def write_msh(mesh: ParticleMesh, path: Path) -> None:
    """Write a mesh with its named groups.

    Args:
        mesh: The mesh; its nodes and elements may be in any order, those in the file are ordered by group.
        path: File to write (not atomic; the store takes care of that).
    """
    walls = [
        Block(mesh.dimension - 1, tag, mesh.facets[mesh.facet_tags == tag], name) for tag, name in FACET_GROUPS.items()
    ]
    regions, counts = np.unique(mesh.grain, return_counts=True)
    rows = np.split(np.argsort(mesh.grain, kind="stable"), np.cumsum(counts)[:-1])
    bodies = [Block(mesh.dimension, tag, mesh.cells[row], region_name(tag)) for tag, row in zip(as_ints(regions), rows)]
    blocks = [block for block in (*walls, *bodies) if len(block.corners)]
    order = np.concatenate(_nodes_of_blocks(len(mesh.points), blocks))
    numbers = np.empty(len(mesh.points), dtype=np.int64)
    numbers[order] = np.arange(len(order))
    write_blocks(mesh.points[order], [replace(block, corners=numbers[block.corners]) for block in blocks], path)


def region_name(region: int) -> str:
    """Name of a region's physical group."""
    if region <= MOST_GRAINS:
        return f"grain_{region}"
    return {MATRIX: "matrix", INTERFACE: "interface"}.get(region, f"coating_{region - COATING + 1}")


def write_blocks(points: Array, blocks: list[Block], path: Path) -> None:
    """Write elements entity by entity; nodes keep their numbers (plus one) and belong to the first entity with them.

    Args:
        points: Coordinates, shape (n, 3); nodes that no block has are left out.
        blocks: Elements, entities of lower dimension first.
        path: File to write.
    """
    parts = _nodes_of_blocks(len(points), blocks)
    names = [f'{block.dimension} {block.tag} "{block.name}"' for block in blocks if block.name]
    with path.open("wb") as stream:
        stream.write(_HEADER)
        if names:
            stream.write("\n".join(["$PhysicalNames", str(len(names)), *names, "$EndPhysicalNames", ""]).encode())
        _write_entities(stream, points, blocks)
        _write_nodes(stream, points, blocks, parts)
        _write_elements(stream, blocks)


def _nodes_of_blocks(count: int, blocks: list[Block]) -> list[Indices]:
    """Nodes of every block that no block before it has."""
    owner = np.full(count, len(blocks), dtype=np.int64)
    for number in range(len(blocks) - 1, -1, -1):
        owner[blocks[number].corners.ravel()] = number
    ends = np.cumsum(np.bincount(owner, minlength=len(blocks) + 1))
    return np.split(np.argsort(owner, kind="stable"), ends[:-1])[: len(blocks)]


def _write_entities(stream: BinaryIO, points: Array, blocks: list[Block]) -> None:
    counts = [0, *(sum(block.dimension == dimension for block in blocks) for dimension in _CORNERS)]
    stream.write(b"$Entities\n" + np.array(counts, _SIZE).tobytes())
    for block in blocks:
        corners = points[block.corners.ravel()]
        box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        groups = [block.tag] if block.name else []
        stream.write(np.array([block.tag], _INT).tobytes() + box.astype(_DOUBLE).tobytes())
        stream.write(np.array([len(groups)], _SIZE).tobytes() + np.array(groups, _INT).tobytes())
        stream.write(np.array([0], _SIZE).tobytes())
    stream.write(b"\n$EndEntities\n")


def _write_nodes(stream: BinaryIO, points: Array, blocks: list[Block], parts: list[Indices]) -> None:
    count = sum(len(nodes) for nodes in parts)
    stream.write(b"$Nodes\n" + np.array([len(blocks), count, 1, len(points)], _SIZE).tobytes())
    for block, nodes in zip(blocks, parts):
        stream.write(np.array([block.dimension, block.tag, 0], _INT).tobytes())
        stream.write(np.array([len(nodes)], _SIZE).tobytes())
        stream.write((nodes + 1).astype(_SIZE).tobytes())
        stream.write(points[nodes].astype(_DOUBLE).tobytes())
    stream.write(b"\n$EndNodes\n")


def _write_elements(stream: BinaryIO, blocks: list[Block]) -> None:
    count = sum(len(block.corners) for block in blocks)
    stream.write(b"$Elements\n" + np.array([len(blocks), count, 1, count], _SIZE).tobytes())
    first = 1
    for block in blocks:
        tags = np.arange(first, first + len(block.corners))
        stream.write(np.array([block.dimension, block.tag, _ELEMENT_TYPES[block.dimension]], _INT).tobytes())
        stream.write(np.array([len(block.corners)], _SIZE).tobytes())
        stream.write(np.column_stack([tags, block.corners + 1]).astype(_SIZE).tobytes())
        first += len(block.corners)
    stream.write(b"\n$EndElements\n")


def read_msh(path: Path) -> ParticleMesh:
    """Read a mesh that `write_msh` wrote (meshio and Gmsh read it too; this is faster).

    Raises:
        MeshError: If the file is missing, damaged, or of another make.
    """
    try:
        content = path.read_bytes()
        if not content.startswith(_HEADER):
            raise ValueError("not a binary mesh file of version 4.1")
        points = np.concatenate(list(_read_nodes(content)))
        blocks = list(_read_elements(content))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise MeshError(f"{path}: cannot be read as a mesh of this program ({error})") from error
    dimension = max(block.dimension for block in blocks)
    cells, grain = _joined(blocks, dimension)
    facets, facet_tags = _joined(blocks, dimension - 1)
    return ParticleMesh(points, cells, grain, facets, facet_tags)


class _Cursor:
    """Reads values one after the other from a section of a file."""

    def __init__(self, content: bytes, section: bytes) -> None:
        start = content.rindex(b"$" + section + b"\n")
        self._content, self._position = content, start + len(section) + 2

    def take(self, kind: np.dtype, count: int) -> NDArray:
        values = np.frombuffer(self._content, kind, count, self._position)
        self._position += values.nbytes
        return values


def _read_nodes(content: bytes) -> Iterator[NDArray[np.float64]]:
    cursor = _Cursor(content, b"Nodes")
    for _ in range(int(cursor.take(_SIZE, 4)[0])):
        cursor.take(_INT, 3)
        count = int(cursor.take(_SIZE, 1)[0])
        cursor.take(_SIZE, count)
        yield cursor.take(_DOUBLE, 3 * count).reshape(-1, 3)


def _read_elements(content: bytes) -> Iterator[Block]:
    cursor = _Cursor(content, b"Elements")
    for _ in range(int(cursor.take(_SIZE, 4)[0])):
        dimension, tag, _ = as_ints(cursor.take(_INT, 3))
        count, width = int(cursor.take(_SIZE, 1)[0]), _CORNERS[dimension] + 1
        rows = cursor.take(_SIZE, width * count).reshape(-1, width)
        yield Block(dimension, tag, rows[:, 1:].astype(np.int64) - 1)


def _joined(blocks: list[Block], dimension: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    chosen = [block for block in blocks if block.dimension == dimension]
    corners = np.concatenate([np.empty((0, dimension + 1), dtype=np.int64), *(block.corners for block in chosen)])
    tags = np.repeat([block.tag for block in chosen], [len(block.corners) for block in chosen])
    return corners, tags.astype(np.int32)
