"""Flat pictures of faces for the surface mesher: best-fit planes inside, conformal maps on the outer surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meshes.arrays import Array
from meshes.spheroid import Spheroid


class Frame(Protocol):
    """A flat picture of one face."""

    def flatten(self, points: Array) -> Array:
        """Flat coordinates [µm], shape (n, 2), of points of shape (n, 3)."""

    def lift(self, flat: Array) -> Array:
        """Points in space [µm], shape (n, 3), of flat coordinates of shape (n, 2)."""

    def stretch(self, flat: Array) -> Array:
        """Flat length per length in space at flat coordinates [-], shape (n,)."""

    @property
    def lost_direction(self) -> Array:
        """Unit vector along which flattening loses the height of points, zero if it loses nothing, shape (3,)."""


@dataclass(frozen=True)
class PlaneFrame:
    """Orthogonal projection on a plane.

    Args:
        origin: A point of the plane [µm], shape (3,).
        axes: Orthonormal rows, the last one normal to the plane, shape (3, 3).
    """

    origin: Array
    axes: Array

    @classmethod
    def fit(cls, outline: Array) -> PlaneFrame:
        """Plane of a closed outline, shape (n, 3); its vector area gives the normal."""
        origin = outline.mean(axis=0)
        normal = vector_area(outline - origin)
        return cls(origin, basis(normal))

    def flatten(self, points: Array) -> Array:
        """See `Frame`."""
        return (points - self.origin) @ self.axes[:2].T

    def lift(self, flat: Array) -> Array:
        """See `Frame`."""
        return self.origin + flat @ self.axes[:2]

    def stretch(self, flat: Array) -> Array:
        """See `Frame`."""
        return np.ones(len(flat))

    @property
    def lost_direction(self) -> Array:
        """See `Frame`."""
        return self.axes[2]

    def warp(self, points: Array) -> float:
        """Largest distance of points, shape (n, 3), from the plane [µm]."""
        return float(np.abs((points - self.origin) @ self.axes[2]).max())


@dataclass(frozen=True)
class SurfaceFrame:
    """Stereographic picture of a part of the outer surface, angles kept, lengths kept at its centre.

    Args:
        domain: The outer shape.
        axes: Orthonormal rows, the last one the direction of the centre on the conformal sphere, shape (3, 3).
        scale: Flat length per unit length of the conformal sphere [µm].
    """

    domain: Spheroid
    axes: Array
    scale: float

    @classmethod
    def towards(cls, direction: Array, domain: Spheroid) -> SurfaceFrame:
        """Frame centred at a direction on the conformal sphere, shape (3,)."""
        axes = basis(direction)
        centre = domain.from_sphere(axes[2:])
        return cls(domain, axes, 1.0 / float(domain.conformal_scale(centre)[0]))

    def flatten(self, points: Array) -> Array:
        """See `Frame`."""
        local = self.domain.onto_sphere(points) @ self.axes.T
        return 2.0 * self.scale * local[:, :2] / np.maximum(1.0 + local[:, 2:], 1e-12)

    def lift(self, flat: Array) -> Array:
        """See `Frame`."""
        return self.domain.from_sphere(self._directions(flat))

    def stretch(self, flat: Array) -> Array:
        """See `Frame`."""
        stereographic = self.scale * (1.0 + ((flat / (2.0 * self.scale)) ** 2).sum(axis=1))
        return stereographic * self.domain.conformal_scale(self.lift(flat))

    @property
    def lost_direction(self) -> Array:
        """See `Frame`."""
        return np.zeros(3)

    def _directions(self, flat: Array) -> Array:
        half = flat / (2.0 * self.scale)
        squared = (half**2).sum(axis=1, keepdims=True)
        local = np.column_stack([2.0 * half, 1.0 - squared]) / (1.0 + squared)
        return local @ self.axes


def basis(normal: Array) -> Array:
    """Right-handed orthonormal rows whose last one points along `normal`, shape (3, 3)."""
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
    first = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    first /= np.linalg.norm(first)
    return np.array([first, np.cross(normal, first), normal])


def vector_area(outline: Array) -> Array:
    """Area vector of a closed polygon in space, shape (3,) for an outline of shape (n, 3)."""
    return 0.5 * np.cross(outline, np.roll(outline, -1, axis=0)).sum(axis=0)


def signed_area(flat: Array) -> float:
    """Area of a closed flat polygon of shape (n, 2), positive when it runs anticlockwise."""
    x, y = flat.T
    return float(0.5 * (x @ np.roll(y, -1) - np.roll(x, -1) @ y))


def encloses(polygon: Array, point: Array) -> bool:
    """Whether a flat polygon of shape (n, 2) contains a point (even-odd rule)."""
    x, y = polygon.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    straddles = (y > point[1]) != (next_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x + (point[1] - y) / (next_y - y) * (next_x - x)
    return bool((straddles & (point[0] < crossing)).sum() % 2)
