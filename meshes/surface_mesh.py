"""From outlines to triangulated faces and on to tetrahedra: jobs for the child process, answers put in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from meshes import engine
from meshes.arrays import Array, Indices
from meshes.cell_complex import OUTSIDE, PLANES, FaceKey
from meshes.errors import Unmeshable
from meshes.frames import SurfaceFrame
from meshes.outlines import Outlines
from meshes.spheroid import Spheroid

Runner = Callable[[str, engine.Job], dict[str, NDArray]]

_UNEVEN = 1.3  # a flat picture that stretches lengths by more than this between two places needs a size field


@dataclass(frozen=True)
class SurfaceMesh:
    """Triangulated faces.

    Args:
        points: Coordinates [µm], shape (n, 3).
        triangles: Corners, face after face, shape (t, 3).
        face_counts: Triangles of each face, shape (f,).
        faces: The faces.
    """

    points: Array
    triangles: Indices
    face_counts: Indices
    faces: list[FaceKey]


def mesh_faces(outlines: Outlines, domain: Spheroid, size: float, run: Runner) -> SurfaceMesh:
    """Triangulate all faces.

    Args:
        outlines: Outlines that passed their check.
        domain: The outer shape.
        size: Largest element size [µm].
        run: Runs a job in the child process.

    Raises:
        Unmeshable: If the child fails, leaves a face empty, or two faces lie on each other.
    """
    answer = run("surfaces", _surface_job(outlines, domain, size))
    counts = np.bincount(answer["triangle_face"], minlength=len(outlines.faces))
    if counts.min() == 0:
        raise Unmeshable("a face was left without triangles", outlines.faces[int(counts.argmin())].key.cell)
    loop_nodes = np.concatenate([loop for face in outlines.faces for loop in face.loops])
    lifted = _lift(outlines, answer["new_nodes"], answer["new_face"])
    numbers = np.concatenate([loop_nodes, len(outlines.nodes) + np.arange(len(lifted))])
    triangles = numbers[answer["triangles"]]
    _refuse_doubles(triangles, answer["triangle_face"], outlines)
    points = np.concatenate([outlines.nodes, lifted])
    normals = np.array([face.frame.lost_direction for face in outlines.faces])
    _follow_warped_outlines(points, triangles, normals[answer["triangle_face"]], normals[answer["new_face"]])
    return SurfaceMesh(points, triangles, counts, [face.key for face in outlines.faces])


def _refuse_doubles(triangles: Indices, triangle_face: Indices, outlines: Outlines) -> None:
    """Two faces with a triangle in common leave no room between them; HXT stops the process when it sees that."""
    corners = np.sort(triangles, axis=1)
    order = np.lexsort(corners.T)
    double = np.flatnonzero((corners[order][1:] == corners[order][:-1]).all(axis=1))
    if len(double):
        one, two = (outlines.faces[int(triangle_face[order[double[0] + step]])].key for step in (0, 1))
        shared = {one.cell, one.other} & {two.cell, two.other} - {OUTSIDE, *PLANES}
        raise Unmeshable("has two faces that lie on each other", min(shared, default=one.cell))


def _surface_job(outlines: Outlines, domain: Spheroid, size: float) -> dict[str, NDArray]:
    stretched, axes, scales = [], [], []
    for number, face in enumerate(outlines.faces):
        if isinstance(face.frame, SurfaceFrame):
            stretch = face.frame.stretch(np.vstack([*face.flat, np.zeros((1, 2))]))
            if stretch.max() > _UNEVEN * stretch.min():
                stretched.append(number)
                axes.append(face.frame.axes)
                scales.append(face.frame.scale)
    return {
        "size": np.array(size),
        "flat": np.concatenate([flat for face in outlines.faces for flat in face.flat]),
        "loop_lengths": np.array([len(loop) for face in outlines.faces for loop in face.loops]),
        "face_loops": np.array([len(face.loops) for face in outlines.faces]),
        "face_sizes": np.array([face.size for face in outlines.faces]),
        "stretched": np.array(stretched, dtype=np.int64),
        "axes": np.array(axes).reshape(-1, 3, 3),
        "scales": np.array(scales),
        "radius": np.array(domain.radius),
        "aspect_ratio": np.array(domain.aspect_ratio),
    }


def _lift(outlines: Outlines, flat: Array, face_of_node: Indices) -> Array:
    """Bring new nodes back into space, shape (k, 3)."""
    lifted = np.empty((len(flat), 3))
    starts = np.searchsorted(face_of_node, np.arange(len(outlines.faces) + 1))
    for number, face in enumerate(outlines.faces):
        part = slice(starts[number], starts[number + 1])
        lifted[part] = face.frame.lift(flat[part])
    return lifted


def _follow_warped_outlines(points: Array, triangles: Indices, triangle_normals: Array, new_normals: Array) -> None:
    """Raise the new nodes of plane faces whose outline is not quite plane, in place; one solve for all faces.

    Args:
        points: All nodes, the new ones last and in the planes of their faces [µm], shape (n, 3).
        triangles: Corners, shape (t, 3).
        triangle_normals: Normal of the plane of each triangle's face, zero where there is none, shape (t, 3).
        new_normals: The same for the new nodes, shape (k, 3).
    """
    count, given = len(new_normals), len(points) - len(new_normals)
    start = triangles[:, [0, 1, 2, 1, 2, 0]].ravel()
    end = triangles[:, [1, 2, 0, 0, 1, 2]].ravel()
    normal = np.repeat(triangle_normals, 6, axis=0)
    chosen = (start >= given) & normal.any(axis=1)
    row, neighbour = start[chosen] - given, end[chosen]
    # The height of a new node over its neighbours is to be zero on average.
    rise = ((points[neighbour] - points[row + given]) * normal[chosen]).sum(axis=1)
    diagonal = np.bincount(row, minlength=count).astype(float)
    free = np.flatnonzero(diagonal)
    if not len(free):
        return
    inner = neighbour >= given
    rows, columns = np.concatenate([row[inner], free]), np.concatenate([neighbour[inner] - given, free])
    values = np.concatenate([-np.ones(inner.sum()), diagonal[free]])
    matrix = coo_matrix((values, (rows, columns)), shape=(count, count)).tocsc()[free][:, free]
    heights = np.atleast_1d(spsolve(matrix, np.bincount(row, rise, count)[free]))
    points[given + free] += heights[:, None] * new_normals[free]


def mesh_cells(surface: SurfaceMesh, cell_count: int, size: float, run: Runner) -> tuple[Array, Indices, Indices]:
    """Fill the grains with tetrahedra.

    Args:
        surface: All triangulated faces.
        cell_count: Number of grains.
        size: Largest element size [µm].
        run: Runs a job in the child process.

    Returns:
        Points [µm] (n, 3), tetrahedra (m, 4), grain 1..N of each (m,).

    Raises:
        Unmeshable: If the child fails or leaves a grain empty.
    """
    used, triangles = np.unique(surface.triangles, return_inverse=True)
    around: list[list[int]] = [[] for _ in range(cell_count)]
    for number, key in enumerate(surface.faces):
        around[key.cell].append(number)
        if key.other >= 0:
            around[key.other].append(number)
    job = {
        "size": np.array(size),
        "points": surface.points[used],
        "triangles": triangles.reshape(-1, 3),
        "face_triangles": surface.face_counts,
        "cell_faces": np.concatenate([np.array(faces, dtype=np.int64) for faces in around]),
        "cell_face_counts": np.array([len(faces) for faces in around]),
    }
    answer = run("volumes", job)
    empty = np.flatnonzero(np.bincount(answer["cell"], minlength=cell_count) == 0)
    if len(empty):
        raise Unmeshable("was left without tetrahedra", int(empty[0]))
    return answer["points"], answer["tetrahedra"], answer["cell"] + 1
