"""Grains for a label field: seeds, metric and weights, in solids that may be hollow and with grains that may be long.

Round grains are those of the mesher of dense particles, with its exact volumes; pores, and the channel of a void, are
then taken from the grains they lie between. The cells of elongated grains have no closed expressions: their volumes are
counted on a cloud of points, and so are those of grains that must keep out of large pores.
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


def grow_grains(particle: Particle, outline: Spheroid, holes: tuple[Array, Array] | None = None) -> Grown:
    """Grains for a particle description, around its void.

    Args:
        particle: The description.
        outline: The outer shape.
        holes: Centres [µm], shape (M, 3), and radii [µm], shape (M,), of large pores that grains must keep out of.

    Raises:
        MeshError: If the grain count is impossible or the volumes cannot be met.
    """
    elongation = particle.grains.elongation
    empty = _empty_field(particle, outline)
    if holes is None and elongation == 1.0:
        seeds = place_seeds(particle, outline)
        return Grown(replace(empty, positions=seeds.positions, weights=seeds.weights), seeds.target_volumes)
    hollow = empty if holes is None else empty.with_pores(*holes)
    random = np.random.default_rng(particle.grains.seed)
    cloud = _cloud(hollow, _point_count(grain_count(particle), elongation))
    share = len(cloud.solid) / len(cloud.all)
    volume = solid_volume(empty) if holes is None else outline.volume * share
    targets = target_volumes(grain_count(particle), float(particle.grains.spread), volume, random)
    positions = _scattered_seeds(targets, elongation, cloud.solid, hollow, random)
    field = _field(empty, positions, elongation)
    sweep = random.permutation(cloud.solid)[::_SWEEP_SHARE]
    for _ in range(particle.grains.relaxation):
        field = replace(field, weights=fit_on_cloud(field, targets, sweep, _LOOSE))
        field = _moved_to_centroids(field, sweep, hollow, elongation)
    return Grown(replace(field, weights=fit_on_cloud(field, targets, cloud.solid)), targets)


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


@dataclass(frozen=True)
class _Points:
    """Even points of the outline: all of them, and those that are solid, shape (n, 3) each [µm]."""

    all: Array
    solid: Array


def _empty_field(particle: Particle, outline: Spheroid) -> LabelField:
    """The void without grains: one stands for all."""
    void = particle.void
    one = LabelField(outline, np.zeros((1, 3)), np.zeros(1))
    if void is None:
        return one
    return replace(one, void_radius=float(void.radius), channel_radius=channel_radius(void))


def _point_count(grains: int, elongation: float) -> float:
    count = min(max(_FEWEST_POINTS, _POINTS_PER_GRAIN * grains), _MOST_POINTS)
    return count if elongation == 1.0 else min(count, _MOST_DISTANCES / grains)


def _cloud(field: LabelField, wanted: float) -> _Points:
    """Points of a cubic grid, so many that the solid gets the wanted number."""
    coarse = _grid(field.outline, _FEWEST_POINTS)
    share = max(float(field.is_solid(coarse).mean()), 0.02)
    points = _grid(field.outline, wanted / share)
    return _Points(points, points[field.is_solid(points)])


def _grid(outline: Spheroid, count: float) -> Array:
    """About so many points of a cubic grid inside the outline, turned so that no symmetry is left, shape (n, 3)."""
    pitch = (outline.volume / count) ** (1.0 / 3.0)
    reach = float(outline.semi_axes.max()) * math.sqrt(3.0)
    steps = np.arange(-reach, reach, pitch) + 0.37 * pitch
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    turn, _ = np.linalg.qr(np.array([[1.0, 0.31, 0.17], [-0.23, 1.0, 0.41], [0.13, -0.37, 1.0]]))
    points = grid @ turn
    return points[(outline.to_ball(points) ** 2).sum(axis=1) < 1.0]


def _scattered_seeds(
    volumes: Array, elongation: float, solid: Array, hollow: LabelField, random: np.random.Generator
) -> Array:
    """Seeds among the points of the solid, the largest grains first, in their metric apart from others and walls."""
    clearance = _wall_distance(hollow, solid) * elongation ** (-2.0 / 3.0)
    radii = np.cbrt(0.75 / np.pi * volumes)
    order = np.argsort(-radii, kind="stable")
    positions = np.empty((len(volumes), 3))
    closeness = 0.85
    for placed, grain in enumerate(order):
        while True:
            drawn = random.integers(len(solid), size=_CANDIDATES)
            candidates = solid[drawn]
            tried = LabelField(Spheroid(1.0), candidates, np.zeros(_CANDIDATES), radial_shapes(candidates, elongation))
            squared = next(distance_chunks(tried, tried.weights, positions[order[:placed]]), np.empty((0, _CANDIDATES)))
            apart = closeness * (radii[order[:placed]] + radii[grain])
            free = (squared > apart[:, None] ** 2).all(axis=0) & (clearance[drawn] > closeness * radii[grain])
            if free.any():
                positions[grain] = candidates[int(free.argmax())]
                break
            closeness *= 0.99
    return positions


def _wall_distance(hollow: LabelField, points: Array) -> Array:
    """Distance to the surface, along the radius, or to a hole [µm], shape (n,)."""
    depth = np.linalg.norm(points, axis=1) * (1.0 / np.linalg.norm(hollow.outline.to_ball(points), axis=1) - 1.0)
    return np.minimum(depth, hollow.hole_distance(points))


def _field(empty: LabelField, positions: Array, elongation: float, weights: Array | None = None) -> LabelField:
    shapes = None if elongation == 1.0 else radial_shapes(positions, elongation)
    return replace(
        empty,
        positions=positions,
        weights=np.zeros(len(positions)) if weights is None else weights,
        shapes=shapes,
    )


def _moved_to_centroids(field: LabelField, solid: Array, hollow: LabelField, elongation: float) -> LabelField:
    """One Lloyd sweep; a seed whose centroid would lie in a hole goes to the nearest point of its grain instead."""
    grain = field.grain(solid) - 1
    members = np.bincount(grain, minlength=field.grain_count)
    sums = np.column_stack([np.bincount(grain, solid[:, axis], field.grain_count) for axis in range(3)])
    centroids = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], field.positions)
    for lost in np.flatnonzero(~hollow.is_solid(centroids) & (members > 0)):
        own = solid[grain == lost]
        centroids[lost] = own[((own - centroids[lost]) ** 2).sum(axis=1).argmin()]
    return _field(field, centroids, elongation, field.weights)
