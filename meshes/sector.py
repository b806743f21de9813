"""One octant of a particle: its grains and their mirror images make the diagram, the planes between them are exact.

A point of the octant is nearer to a seed than to any mirror image of it, so the cells of the octant's seeds fill just
the octant.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshes.cell_complex import PLANES, CellComplex, FaceKey
from meshes.clipping import clipped_complex
from meshes.errors import Unmeshable
from meshes.particle_mesh import OUTER, SYMMETRY, ParticleMesh
from meshes.seeds import Seeds, mirrored
from meshes.spheroid import Spheroid

_ON_PLANE = 1e-4  # in radii


def octant_complex(seeds: Seeds, domain: Spheroid) -> CellComplex:
    """Complex of the grains of an octant and of their images; vertices on symmetry planes are bound to them.

    Args:
        seeds: Seeds of the octant, shape (N, 3).
        domain: The outer shape of the whole particle.

    Raises:
        Unmeshable: If the outline of a grain's outer surface does not close.
    """
    complex_ = clipped_complex(mirrored(seeds, domain), domain)
    for vertex, position in enumerate(complex_.positions):
        bound = np.abs(position) < _ON_PLANE * domain.radius
        position = np.where(bound, 0.0, position)
        complex_.positions[vertex] = domain.onto_surface(position) if complex_.on_surface[vertex] else position
        complex_.on_planes[vertex] = bound
    return complex_


def keep_octant(complex_: CellComplex) -> None:
    """Drop the images from a mended complex, in place: faces to them become faces on the symmetry planes.

    Raises:
        Unmeshable: If a face between a grain and an image lies in no single plane.
    """
    count = complex_.cell_count // 8
    faces = {}
    for number, (key, loops) in enumerate(complex_.faces.items()):
        if key.cell >= count:
            continue
        if key.other >= count:
            curves = (complex_.curves[side.curve] for loop in loops for side in loop)
            ends = {vertex for curve in curves for vertex in (curve.start, curve.end)}
            common = np.flatnonzero(np.all([complex_.on_planes[vertex] for vertex in ends], axis=0))
            if len(common) != 1:
                raise Unmeshable("has a face that leaves its symmetry plane", key.cell)
            key = FaceKey(key.cell, PLANES[common[0]], number)
        faces[key] = loops
    complex_.faces = faces
    complex_.cell_count = count


def tag_symmetry(mesh: ParticleMesh, domain: Spheroid) -> ParticleMesh:
    """The mesh with its outer facets on symmetry planes tagged so, and their nodes exactly there."""
    points, tags = mesh.points.copy(), mesh.facet_tags.copy()
    for axis, tag in enumerate(SYMMETRY):
        near = (np.abs(mesh.points[mesh.facets, axis]) < _ON_PLANE * domain.radius).all(axis=1)
        on_plane = near & (mesh.facet_tags == OUTER)
        tags[on_plane] = tag
        points[np.unique(mesh.facets[on_plane]), axis] = 0.0
    surface = np.unique(mesh.facets[tags == OUTER])
    points[surface] = domain.onto_surface(points[surface])
    return replace(mesh, points=points, facet_tags=tags)
