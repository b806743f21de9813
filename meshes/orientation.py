"""Crystal orientation: the c axis of every grain. Not part of the mesh, so one mesh serves many orientations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from meshes.arrays import Array
from meshes.errors import MeshError
from meshes.particle import FileOrientation, FixedOrientation, Particle

_STREAM = 2  # keeps these random numbers apart from those of the seeds


def c_axes(particle: Particle, grain_centroids: Array, base_folder: Path) -> Array:
    """Unit c axes of the grains.

    Args:
        particle: The description; its `grains.orientation` and seeds are used.
        grain_centroids: Centroids of the grains [µm], shape (N, 3).
        base_folder: Folder that relative file names refer to.

    Returns:
        Unit vectors, shape (N, 3). "random" is uniform on the sphere, "radial" points away from the centre.

    Raises:
        MeshError: If an orientation file cannot be used.
    """
    orientation = particle.grains.orientation
    match orientation:
        case "random":
            seed = particle.grains.orientation_seed
            chosen = particle.grains.seed if seed is None else seed
            return _random(len(grain_centroids), np.random.default_rng([chosen, _STREAM]))
        case "radial":
            return _radial(grain_centroids)
        case FixedOrientation(axis=axis):
            return np.tile(np.array(axis) / np.linalg.norm(axis), (len(grain_centroids), 1))
        case FileOrientation(file=file):
            return _from_file(base_folder / file, len(grain_centroids))


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
