"""From outlines to the triangulated faces of the grains and on to tetrahedra: jobs for the child process, answers put in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from meshes import engine
from meshes.cell_complex import OUTSIDE, FaceKey
from meshes.engine import EngineError
from meshes.frames import PlaneFrame, SurfaceFrame
from meshes.outlines import Outlines
from meshes.spheroid import Spheroid

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
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
        EngineError: If the child fails or leaves a face empty.
    """
    answer = run("surfaces", _surface_job(outlines, domain, size))
    counts = np.bincount(answer["triangle_face"], minlength=len(outlines.faces))
    if counts.min() == 0:
        raise EngineError(f"grain {outlines.faces[int(counts.argmin())].key.cell + 1}: a face was left without triangles")
    loop_nodes = np.concatenate([loop for face in outlines.faces for loop in face.loops])
    lifted, height_owner = _lift(outlines, answer["new_nodes"], answer["new_face"])
    numbers = np.concatenate([loop_nodes, len(outlines.nodes) + np.arange(len(lifted))])
    triangles = numbers[answer["triangles"]]
    points = np.concatenate([outlines.nodes, lifted])
    _follow_warped_outlines(points, triangles, answer["triangle_face"], outlines, height_owner)
    return SurfaceMesh(points, triangles, counts, [face.key for face in outlines.faces])


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


def _lift(outlines: Outlines, flat: Array, face_of_node: Indices) -> tuple[Array, Indices]:
    """Bring new nodes back into space; also the face of each, shape (k,)."""
    lifted = np.empty((len(flat), 3))
    starts = np.searchsorted(face_of_node, np.arange(len(outlines.faces) + 1))
    for number, face in enumerate(outlines.faces):
        part = slice(starts[number], starts[number + 1])
        lifted[part] = face.frame.lift(flat[part])
    return lifted, face_of_node


def _follow_warped_outlines(
    points: Array, triangles: Indices, triangle_face: Indices, outlines: Outlines, face_of_node: Indices
) -> None:
    """Raise the inner nodes of plane faces whose outline is not quite plane: heights are harmonic (one solve for all)."""
    given = len(outlines.nodes)
    planes = np.array([isinstance(face.frame, PlaneFrame) for face in outlines.faces])
    normals = np.array([f.frame.axes[2] for f in outlines.faces])  # type: ignore[attr-defined]
    origins = np.array([f.frame.origin if isinstance(f.frame, PlaneFrame) else np.zeros(3) for f in outlines.faces])
    corners = triangles[planes[triangle_face]]
    face = triangle_face[planes[triangle_face]]
    start = np.concatenate([corners[:, [0, 1, 2]].ravel(order="F"), corners[:, [1, 2, 0]].ravel(order="F")])
    end = np.concatenate([corners[:, [1, 2, 0]].ravel(order="F"), corners[:, [0, 1, 2]].ravel(order="F")])
    face = np.tile(face, 6)
    inner = start >= given
    start, end, face = start[inner], end[inner], face[inner]
    if not len(start):
        return
    row, count = start - given, len(points) - given
    height = ((points[end] - origins[face]) * normals[face]).sum(axis=1)
    known = end < given
    right = np.bincount(row[known], height[known], count)
    diagonal = np.bincount(row, minlength=count).astype(float)
    free = np.flatnonzero(diagonal)
    columns = np.concatenate([end[~known] - given, free])
    rows = np.concatenate([row[~known], free])
    values = np.concatenate([-np.ones((~known).sum()), diagonal[free]])
    matrix = coo_matrix((values, (rows, columns)), shape=(count, count)).tocsc()[free][:, free]
    points[given + free] += np.atleast_1d(spsolve(matrix, right[free]))[:, None] * normals[face_of_node[free]]


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
        EngineError: If the child fails or leaves a grain empty.
    """
    used, triangles = np.unique(surface.triangles, return_inverse=True)
    around: list[list[int]] = [[] for _ in range(cell_count)]
    for number, key in enumerate(surface.faces):
        around[key.cell].append(number)
        if key.other != OUTSIDE:
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
        raise EngineError(f"grain {empty[0] + 1}: was left without tetrahedra")
    return answer["points"], answer["tetrahedra"], answer["cell"] + 1
