"""A faceted single crystal of a layered oxide: a rhombohedron of {104} planes, cut off at both ends by (003) planes.

Its c axis is z. The planes stand as the lattice has them, at an angle of atan(c / (2√3 a)) between their normals and c;
how tall the crystal is (the distance of the (003) planes over that of opposite {104} planes) is its aspect ratio.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np

from meshes import engine
from meshes.arrays import Array, Indices, as_ints
from meshes.body import Body, Progress
from meshes.cell_complex import OUTSIDE, FaceKey
from meshes.errors import MeshError, Unmeshable
from meshes.frames import PlaneFrame
from meshes.outlines import FaceOutline, Outlines
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh, tagged_mesh
from meshes.quality import check_mesh
from meshes.sizing import element_size
from meshes.spheroid import Spheroid
from meshes.surface_mesh import SurfaceMesh, mesh_cells, mesh_faces

# Lattice constants c over a of NMC811 as made; NMC111 to LiNiO2 differ by less than 1 %, the angle by less than 0.3°.
_C_OVER_A = 14.20 / 2.872
# Largest aspect ratio with which all eight planes are there to be meshed; the rhombohedron alone has 1.74.
TALLEST = 1.6


def faceted_crystal(particle: Particle, progress: Progress) -> Body:
    """Mesh a faceted crystal, or its cross-section at z = 0.

    Args:
        particle: The description; the crystal has the volume of a ball of its radius.
        progress: Is told, in a line each, what is being done.

    Raises:
        MeshError: If Gmsh fails.
    """
    ball = Spheroid(float(particle.radius))
    corners, faces = crystal(ball.volume, particle.aspect_ratio)
    if particle.dimension == 2:
        corners, faces = _section(corners, faces)
    size = element_size(ball, 1, None if particle.mesh.size is None else float(particle.mesh.size))
    run = partial(engine.run, time_limit=particle.mesh.time_limit)
    progress(f"meshing a crystal of {len(faces)} faces; elements of {size:.3g} um")
    try:
        surface = mesh_faces(_outlines(corners, faces, size), ball, size, run)
        mesh = _flat_mesh(surface) if particle.dimension == 2 else tagged_mesh(*mesh_cells(surface, 1, size, run))
        check_mesh(mesh)
    except Unmeshable as failure:
        raise MeshError(f"the faceted crystal could not be meshed: {failure}; choose another mesh.size") from failure
    volume = ball.volume if particle.dimension == 3 else _area(corners[faces[0]])
    return Body(mesh, size=size, volume_asked=volume, target_volumes=np.array([volume]), boundary_area_exact=0.0)


def crystal(volume: float, aspect_ratio: float) -> tuple[Array, list[Indices]]:
    """Corners [µm], shape (n, 3), and faces of the crystal.

    Args:
        volume: Its volume [µm³].
        aspect_ratio: Distance of the (003) planes over that of opposite {104} planes.

    Returns:
        Corners, and those of each face, anticlockwise seen from outside.
    """
    normals, distances = _planes(aspect_ratio)
    corners = _corners(normals, distances)
    faces = [_around(corners, normal, distance) for normal, distance in zip(normals, distances)]
    # A body seen from a point inside consists of pyramids on its faces.
    built = sum(_area(corners[face]) * distance / 3.0 for face, distance in zip(faces, distances))
    return corners * (volume / built) ** (1.0 / 3.0), faces


def _planes(aspect_ratio: float) -> tuple[Array, Array]:
    """Unit normals, shape (8, 3), and distances from the centre of the (003) and {104} planes, shape (8,)."""
    tilt = math.atan(_C_OVER_A / (2.0 * math.sqrt(3.0)))
    azimuth = 2.0 * np.pi / 3.0 * np.arange(3)
    upper = np.column_stack(
        [math.sin(tilt) * np.cos(azimuth), math.sin(tilt) * np.sin(azimuth), np.full(3, math.cos(tilt))]
    )
    half = np.vstack([[0.0, 0.0, 1.0], upper])
    return np.vstack([half, -half]), np.tile([aspect_ratio, 1.0, 1.0, 1.0], 2)


def _corners(normals: Array, distances: Array) -> Array:
    """Points in which three planes meet that lie outside of none."""
    found: list[Array] = []
    for triple in itertools.combinations(range(len(normals)), 3):
        matrix = normals[list(triple)]
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        point = np.linalg.solve(matrix, distances[list(triple)])
        new = all(np.linalg.norm(point - other) > 1e-9 for other in found)
        if new and (normals @ point < distances + 1e-9).all():
            found.append(point)
    return np.array(found)


def _around(corners: Array, normal: Array, distance: float) -> Indices:
    """Corners in a plane, anticlockwise seen from outside."""
    chosen = np.flatnonzero(np.abs(corners @ normal - distance) < 1e-9)
    offset = corners[chosen] - corners[chosen].mean(axis=0)
    turn = np.arctan2(np.cross(normal, offset[0]) @ offset.T, offset @ offset[0])
    return chosen[np.argsort(turn)]


def _area(polygon: Array) -> float:
    return float(0.5 * np.linalg.norm(np.cross(polygon, np.roll(polygon, -1, axis=0)).sum(axis=0)))


def _section(corners: Array, faces: list[Indices]) -> tuple[Array, list[Indices]]:
    """The polygon in which the plane z = 0 cuts the crystal, as one face seen from above."""
    points = []
    for face in faces:
        for start, end in zip(corners[face], corners[np.roll(face, -1)]):
            if start[2] < 0.0 <= end[2]:
                points.append(start + (end - start) * (start[2] / (start[2] - end[2])))
    polygon = np.array(points)
    polygon[:, 2] = 0.0
    order = np.argsort(np.arctan2(polygon[:, 1], polygon[:, 0]))
    return polygon[order], [np.arange(len(polygon))]


def _outlines(corners: Array, faces: list[Indices], size: float) -> Outlines:
    """Edges divided once, for both faces that share them, and faces laid flat."""
    nodes: list[Array] = list(corners)
    inner: dict[tuple[int, int], list[int]] = {}
    outlines = []
    for part, face in enumerate(faces):
        loop: list[int] = []
        for start, end in zip(as_ints(face), as_ints(np.roll(face, -1))):
            edge = (min(start, end), max(start, end))
            if edge not in inner:
                count = max(1, round(float(np.linalg.norm(corners[edge[1]] - corners[edge[0]])) / size))
                between = np.linspace(corners[edge[0]], corners[edge[1]], count + 1)[1:-1]
                inner[edge] = list(range(len(nodes), len(nodes) + len(between)))
                nodes.extend(between)
            loop += [start, *(inner[edge] if start < end else inner[edge][::-1])]
        outline = np.array(nodes)[loop]
        frame = PlaneFrame.fit(outline)
        numbers = np.array(loop, dtype=np.int64)
        outlines.append(FaceOutline(FaceKey(0, OUTSIDE, part), frame, [numbers], [frame.flatten(outline)], size))
    return Outlines(np.array(nodes), outlines)


def _flat_mesh(surface: SurfaceMesh) -> ParticleMesh:
    return tagged_mesh(surface.points, surface.triangles, np.ones(len(surface.triangles), dtype=np.int32))
