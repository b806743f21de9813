"""Dents below the outer surface of carved particles are filled."""

from __future__ import annotations

import numpy as np

from meshes.dense import DenseMesh
from meshes.dents import without_dents
from meshes.label_field import LabelField
from meshes.mending import Carving
from meshes.particle_mesh import all_facets, cell_volumes, tagged_mesh
from meshes.quality import check_mesh
from meshes.spheroid import Spheroid


def test_bare_nodes_below_the_surface_are_covered(dense_twelve: DenseMesh) -> None:
    """Nodes with rings of four or five, pushed inwards by 0.15 µm: the cover reaches up to their rings.

    Where two of them are neighbours, or a fan would be too flat, a dent may stay.
    """
    mesh = dense_twelve.mesh
    field = LabelField(Spheroid(5.0), dense_twelve.seeds.positions, dense_twelve.seeds.weights)
    points, facets = mesh.points.copy(), all_facets(mesh.cells)
    ring_sizes = np.bincount(facets.corners[facets.uses == 1].ravel(), minlength=len(points))
    dents = np.flatnonzero((ring_sizes == 4) | (ring_sizes == 5))[::2]
    points[dents] *= 0.97
    filled = without_dents(Carving(points, mesh.cells, mesh.grain, facets), field)
    check_mesh(tagged_mesh(filled.points, filled.cells, filled.grain))
    still_bare = np.isin(dents, filled.facets.corners[filled.facets.uses == 1])
    assert len(dents) > 40
    assert still_bare.mean() < 0.2
    added = cell_volumes(points, filled.cells[len(mesh.cells) :])
    assert added.min() > 0.0
    # A cone over a ring of area 0.6 µm² (five triangles of edge 0.55 µm), 0.15 µm high, has 0.03 µm³.
    assert 0.01 < added.sum() / (~still_bare).sum() < 0.05


def test_a_sound_surface_is_left_alone(dense_twelve: DenseMesh) -> None:
    mesh = dense_twelve.mesh
    field = LabelField(Spheroid(5.0), dense_twelve.seeds.positions, dense_twelve.seeds.weights)
    carving = Carving(mesh.points, mesh.cells, mesh.grain, all_facets(mesh.cells))
    assert without_dents(carving, field) is carving
