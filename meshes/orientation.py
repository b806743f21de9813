"""Crystal orientation: the c axis of every grain. Not part of the mesh, so one mesh serves many orientations.

A texture is a direction (or, for "tangential", a plane) at every grain; `orientation_scatter` tilts the axes about it
by angles of the Watson distribution, the von Mises-Fisher distribution of axes without a head.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from meshes.arrays import Array
from meshes.errors import MeshError
from meshes.particle import FileOrientation, FixedOrientation, Particle

# Keep these random numbers apart from those of the seeds and from each other.
_RANDOM, _TANGENTIAL, _SCATTER = 2, 4, 5
_ANGLES = 4001  # places at which the distribution of angles is tabulated


def c_axes(particle: Particle, grain_centroids: Array, base_folder: Path) -> Array:
    """Unit c axes of the grains.

    Args:
        particle: The description; its `grains.orientation` and seeds are used.
        grain_centroids: Centroids of the grains [µm], shape (N, 3).
        base_folder: Folder that relative file names refer to.

    Returns:
        Unit vectors, shape (N, 3). "random" is uniform on the sphere, "radial" points away from the centre,
        "tangential" lies across the radius.

    Raises:
        MeshError: If an orientation file cannot be used.
    """
    orientation, spread = particle.grains.orientation, float(np.radians(particle.grains.orientation_scatter))
    match orientation:
        case "random":
            return _random(len(grain_centroids), _generator(particle, _RANDOM))
        case "tangential":
            return _tangential(_radial(grain_centroids), spread, _generator(particle, _TANGENTIAL))
        case "radial":
            axes = _radial(grain_centroids)
        case FixedOrientation(axis=axis):
            axes = np.tile(np.array(axis) / np.linalg.norm(axis), (len(grain_centroids), 1))
        case FileOrientation(file=file):
            axes = _from_file(base_folder / file, len(grain_centroids))
    return _scattered(axes, spread, _generator(particle, _SCATTER))


def _generator(particle: Particle, stream: int) -> np.random.Generator:
    seed = particle.grains.orientation_seed
    return np.random.default_rng([particle.grains.seed if seed is None else seed, stream])


def _random(count: int, random: np.random.Generator) -> Array:
    axes = random.normal(size=(count, 3))
    return axes / np.linalg.norm(axes, axis=1)[:, None]


def _radial(centroids: Array) -> Array:
    """Directions of the centroids; a grain around the centre itself has none and takes z."""
    length = np.linalg.norm(centroids, axis=1)
    extent = float(length.max()) if len(length) > 1 else 0.0
    central = length <= 1e-6 * extent
    axes = centroids / np.where(central, 1.0, length)[:, None]
    axes[central] = (0.0, 0.0, 1.0)
    return axes


def _tangential(radial: Array, spread: float, random: np.random.Generator) -> Array:
    """Axes at any azimuth about the radius, out of the plane across it by angles of root mean square `spread`."""
    lift = scatter_angles(len(radial), spread, random, about_plane=True) * random.choice((-1.0, 1.0), len(radial))
    return _tilted(radial, 0.5 * np.pi - lift, random)


def _scattered(axes: Array, spread: float, random: np.random.Generator) -> Array:
    """Axes tilted to any side by angles of root mean square `spread`."""
    return _tilted(axes, scatter_angles(len(axes), spread, random), random) if spread > 0.0 else axes


def _tilted(axes: Array, angles: Array, random: np.random.Generator) -> Array:
    """Unit vectors at given angles from given ones, at any azimuth about them, shape (n, 3)."""
    across = np.cross(axes, np.eye(3)[np.abs(axes).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1)[:, None]
    azimuth = random.uniform(0.0, 2.0 * np.pi, len(axes))[:, None]
    sideways = np.cos(azimuth) * across + np.sin(azimuth) * np.cross(axes, across)
    return np.cos(angles)[:, None] * axes + np.sin(angles)[:, None] * sideways


def scatter_angles(count: int, spread: float, random: np.random.Generator, *, about_plane: bool = False) -> Array:
    """Angles of the Watson distribution from its axis, or from its plane.

    Args:
        count: How many.
        spread: Their root mean square [rad], at most `widest_scatter`.
        random: Source of random numbers.
        about_plane: Whether the axes gather about a plane instead of a direction.

    Returns:
        Angles between 0 and π/2 [rad], shape (count,).
    """
    if spread <= 0.0:
        return np.zeros(count)
    # Beyond six times the spread nothing is left of a narrow distribution.
    angles = np.linspace(0.0, min(0.5 * np.pi, 6.0 * spread), _ANGLES)
    measure = np.cos(angles) if about_plane else np.sin(angles)

    def density(concentration: float) -> Array:
        return measure * np.exp(-concentration * np.sin(angles) ** 2)

    def excess(concentration: float) -> float:
        weights = density(concentration)
        return float(np.sqrt((weights * angles**2).sum() / weights.sum())) - spread

    widest = spread > widest_scatter(about_plane=about_plane) - 1e-3
    concentration = 0.0 if widest else float(brentq(excess, 0.0, 3.0 / spread**2))
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density(concentration)[1:] + density(concentration)[:-1]))])
    return np.interp(random.random(count) * cumulative[-1], cumulative, angles)


def widest_scatter(*, about_plane: bool = False) -> float:
    """Root mean square angle [rad] of axes uniform on the sphere from a direction, or from a plane."""
    return float(np.sqrt(0.25 * np.pi**2 - 2.0) if about_plane else np.sqrt(np.pi - 2.0))


def _from_file(path: Path, count: int) -> Array:
    try:
        axes = np.loadtxt(path, ndmin=2, comments="#", delimiter="," if path.suffix == ".csv" else None)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise MeshError(f"{path}: cannot be read as three columns of numbers ({error})") from error
    if axes.shape != (count, 3):
        shown = " x ".join(str(extent) for extent in axes.shape)
        raise MeshError(f"{path}: holds {shown} numbers; {count} grains need {count} lines of three")
    length = np.linalg.norm(axes, axis=1)
    bad = np.flatnonzero(~np.isfinite(length) | (length < 1e-12))
    if len(bad):
        raise MeshError(f"{path}: grain {bad[0] + 1}: the axis has no direction")
    return axes / length[:, None]
