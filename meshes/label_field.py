"""Particles that flat faces cannot describe, as a function of space: which grain is here, or is here nothing?

Pores, voids and elongated grains are carved by asking at a point. Grains are cells of a power diagram, or of its
generalisation with a metric per grain (elongated grains); pores are balls, the void is a ball with or without a channel
to the surface. The mesher of labels (`meshes.labelled`) and the placement of pores ask the same field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from meshes.arrays import Array, Indices
from meshes.power_diagram import PowerLabels
from meshes.spheroid import Spheroid

_MOST_DISTANCES = 10_000_000  # held in memory at a time
_ROUND = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


def _none() -> Array:
    return np.empty((0, 3))


def _no_radii() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class LabelField:
    """What is where in a particle: 0 for nothing (outside, pore, void), otherwise the grain 1..N.

    A grain is where (x − s)ᵀ A (x − s) − w is smallest; A is the identity unless `shapes` are given.

    Args:
        outline: The outer shape.
        positions: Seeds s of the grains [µm], shape (N, 3).
        weights: Weights w [µm²], shape (N,).
        shapes: xx, yy, zz, xy, xz, yz of the positive definite A of every grain, of determinant 1, shape (N, 6); None
            for grains of no preferred direction.
        pore_centres: Centres of the pores [µm], shape (M, 3).
        pore_radii: Their radii [µm], shape (M,).
        void_radius: Radius of the hollow at the centre [µm]; 0 for none.
        channel_radius: Radius of the channel along +z from the hollow to the surface [µm]; None for a closed one.
    """

    outline: Spheroid
    positions: Array
    weights: Array
    shapes: Array | None = None
    pore_centres: Array = field(default_factory=_none)
    pore_radii: Array = field(default_factory=_no_radii)
    void_radius: float = 0.0
    channel_radius: float | None = None

    @property
    def grain_count(self) -> int:
        """Number of grains."""
        return len(self.positions)

    def with_pores(self, centres: Array, radii: Array) -> LabelField:
        """The same grains with these pores: centres [µm], shape (M, 3), and radii [µm], shape (M,)."""
        return replace(self, pore_centres=centres, pore_radii=radii)

    def label(self, points: Array) -> Indices:
        """What is at points of shape (n, 3): 0 for nothing, 1..N for a grain, shape (n,)."""
        labels = np.zeros(len(points), dtype=np.int64)
        solid = np.flatnonzero(self.is_solid(points))
        labels[solid] = self.grain(points[solid])
        return labels

    def grain(self, points: Array) -> Indices:
        """The grain 1..N whose cell a point lies in, be it solid or not, shape (n,) for points of shape (n, 3)."""
        if self.shapes is None:
            return self._power_labels(points) + 1
        nearest = (part.argmin(axis=1) for part in distance_chunks(self, self.weights, points))
        return np.concatenate([_no_labels(), *nearest]) + 1

    def is_solid(self, points: Array) -> Array:
        """Whether points of shape (n, 3) are inside the outline and in no pore, void or channel, shape (n,)."""
        inside = (self.outline.to_ball(points) ** 2).sum(axis=1) < 1.0
        return inside & ~self.in_void(points) & ~self.in_pore(points)

    def in_void(self, points: Array) -> Array:
        """Whether points of shape (n, 3) are in the central hollow or its channel, shape (n,)."""
        hollow = (points**2).sum(axis=1) < self.void_radius**2
        if self.channel_radius is None:
            return hollow
        return hollow | ((points[:, 2] > 0.0) & (np.hypot(points[:, 0], points[:, 1]) < self.channel_radius))

    def in_pore(self, points: Array) -> Array:
        """Whether points of shape (n, 3) are in a pore, shape (n,)."""
        if not len(self.pore_radii):
            return np.zeros(len(points), dtype=bool)
        centre = self.nearest_pore(points)
        return ((points - self.pore_centres[centre]) ** 2).sum(axis=1) < self.pore_radii[centre] ** 2

    def hole_distance(self, points: Array) -> Array:
        """Distance to the nearest wall of a pore, the void or its channel [µm], shape (n,); infinite if there is none.

        For points near walls: of overlapping pores the one with the smallest power distance counts.
        """
        return np.minimum(self.pore_distance(points), self.void_distance(points))

    def pore_distance(self, points: Array) -> Array:
        """The same for pores alone [µm], shape (n,)."""
        if not len(self.pore_radii):
            return np.full(len(points), np.inf)
        centre = self.nearest_pore(points)
        return np.abs(np.linalg.norm(points - self.pore_centres[centre], axis=1) - self.pore_radii[centre])

    def void_distance(self, points: Array) -> Array:
        """Distance to the wall of the void or its channel [µm], shape (n,); infinite if there is none."""
        if not self.void_radius:
            return np.full(len(points), np.inf)
        distance = np.abs(np.linalg.norm(points, axis=1) - self.void_radius)
        if self.channel_radius is None:
            return distance
        beside = np.abs(np.hypot(points[:, 0], points[:, 1]) - self.channel_radius)
        return np.minimum(distance, np.where(points[:, 2] > 0.0, beside, np.inf))

    def nearest_pore(self, points: Array) -> Indices:
        """The pore of smallest power distance (on the wall of merged pores: the one whose wall it is), shape (n,)."""
        return np.asarray(self._pore_tree.query(np.column_stack([points, np.zeros(len(points))]))[1], dtype=np.int64)

    def distance_to(self, points: Array, grains: Indices) -> tuple[Array, Array]:
        """Distance (x − s)ᵀ A (x − s) − w of each point to a grain of its own.

        Args:
            points: Points [µm], shape (n, 3).
            grains: Grains from 0, shape (n,).

        Returns:
            Distances [µm²], shape (n,), and their gradients [µm], shape (n, 3).
        """
        offset = points - self.positions[grains]
        pulled = offset
        if self.shapes is not None:
            pulled = np.einsum("nij,nj->ni", shape_matrices(self.shapes[grains]), offset)
        return (pulled * offset).sum(axis=1) - self.weights[grains], 2.0 * pulled

    def nearest_wall(self, points: Array) -> tuple[Array, Array]:
        """Height over the nearest wall of a hole [µm], shape (n,), and the unit vector out of that hole, shape (n, 3).

        Where there is no hole both are zero.
        """
        out = points.copy()
        radius: Array = np.full(len(points), self.void_radius)
        void_is_near = self.void_distance(points) <= self.pore_distance(points)
        if len(self.pore_radii):
            pore = self.nearest_pore(points)
            out = np.where(void_is_near[:, None], out, points - self.pore_centres[pore])
            radius = np.where(void_is_near, radius, self.pore_radii[pore])
        if self.channel_radius is not None:
            beside = np.abs(np.hypot(points[:, 0], points[:, 1]) - self.channel_radius)
            in_channel = void_is_near & (points[:, 2] > 0.0)
            in_channel &= beside < np.abs(np.linalg.norm(points, axis=1) - self.void_radius)
            out[in_channel, 2] = 0.0
            radius[in_channel] = self.channel_radius
        length = np.linalg.norm(out, axis=1)
        there = radius > 0.0
        height = np.where(there, length - radius, 0.0)
        return height, np.where(there[:, None], out / np.maximum(length, 1e-300)[:, None], 0.0)

    @cached_property
    def _power_labels(self) -> PowerLabels:
        return PowerLabels(self.positions, self.weights)

    @cached_property
    def _pore_tree(self) -> cKDTree:
        """Pores lifted to four dimensions, where the nearest is the one with the smallest power distance."""
        lift = np.sqrt(np.maximum(self.pore_radii.max() ** 2 - self.pore_radii**2, 0.0))
        return cKDTree(np.column_stack([self.pore_centres, lift]))


def _no_labels() -> Indices:
    return np.empty(0, dtype=np.int64)


def distance_chunks(field: LabelField, weights: Array, points: Array) -> Iterator[Array]:
    """Distances (x − s)ᵀ A (x − s) − w [µm²] of points to all grains, some points at a time.

    Args:
        field: The seeds and their metric; its weights are not used.
        weights: Weights [µm²], shape (N,).
        points: Points [µm], shape (n, 3).

    Yields:
        Distances, shape (part of n, N).
    """
    shapes = np.tile(_ROUND, (field.grain_count, 1)) if field.shapes is None else field.shapes
    coefficients = _distance_coefficients(field.positions, shapes, weights)
    step = max(1, _MOST_DISTANCES // field.grain_count)
    for start in range(0, len(points), step):
        yield _monomials(points[start : start + step]) @ coefficients


def _monomials(points: Array) -> Array:
    """The ten monomials up to second degree at points of shape (n, 3), shape (n, 10)."""
    x, y, z = points.T
    return np.column_stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z, points, np.ones(len(points))])


def _distance_coefficients(positions: Array, shapes: Array, weights: Array) -> Array:
    """Coefficients of (x − s)ᵀ A (x − s) − w for the monomials of `_monomials`, shape (10, N).

    Args:
        positions: Seeds s [µm], shape (N, 3).
        shapes: xx, yy, zz, xy, xz, yz of A, shape (N, 6).
        weights: Weights w [µm²], shape (N,).
    """
    pulled = np.einsum("nij,nj->ni", shape_matrices(shapes), positions)
    constant = (pulled * positions).sum(axis=1) - weights
    return np.column_stack([shapes, -2.0 * pulled, constant]).T


def shape_matrices(shapes: Array) -> Array:
    """Full symmetric matrices, shape (N, 3, 3), of xx, yy, zz, xy, xz, yz, shape (N, 6)."""
    return shapes[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)


def radial_shapes(positions: Array, elongation: float | Array) -> Array:
    """Matrices A of grains that are longer along the radius than across it, shape (N, 6).

    Args:
        positions: Seeds [µm], shape (N, 3); one at the very centre is left round.
        elongation: Length over width [-], of all or of each, shape (N,).
    """
    distance = np.linalg.norm(positions, axis=1)
    along = positions / np.maximum(distance, 1e-300)[:, None]
    ratio = np.where(distance > 0.0, elongation, 1.0)
    across = ratio ** (2.0 / 3.0)
    change = ratio ** (-4.0 / 3.0) - across
    matrices = across[:, None, None] * np.eye(3) + change[:, None, None] * np.einsum("ni,nj->nij", along, along)
    return matrices[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
