"""Crystals and small helpers of the elastic cases: stiffnesses, lattices, a polycrystal of eight grains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from boxes import ball, domain_of, with_facets
from dolfinx import fem
from numpy.typing import NDArray

from solver.materials import LatticeStrain, Layer, TransverseStiffness
from solver.solve.coating_stress import CoatingStress
from solver.solve.domain import Domain
from solver.solve.elastic_term import ElasticTerm
from solver.solve.mechanics import Mechanics
from solver.solve.membrane import Film, Membrane
from solver.solve.phases import Phases
from solver.solve.solids import Crystal, Solids, by_grain, one_crystal

Array = NDArray[np.float64]

CRYSTAL_CONSTANTS = (285e3, 93e3, 65e3, 215e3, 52e3)
STIFFNESS = TransverseStiffness(*CRYSTAL_CONSTANTS)


def linear_lattice(strain_a: float, strain_c: float) -> LatticeStrain:
    """ε_a and ε_c proportional to x."""
    return LatticeStrain(np.array([0.0, 1.0]), np.array([0.0, strain_a]), np.array([0.0, strain_c]))


def isotropic_crystal(young: float, poisson: float, swell: float) -> Crystal:
    """Isotropic stiffness and a linear strain of `swell` at x = 1 in all directions."""
    return Crystal(TransverseStiffness.isotropic(young, poisson), linear_lattice(swell, swell))


def mechanics(
    domain: Domain,
    crystals: Sequence[Crystal],
    crystal_of_grain: NDArray[np.intp] | None = None,
    tolerance: float = 1e-10,
    rest: float = 0.0,
    layers: Mapping[int, Layer] | None = None,
    terms: Sequence[ElasticTerm] = (),
    films: Sequence[Film] = (),
) -> Mechanics:
    """Mechanics with a tight solver, free of stress at x = `rest`."""
    shares = one_crystal if crystal_of_grain is None else by_grain(crystal_of_grain)
    solids = Solids(domain, crystals, shares, layers=layers, rest=rest)
    membranes = [Membrane(domain, film, solids) for film in films]
    coating = CoatingStress(domain, solids, {}, films) if films else None
    return Mechanics(domain, solids, tolerance=tolerance, phases=Phases(), terms=[*terms, *membranes], coating=coating)


def lithium(domain: Domain, value: float | Callable[[Array], Array]) -> fem.Function:
    """P1 field from a function of (3, n) points, or a number."""
    field = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    field.interpolate(value if callable(value) else lambda points: np.full(points.shape[1], value))
    return field


def polycrystal(turn: Array | None = None) -> Domain:
    """Eight grains in a ball of radius 5, one per octant, with fixed odd axes; optionally turned as a whole."""
    mesh = ball(5, 5.0)
    centroids = mesh.points[mesh.cells].mean(axis=1)
    grain = ((centroids > 0) @ [1, 2, 4] + 1).astype(np.int32)
    axes = np.random.default_rng(3).normal(size=(8, 3))
    points = mesh.points
    if turn is not None:
        points, axes = points @ turn.T, axes @ turn.T
    return domain_of(with_facets(points, mesh.cells, grain), axes.tolist())


def growing_with_radius(points: Array) -> Array:
    """A radial lithium field in that ball: the same in every frame."""
    return 0.3 + 0.4 * (points**2).sum(axis=0) / 25.0
