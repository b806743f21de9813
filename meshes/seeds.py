"""Seeds of the grains: how many, where, and the weights that give every grain the volume the size law asks for.

Sizes are log-normal in the volume-equivalent diameter; `spread` is its coefficient of variation. Positions come from
random sequential placement, then (optionally) Lloyd sweeps. Weights solve a semi-discrete optimal transport problem by
a damped Newton iteration with exact volumes and face areas, started so that no cell is ever empty.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import spsolve
from scipy.special import ndtri

from meshes.arrays import Array
from meshes.errors import MeshError
from meshes.particle import Particle
from meshes.power_diagram import CellMeasures, PowerLabels, cell_measures, power_diagram
from meshes.spheroid import Spheroid

_MOST_GRAINS = 5000
_VOLUME_TOLERANCE = 1e-4
_NEWTON_STEPS = 60
_SMALLEST_STEP = 1e-6
_FROM_HOLLOW = 1.02  # of its radius: no seed is nearer to the centre
_OCTANTS = np.array(list(itertools.product((1.0, -1.0), repeat=3)))  # the first one has all coordinates positive
# Mirror images are moved by this many radii, since points on common spheres have no unique diagram; their seeds keep
# away from the mirrors by many times more.
_JITTER = 1e-7
_FROM_MIRROR = 0.02


@dataclass(frozen=True)
class Seeds:
    """Seeds of a power diagram.

    Args:
        positions: Seed positions [µm], shape (N, 3).
        weights: Weights [µm²], shape (N,).
        target_volumes: Grain volumes asked for [µm³], shape (N,).
        octant: Whether the grains fill the octant of positive coordinates alone.
        hollow: Radius of the ball at the centre that no grain fills [µm].
    """

    positions: Array
    weights: Array
    target_volumes: Array
    octant: bool = False
    hollow: float = 0.0


def grain_count(particle: Particle) -> int:
    """Number of grains a description asks for, from the count or from the mean diameter and the volume to fill.

    Raises:
        MeshError: If the mean diameter gives no grain or too many.
    """
    grains = particle.grains
    if grains.count is not None:
        return grains.count
    mean = float(grains.mean_diameter or 0.0)
    mean_volume = np.pi / 6.0 * mean**3 * (1.0 + float(grains.spread) ** 2) ** 3
    count = _volume_to_fill(particle) / mean_volume
    if not 0.5 <= count <= _MOST_GRAINS:
        raise MeshError(
            f"particle.grains.mean_diameter: {mean:g} um in a particle of radius {particle.radius:g} um gives "
            f"{count:.3g} grains; choose a diameter that gives 1 to {_MOST_GRAINS}"
        )
    return max(1, round(count))


def _volume_to_fill(particle: Particle) -> float:
    """Volume of the grains together [µm³], pores not taken off."""
    hollow = 0.0 if particle.void is None else float(particle.void.radius)
    whole = Spheroid(float(particle.radius)).volume - 4.0 / 3.0 * np.pi * hollow**3
    return whole / (8 if particle.sector == "eighth" else 1)


def place_seeds(particle: Particle, domain: Spheroid) -> Seeds:
    """Seeds and weights for a particle description.

    Args:
        particle: The description; its grain section and shape are used.
        domain: The outer shape.

    Returns:
        Seeds whose cells have the target volumes to a relative 1e-4; of a sector, the seeds in it.

    Raises:
        MeshError: If the volumes cannot be met.
    """
    grains = particle.grains
    count = grain_count(particle)
    random = np.random.default_rng(grains.seed)
    octant = particle.sector == "eighth"
    hollow = 0.0 if particle.void is None else float(particle.void.radius)
    targets = target_volumes(count, float(grains.spread), _volume_to_fill(particle), random)
    positions = _sequential_positions(targets, domain, random, octant, hollow)
    seeds = Seeds(positions, np.zeros(count), targets, octant, hollow)
    cloud = _cloud(count, domain, random) if grains.relaxation else np.empty((0, 3))
    for _ in range(grains.relaxation):
        seeds = fit_weights(seeds, domain, tolerance=0.05)
        seeds = _move_to_centroids(seeds, np.abs(cloud) if octant else cloud)
    return fit_weights(seeds, domain)


def mirrored(seeds: Seeds, domain: Spheroid) -> Seeds:
    """The seeds of an octant, followed by their seven mirror images: a whole particle."""
    positions = (_OCTANTS[:, None, :] * seeds.positions).reshape(-1, 3)
    noise = np.random.default_rng(7).uniform(-_JITTER, _JITTER, positions.shape) * domain.radius
    return Seeds(positions + noise, np.tile(seeds.weights, 8), np.tile(seeds.target_volumes, 8))


def _into_octant(positions: Array, domain: Spheroid) -> Array:
    return np.maximum(np.abs(positions), _FROM_MIRROR * domain.radius)


def move_seed(seeds: Seeds, grain: int, domain: Spheroid, random: np.random.Generator) -> Seeds:
    """Seeds with one of them moved by a tenth of its grain's diameter, weights fitted anew."""
    diameter = np.cbrt(6.0 / np.pi * seeds.target_volumes[grain])
    positions = seeds.positions.copy()
    direction = random.normal(size=3)
    moved = positions[grain] + 0.1 * diameter * direction / np.linalg.norm(direction)
    ball = domain.to_ball(moved)
    positions[grain] = domain.from_ball(ball / max(1.0, float(np.linalg.norm(ball)) / 0.98))
    positions = _into_octant(positions, domain) if seeds.octant else positions
    return fit_weights(replace(seeds, positions=positions, weights=np.zeros(len(positions))), domain)


def target_volumes(count: int, spread: float, total: float, random: np.random.Generator) -> Array:
    """Log-normal volumes that fill the particle; stratified, so that few grains follow the law as well as many do.

    Args:
        count: Number of grains.
        spread: Coefficient of variation of their diameters.
        total: Their volume together [µm³].
        random: Source of random numbers.

    Returns:
        Volumes [µm³], shape (count,).
    """
    quantiles = (np.arange(count) + random.uniform(0.02, 0.98, count)) / count
    diameters = np.exp(np.sqrt(np.log1p(spread**2)) * ndtri(random.permutation(quantiles)))
    volumes = diameters**3
    return volumes * (total / volumes.sum())


def _points_in_ball(count: int, random: np.random.Generator) -> Array:
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    return direction * np.cbrt(random.random(count))[:, None]


def _cloud(count: int, domain: Spheroid, random: np.random.Generator) -> Array:
    return domain.from_ball(_points_in_ball(max(40_000, 150 * count), random))


def _sequential_positions(
    volumes: Array, domain: Spheroid, random: np.random.Generator, octant: bool, hollow: float
) -> Array:
    """Place grains at random, the largest first, at a distance from the others that shrinks as it gets crowded."""
    radii = np.cbrt(0.75 / np.pi * volumes)
    order = np.argsort(-radii, kind="stable")
    positions = np.empty((len(volumes), 3))
    closeness = 0.85
    for placed, grain in enumerate(order):
        while True:
            candidates = domain.from_ball(0.97 * _points_in_ball(24, random))
            candidates = _into_octant(candidates, domain) if octant else candidates
            distance = np.linalg.norm(candidates[:, None] - positions[order[:placed]], axis=2)
            free = (distance > closeness * (radii[order[:placed]] + radii[grain])).all(axis=1)
            free &= np.linalg.norm(candidates, axis=1) > hollow
            if free.any():
                positions[grain] = candidates[int(free.argmax())]
                break
            closeness *= 0.99
    return positions


def _move_to_centroids(seeds: Seeds, cloud: Array) -> Seeds:
    """One Lloyd sweep: every seed to the centroid of its cell (of the points of a cloud in it), but into no hollow."""
    count = len(seeds.positions)
    cloud = cloud[(cloud**2).sum(axis=1) > seeds.hollow**2]
    cell = PowerLabels(seeds.positions, seeds.weights)(cloud)
    members = np.bincount(cell, minlength=count)
    sums = np.column_stack([np.bincount(cell, cloud[:, axis], count) for axis in range(3)])
    centroids = sums / np.maximum(members, 1)[:, None]
    centroids = np.where(members[:, None] > 0, centroids, seeds.positions)
    distance = np.linalg.norm(centroids, axis=1, keepdims=True)
    outwards = np.maximum(1.0, _FROM_HOLLOW * seeds.hollow / np.maximum(distance, 1e-300))
    return replace(seeds, positions=np.where(seeds.hollow > 0.0, outwards, 1.0) * centroids)


def fit_weights(seeds: Seeds, domain: Spheroid, tolerance: float = _VOLUME_TOLERANCE) -> Seeds:
    """Weights with which every cell has its target volume (damped Newton, no cell ever empty).

    Args:
        seeds: Positions and targets; the weights are the first guess if they leave no cell empty.
        domain: The outer shape.
        tolerance: Largest relative error of a cell's volume.

    Raises:
        MeshError: If the iteration stalls.
    """
    if seeds.octant:
        whole = fit_weights(mirrored(seeds, domain), domain, tolerance)
        return replace(seeds, weights=whole.weights[: len(seeds.weights)])
    targets = seeds.target_volumes
    weights = seeds.weights
    measures = _measure(seeds, weights, domain)
    if measures.volumes.min() < 0.05 * targets.min():
        weights = np.zeros(len(targets))
        measures = _measure(seeds, weights, domain)
    floor = 0.5 * min(float(measures.volumes.min()), float(targets.min()))
    for _ in range(_NEWTON_STEPS):
        residual = targets - measures.volumes
        if np.abs(residual / targets).max() < tolerance:
            return replace(seeds, weights=weights)
        step = _newton_step(seeds.positions, measures, residual)
        weights, measures = _damped(seeds, domain, weights, step, float(np.linalg.norm(residual)), floor)
    raise MeshError("the volumes of the grains could not be fitted; choose another seed or a smaller spread")


def _damped(
    seeds: Seeds, domain: Spheroid, weights: Array, step: Array, error: float, floor: float
) -> tuple[Array, CellMeasures]:
    """Halve the step until no cell falls below the floor and the error has shrunk."""
    fraction = 1.0
    while fraction > _SMALLEST_STEP:
        trial = weights + fraction * step
        measures = _measure(seeds, trial, domain)
        shrunk = np.linalg.norm(seeds.target_volumes - measures.volumes) <= (1.0 - 0.5 * fraction) * error
        if measures.volumes.min() > floor and shrunk:
            return trial, measures
        fraction *= 0.5
    grain = int(np.argmin(measures.volumes)) + 1
    raise MeshError(f"grain {grain}: its volume could not be fitted; choose another seed or a smaller spread")


def _measure(seeds: Seeds, weights: Array, domain: Spheroid) -> CellMeasures:
    """Volumes and areas of cells inside the particle, those inside its hollow taken off."""
    diagram = power_diagram(seeds.positions, weights, domain)
    whole = cell_measures(diagram, domain)
    if not seeds.hollow:
        return whole
    inside = cell_measures(diagram, Spheroid(seeds.hollow))
    count = len(weights)
    lost = np.searchsorted(whole.pairs @ [count, 1], inside.pairs @ [count, 1])
    areas = whole.areas.copy()
    areas[lost] -= inside.areas
    return CellMeasures(whole.volumes - inside.volumes, whole.pairs, np.maximum(areas, 1e-12 * domain.radius**2))


def _newton_step(positions: Array, measures: CellMeasures, residual: Array) -> Array:
    """Solve dV/dw δw = residual; dV_i/dw_j = -A_ij / (2 |x_i - x_j|), the last weight is held."""
    count = len(positions)
    if count == 1:
        return np.zeros(1)
    first, second = measures.pairs.T
    coupling = measures.areas / (2.0 * np.linalg.norm(positions[first] - positions[second], axis=1))
    rows = np.concatenate([first, second, first, second])
    columns = np.concatenate([second, first, first, second])
    values = np.concatenate([-coupling, -coupling, coupling, coupling])
    matrix: csc_matrix = coo_matrix((values, (rows, columns)), shape=(count, count)).tocsc()
    step = np.zeros(count)
    step[:-1] = np.atleast_1d(spsolve(matrix[:-1, :-1], residual[:-1]))
    return step - step.mean()
