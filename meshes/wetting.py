"""Which pores hang together, which open to the surface, and whose walls lithium passes.

Two facets of a wall bound the same pore space when they share a ridge (an edge; in two dimensions a corner) that no
third facet has. Spaces that only touch along an edge exchange nothing. A space is open when its wall meets the outer
surface along a ridge: that is found on the mesh, not taken from the pores it was made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from meshes.arrays import Array, Indices
from meshes.designs import Pores
from meshes.label_field import LabelField
from meshes.particle import Particle
from meshes.particle_mesh import PORE_WALL, PORE_WALLS, WETTED_PORE_WALL, ParticleMesh, areas_of, facet_grains
from meshes.spheroid import Spheroid


@dataclass(frozen=True)
class PoreSpaces:
    """Connected spaces inside pores and voids, the largest first.

    Args:
        facets: Positions of their walls in the facets of the mesh, shape (k,).
        space: Space that each of these facets bounds, shape (k,).
        is_open: Whether a space opens to the outer surface, shape (s,).
        volumes: Volumes, up to the smooth outer surface where they are open [µm³], shape (s,).
        areas: Area of their walls [µm²], shape (s,).
    """

    facets: Indices
    space: Indices
    is_open: Array
    volumes: Array
    areas: Array


def find_pore_spaces(mesh: ParticleMesh, outline: Spheroid) -> PoreSpaces:
    """The pore spaces of a mesh whose walls carry the tags of pore walls.

    Args:
        mesh: The mesh, in two or three dimensions.
        outline: Its outer shape.
    """
    against_nothing = np.flatnonzero(facet_grains(mesh)[:, 1] == 0)
    is_wall = np.isin(mesh.facet_tags[against_nothing], PORE_WALLS)
    facets = mesh.facets[against_nothing]
    pairs, ridges = _shared_ridges(facets)
    both = is_wall[pairs].all(axis=1)
    links = coo_matrix((np.ones(both.sum(), dtype=np.int8), pairs[both].T), shape=(len(facets),) * 2)
    space = connected_components(links, directed=False)[1]
    walls = np.flatnonzero(is_wall)
    _, space[walls] = np.unique(space[walls], return_inverse=True)
    count = int(space[walls].max(initial=-1)) + 1
    mouths = is_wall[pairs].sum(axis=1) == 1
    pairs, ridges = pairs[mouths], ridges[mouths]
    rim = np.where(is_wall[pairs[:, 0]], pairs[:, 0], pairs[:, 1])
    is_open = np.bincount(space[rim], minlength=count) > 0
    ball = outline.to_ball(mesh.points)
    # Without any pore numpy counts in integers, whatever the weights.
    volumes = -np.bincount(space[walls], _cones(ball, facets[walls]), count).astype(np.float64)
    volumes += _mouth_cones(ball, facets[rim], ridges, space[rim], count)
    axes = outline.semi_axes[: mesh.dimension]
    volumes *= axes.prod()
    areas = np.bincount(space[walls], areas_of(mesh.points, facets[walls]), count)
    order = np.argsort(-volumes, kind="stable")
    rank = np.argsort(order, kind="stable")
    return PoreSpaces(against_nothing[walls], rank[space[walls]], is_open[order], volumes[order], areas[order])


def _shared_ridges(facets: Indices) -> tuple[Indices, Indices]:
    """Pairs of facets (p, 2) that alone share a ridge, and the corners of that ridge (p, dimension - 1)."""
    dimension = facets.shape[1]
    ridge = np.concatenate([np.delete(facets, corner, axis=1) for corner in range(dimension)])
    owner = np.tile(np.arange(len(facets)), dimension)
    ridge = np.sort(ridge, axis=1)
    order = np.lexsort(ridge.T)
    ridge, owner = ridge[order], owner[order]
    first = np.flatnonzero(np.concatenate([[True], (ridge[1:] != ridge[:-1]).any(axis=1)])) if len(ridge) else order
    two = first[np.diff(np.concatenate([first, [len(ridge)]])) == 2]
    return np.column_stack([owner[two], owner[two + 1]]), ridge[two]


def _cones(ball: Array, facets: Indices) -> Array:
    """Signed volume between the centre and facets, shape (k,)."""
    if facets.shape[1] == 2:
        a, b = (ball[facets[:, corner]] for corner in range(2))
        return 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    a, b, c = (ball[facets[:, corner]] for corner in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0


def _mouth_cones(ball: Array, facets: Indices, ridges: Indices, space: Indices, count: int) -> Array:
    """Volume between the centre and the mouths of every space, on the unit sphere (or circle), shape (s,).

    Args:
        ball: Points in ball coordinates, shape (n, 3).
        facets: Wall facets at the mouths, turned outwards of the solid, shape (m, dimension).
        ridges: Their ridges at the mouth, shape (m, dimension - 1).
        space: Their spaces, shape (m,).
        count: Number of spaces.
    """
    if facets.shape[1] == 2:
        # A mouth goes from the end of one wall to the start of the next, against the walls' own sense.
        angle = np.arctan2(ball[ridges[:, 0], 1], ball[ridges[:, 0], 0])
        sign = np.where(facets[:, 1] == ridges[:, 0], -1.0, 1.0)
        return 0.5 * np.mod(np.bincount(space, -sign * angle, count), 2.0 * np.pi)
    start, end = _along_facets(facets, ridges)
    loop = _loops(start, end)
    centre = np.stack([np.bincount(loop, ball[start, axis]) for axis in range(3)], axis=1).astype(float)
    centre /= np.maximum(np.linalg.norm(centre, axis=1), 1e-300)[:, None]
    a, b = (ball[ends] / np.linalg.norm(ball[ends], axis=1)[:, None] for ends in (start, end))
    apex = centre[loop]
    turn = np.einsum("ij,ij->i", apex, np.cross(a, b))
    reach = 1.0 + (apex * a).sum(axis=1) + (apex * b).sum(axis=1) + (a * b).sum(axis=1)
    return np.bincount(space, 2.0 * np.arctan2(turn, reach) / 3.0, count)


def _along_facets(facets: Indices, ridges: Indices) -> tuple[Indices, Indices]:
    """Start and end of edges in the sense in which their triangles run through them."""
    start, end = ridges.T
    following = np.take_along_axis(facets, ((facets == start[:, None]).argmax(axis=1)[:, None] + 1) % 3, axis=1)[:, 0]
    forward = following == end
    return np.where(forward, start, end), np.where(forward, end, start)


def _loops(start: Indices, end: Indices) -> Indices:
    """Which connected chain of edges every edge belongs to, shape (m,)."""
    corners, number = np.unique(np.concatenate([start, end]), return_inverse=True)
    first, second = number[: len(start)], number[len(start) :]
    links = coo_matrix((np.ones(len(start), dtype=np.int8), (first, second)), shape=(len(corners),) * 2)
    return connected_components(links, directed=False)[1][first]


def void_space(mesh: ParticleMesh, field: LabelField, spaces: PoreSpaces) -> int | None:
    """Which space is the void of a mesh; None if there is none."""
    if not field.void_radius or not len(spaces.facets):
        return None
    areas = areas_of(mesh.points, mesh.facets[spaces.facets])
    return int(np.bincount(spaces.space, areas * _on_void(mesh, field, spaces), len(spaces.volumes)).argmax())


def volumes_of_pores(mesh: ParticleMesh, field: LabelField, spaces: PoreSpaces, count: int) -> Array:
    """Volumes of the spaces that the first pores of a field are in [µm³], shape (count,)."""
    pore = field.nearest_pore(mesh.points[mesh.facets[spaces.facets]].mean(axis=1))
    areas = areas_of(mesh.points, mesh.facets[spaces.facets])
    held = [np.bincount(spaces.space, areas * (pore == number), len(spaces.volumes)) for number in range(count)]
    return np.array([spaces.volumes[int(area.argmax())] for area in held])


def _on_void(mesh: ParticleMesh, field: LabelField, spaces: PoreSpaces) -> Array:
    """Which wall facets are those of the void or its channel, shape (k,)."""
    middle = mesh.points[mesh.facets[spaces.facets]].mean(axis=1)
    return field.void_distance(middle) <= field.pore_distance(middle)


def wet_walls(mesh: ParticleMesh, particle: Particle, field: LabelField) -> ParticleMesh:
    """The mesh with the walls of pores and void tagged as dry or as passed by lithium.

    Args:
        mesh: A mesh whose walls are tagged `PORE_WALL`.
        particle: What is asked for: `pores.wetted` and `void.wetted`.
        field: The pores and the void it was made of.
    """
    spaces = find_pore_spaces(mesh, field.outline)
    if not len(spaces.facets):
        return mesh
    middle = mesh.points[mesh.facets[spaces.facets]].mean(axis=1)
    wall_of_void = _on_void(mesh, field, spaces)
    wet = np.zeros(len(spaces.facets), dtype=bool)
    if particle.void is not None:
        wet |= wall_of_void & (particle.void.open if particle.void.wetted is None else particle.void.wetted)
    if particle.pores is not None:
        areas = areas_of(mesh.points, mesh.facets[spaces.facets])
        seed = particle.grains.seed if particle.pores.seed is None else particle.pores.seed
        wet |= ~wall_of_void & _wet_pores(particle.pores, spaces, field.nearest_pore(middle), areas, seed)
    tags = mesh.facet_tags.copy()
    tags[spaces.facets] = np.where(wet, WETTED_PORE_WALL, PORE_WALL)
    return replace(mesh, facet_tags=tags)


def _wet_pores(asked: Pores, spaces: PoreSpaces, pore: Indices, areas: Array, seed: int) -> Array:
    """Which wall facets are wet; a share is made of pores drawn by lot, each wet or dry as a whole."""
    if isinstance(asked.wetted, str):
        return {"none": np.zeros(len(pore), dtype=bool), "all": np.ones(len(pore), dtype=bool)}.get(
            asked.wetted, spaces.is_open[spaces.space]
        )
    area_of_pore = np.bincount(pore, areas)
    drawn = np.random.default_rng([seed, 3]).permutation(len(area_of_pore))
    before = np.cumsum(area_of_pore[drawn]) - 0.5 * area_of_pore[drawn]
    wet = np.zeros(len(area_of_pore), dtype=bool)
    wet[drawn[before < asked.wetted * area_of_pore.sum()]] = True
    return wet[pore]
