"""A particle on which layers grow: cells and facets so far, and the surface on which the next one will lie.

The *skin* is the facets of grains against the outside that are not walls of pores. Its facets and those of the present
outer surface correspond one to one, so that what covers the surface further out (islands of contact, say) is known at
the grains below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.extrusion import corner_normals, extrude
from meshes.particle_mesh import OUTER, PORE_WALL, SYMMETRY, ParticleMesh, cell_volumes, tagged_mesh
from meshes.spheroid import Spheroid

_PLANE_TOLERANCE = 1e-6  # of the size of the mesh
_MOST_TILTED = 0.4  # cosine of the angle between a facet of the skin and the outline


@dataclass(frozen=True)
class Growth:
    """Cells and tagged facets of what has grown so far.

    Args:
        points: Coordinates [µm], shape (n, 3).
        cells: Corners, shape (m, dimension + 1).
        region: Regions, shape (m,).
        facets: Facets whose tag is known, shape (f, dimension).
        tags: Their tags, shape (f,).
        skin: Facets of grains below the layers, turned outwards, shape (k, dimension).
        surface: The facets of the present outer surface that lie above them, shape (k, dimension).
        sector: Whether the planes x = 0, y = 0 and z = 0 are planes of symmetry.
    """

    points: Array
    cells: Indices
    region: Indices
    facets: Indices
    tags: Indices
    skin: Indices
    surface: Indices
    sector: bool

    def tagged(self, facets: Indices, tags: Indices | int) -> Growth:
        """The same with more facets known; a tag given here replaces one given before."""
        added = np.broadcast_to(tags, (len(facets),))
        return replace(self, facets=np.concatenate([self.facets, facets]), tags=np.concatenate([self.tags, added]))

    def with_cells(self, points: Array, cells: Indices, region: int) -> Growth:
        """The same with more cells; the points are all points, those of before first."""
        return replace(
            self,
            points=points,
            cells=np.concatenate([self.cells, cells]),
            region=np.concatenate([self.region, np.full(len(cells), region)]),
        )


def start_growth(mesh: ParticleMesh, sector: bool, outermost_only: bool, carved: Spheroid | None = None) -> Growth:
    """Nothing has grown yet.

    Args:
        mesh: Grains.
        sector: Whether the coordinate planes are planes of symmetry.
        outermost_only: Whether only the piece of the outer surface that reaches farthest is skin: others are voids
            in a mesh whose facets nobody told apart.
        carved: Outline of grains that were carved; facets of theirs that stand across it are walls, not skin.
    """
    skin, tags = mesh.facet_tags == OUTER, mesh.facet_tags.copy()
    rows = np.flatnonzero(skin)
    if outermost_only:
        piece = _pieces(mesh.facets[rows])
        farthest = np.linalg.norm(mesh.points[mesh.facets[rows]], axis=2).max(axis=1).argmax()
        skin[rows[piece != piece[farthest]]] = False
    elif carved is not None:
        across = rows[_folded(mesh.points, mesh.facets[rows], carved)]
        skin[across], tags[across] = False, PORE_WALL
    surface = mesh.facets[skin]
    return Growth(mesh.points, mesh.cells, mesh.grain, mesh.facets[~skin], tags[~skin], surface, surface, sector)


def _folded(points: Array, facets: Indices, outline: Spheroid) -> NDArray[np.bool_]:
    """Facets (k, 3) that stand across an outline, and as many more as leave no edge with more than two, shape (k,)."""
    normals, _ = corner_normals(points, facets)
    outwards = points[facets].mean(axis=1) / outline.semi_axes**2
    rise = (normals * outwards).sum(axis=1) / np.linalg.norm(outwards, axis=1)
    folded = rise < _MOST_TILTED
    edges = np.sort(facets[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edge = np.unique(edges, axis=0, return_inverse=True)[1].reshape(-1, 3)
    while (crowded := np.bincount(edge[~folded].ravel(), minlength=int(edge.max()) + 1) > 2).any():
        there = np.flatnonzero(crowded[edge].any(axis=1) & ~folded)
        folded[there[rise[there].argmin()]] = True
    return folded


def grow(growth: Growth, thickness: float, elements: int, region: int, option: str) -> Growth:
    """Put a layer on the surface.

    Args:
        growth: What there is.
        thickness: Its thickness [µm].
        elements: Simplices through it.
        region: Region of its cells.
        option: Key to name when the layer cannot be made.

    Raises:
        MeshError: If the layer is too thick for the curvature of the surface.
    """
    layer = extrude(growth.points, growth.surface, thickness, elements, growth.sector)
    inverted = int((cell_volumes(layer.points, layer.cells) <= 0.0).sum())
    if inverted:
        raise MeshError(
            f"{option}: a layer of {thickness:.3g} um is too thick for the edges and hollows of the surface "
            f"({inverted} cells turned inside out); write a thinner one, or a smoother surface"
        )
    walls = side_tags(layer.points, layer.sides, growth.sector)
    return replace(growth.with_cells(layer.points, layer.cells, region), surface=layer.top).tagged(layer.sides, walls)


def side_tags(points: Array, facets: Indices, sector: bool) -> Indices:
    """Tags of facets over the rim of a surface: planes of symmetry, otherwise the walls of open pores, shape (s,)."""
    tags = np.full(len(facets), PORE_WALL)
    if sector and len(facets):
        on_plane = (np.abs(points[facets]) < _PLANE_TOLERANCE * np.abs(points).max()).all(axis=1)
        for axis, tag in enumerate(SYMMETRY[: facets.shape[1]]):
            tags[on_plane[:, axis]] = tag
    return tags


def finished(growth: Growth) -> ParticleMesh:
    """The mesh with all its facets between regions, tagged as was made known.

    Raises:
        ValueError: If a facet's tag was never made known.
    """
    mesh = tagged_mesh(growth.points, growth.cells, growth.region)
    found = last_match(mesh.facets, growth.facets)
    if (found < 0).any():
        raise ValueError(f"{(found < 0).sum()} facets of layers have no tag")
    return replace(mesh, facet_tags=growth.tags[found].astype(np.int32))


def last_match(wanted: Indices, facets: Indices) -> Indices:
    """Where facets with the same corners, in any order, come last in a list; -1 where they do not, shape (w,)."""
    rows = np.sort(np.concatenate([facets, wanted]), axis=1)
    order = np.lexsort(rows.T)  # stable: the list comes before what is wanted, and in its own order
    first = np.concatenate([[True], (rows[order[1:]] != rows[order[:-1]]).any(axis=1)])
    place = np.maximum.accumulate(np.where((order < len(facets)) | first, np.arange(len(order)), 0))
    found: Indices = np.empty(len(order), dtype=np.int64)
    found[order] = order[place]
    of_wanted = found[len(facets) :]
    return np.where(of_wanted < len(facets), of_wanted, -1)


def _pieces(facets: Indices) -> NDArray[np.integer]:
    """Number of the connected piece of every facet, shape (k,)."""
    nodes, node = np.unique(facets, return_inverse=True)
    node = node.reshape(facets.shape)
    pairs = np.concatenate([node[:, [0, other]] for other in range(1, facets.shape[1])])
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(nodes), len(nodes)))
    return connected_components(graph, directed=False)[1][node[:, 0]]
