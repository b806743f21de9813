"""Pores of a cross-section: the circles in which the plane cuts pores of the size law, put between the grains.

The plane meets a pore of radius r with a probability proportional to r, at any height of it. Areas follow the porosity
law ring by ring: on sections the law is measured.
"""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array
from meshes.errors import MeshError
from meshes.pore_law import GIANT_SHARE, PoreSizes, PorosityLaw, giant_volumes
from meshes.section_holes import Holes, Site

_STREAM = 7
_MOST_PORES = 5_000
_SMALLEST_CUT = 0.4  # circles smaller than this times the smallest pore are nothing to mesh
# Of two pores, in sums of their radii: less than 1 makes chains, which cut off pieces where there are many pores.
_CLOSENESS, _APART, _MANY = 0.85, 1.25, 0.15
_CORNER_SHARE = 1.0 / 3.0
_SIZE_NOISE = 0.6  # how loosely the larger pores are inside
_TRIALS = 60
_CROWDED = 0.1  # share of the trials: with fewer free places the boundaries of a ring are full
_DEPTH = 6.0  # in half the thinnest wall


def smallest_radius(sizes: PoreSizes) -> float:
    """Radius of the smallest circle that is made [µm]."""
    return _SMALLEST_CUT * float(np.cbrt(0.75 / np.pi * sizes.smallest))


def place_circles(boundaries: Array, law: PorosityLaw, sizes: PoreSizes, site: Site, seed: int, closed: bool) -> Holes:
    """Circles between the grains, their areas about those the rings ask for.

    Args:
        boundaries: Ends of straight pieces of grain boundaries [µm], shape (m, 2, 2).
        law: The porosity law.
        sizes: Law of the pore volumes.
        site: The section, its rings, and what is asked of each.
        seed: Of the random numbers.
        closed: Whether all must stay below the surface.

    Raises:
        MeshError: If there would be too many.
    """
    random = np.random.default_rng([seed, _STREAM])
    shells, radius = site.shells, site.radius
    wanted = shells.porosity * np.pi * radius**2 * np.diff(shells.edges**2)
    giants = _giants(law, wanted, radius)
    wanted[0] = max(0.0, wanted[0] - np.pi * float((giants**2).sum()))
    placer = _Placer(_candidates(boundaries, radius, random), site, closed, random)
    placer.put_giants(giants)
    pool = _cut_radii(sizes, wanted.sum(), random)
    for shell, circles in enumerate(_by_shell(pool, wanted, site.smallest, random)):
        for circle in np.sort(circles)[::-1]:
            placer.put(float(circle), shell)
    return placer.holes(len(giants))


def _giants(law: PorosityLaw, wanted: Array, radius: float) -> Array:
    """Radii of the circles of the giant pores, (2,) or (0,): of the area inside they have the share of the volume."""
    cut = np.cbrt(0.75 / np.pi * giant_volumes(law, radius))
    if not cut.any():
        return np.empty(0)
    return cut * min(1.0, np.sqrt(GIANT_SHARE * wanted[0] / (np.pi * float((cut**2).sum()))))


def _cut_radii(sizes: PoreSizes, area: float, random: np.random.Generator) -> Array:
    """Radii of circles of the size law that add up to an area, shape (n,)."""
    pool = np.cbrt(0.75 / np.pi * sizes.volumes(5000, random))
    mean = 2.0 / 3.0 * np.pi * float((pool**3).sum() / pool.sum())
    count = area / mean
    if count > _MOST_PORES:
        raise MeshError(
            f"particle.pores.smallest: {count:.0f} pores would be cut by the section, {_MOST_PORES} are the most; "
            "write a larger smallest pore"
        )
    cut = random.choice(pool, max(1, round(1.3 * count) + 20), p=pool / pool.sum())
    circles = cut * np.sqrt(1.0 - random.uniform(0.0, 1.0, len(cut)) ** 2)
    circles = circles[circles > smallest_radius(sizes)]
    needed = int(np.searchsorted(np.cumsum(np.pi * circles**2), area)) + 1
    return circles[:needed]


def _by_shell(circles: Array, wanted: Array, least: float, random: np.random.Generator) -> list[Array]:
    """Circles for every ring: each gets the area it needs, the inner ones the larger circles (loosely)."""
    rank = np.argsort(np.argsort(circles)) / max(len(circles), 1)
    order = np.argsort(-(rank + _SIZE_NOISE * random.random(len(circles))))
    area = np.pi * circles[order] ** 2
    middle = np.cumsum(area) - 0.5 * area
    ends = np.cumsum(wanted) * (area.sum() / max(float(wanted.sum()), 1e-300))
    shell = np.minimum(np.searchsorted(ends, middle), len(wanted) - 1)
    parts = [circles[order[shell == number]] for number in range(len(wanted))]
    # A ring that got none, as its share is less than a pore, has one all the same unless it is too small to be made.
    alone = np.sqrt(wanted / np.pi)
    return [part if len(part) or radius < least else np.array([radius]) for part, radius in zip(parts, alone)]


def _candidates(boundaries: Array, radius: float, random: np.random.Generator) -> Array:
    """Places between grains: a third where three meet, the others along their boundaries; anywhere without them."""
    count = 20_000
    inside = np.linalg.norm(boundaries, axis=2).min(axis=1) < radius if len(boundaries) else np.empty(0, dtype=bool)
    if not inside.any():
        angle = random.uniform(0.0, 2.0 * np.pi, count)
        reach = radius * np.sqrt(random.random(count))
        return np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    pieces = boundaries[inside]
    length = np.linalg.norm(np.minimum(np.abs(pieces[:, 1] - pieces[:, 0]), 2.0 * radius), axis=1)
    chosen = pieces[random.choice(len(pieces), count, p=length / length.sum())]
    along = random.random((count, 1))
    corner = random.random(count) < _CORNER_SHARE
    along[corner] = np.round(along[corner])
    points = chosen[:, 0] + along * (chosen[:, 1] - chosen[:, 0])
    return points[np.linalg.norm(points, axis=1) < radius]


class _Placer:
    """Circles placed so far."""

    def __init__(self, candidates: Array, site: Site, closed: bool, random: np.random.Generator) -> None:
        reach = np.linalg.norm(candidates, axis=1)
        self._candidates, self._reach = candidates, reach
        self._of_shell = site.shells.number_of(reach / site.radius)
        self._edges, self._radius = site.shells.edges * site.radius, site.radius
        # Beneath a coating or a matrix pores stay so far below the surface.
        self._depth, self._random = _DEPTH * site.gap if closed else None, random
        self._porosity = site.shells.porosity
        self._centres: Array = np.empty((0, 2))
        self._radii: Array = np.empty(0)
        self._shell: list[int] = []

    def put_giants(self, radii: Array) -> None:
        """The giant pores side by side at the centre."""
        if not len(radii):
            return
        angle = self._random.uniform(0.0, 2.0 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)])
        for place, giant in ((-radii[1], radii[0]), (radii[0], radii[1])):
            self._add(place * direction, float(giant), 0)

    def put(self, circle: float, shell: int) -> None:
        """One circle in a ring: between grains if there is room, else inside one, for chains would cut grains off."""
        here = np.flatnonzero(self._of_shell == shell)
        if self._depth is not None:
            here = here[self._reach[here] < self._radius - self._depth - circle]
        if len(here):
            tried = self._candidates[self._random.choice(here, _TRIALS)]
            free = np.flatnonzero(
                self._room(tried, circle) >= (_CLOSENESS if self._porosity[shell] < _MANY else _APART)
            )
            if len(free) >= _CROWDED * _TRIALS:
                self._add(tried[free[0]], circle, shell)
                return
        tried = self._anywhere(shell, circle)
        self._add(tried[int(self._room(tried, circle).argmax())], circle, shell)

    def _room(self, places: Array, circle: float) -> Array:
        """Distance to the nearest circle in sums of radii, shape (n,) for places (n, 2)."""
        distance = np.linalg.norm(places[:, None] - self._centres, axis=2)
        return (distance / (self._radii + circle)).min(axis=1, initial=2.0)

    def _anywhere(self, shell: int, circle: float) -> Array:
        """Places in a ring, below the surface, shape (n, 2)."""
        low, high = self._edges[shell], self._edges[shell + 1]
        high = max(0.0, min(high, self._radius - circle - (self._depth or 0.0)))
        reach = np.sqrt(self._random.uniform(min(low, high) ** 2, high**2, _TRIALS))
        angle = self._random.uniform(0.0, 2.0 * np.pi, _TRIALS)
        return np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])

    def _add(self, centre: Array, radius: float, shell: int) -> None:
        self._centres = np.concatenate([self._centres, [centre]])
        self._radii = np.append(self._radii, radius)
        self._shell.append(shell)

    def holes(self, giants: int) -> Holes:
        """All circles, the giants first."""
        fixed = np.arange(len(self._radii)) < giants
        most = np.full(len(self._radii), np.inf)
        if self._depth is not None:
            most = self._radius - self._depth - np.linalg.norm(self._centres, axis=1)
        return Holes(self._centres, self._radii, np.array(self._shell, dtype=np.int64), fixed, most)
