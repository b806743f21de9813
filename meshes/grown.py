"""Grains for a label field: seeds, metric and weights, in solids that may be hollow and with grains that may be long.

Round grains are those of the mesher of dense particles, with its exact volumes; pores, and the channel of a void, are
then taken from the grains they lie between. The cells of elongated grains have no closed expressions: their volumes are
counted on a cloud of points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from meshes.arrays import Array
from meshes.cell_fit import fit_on_cloud
from meshes.label_field import LabelField, distance_chunks, radial_shapes
from meshes.particle import Particle, Void
from meshes.seeds import grain_count, place_seeds, target_volumes
from meshes.spheroid import Spheroid

_CHANNEL = 0.25  # radius of the channel over that of the void, unless given
_POINTS_PER_GRAIN = 800
_FEWEST_POINTS, _MOST_POINTS = 40_000, 400_000
_MOST_DISTANCES = 1.5e8  # between points and elongated grains
_SWEEP_SHARE = 4  # every so manieth point is enough while seeds still move
_LOOSE = 0.1
_METRICS = 2  # tried to reach the elongation asked for
_STRONGEST = 1.8  # metric over the elongation asked for
_LONG_ENOUGH = 0.95
_CANDIDATES = 24


@dataclass(frozen=True)
class Grown:
    """Grains of a carved particle, without pores.

    Args:
        field: What is where.
        target_volumes: Volumes of the grains before pores are taken from them [µm³], shape (N,).
    """

    field: LabelField
    target_volumes: Array

    @property
    def solid_volume(self) -> float:
        """Volume of the grains before pores are taken from them [µm³]."""
        return float(self.target_volumes.sum())


def grow_grains(particle: Particle, outline: Spheroid) -> Grown:
    """Grains for a particle description, around its void.

    Args:
        particle: The description.
        outline: The outer shape.

    Raises:
        MeshError: If the grain count is impossible or the volumes cannot be met.
    """
    empty = _empty_field(particle, outline)
    if particle.grains.elongation > 1.0:
        return _grow_long(particle, empty)
    seeds = place_seeds(particle, outline)
    return Grown(replace(empty, positions=seeds.positions, weights=seeds.weights), seeds.target_volumes)


def _grow_long(particle: Particle, empty: LabelField) -> Grown:
    """Grains longer along the radius; where the metric asked for makes them too short, a stronger one is tried.

    The outer surface and the centre leave grains no room to be long: how much they get is measured.
    """
    count, asked = grain_count(particle), particle.grains.elongation
    random = np.random.default_rng(particle.grains.seed)
    solid = _cloud(empty, _point_count(count))
    targets = target_volumes(count, float(particle.grains.spread), solid_volume(empty), random)
    sweep = random.permutation(solid)[::_SWEEP_SHARE]
    metric, best, error = asked, None, math.inf
    for _ in range(_METRICS):
        field = _relaxed(empty, targets, metric, sweep, particle.grains.relaxation, random)
        built = _mean_elongation(field, sweep)
        if abs(built - asked) < error:
            best, error = field, abs(built - asked)
        metric = min(metric * asked / built, _STRONGEST * asked)
        if built > _LONG_ENOUGH * asked:
            break
    assert best is not None
    return Grown(replace(best, weights=fit_on_cloud(best, targets, solid)), targets)


def _relaxed(
    empty: LabelField, targets: Array, elongation: float, solid: Array, sweeps: int, random: np.random.Generator
) -> LabelField:
    """Seeds scattered in a metric, after some Lloyd sweeps; weights are fitted loosely."""
    radii = np.cbrt(0.75 / np.pi * targets)
    positions = _scattered_seeds(radii, elongation, solid, empty, random)
    field = replace(
        empty, positions=positions, weights=np.zeros(len(radii)), shapes=_shapes(positions, elongation, radii)
    )
    for _ in range(sweeps):
        field = replace(field, weights=fit_on_cloud(field, targets, solid, _LOOSE))
        positions = _centroids(field, solid)
        field = replace(field, positions=positions, shapes=_shapes(positions, elongation, radii))
    return replace(field, weights=fit_on_cloud(field, targets, solid, _LOOSE))


def _mean_elongation(field: LabelField, points: Array) -> float:
    """Length along the radius over width across it, from second moments of points; mean by volume."""
    grain = field.grain(points) - 1
    members = np.maximum(np.bincount(grain, minlength=field.grain_count), 1)
    sums = np.column_stack([np.bincount(grain, points[:, axis], field.grain_count) for axis in range(3)])
    centroids = sums / members[:, None]
    offset = points - centroids[grain]
    along = centroids / np.maximum(np.linalg.norm(centroids, axis=1), 1e-300)[:, None]
    radial = np.bincount(grain, (offset * along[grain]).sum(axis=1) ** 2, field.grain_count)
    across = np.bincount(grain, (offset**2).sum(axis=1), field.grain_count) - radial
    return float((np.sqrt(2.0 * radial / np.maximum(across, 1e-300)) * members).sum() / members.sum())


def channel_radius(void: Void) -> float | None:
    """Radius of the channel of a void [µm]; None if it is closed."""
    if not void.open:
        return None
    return _CHANNEL * float(void.radius) if void.channel_radius is None else float(void.channel_radius)


def hole_volume(field: LabelField) -> float:
    """Volume of the void and its channel [µm³]."""
    radius, channel = field.void_radius, field.channel_radius
    ball = 4.0 / 3.0 * math.pi * radius**3
    if channel is None:
        return ball
    equatorial, _, polar = (float(axis) for axis in field.outline.semi_axes)
    under_surface = polar * equatorial**2 * (1.0 - (1.0 - (channel / equatorial) ** 2) ** 1.5)
    in_void = radius**3 - (radius**2 - channel**2) ** 1.5
    return ball + 2.0 / 3.0 * math.pi * (under_surface - in_void)


def solid_volume(field: LabelField) -> float:
    """Volume of a particle without its void and channel, pores not counted [µm³]."""
    return field.outline.volume - hole_volume(field)


def _empty_field(particle: Particle, outline: Spheroid) -> LabelField:
    """The void without grains: one stands for all."""
    void = particle.void
    one = LabelField(outline, np.zeros((1, 3)), np.zeros(1))
    if void is None:
        return one
    return replace(one, void_radius=float(void.radius), channel_radius=channel_radius(void))


def _point_count(grains: int) -> float:
    count = min(max(_FEWEST_POINTS, _POINTS_PER_GRAIN * grains), _MOST_POINTS)
    return min(count, _MOST_DISTANCES / grains)


def _cloud(field: LabelField, wanted: float) -> Array:
    """Points of a cubic grid in the solid, about the wanted number, shape (n, 3)."""
    coarse = _grid(field.outline, _FEWEST_POINTS)
    share = max(float(field.is_solid(coarse).mean()), 0.02)
    points = _grid(field.outline, wanted / share)
    return points[field.is_solid(points)]


def _grid(outline: Spheroid, count: float) -> Array:
    """About so many points of a cubic grid inside the outline, turned so that no symmetry is left, shape (n, 3)."""
    pitch = (outline.volume / count) ** (1.0 / 3.0)
    reach = float(outline.semi_axes.max()) * math.sqrt(3.0)
    steps = np.arange(-reach, reach, pitch) + 0.37 * pitch
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    turn, _ = np.linalg.qr(np.array([[1.0, 0.31, 0.17], [-0.23, 1.0, 0.41], [0.13, -0.37, 1.0]]))
    points = grid @ turn
    return points[(outline.to_ball(points) ** 2).sum(axis=1) < 1.0]


def _shapes(positions: Array, elongation: float, radii: Array | float) -> Array:
    """Metric of grains of these radii: less long near the centre, across which they would reach otherwise."""
    room = np.maximum(np.linalg.norm(positions, axis=1) / radii, 1.0) ** 1.5
    return radial_shapes(positions, np.minimum(elongation, room))


def _scattered_seeds(
    radii: Array, elongation: float, solid: Array, empty: LabelField, random: np.random.Generator
) -> Array:
    """Seeds among the points of the solid, the largest grains first, in their metric apart from others and walls."""
    clearance = _wall_distance(empty, solid) * elongation ** (-2.0 / 3.0)
    order = np.argsort(-radii, kind="stable")
    positions = np.empty((len(radii), 3))
    closeness = 0.85
    for placed, grain in enumerate(order):
        while True:
            drawn = random.integers(len(solid), size=_CANDIDATES)
            candidates = solid[drawn]
            tried = LabelField(
                Spheroid(1.0), candidates, np.zeros(_CANDIDATES), _shapes(candidates, elongation, radii[grain])
            )
            squared = next(distance_chunks(tried, tried.weights, positions[order[:placed]]), np.empty((0, _CANDIDATES)))
            apart = closeness * (radii[order[:placed]] + radii[grain])
            free = (squared > apart[:, None] ** 2).all(axis=0) & (clearance[drawn] > closeness * radii[grain])
            if free.any():
                positions[grain] = candidates[int(free.argmax())]
                break
            closeness *= 0.99
    return positions


def _wall_distance(field: LabelField, points: Array) -> Array:
    """Distance to the surface, along the radius, or to a hole [µm], shape (n,)."""
    depth = np.linalg.norm(points, axis=1) * (1.0 / np.linalg.norm(field.outline.to_ball(points), axis=1) - 1.0)
    return np.minimum(depth, field.hole_distance(points))


def _centroids(field: LabelField, solid: Array) -> Array:
    """Where a Lloyd sweep moves the seeds; one whose centroid is in the void goes to the nearest point of its grain."""
    grain = field.grain(solid) - 1
    members = np.bincount(grain, minlength=field.grain_count)
    sums = np.column_stack([np.bincount(grain, solid[:, axis], field.grain_count) for axis in range(3)])
    centroids = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], field.positions)
    for lost in np.flatnonzero(~field.is_solid(centroids) & (members > 0)):
        own = solid[grain == lost]
        centroids[lost] = own[((own - centroids[lost]) ** 2).sum(axis=1).argmin()]
    return centroids
