"""Shells of a particle in which porosity is asked for, and a cloud of points that tells how porous they are.

A radius here is r/R, in a spheroid that of the surface of equal shape. The void at the centre belongs to no shell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import qmc

from meshes.arrays import Array, Indices
from meshes.label_field import LabelField
from meshes.pore_law import GIANT_REACH, PorosityLaw

_SHELLS = 5
_CLOUD_POWER = 19  # of two: points in the box around the particle


@dataclass(frozen=True)
class Shells:
    """Shells and what is asked of them.

    Args:
        edges: r/R of their boundaries, shape (s + 1,).
        porosity: Porosity asked for, shape (s,).
    """

    edges: Array
    porosity: Array

    def number_of(self, radii: Array) -> Indices:
        """Shell of every r/R (the outermost beyond the surface, the innermost below the first edge)."""
        return np.clip(np.searchsorted(self.edges, radii, side="right") - 1, 0, len(self.porosity) - 1)


def shells_of(law: PorosityLaw, void: float, count: int = _SHELLS, finest: float = 0.1) -> Shells:
    """Shells between the radii of a law, the widest halved until there are `count`.

    The giant pores fill much of the centre: with them no shell ends inside half the radius. The innermost counts half
    its width, as it has little volume.

    Args:
        law: The porosity law.
        void: r/R of the void, 0 without one.
        count: Fewest shells, unless they get too thin.
        finest: Least width of a shell that another is halved into, over the radius.
    """
    lowest = max(void + 0.05, GIANT_REACH if law.giants else 0.0)
    edges: list[float] = [void, *(float(radius) for radius in law.radii if lowest <= radius < 1.0 - 1e-9), 1.0]
    while len(edges) <= count:
        widths = np.diff(edges)
        widths[0] *= 0.0 if law.giants and edges[1] <= 2.0 * GIANT_REACH * 0.999 else 0.5
        widest = int(np.argmax(np.round(widths, 9)[::-1]))
        at = len(widths) - 1 - widest
        if edges[at + 1] - edges[at] < 2.0 * finest:
            break
        edges.insert(at + 1, 0.5 * (edges[at] + edges[at + 1]))
    return Shells(np.array(edges), law.between(np.array(edges)))


def without_left_out(shells: Shells, giant_volume: float, particle_volume: float, left_out: float) -> Shells:
    """The shells without the porosity of pores that are too small to be made.

    Args:
        shells: What the law asks.
        giant_volume: Volume of the giant pores, which are in the innermost shell and are made [µm³].
        particle_volume: Volume of the particle [µm³].
        left_out: Share of the volume of the other pores that is left out.
    """
    volumes = particle_volume * np.diff(shells.edges**3)
    giants = np.minimum(shells.porosity, np.where(np.arange(len(volumes)) == 0, giant_volume / volumes, 0.0))
    return replace(shells, porosity=giants + (shells.porosity - giants) * (1.0 - left_out))


class Cloud:
    """Evenly spread points in a particle (outside its void), which measure volumes by counting."""

    def __init__(self, field: LabelField, shells: Shells) -> None:
        box = qmc.Sobol(3, scramble=True, seed=0).random_base2(_CLOUD_POWER) * 2.0 - 1.0
        ball = box[(box**2).sum(axis=1) < 1.0]
        points = field.outline.from_ball(ball)
        there = ~field.in_void(points)
        self.points = points[there]
        self.volume = field.outline.volume / len(ball)
        self.radius = np.linalg.norm(ball[there], axis=1)
        self.shell = shells.number_of(self.radius)
        self.shells = shells
        self._field = field

    @cached_property
    def tree(self) -> cKDTree:
        """Neighbours among the points."""
        return cKDTree(self.points)

    @cached_property
    def grain(self) -> Indices:
        """Grain 1..N at every point."""
        return self._field.grain(self.points)

    @cached_property
    def shell_points(self) -> Indices:
        """Number of points in every shell."""
        return np.bincount(self.shell, minlength=len(self.shells.porosity))

    def porosity(self, empty: Array) -> Array:
        """Share of empty points in every shell, shape (s,)."""
        inside = np.bincount(self.shell[empty], minlength=len(self.shells.porosity))
        return inside / np.maximum(self.shell_points, 1)
