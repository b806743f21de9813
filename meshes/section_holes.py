"""The holes of a cross-section: discs, what they leave of the solid, and how much of each ring they take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from meshes.arrays import Array, Indices
from meshes.planar_net import Size
from meshes.pore_shells import Shells
from meshes.section_outline import disc, discs

_SEGMENTS = 48
_CORRECTIONS = 12
_LARGEST_CHANGE = 1.25
_THINNEST_WALL = 0.25  # half of it, over the radius of the smallest hole


@dataclass(frozen=True)
class Holes:
    """Discs cut out of a section.

    Args:
        centres: Centres [µm], shape (M, 2).
        radii: Radii [µm], shape (M,).
        shell: Ring whose porosity each is there for, shape (M,).
        fixed: Whether its radius is given and not to be adjusted, shape (M,).
        most: Largest radius it may get [µm], shape (M,).
    """

    centres: Array
    radii: Array
    shell: Indices
    fixed: Array
    most: Array


@dataclass(frozen=True)
class Site:
    """Where holes are cut.

    Args:
        outline: The section without holes.
        void: The hollow at the centre, perhaps empty; no part of the rings.
        shells: Rings r/R and the porosity asked of each.
        radius: R [µm].
        smallest: Smallest radius of a hole [µm].
    """

    outline: BaseGeometry
    void: BaseGeometry
    shells: Shells
    radius: float
    smallest: float

    @property
    def gap(self) -> float:
        """Walls thinner than twice this give way, channels thinner than that are closed [µm]."""
        return _THINNEST_WALL * self.smallest

    @cached_property
    def rings(self) -> list[BaseGeometry]:
        """The rings as polygons, the void taken out."""
        edges = [disc(float(edge) * self.radius) if edge > 0.0 else shapely.Polygon() for edge in self.shells.edges]
        edges[-1] = self.outline
        return [outer.difference(inner).difference(self.void) for inner, outer in pairwise(edges)]


def solid_around(site: Site, holes: Holes) -> BaseGeometry:
    """What the holes leave: one piece without walls or channels too thin to be meshed."""
    empty = shapely.union_all([site.void, *discs(holes.centres, holes.radii, _SEGMENTS)])
    # Mitred, so that corners of the polygons do not multiply.
    for step in (site.gap, -2.0 * site.gap, site.gap):
        empty = empty.buffer(step, join_style="mitre")
    solid = site.outline.difference(empty)
    for step in (-site.gap, site.gap):
        solid = solid.buffer(step, join_style="mitre")
    solid = solid.intersection(site.outline)
    largest = max(shapely.get_parts(solid), key=lambda part: part.area)
    smallest = 8.0 * site.gap**2
    rings = [ring for ring in largest.interiors if shapely.Polygon(ring).area > smallest]
    whole = shapely.Polygon(largest.exterior, rings)
    fewer = whole.simplify(0.05 * site.gap, preserve_topology=False)
    return fewer if fewer.is_valid and fewer.geom_type == "Polygon" else whole


def ring_porosity(site: Site, solid: BaseGeometry) -> Array:
    """Share of each ring that is not solid, shape (s,)."""
    return np.array([1.0 - solid.intersection(ring).area / ring.area for ring in site.rings])


def fitted(site: Site, holes: Holes, asked: Array) -> Holes:
    """Holes with radii changed ring by ring until they take what is asked of each ring, shape (s,)."""
    for _ in range(_CORRECTIONS):
        taken = ring_porosity(site, solid_around(site, holes))
        if np.abs(taken - asked).max() < 2e-4:
            break
        area = np.bincount(holes.shell, np.pi * holes.radii**2 * ~holes.fixed, len(asked))
        wanted = area + (asked - taken) * np.array([ring.area for ring in site.rings])
        change = np.sqrt(np.maximum(wanted, 1e-12) / np.maximum(area, 1e-12))
        change = np.clip(change, 1.0 / _LARGEST_CHANGE, _LARGEST_CHANGE)[holes.shell]
        changed = np.clip(holes.radii * change, site.smallest, np.maximum(holes.most, site.smallest))
        holes = replace(holes, radii=np.where(holes.fixed, holes.radii, changed))
    return holes


def lost_to_chords(site: Site, holes: Holes, sizes: Size) -> Array:
    """Share of the holes of every ring that edges of the given sizes, as chords of their circles, leave solid (s,)."""
    at_wall = holes.centres + np.column_stack([holes.radii, np.zeros(len(holes.radii))])
    angle = sizes(at_wall) / holes.radii
    area = holes.radii**2
    lost = area * (1.0 - np.sin(angle) / angle)
    count = len(site.shells.porosity)
    return np.bincount(holes.shell, lost, count) / np.maximum(np.bincount(holes.shell, area, count), 1e-300)
