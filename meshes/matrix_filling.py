"""The space between two surfaces filled with tetrahedra, or between two outlines with triangles, by Gmsh."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from meshes.arrays import Array, Indices
from meshes.surface_mesh import Runner

_PLANE_TOLERANCE = 1e-6  # of the outermost coordinate


def fill_volume(points: Array, faces: list[Indices], size: float, run: Runner) -> tuple[Array, Indices]:
    """Fill what faces enclose.

    Args:
        points: Coordinates [µm], shape (n, 3).
        faces: Triangles (k, 3) of each face; together they bound the space, with or without a hollow.
        size: Largest element size [µm]; small triangles make small elements next to them.
        run: Runs a job in the child process.

    Returns:
        All points, the given ones first, and tetrahedra (m, 4).

    Raises:
        Unmeshable: If the space cannot be filled.
    """
    used, corners = np.unique(np.concatenate(faces), return_inverse=True)
    job = {
        "size": np.array(size),
        "points": points[used],
        "triangles": corners.reshape(-1, 3),
        "face_triangles": np.array([len(face) for face in faces]),
        "cell_faces": np.arange(len(faces)),
        "cell_face_counts": np.array([len(faces)]),
    }
    answer = run("volumes", job)
    number = np.concatenate([used, len(points) + np.arange(len(answer["points"]) - len(used))])
    return np.concatenate([points, answer["points"][len(used) :]]), number[answer["tetrahedra"]]


def fill_ring(points: Array, inner: Indices, outer: Indices, size: float, run: Runner) -> tuple[Array, Indices]:
    """Fill the part of the plane z = 0 between two closed outlines; like `fill_volume`, with edges (k, 2)."""
    loops = [ordered_loop(outer), ordered_loop(inner)]
    flat, triangles = fill_flat(points, [loops], np.eye(3)[None, :2], size, run)
    return flat, _anticlockwise(flat, triangles[0])


def sector_planes(
    points: Array, inner: Indices, outer: Indices, sizes: tuple[float, float], run: Runner
) -> tuple[Array, list[Indices]]:
    """Triangulate the planes x = 0, y = 0 and z = 0 between two surfaces of an octant.

    Args:
        points: Coordinates [µm], shape (n, 3).
        inner: Triangles (k, 3) of the inner surface; both surfaces are seen once from the origin.
        outer: Triangles (l, 3) of the outer surface.
        sizes: Element size at the inner and at the outer surface [µm].
        run: Runs a job in the child process.

    Returns:
        All points, the given ones first, and three arrays of triangles.

    Raises:
        Unmeshable: If a plane cannot be triangulated.
    """
    on_plane = np.abs(points) < _PLANE_TOLERANCE * np.abs(points).max()
    along_axis = []
    for axis in range(3):
        on_axis = on_plane[:, (axis + 1) % 3] & on_plane[:, (axis + 2) % 3]
        start, end = (nodes[on_axis[nodes]][0] for nodes in (np.unique(inner), np.unique(outer)))
        places = _graded(float(points[start, axis]), float(points[end, axis]), sizes)
        along_axis.append(np.concatenate([[start], len(points) + np.arange(len(places)), [end]]))
        points = np.concatenate([points, places[:, None] * np.eye(3)[axis]])
    loops, frames = [], []
    for axis in range(3):
        first, second = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        rims = []
        for nodes in (np.unique(inner), np.unique(outer)):
            rim = nodes[on_plane[nodes, axis]]
            rims.append(rim[np.argsort(np.arctan2(points[rim] @ second, points[rim] @ first))])
        up, back = along_axis[(axis + 2) % 3], along_axis[(axis + 1) % 3][::-1]
        loops.append([np.concatenate([rims[0], up[1:], rims[1][::-1][1:], back[1:-1]])])
        frames.append(np.array([first, second]))
    return fill_flat(points, loops, np.array(frames), sizes[1], run)


def _graded(start: float, end: float, sizes: tuple[float, float]) -> Array:
    """Places between two ends with steps from one size to another, ends left out."""
    mean = (sizes[1] - sizes[0]) / math.log(sizes[1] / sizes[0]) if abs(sizes[1] / sizes[0] - 1) > 1e-6 else sizes[0]
    count = max(1, round((end - start) / mean))
    share = np.arange(1, count) / count
    ratio = sizes[1] / sizes[0]
    return start + (end - start) * (share if abs(ratio - 1) < 1e-6 else (ratio**share - 1) / (ratio - 1))


def fill_flat(
    points: Array, faces: Sequence[Sequence[Indices]], frames: Array, size: float, run: Runner
) -> tuple[Array, list[Indices]]:
    """Triangulate plane faces.

    Args:
        points: Coordinates [µm], shape (n, 3).
        faces: Loops of nodes of each face, the outline first, then holes.
        frames: Two unit vectors in the plane of each face, shape (faces, 2, 3); new points lie as high as the mean of
            the outline.
        size: Largest element size [µm].
        run: Runs a job in the child process.

    Returns:
        All points, the given ones first, and the triangles of each face.

    Raises:
        Unmeshable: If a face cannot be triangulated.
    """
    loops = [loop for face in faces for loop in face]
    given = np.concatenate(loops)
    frame = np.repeat(np.arange(len(faces)), [sum(map(len, face)) for face in faces])
    origins = np.array([points[face[0]].mean(axis=0) for face in faces])
    job = {
        "size": np.array(size),
        "flat": np.einsum("nij,nj->ni", frames[frame], points[given] - origins[frame]),
        "loop_lengths": np.array([len(loop) for loop in loops]),
        "face_loops": np.array([len(face) for face in faces]),
        "face_sizes": np.full(len(faces), size),
        "stretched": np.empty(0, dtype=np.int64),
        "axes": np.empty((0, 3, 3)),
        "scales": np.empty(0),
        "radius": np.array(1.0),
        "aspect_ratio": np.array(1.0),
    }
    answer = run("surfaces", job)
    face_of_new = answer["new_face"]
    added = origins[face_of_new] + np.einsum("nij,ni->nj", frames[face_of_new], answer["new_nodes"])
    number = np.concatenate([given, len(points) + np.arange(len(added))])
    triangles = number[answer["triangles"]]
    return np.concatenate([points, added]), [triangles[answer["triangle_face"] == face] for face in range(len(faces))]


def ordered_loop(edges: Indices) -> Indices:
    """Nodes of a closed outline one after the other, from its edges (k, 2), each node the start of one of them."""
    follower = np.empty(edges.max() + 1, dtype=np.int64)
    follower[edges[:, 0]] = edges[:, 1]
    loop = np.empty(len(edges), dtype=np.int64)
    loop[0] = edges[0, 0]
    for place in range(1, len(edges)):
        loop[place] = follower[loop[place - 1]]
    return loop


def _anticlockwise(points: Array, triangles: Indices) -> Indices:
    a, b, c = (points[triangles[:, corner], :2] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.where(area[:, None] < 0.0, triangles[:, ::-1], triangles)
