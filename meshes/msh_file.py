"""Gmsh's mesh file, binary format 4.1, written directly: the same mesh gives the same bytes, and no Gmsh is needed.

Volumes are named grain_1, grain_2, …; the facet groups "outer" and "grain_boundary". Every grain is one volume entity, each facet
group one surface entity: other readers take long over files with many entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from meshes.errors import MeshError
from meshes.tetmesh import GRAIN_BOUNDARY, OUTER, TetMesh

_SURFACE, _VOLUME = 2, 3
_TRIANGLE, _TETRAHEDRON = 2, 4
_CORNERS = {_TRIANGLE: 3, _TETRAHEDRON: 4}
_SIZE, _INT, _DOUBLE = np.dtype("<u8"), np.dtype("<i4"), np.dtype("<f8")
_HEADER = b"$MeshFormat\n4.1 1 8\n" + np.array([1], _INT).tobytes() + b"\n$EndMeshFormat\n"
FACET_GROUPS = {OUTER: "outer", GRAIN_BOUNDARY: "grain_boundary"}


@dataclass(frozen=True)
class _Block:
    """Elements of one entity: dimension, entity tag (the physical tag as well), corners (n, 3) or (n, 4)."""

    dimension: int
    tag: int
    corners: NDArray[np.int64]

    @property
    def name(self) -> str:
        return f"grain_{self.tag}" if self.dimension == _VOLUME else FACET_GROUPS[self.tag]


def write_msh(mesh: TetMesh, path: Path) -> None:
    """Write a mesh with its named groups.

    Args:
        mesh: The mesh; its nodes and elements may be in any order, those in the file are ordered by group.
        path: File to write (not atomic; the store takes care of that).
    """
    blocks = _blocks(mesh)
    parts, numbers = _nodes_of_blocks(mesh, blocks)
    with path.open("wb") as stream:
        stream.write(_HEADER)
        names = [f'{block.dimension} {block.tag} "{block.name}"' for block in blocks]
        stream.write("\n".join(["$PhysicalNames", str(len(names)), *names, "$EndPhysicalNames", ""]).encode())
        _write_entities(stream, mesh, blocks)
        _write_nodes(stream, mesh, blocks, parts)
        _write_elements(stream, blocks, numbers)


def _blocks(mesh: TetMesh) -> list[_Block]:
    surfaces = [_Block(_SURFACE, tag, mesh.facets[mesh.facet_tags == tag]) for tag in FACET_GROUPS]
    order = np.argsort(mesh.grain, kind="stable")
    ends = np.cumsum(np.bincount(mesh.grain - 1, minlength=mesh.grain_count))
    volumes = [_Block(_VOLUME, n + 1, mesh.cells[rows]) for n, rows in enumerate(np.split(order, ends[:-1]))]
    return [block for block in (*surfaces, *volumes) if len(block.corners)]


def _nodes_of_blocks(mesh: TetMesh, blocks: list[_Block]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Nodes of every entity (a node belongs to the first entity that has it) and their numbers in the file."""
    owner = np.full(len(mesh.points), len(blocks), dtype=np.int64)
    for number in range(len(blocks) - 1, -1, -1):
        owner[blocks[number].corners.ravel()] = number
    order = np.argsort(owner, kind="stable")
    ends = np.cumsum(np.bincount(owner, minlength=len(blocks) + 1))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    return np.split(order, ends[:-1])[: len(blocks)], numbers


def _write_entities(stream: BinaryIO, mesh: TetMesh, blocks: list[_Block]) -> None:
    surfaces = sum(block.dimension == _SURFACE for block in blocks)
    stream.write(b"$Entities\n" + np.array([0, 0, surfaces, len(blocks) - surfaces], _SIZE).tobytes())
    for block in blocks:
        corners = mesh.points[block.corners.ravel()]
        box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        stream.write(np.array([block.tag], _INT).tobytes() + box.astype(_DOUBLE).tobytes())
        stream.write(np.array([1], _SIZE).tobytes() + np.array([block.tag], _INT).tobytes())
        stream.write(np.array([0], _SIZE).tobytes())
    stream.write(b"\n$EndEntities\n")


def _write_nodes(stream: BinaryIO, mesh: TetMesh, blocks: list[_Block], parts: list[NDArray[np.int64]]) -> None:
    count = sum(len(nodes) for nodes in parts)
    stream.write(b"$Nodes\n" + np.array([len(blocks), count, 1, count], _SIZE).tobytes())
    first = 1
    for block, nodes in zip(blocks, parts):
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
    """Read a mesh that `write_msh` wrote (meshio and Gmsh read it too; this is faster).

    Raises:
        MeshError: If the file is missing, damaged, or of another make.
    """
    try:
        content = path.read_bytes()
        if not content.startswith(_HEADER):
            raise ValueError("not a binary mesh file of version 4.1")
        points = np.concatenate([nodes for nodes in _read_nodes(content)])
        blocks = list(_read_elements(content))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise MeshError(f"{path}: cannot be read as a mesh of this program ({error})") from error
    cells, grain = _joined(blocks, _VOLUME, 4)
    facets, facet_tags = _joined(blocks, _SURFACE, 3)
    return TetMesh(points, cells, grain, facets, facet_tags)


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


def _read_elements(content: bytes) -> Iterator[_Block]:
    cursor = _Cursor(content, b"Elements")
    for _ in range(int(cursor.take(_SIZE, 4)[0])):
        dimension, tag, kind = cursor.take(_INT, 3).tolist()
        count, width = int(cursor.take(_SIZE, 1)[0]), _CORNERS[kind] + 1
        rows = cursor.take(_SIZE, width * count).reshape(-1, width)
        yield _Block(dimension, tag, rows[:, 1:].astype(np.int64) - 1)


def _joined(blocks: list[_Block], dimension: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    chosen = [block for block in blocks if block.dimension == dimension]
    corners = np.concatenate([np.empty((0, width), dtype=np.int64), *(block.corners for block in chosen)])
    tags = np.repeat([block.tag for block in chosen], [len(block.corners) for block in chosen])
    return corners, tags.astype(np.int32)
