"""Pores between the grains: which sizes, where, and how they touch, before anything is meshed.

Pores are balls that sit where grains meet. They may run into one another and form coral-like shapes, but then they do
so clearly: neither walls nor necks much thinner than the pores are left, which no mesh would resolve. The porosity of
every shell is counted on a cloud of points while pores are added, then radii are scaled until it is met.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.junctions import boundary_points, junction_points
from meshes.label_field import LabelField
from meshes.pore_law import GIANT_REACH, PoreSizes, PorosityLaw, giant_volumes
from meshes.pore_options import LARGEST_RADIUS
from meshes.pore_shells import Cloud, Shells

# How deep a pore reaches into another one, over the smaller radius; and the thinnest wall between two, likewise.
_PENETRATION = (0.2, 0.7)
_WALL = 0.2
# A pore opens to the surface when its centre is less than this many radii below it.
_OPEN_DEPTH = 0.6
_GRAIN_LEFT = 0.5  # of its volume, when pores are placed
_GRAIN_LOST = 0.2
_SIZE_NOISE = 1.0  # how loosely size follows the radius: 0 would sort the pores
_BATCH = 48
_TRIES = 4  # batches per pore
_ROUNDS = 8
_CLOSE = 3e-4  # porosity error at which scaling stops
_TOLERATED = 0.02
_SCALE = (0.6, 1.5)


@dataclass(frozen=True)
class PoreSet:
    """Pores as balls.

    Args:
        centres: Centres [µm], shape (M, 3).
        radii: Radii [µm], shape (M,).
        giants: How many of the first ones are giant pores, whose volume is given.
    """

    centres: Array
    radii: Array
    giants: int = 0

    def scaled(self, factors: Array, giants: Array | float = 1.0) -> PoreSet:
        """The same pores, radii multiplied by factors of shape (M,), those of the giants by their own."""
        factors = factors.copy()
        factors[: self.giants] = giants
        return replace(self, radii=self.radii * factors)


def place_pores(
    field: LabelField, law: PorosityLaw, sizes: PoreSizes, cloud: Cloud, seed: int, closed: bool
) -> PoreSet:
    """Pores with the porosity and the sizes asked for.

    Args:
        field: Grains and void, without pores.
        law: Porosity over the radius; `cloud.shells` is what of it is asked for.
        sizes: Sizes of the pores.
        cloud: Points of the particle.
        seed: Of the random numbers.
        closed: Whether all pores must stay below the surface.

    Returns:
        Pores whose union has the porosity asked for in every shell (counted on the cloud).

    Raises:
        MeshError: If no such pores fit; names the option.
    """
    random = np.random.default_rng([seed, 2])
    giants = _radius(giant_volumes(law, field.outline.radius))
    largest = float(_volume(LARGEST_RADIUS * field.outline.radius))
    volumes = _volumes(cloud, sizes, float(_volume(giants).sum()), largest, random)
    starts = cloud.points[random.permutation(len(cloud.points))[: 20_000 + 20 * len(volumes)]]
    places = [junction_points(field, starts), boundary_points(field, starts), starts]
    placer = _Placer(field, cloud, places, closed, random)
    placer.place_giants(giants)
    placer.place(volumes, _shells_for(volumes, cloud, giants, random))
    placer.top_up(sizes, largest)
    return calibrated(placer.pores(), cloud, field)


def _volumes(cloud: Cloud, sizes: PoreSizes, giant: float, largest: float, random: np.random.Generator) -> Array:
    """Volumes of the small pores [µm³] that together make what the giants leave."""
    asked = float(cloud.shells.porosity @ cloud.shell_points) * cloud.volume - giant
    return np.minimum(sizes.volumes(max(0, round(asked / sizes.mean)), random), largest)


def _shells_for(volumes: Array, cloud: Cloud, giants: Array, random: np.random.Generator) -> Indices:
    """A shell for every pore: each gets the volume it needs, the inner ones the larger pores (loosely)."""
    wanted = cloud.shells.porosity * cloud.shell_points * cloud.volume
    wanted[0] = max(0.0, wanted[0] - float(_volume(giants).sum()))
    rank = np.argsort(np.argsort(volumes)) / max(len(volumes), 1)
    order = np.argsort(-(rank + _SIZE_NOISE * random.random(len(volumes))))
    filled = np.cumsum(volumes[order]) - 0.5 * volumes[order]
    shell = np.empty(len(volumes), dtype=np.int64)
    ends = np.cumsum(wanted) * (volumes.sum() / max(float(wanted.sum()), 1e-300))
    shell[order] = np.minimum(np.searchsorted(ends, filled), len(wanted) - 1)
    return shell


def _volume(radius: Array | float) -> Array:
    """Volume of balls [µm³]."""
    return np.asarray(4.0 / 3.0 * math.pi * np.power(radius, 3))


def _radius(volume: Array | float) -> Array:
    """Radius of balls [µm]."""
    return np.asarray(np.cbrt(0.75 / math.pi * np.asarray(volume)))


class _Placer:
    """Pores placed so far, and what they cover."""

    def __init__(
        self, field: LabelField, cloud: Cloud, places: list[Array], closed: bool, random: np.random.Generator
    ) -> None:
        self._field, self._cloud, self._closed, self._random = field, cloud, closed, random
        self._centres: Array = np.empty((0, 3))
        self._radii: Array = np.empty(0)
        self._giants = 0
        self._empty = np.zeros(len(cloud.points), dtype=bool)
        self._grain_points = np.bincount(cloud.grain, minlength=field.grain_count + 1)
        self._grain_left = self._grain_points.copy()
        count = len(cloud.shells.porosity)
        self._wanted = cloud.shells.porosity * cloud.shell_points
        # For every shell the preferred places and, for when these are taken, the others: in the end inside grains.
        self._pools: list[list[Array]] = [[] for _ in range(count)]
        for points in places:
            shell = cloud.shells.number_of(np.linalg.norm(field.outline.to_ball(points), axis=1))
            for number, pool in enumerate(self._pools):
                pool.append(points[shell == number])

    def pores(self) -> PoreSet:
        """What has been placed."""
        return PoreSet(self._centres, self._radii, self._giants)

    def place_giants(self, radii: Array) -> None:
        """The giant pores: at the two junctions from which both reach least far out."""
        if not len(radii):
            return
        outline = self._field.outline
        first, second = radii
        for candidates in (self._pools[0][0], self._cloud.points):
            near = np.linalg.norm(outline.to_ball(candidates), axis=1) < GIANT_REACH
            candidates = candidates[near][:1000]
            from_centre = np.linalg.norm(candidates, axis=1)
            reach = np.maximum((from_centre + first)[:, None], (from_centre + second)[None])
            apart = cdist(candidates, candidates)
            reach[apart < first + (1.0 + 2.0 * _WALL) * second] = np.inf
            best = divmod(int(reach.argmin()), len(reach)) if reach.size else (0, 0)
            if reach.size and reach[best] < 1.15 * GIANT_REACH * float(outline.semi_axes.min()):
                break
        for index, radius in zip(best, radii):
            self._add(candidates[index], float(radius))
        self._giants = len(radii)

    def place(self, volumes: Array, shells: Indices) -> None:
        """Small pores of these volumes [µm³] into these shells, the largest first."""
        for pore in np.argsort(-volumes, kind="stable"):
            self._place_one(float(_radius(volumes[pore])), int(shells[pore]))

    def top_up(self, sizes: PoreSizes, largest: float) -> None:
        """More pores, of at most the largest volume [µm³], where overlaps and the surface have cost volume."""
        for shell in range(len(self._pools)):
            for volume in np.minimum(sizes.volumes(self._missing_count(shell, sizes.mean), self._random), largest):
                self._place_one(float(_radius(volume)), shell)

    def _missing_count(self, shell: int, mean: float) -> int:
        return max(0, math.ceil(2.0 * self._missing(shell) / mean))

    def _missing(self, shell: int) -> float:
        """Pore volume that a shell still wants [µm³]."""
        return float(self._wanted[shell]) * self._cloud.volume

    def _place_one(self, radius: float, shell: int) -> None:
        """One pore where grains of the shell meet, unless the shell is full or nothing is free."""
        if self._missing(shell) < 0.5 * _volume(radius):
            return
        for pool in self._pools[shell]:
            for _ in range(_TRIES if len(pool) else 0):
                chosen = pool[self._random.integers(len(pool), size=_BATCH)]
                for centre in chosen[self._fits(chosen, radius)]:
                    if self._spares_grains(centre, radius):
                        self._add(centre, radius)
                        return

    def _fits(self, centres: Array, radius: float) -> Array:
        """Whether a pore at these centres leaves only walls and necks that can be resolved."""
        distance = cdist(centres, self._centres)
        penetration = (radius + self._radii - distance) / np.minimum(radius, self._radii)
        merges = (penetration > _PENETRATION[0]) & (penetration < _PENETRATION[1])
        merges[:, : self._giants] = False
        free = (merges | (penetration < -_WALL)).all(axis=1)
        depth = _depth(self._field, centres)
        below = depth > (1.0 + _WALL) * radius
        free &= below if self._closed else below | (depth < _OPEN_DEPTH * radius)
        if self._field.void_radius:
            free &= ~self._field.in_void(centres) & (self._field.void_distance(centres) > (1.0 + _WALL) * radius)
        return free

    def _spares_grains(self, centre: Array, radius: float) -> bool:
        """Whether every grain keeps half its volume."""
        taken = np.bincount(self._cloud.grain[self._fresh(centre, radius)], minlength=len(self._grain_left))
        hit = taken > 0
        return bool((self._grain_left[hit] - taken[hit] >= _GRAIN_LEFT * self._grain_points[hit]).all())

    def _fresh(self, centre: Array, radius: float) -> Indices:
        """Points that a pore would empty."""
        inside = np.array(self._cloud.tree.query_ball_point(centre, radius), dtype=np.int64)
        return inside[~self._empty[inside]]

    def _add(self, centre: Array, radius: float) -> None:
        fresh = self._fresh(centre, radius)
        self._empty[fresh] = True
        self._wanted -= np.bincount(self._cloud.shell[fresh], minlength=len(self._wanted))
        self._grain_left -= np.bincount(self._cloud.grain[fresh], minlength=len(self._grain_left))
        self._centres = np.vstack([self._centres, centre])
        self._radii = np.append(self._radii, radius)


def _depth(field: LabelField, points: Array) -> Array:
    """Depth below the surface [µm], to first order, shape (n,)."""
    ball = field.outline.to_ball(points)
    length = np.maximum(np.linalg.norm(ball, axis=1), 1e-12)
    slope = np.linalg.norm(ball / field.outline.semi_axes, axis=1) / length
    return (1.0 - length) / np.maximum(slope, 1e-12)


def calibrated(pores: PoreSet, cloud: Cloud, field: LabelField) -> PoreSet:
    """Pores with radii scaled shell by shell until the cloud counts the porosity asked for.

    Raises:
        MeshError: If scaling by a reasonable amount does not reach it.
    """
    shell = _shell_of_pores(pores, cloud, field)
    scale: Array = np.ones(len(cloud.shells.porosity))
    giants = _giant_share(pores, cloud, field)
    for _ in range(_ROUNDS):
        counted = cloud.porosity(_emptied(pores.scaled(scale[shell]), cloud, field))
        if np.abs(counted - cloud.shells.porosity).max() < _CLOSE:
            break
        scale = np.clip(scale * correction(counted, cloud.shells.porosity, giants), *_SCALE)
    _refuse_unmet(counted, cloud.shells)
    return pores.scaled(scale[shell])


def correction(built: Array, asked: Array, giants: Array) -> Array:
    """Factors for the radii of the small pores of every shell, shape (s,); the giants' share is not theirs."""
    ratio = np.maximum(asked - giants, 1e-4) / np.maximum(built - giants, 1e-4)
    return np.clip(np.cbrt(ratio), 0.8, 1.25)


def corrected(pores: PoreSet, built: Array, giants: Array, cloud: Cloud, field: LabelField) -> PoreSet:
    """Pores scaled so that the next mesh has the porosity asked for.

    Args:
        pores: What the last mesh was made of.
        built: Porosity of its shells, shape (s,).
        giants: Volumes of the giant pores asked for over those in the mesh, shape (giants,).
        cloud: Points of the particle.
        field: Its grains.
    """
    factors = correction(built, cloud.shells.porosity, _giant_share(pores, cloud, field))
    return pores.scaled(factors[_shell_of_pores(pores, cloud, field)], np.cbrt(giants))


def _shell_of_pores(pores: PoreSet, cloud: Cloud, field: LabelField) -> Indices:
    return cloud.shells.number_of(np.linalg.norm(field.outline.to_ball(pores.centres), axis=1))


def _giant_share(pores: PoreSet, cloud: Cloud, field: LabelField) -> Array:
    """Porosity that the giant pores alone make in every shell, shape (s,)."""
    giants = PoreSet(pores.centres[: pores.giants], pores.radii[: pores.giants])
    return cloud.porosity(_emptied(giants, cloud, field))


def _emptied(pores: PoreSet, cloud: Cloud, field: LabelField) -> Array:
    """Which points of the cloud are in pores."""
    return field.with_pores(pores.centres, pores.radii).in_pore(cloud.points)


def _refuse_unmet(counted: Array, shells: Shells) -> None:
    off = counted - shells.porosity
    if np.abs(off).max() < _TOLERATED:
        return
    worst = int(np.abs(off).argmax())
    inner, outer = shells.edges[worst : worst + 2]
    raise MeshError(
        f"particle.pores: between r/R = {inner:.3g} and {outer:.3g} pores make {100 * counted[worst]:.2f} % where "
        f"{100 * shells.porosity[worst]:.2f} % are asked for; write a larger detail (smaller pores), other porosities, "
        "or another seed"
    )


def lost_grains(pores: PoreSet, cloud: Cloud, field: LabelField) -> Indices:
    """Grains (from 0) of which giant pores and void leave too little for a grain, shape (k,)."""
    whole = np.bincount(cloud.grain - 1, minlength=field.grain_count)
    left = np.bincount(cloud.grain[~_emptied(pores, cloud, field)] - 1, minlength=field.grain_count)
    return np.flatnonzero(left < _GRAIN_LOST * np.maximum(whole, 1))
