"""A surface with bumps: the finished mesh of the grains is moved along the radius by a seeded smooth random height.

The height is a sum of plane waves of the wanted wavelength, looked at on the sphere. It fades with the square of the
distance from the centre, so that the grains inside follow and no tetrahedron is turned over.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshes.arrays import Array
from meshes.body import Body, Progress, ReportSection
from meshes.designs import Roughness
from meshes.errors import MeshError
from meshes.particle import Particle
from meshes.particle_mesh import OUTER, areas_of, cell_volumes
from meshes.quality import inverse_condition
from meshes.spheroid import Spheroid

_STREAM = 6  # keeps these random numbers apart from all others of the same seed
_WAVES = 96
_SPREAD_OF_WAVELENGTHS = 0.2
_REFERENCE_DIRECTIONS = 4000
_USABLE_SICN = 0.05


def bumps(roughness: Roughness, directions: Array) -> Array:
    """Height of the surface over the smooth one, relative to the radius.

    Args:
        roughness: How high and how wide.
        directions: Unit vectors, shape (n, 3).

    Returns:
        Heights [-], shape (n,): mean 0 and the amplitude as standard deviation over the sphere, at most about 2.4
        amplitudes anywhere.
    """
    random = np.random.default_rng([roughness.seed, _STREAM])
    waves = random.normal(size=(_WAVES, 3))
    waves /= np.linalg.norm(waves, axis=1)[:, None]
    lengths = float(roughness.wavelength) * np.exp(_SPREAD_OF_WAVELENGTHS * random.normal(size=_WAVES))
    phases = random.uniform(0.0, 2.0 * np.pi, _WAVES)

    def raw(places: Array) -> Array:
        height = np.cos(places @ (2.0 * np.pi / lengths * waves.T) + phases).sum(axis=1) * np.sqrt(2.0 / _WAVES)
        return np.tanh(0.5 * height)  # no lone peak stands out

    reference = raw(_even_directions(_REFERENCE_DIRECTIONS))
    return float(roughness.amplitude) * (raw(directions) - reference.mean()) / reference.std()


def _even_directions(count: int) -> Array:
    """Unit vectors spread evenly over the sphere (a Fibonacci spiral), shape (count, 3)."""
    height = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    turn = np.pi * (1.0 + np.sqrt(5.0)) * np.arange(count)
    across = np.sqrt(1.0 - height**2)
    return np.column_stack([across * np.cos(turn), across * np.sin(turn), height])


def roughen(body: Body, particle: Particle, progress: Progress) -> Body:
    """The body with the bumps its description asks for; its volume stays.

    Raises:
        MeshError: If the bumps spoil the mesh.
    """
    roughness = particle.roughness
    if roughness is None or body.outline is None:
        return body
    progress("moving the surface")
    mesh = body.mesh
    points = _moved(mesh.points, roughness, body.outline)
    before = float(cell_volumes(mesh.points, mesh.cells).sum())
    volumes = cell_volumes(points, mesh.cells)
    points = points * (before / float(volumes.sum())) ** (1.0 / mesh.dimension)
    if volumes.min() <= 0.0 or _worst(points, mesh.cells) < min(_USABLE_SICN, 0.5 * _worst(mesh.points, mesh.cells)):
        raise MeshError(
            "particle.roughness.amplitude: bumps this high and narrow turn elements over; write a smaller amplitude, "
            "a larger wavelength or a smaller particle.mesh.size"
        )
    rough = replace(mesh, points=points)
    return body.with_section(_section(rough.points, rough.facets[rough.facet_tags == OUTER], roughness, body), rough)


def _moved(points: Array, roughness: Roughness, outline: Spheroid) -> Array:
    ball = outline.to_ball(points)
    distance = np.linalg.norm(ball, axis=1)
    directions = ball / np.maximum(distance, 1e-12)[:, None]
    return points * (1.0 + bumps(roughness, directions) * distance**2)[:, None]


def _worst(points: Array, cells: Array) -> float:
    """Smallest SICN; for triangles the smallest of twice their area over the squared longest edge."""
    if cells.shape[1] == 4:
        return float(inverse_condition(points[cells]).min())
    longest = np.max([((points[cells[:, i]] - points[cells[:, i - 1]]) ** 2).sum(axis=1) for i in range(3)], axis=0)
    return float((2.0 * cell_volumes(points, cells) / longest).min())


def _section(points: Array, outer: Array, roughness: Roughness, body: Body) -> ReportSection:
    assert body.outline is not None
    height = np.linalg.norm(body.outline.to_ball(points[outer]), axis=2)
    weight = np.repeat(areas_of(points, outer)[:, None], outer.shape[1], axis=1)
    mean = float(np.average(height, weights=weight))
    built = float(np.sqrt(np.average((height - mean) ** 2, weights=weight)) / mean)
    extremes = float(height.min() / mean - 1.0), float(height.max() / mean - 1.0)
    asked = float(roughness.amplitude)
    return ReportSection(
        "rough surface",
        (
            ("height, standard deviation over radius", f"{100 * built:.2f} %", f"{100 * asked:.2f} %"),
            ("lowest / highest", " / ".join(f"{100 * end:+.1f} %" for end in extremes), ""),
        ),
        {"amplitude": built, "amplitude_asked": asked, "lowest": extremes[0], "highest": extremes[1]},
    )
