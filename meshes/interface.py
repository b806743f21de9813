"""The interface layer between a particle and its matrix, as the solver needs it: prisms with normals and areas.

The layer is one prism thick. Its prisms were split into tetrahedra (in two dimensions its quadrilaterals into
triangles) that follow one another in the mesh.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.extrusion import corner_normals
from meshes.growth import last_match
from meshes.particle_mesh import (
    BLOCKED,
    COATED_BLOCKED,
    COATED_CONTACT,
    COATING_OUTER,
    CONTACT,
    INTERFACE,
    ParticleMesh,
    areas_of,
)

# Facets of the particle that the interface layer may lie on.
_BELOW = (CONTACT, BLOCKED, COATED_CONTACT, COATED_BLOCKED, COATING_OUTER)


class InterfaceColumns(NamedTuple):
    """Prisms of the interface layer, each between a facet of the particle and one of the matrix.

    Args:
        cells: Cells of the layer, shape (c,).
        columns: Prism of each of them, shape (c,).
        normals: Unit normals out of the particle, shape (columns, 3).
        areas: Areas of the facets of the particle [µm²], shape (columns,).
    """

    cells: Indices
    columns: Indices
    normals: Array
    areas: Array


def interface_columns(mesh: ParticleMesh) -> InterfaceColumns:
    """The prisms (in two dimensions quadrilaterals) of the interface layer of a mesh; none if it has no such layer.

    Raises:
        MeshError: If the cells of the layer are not in the order in which they were made.
    """
    cells = np.flatnonzero(mesh.grain == INTERFACE)
    width = mesh.dimension  # cells per prism, and corners of a facet
    # The first cell of every prism has the corners of the facet below it, then one above it.
    below = mesh.cells[cells[::width], :width]
    found = last_match(below, mesh.facets)
    tags = mesh.facet_tags[found]
    if len(cells) % width or (found < 0).any() or not np.isin(tags, _BELOW).all():
        raise MeshError("the cells of the interface layer are not in order; make the mesh again")
    normals, _ = corner_normals(mesh.points, mesh.facets[found])
    return InterfaceColumns(
        cells=cells,
        columns=np.repeat(np.arange(len(below)), width),
        normals=normals,
        areas=areas_of(mesh.points, below),
    )
