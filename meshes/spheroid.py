"""The outer shape: a spheroid (a sphere when the aspect ratio is 1), its measures and its conformal map to the sphere.

All clipping is done in *ball coordinates* y = x / semi-axes: the particle is the unit ball and planes stay planes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from meshes.arrays import Array

_LARGEST_ISOMETRIC_LATITUDE = 18.0  # tanh(18) is 1 in double precision: the pole


@dataclass(frozen=True)
class Spheroid:
    """Spheroid about the z axis.

    Args:
        radius: Radius of the sphere of the same volume [µm].
        aspect_ratio: Polar over equatorial diameter [-].
    """

    radius: float
    aspect_ratio: float = 1.0

    @cached_property
    def semi_axes(self) -> Array:
        """Semi-axes along x, y, z [µm], shape (3,)."""
        equatorial = self.radius * self.aspect_ratio ** (-1.0 / 3.0)
        return np.array([equatorial, equatorial, equatorial * self.aspect_ratio])

    @property
    def volume(self) -> float:
        """Volume [µm³]."""
        return 4.0 / 3.0 * math.pi * self.radius**3

    @cached_property
    def surface_area(self) -> float:
        """Area of the smooth surface [µm²]."""
        return self._meridian_integral(lambda sine, cosine, meridian: np.ones_like(sine))

    @cached_property
    def integrated_mean_curvature(self) -> float:
        """Integral of the mean curvature over the surface [µm]; 4πR for a sphere."""
        a, _, c = self.semi_axes

        def mean_curvature(sine: Array, cosine: Array, meridian: Array) -> Array:
            return 0.5 * (a * c / meridian**3 + c / (a * meridian))

        return self._meridian_integral(mean_curvature)

    def _meridian_integral(self, integrand: object) -> float:
        """∫ f dA with Gauss-Legendre points in the parametric latitude."""
        a, _, c = self.semi_axes
        nodes, weights = np.polynomial.legendre.leggauss(64)
        latitude = 0.5 * math.pi * nodes
        sine, cosine = np.sin(latitude), np.cos(latitude)
        meridian = np.hypot(a * sine, c * cosine)
        density = 2.0 * math.pi * a * cosine * meridian * integrand(sine, cosine, meridian)  # type: ignore[operator]
        return float(0.5 * math.pi * weights @ density)

    def to_ball(self, points: Array) -> Array:
        """Ball coordinates of physical points, shape (..., 3)."""
        return points / self.semi_axes

    def from_ball(self, points: Array) -> Array:
        """Physical points of ball coordinates, shape (..., 3)."""
        return points * self.semi_axes

    def onto_surface(self, points: Array) -> Array:
        """Points moved along their radius vector onto the surface, shape (..., 3)."""
        ball = self.to_ball(points)
        return self.from_ball(ball / np.linalg.norm(ball, axis=-1, keepdims=True))

    def onto_sphere(self, points: Array) -> Array:
        """Conformal image of surface points on the unit sphere, shape (n, 3)."""
        a, _, c = self.semi_axes
        if self.aspect_ratio == 1.0:
            return points / a
        radial = np.hypot(points[:, 0], points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            tangent = points[:, 2] * a * a / (radial * c * c)
        isometric = np.clip(np.arcsinh(tangent), -_LARGEST_ISOMETRIC_LATITUDE, _LARGEST_ISOMETRIC_LATITUDE)
        conformal = isometric - self._isometric_correction(isometric)
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        cosine = 1.0 / np.cosh(conformal)
        return np.column_stack([cosine * np.cos(azimuth), cosine * np.sin(azimuth), np.tanh(conformal)])

    def from_sphere(self, directions: Array) -> Array:
        """Surface points whose conformal images are the given unit vectors, shape (n, 3)."""
        a, _, c = self.semi_axes
        if self.aspect_ratio == 1.0:
            return directions * a
        conformal = np.arctanh(np.clip(directions[:, 2], -1.0 + 1e-15, 1.0 - 1e-15))
        isometric = self._solve_isometric(conformal)
        azimuth = np.arctan2(directions[:, 1], directions[:, 0])
        sine, cosine = np.tanh(isometric), 1.0 / np.cosh(isometric)
        scale = 1.0 / np.hypot(a * cosine, c * sine)
        radial = a * a * cosine * scale
        return np.column_stack([radial * np.cos(azimuth), radial * np.sin(azimuth), c * c * sine * scale])

    def conformal_scale(self, points: Array) -> Array:
        """Length on the unit sphere per physical length at surface points [1/µm], shape (n,)."""
        a, _, c = self.semi_axes
        if self.aspect_ratio == 1.0:
            return np.full(len(points), 1.0 / a)
        radial = np.maximum(np.hypot(points[:, 0], points[:, 1]), 1e-6 * a)
        isometric = np.arcsinh(points[:, 2] * a * a / (radial * c * c))
        conformal = isometric - self._isometric_correction(isometric)
        return 1.0 / (np.cosh(conformal) * radial)

    def _isometric_correction(self, isometric: Array) -> Array:
        """Isometric latitude of the conformal sphere is that of the spheroid minus this; e atanh(e sin φ)."""
        a, _, c = self.semi_axes
        squared_eccentricity = 1.0 - (c / a) ** 2
        root = math.sqrt(abs(squared_eccentricity))
        if squared_eccentricity > 0.0:
            return root * np.arctanh(root * np.tanh(isometric))
        return -root * np.arctan(root * np.tanh(isometric))

    def _solve_isometric(self, conformal: Array) -> Array:
        """Invert the monotone map isometric → conformal latitude: table look-up, then Newton to round-off."""
        a, _, c = self.semi_axes
        squared_eccentricity = 1.0 - (c / a) ** 2
        table = np.linspace(-25.0, 25.0, 4001)
        isometric = np.interp(conformal, table - self._isometric_correction(table), table)
        for _ in range(4):
            residual = isometric - self._isometric_correction(isometric) - conformal
            sine_squared = np.tanh(isometric) ** 2
            slope = 1.0 - squared_eccentricity * (1.0 - sine_squared) / (1.0 - squared_eccentricity * sine_squared)
            isometric = isometric - residual / slope
        return isometric
