"""The only module that loads Gmsh; run as a program by `engine`, never imported by the rest.

`python -m meshes.gmsh_child surfaces|volumes JOB.npz RESULT.npz`. A watchdog ends the process when its parent is gone:
it waits for the end of standard input, which the parent holds open.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import threading
from pathlib import Path

import gmsh
import numpy as np
from numpy.typing import NDArray

from meshes.arrays import Array, Indices, as_ints
from meshes.frames import SurfaceFrame
from meshes.msh_file import Block, write_blocks
from meshes.spheroid import Spheroid

Job = dict[str, NDArray]

_FRONTAL_DELAUNAY = 6
_HXT = 10


def main(arguments: list[str]) -> int:
    """Read a job, run it in Gmsh, write the result."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kind, job_file, result_file = arguments
    with np.load(job_file) as archive:
        job = {name: archive[name] for name in archive.files}
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)
    gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 1)
    gmsh.option.setNumber("Mesh.MeshSizeMin", 0)
    gmsh.option.setNumber("Mesh.Renumber", 0)  # node tags are the numbers of the job
    gmsh.option.setNumber("Mesh.MeshSizeMax", float(job["size"]))
    gmsh.logger.start()
    try:
        result = {"surfaces": mesh_surfaces, "volumes": mesh_volumes, "optimiser": optimise_tetrahedra}[kind](job)
    except Exception as error:  # whatever Gmsh raises, its log says more
        complaints = [line for line in gmsh.logger.get() if not line.startswith(("Info", "Progress"))]
        print("; ".join([f"{error}", *complaints[-3:]]))
        return 1
    with Path(result_file).open("wb") as stream:
        np.savez(stream, **result)  # type: ignore[arg-type]
    return 0


def _end_with_parent() -> None:
    # os.read on the bare descriptor: a buffered reader would hold a lock that the interpreter wants at its own end.
    while os.read(0, 4096):
        pass
    os._exit(70)


def mesh_surfaces(job: Job) -> Job:
    """Triangulate flat outlines, all side by side in one plane model.

    Args:
        job: size; flat (n, 2) loop nodes; loop_lengths (loops,); face_loops (faces,) loops per face; face_sizes
            (faces,); and for faces that are strongly stretched in their flat picture: stretched (s,) face numbers,
            axes (s, 3, 3), scales (s,), radius, aspect_ratio.

    Returns:
        new_nodes (k, 2) flat coordinates, new_face (k,), triangles (t, 3) numbered like the loop nodes, then the new
        ones, triangle_face (t,).
    """
    gmsh.model.add("surfaces")
    flat, lengths, per_face = job["flat"], job["loop_lengths"], job["face_loops"]
    shift = _grid_of_faces(flat, lengths, per_face)
    face_of_node = np.repeat(np.repeat(np.arange(len(per_face)), per_face), lengths)
    plane = np.column_stack([flat + shift[face_of_node], np.zeros(len(flat))])
    starts = np.cumsum(lengths) - lengths
    loops = [np.arange(start, start + length) for start, length in zip(as_ints(starts), as_ints(lengths))]
    curves = [Block(1, n + 1, np.column_stack([nodes, np.roll(nodes, -1)])) for n, nodes in enumerate(loops)]
    _load(plane, curves)
    wires = iter([gmsh.model.geo.addCurveLoop([curve.tag]) for curve in curves])
    surfaces = [gmsh.model.geo.addPlaneSurface([next(wires) for _ in range(count)]) for count in as_ints(per_face)]
    gmsh.model.geo.synchronize()
    gmsh.option.setNumber("Mesh.Algorithm", _FRONTAL_DELAUNAY)
    if len(job["stretched"]):
        _set_sizes_of_stretched(job, shift, surfaces)
    gmsh.model.mesh.generate(2)
    return _collect_triangles(surfaces, shift, len(flat))


def _grid_of_faces(flat: Array, lengths: Indices, per_face: Indices) -> Array:
    """Offset that puts every face into its own square of a grid, shape (faces, 2)."""
    face_of_node = np.repeat(np.repeat(np.arange(len(per_face)), per_face), lengths)
    low, high = np.full((len(per_face), 2), np.inf), np.full((len(per_face), 2), -np.inf)
    np.minimum.at(low, face_of_node, flat)
    np.maximum.at(high, face_of_node, flat)
    pitch = 1.2 * (high - low).max()
    columns = math.ceil(math.sqrt(len(per_face)))
    row, column = np.divmod(np.arange(len(per_face)), columns)
    return pitch * np.column_stack([column, row]) - low


def _load(points: Array, blocks: list[Block]) -> None:
    """Put a discrete mesh into Gmsh, by a file: its functions for this take time with the square of the entities."""
    with tempfile.TemporaryDirectory(prefix="vegard-gmsh-") as folder:
        path = Path(folder) / "given.msh"
        write_blocks(points, blocks, path)
        gmsh.merge(str(path))


def _set_sizes_of_stretched(job: Job, shift: Array, surfaces: list[int]) -> None:
    """Ask for even sizes in space on faces whose flat picture is uneven (large patches of few grains)."""
    domain = Spheroid(float(job["radius"]), float(job["aspect_ratio"]))
    sizes = {tag: float(size) for tag, size in zip(surfaces, job["face_sizes"])}
    pictures = {
        surfaces[face]: (SurfaceFrame(domain, axes, float(scale)), shift[face])
        for face, axes, scale in zip(as_ints(job["stretched"]), job["axes"], job["scales"])
    }

    def size_at(dimension: int, tag: int, x: float, y: float, z: float, size: float) -> float:
        if dimension != 2 or tag not in pictures:
            return sizes.get(tag, size)
        frame, offset = pictures[tag]
        return sizes[tag] * float(frame.stretch(np.array([[x, y]]) - offset)[0])

    gmsh.option.setNumber("Mesh.MeshSizeMax", 1e22)  # flat lengths are larger than lengths in space
    gmsh.model.mesh.setSizeCallback(size_at)


def _collect_triangles(surfaces: list[int], shift: Array, given: int) -> Job:
    number_of_tag = np.full(int(gmsh.model.mesh.getMaxNodeTag()) + 1, -1, dtype=np.int64)
    number_of_tag[1 : given + 1] = np.arange(given)
    new_nodes, new_face, triangles, triangle_face = [], [], [], []
    count = given
    for face, surface in enumerate(surfaces):
        tags, coordinates, _ = gmsh.model.mesh.getNodes(2, surface)
        number_of_tag[np.asarray(tags, dtype=np.int64)] = count + np.arange(len(tags))
        count += len(tags)
        new_nodes.append(np.reshape(coordinates, (-1, 3))[:, :2] - shift[face])
        new_face.append(np.full(len(tags), face))
        _, corners = gmsh.model.mesh.getElementsByType(2, surface)
        triangles.append(number_of_tag[np.asarray(corners, dtype=np.int64).reshape(-1, 3)])
        triangle_face.append(np.full(len(triangles[-1]), face))
    return {
        "new_nodes": np.concatenate(new_nodes),
        "new_face": np.concatenate(new_face),
        "triangles": np.concatenate(triangles),
        "triangle_face": np.concatenate(triangle_face),
    }


def mesh_volumes(job: Job) -> Job:
    """Fill closed triangulated surfaces with tetrahedra (HXT).

    Args:
        job: size; points (n, 3); triangles (t, 3) sorted by face; face_triangles (faces,) triangles per face;
            cell_faces face numbers cell after cell; cell_face_counts (cells,).

    Returns:
        points (m, 3), the given ones first; tetrahedra (k, 4); cell (k,).
    """
    gmsh.model.add("volumes")
    points = job["points"]
    faces = np.split(job["triangles"], np.cumsum(job["face_triangles"])[:-1])
    _load(points, [Block(2, number + 1, triangles) for number, triangles in enumerate(faces)])
    around = np.split(job["cell_faces"] + 1, np.cumsum(job["cell_face_counts"])[:-1])
    volumes = [gmsh.model.geo.addVolume([gmsh.model.geo.addSurfaceLoop(faces.tolist())]) for faces in around]
    gmsh.model.geo.synchronize()
    gmsh.option.setNumber("Mesh.Algorithm3D", _HXT)
    gmsh.model.mesh.generate(3)
    return _collect_tetrahedra(volumes, points)


def optimise_tetrahedra(job: Job) -> Job:
    """Swap edges and move inner nodes of a finished mesh.

    Args:
        job: size; points (n, 3); tetrahedra (m, 4) sorted by cell; cell_counts (cells,) tetrahedra per cell; facets
            (f, 3) whose nodes stay.

    Returns:
        points (n, 3), the same ones, some of them moved; tetrahedra (k, 4); cell (k,).
    """
    gmsh.model.add("optimiser")
    counts = as_ints(job["cell_counts"])
    bodies = np.split(job["tetrahedra"], np.cumsum(counts)[:-1])
    blocks = [Block(3, number + 1, corners) for number, corners in enumerate(bodies)]
    _load(job["points"], [Block(2, 1, job["facets"]), *blocks])
    gmsh.model.mesh.optimize("", True)
    result = _collect_tetrahedra([block.tag for block in blocks], job["points"])
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    result["points"][np.asarray(tags, dtype=np.int64) - 1] = np.reshape(coordinates, (-1, 3))
    return result


def _collect_tetrahedra(volumes: list[int], given: Array) -> Job:
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    tags = np.asarray(tags, dtype=np.int64)
    coordinates = np.reshape(coordinates, (-1, 3))
    is_new = tags > len(given)
    number_of_tag = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
    number_of_tag[1 : len(given) + 1] = np.arange(len(given))
    number_of_tag[tags[is_new]] = len(given) + np.arange(is_new.sum())
    tetrahedra, cell = [], []
    for number, volume in enumerate(volumes):
        _, corners = gmsh.model.mesh.getElementsByType(4, volume)
        tetrahedra.append(number_of_tag[np.asarray(corners, dtype=np.int64).reshape(-1, 4)])
        cell.append(np.full(len(tetrahedra[-1]), number))
    return {
        "points": np.concatenate([given, coordinates[is_new]]),
        "tetrahedra": np.concatenate(tetrahedra),
        "cell": np.concatenate(cell),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
