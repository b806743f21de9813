"""Last touch on a mesh: nodes of the few poor tetrahedra are moved a little to where their surroundings are best.

The connectivity stays, so grains stay conforming. Nodes on the outer surface stay on it; nodes on grain boundaries may
leave their plane by a small part of an edge, which cures what no inner node can: sharp corners of grains. So may those
on the walls of pores.
"""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array, Indices, as_ints
from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, PORE_WALLS, SYMMETRY, ParticleMesh
from meshes.quality import dihedral_angles, inverse_condition
from meshes.spheroid import Spheroid

GOOD_SICN = 0.3
_DIHEDRAL_OF_SICN = 50.0  # degrees that weigh as much as a SICN of one
_PASSES = 4
_RADII = (0.3, 0.15, 0.07, 0.03)  # of the mean edge at a node
_REACH_INSIDE = 0.5
_REACH_ON_BOUNDARY = 0.15


def improve(mesh: ParticleMesh, domain: Spheroid, good_sicn: float = GOOD_SICN) -> ParticleMesh:
    """Mesh with its poorest tetrahedra mended, as far as moving nodes can.

    Args:
        mesh: A sound mesh.
        domain: The outer shape, on which outer nodes stay.
        good_sicn: Where SICN is above, and dihedral angles are above 50° times this, nothing is done.
    """
    return ParticleMesh(_Smoother(mesh, domain, good_sicn).run(), mesh.cells, mesh.grain, mesh.facets, mesh.facet_tags)


def score(corners: Array, good_sicn: float) -> Array:
    """Element quality in one number, 1 where nothing needs to be done; shape (...) for corners (..., 4, 3)."""
    dihedral = dihedral_angles(corners).min(axis=-1) / _DIHEDRAL_OF_SICN
    return np.minimum(np.minimum(inverse_condition(corners), dihedral) / good_sicn, 1.0)


class _Smoother:
    """Points being moved, and which cells are around which node."""

    def __init__(self, mesh: ParticleMesh, domain: Spheroid, good_sicn: float) -> None:
        self.cells, self.domain, self.good_sicn = mesh.cells, domain, good_sicn
        self.points, self.original = mesh.points.copy(), mesh.points
        self.on_surface = np.zeros(len(mesh.points), dtype=bool)
        self.on_surface[mesh.facets[mesh.facet_tags == OUTER].ravel()] = True
        self.on_boundary = np.zeros(len(mesh.points), dtype=bool)
        self.on_boundary[mesh.facets[np.isin(mesh.facet_tags, (GRAIN_BOUNDARY, *PORE_WALLS))].ravel()] = True
        self.free = _free_directions(mesh)
        self.directions = _directions()
        order = np.argsort(mesh.cells.ravel(), kind="stable")
        self.cell_list = order // 4
        self.cell_starts = np.concatenate([[0], np.cumsum(np.bincount(mesh.cells.ravel(), minlength=len(mesh.points)))])

    def run(self) -> Array:
        """Several sweeps over the nodes of poor cells, worst first."""
        scores = score(self.points[self.cells], self.good_sicn)
        for _ in range(_PASSES):
            poor = np.flatnonzero(scores < 1.0)
            worst_first = self.cells[poor[np.argsort(scores[poor], kind="stable")]].ravel()
            nodes = worst_first[np.sort(np.unique(worst_first, return_index=True)[1])]
            moved = [node for node in as_ints(nodes) if self._move(node)]
            if not moved:
                break
            changed = np.unique(np.concatenate([self._around(node) for node in moved]))
            scores[changed] = score(self.points[self.cells[changed]], self.good_sicn)
        return self.points

    def _around(self, node: int) -> Indices:
        """Cells that have a node."""
        return self.cell_list[self.cell_starts[node] : self.cell_starts[node + 1]]

    def _move(self, node: int) -> bool:
        """Put one node where the worst cell around it is best; whether it moved."""
        around = self.cells[self._around(node)]
        corners = self.points[around]
        here = self.points[node]
        present = float(score(corners, self.good_sicn).min())
        if present >= 1.0:
            return False
        edge = float(np.linalg.norm(corners - here, axis=2).sum()) / (3.0 * len(around))
        trials = self._trials(node, here, edge)
        filled = np.where((around == node)[None, :, :, None], trials[:, None, None, :], corners[None])
        scores = score(filled, self.good_sicn).min(axis=1)
        best = int(scores.argmax())
        if scores[best] <= present + 1e-3:
            return False
        self.points[node] = trials[best]
        return True

    def _trials(self, node: int, here: Array, edge: float) -> Array:
        """Places to try, shape (k, 3); nodes on boundaries keep close to where they were made."""
        trials = (here + edge * np.multiply.outer(_RADII, self.directions * self.free[node])).reshape(-1, 3)
        fixed = self.on_boundary[node] or self.on_surface[node] or not self.free[node].all()
        reach = edge * (_REACH_ON_BOUNDARY if fixed else _REACH_INSIDE)
        offset = trials - self.original[node]
        length = np.linalg.norm(offset, axis=1)[:, None]
        trials = self.original[node] + offset * np.minimum(1.0, reach / np.maximum(length, 1e-300))
        return self.domain.onto_surface(trials) if self.on_surface[node] else trials


def _free_directions(mesh: ParticleMesh) -> Array:
    """Along which axes each node may move (1) or not (0) without leaving its symmetry planes, shape (n, 3)."""
    free = np.ones((len(mesh.points), 3))
    for axis, tag in enumerate(SYMMETRY):
        free[mesh.facets[mesh.facet_tags == tag], axis] = 0.0
    return free


def _directions() -> Array:
    """Faces, edges and corners of a cube: 26 unit vectors."""
    grid = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.abs(grid).sum(axis=1) > 0.0]
    return grid / np.linalg.norm(grid, axis=1)[:, None]
