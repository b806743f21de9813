"""Which boundaries are which, the space that goes with them, and the surface of grains with vertices of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from meshes.particle_mesh import CONTACT, GRAIN_BOUNDARY, LITHIUM_SURFACE, MATRIX, MATRIX_OUTER, OUTER, tagged_mesh
from solver.solve.boundary_transport import BoundaryLaw, BoundaryTransport, angle_between_axes
from solver.solve.diffusion import VERTICES, Diffusion, Medium
from solver.solve.domain import Domain, build_domain
from solver.solve.grainwise import grainwise_space
from solver.solve.phases import Phases
from solver.solve.surface import SurfaceRows

PERFECT, OBSTACLE = BoundaryLaw(), BoundaryLaw(transfer=1e-3)
LIMIT = np.radians(50.0)


@pytest.fixture(scope="module")
def ball() -> Domain:
    return synthetic.domain(MPI.COMM_SELF)


def space_size(domain, high, low, limit=LIMIT) -> int:
    return BoundaryTransport.by_angle(domain, high, low, limit).space().dofmap.index_map.size_global


def test_axes_are_lines():
    tilt = np.radians([0.0, 1e-6, 30.0, 90.0, 150.0, 180.0])
    first = np.tile([0.0, 0.0, 1.0], (len(tilt), 1))
    second = np.column_stack([np.sin(tilt), np.zeros(len(tilt)), np.cos(tilt)])
    expected = np.radians([0.0, 1e-6, 30.0, 90.0, 30.0, 0.0])
    assert angle_between_axes(first, second) == pytest.approx(expected, abs=1e-15)


def test_boundaries_are_sorted_by_angle(ball):
    mesh = synthetic.block()
    pairs = np.sort(ball.grain[facet_cells(ball)], axis=1)
    cosine = np.abs(np.einsum("ki,ki->k", ball.c_axes[pairs[:, 0] - 1], ball.c_axes[pairs[:, 1] - 1]))
    high = int((np.arccos(cosine) > LIMIT).sum())
    counts = BoundaryTransport.by_angle(ball, OBSTACLE, PERFECT, LIMIT).counts
    assert counts.tolist() == [high, (mesh.facet_tags == GRAIN_BOUNDARY).sum() - high]
    assert 0 < high < counts.sum()


def facet_cells(domain: Domain) -> np.ndarray:
    """The two cells of every grain-boundary facet."""
    tags, to_cells = domain.facet_tags, domain.mesh.topology.connectivity(2, 3)
    return np.array([to_cells.links(facet) for facet in tags.indices[tags.values == GRAIN_BOUNDARY]])


def test_only_obstacles_break_the_space(ball):
    continuous, broken = len(ball.mesh.geometry.x), grainwise_space(ball, 1).dofmap.index_map.size_global
    path = BoundaryLaw(path=1.0)
    assert space_size(ball, PERFECT, PERFECT) == space_size(ball, path, path) == continuous
    assert space_size(ball, OBSTACLE, OBSTACLE) == broken
    assert continuous < space_size(ball, OBSTACLE, PERFECT) < broken
    # Obstacles that do not occur leave the space as it is.
    assert space_size(ball, OBSTACLE, PERFECT, limit=np.pi / 2) == continuous


@pytest.mark.parametrize("law", [OBSTACLE, BoundaryLaw(path=1e-2), BoundaryLaw(transfer=1e-3, path=1e-2)])
def test_diffusion_is_symmetric_and_makes_no_lithium(ball, law):
    boundaries = BoundaryTransport.by_angle(ball, law, PERFECT, 0.0)
    medium = Medium(ball, 4e-3, 4e-4, np.where(ball.grain == 1, 1.2, 0.9), boundaries)
    operator = Diffusion(medium, medium.space(), Phases())
    assert operator.stiffness.isSymmetric(1e-14)
    ones = operator.mass.duplicate()
    ones.set(1.0)
    assert (operator.stiffness * ones).norm() < 1e-14
    assert (operator.stiffness.query(VERTICES) is None) == (law.transfer is None)


def test_the_surface_is_that_of_the_continuous_space(ball):
    """Every grain has its own vertices there, and no lithium enters a grain that only touches it with an edge."""
    broken, continuous = (
        SurfaceRows(ball, Medium(ball, 1.0, 1.0, boundaries=boundaries).space(), LITHIUM_SURFACE, {})
        for boundaries in (BoundaryTransport.by_angle(ball, OBSTACLE, OBSTACLE, 0.0), None)
    )
    assert broken.areas.sum() == pytest.approx(continuous.areas.sum(), rel=1e-12)
    mesh = synthetic.block()
    outer = mesh.facets[mesh.facet_tags == OUTER]
    corners = np.sort(mesh.cells[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]], axis=2).reshape(-1, 3)
    grain_of = dict(zip(map(tuple, corners), np.repeat(mesh.grain, 4)))
    pairs = {(grain_of[tuple(np.sort(facet))], vertex) for facet in outer for vertex in facet}
    assert broken.count == len(pairs) > continuous.count == len(np.unique(outer))


def test_facets_against_a_matrix_belong_to_the_grains():
    """The cells of the matrix have degrees of freedom of their own in a broken space; lithium must not enter there."""
    whole = synthetic.block(divisions=10, grains=3)
    far = np.linalg.norm(whole.points[whole.cells], axis=2).max(axis=1) > 1.2 + 1e-9
    mesh = tagged_mesh(whole.points, whole.cells, np.where(far, MATRIX, whole.grain))
    tags, inner = mesh.facet_tags.copy(), mesh.facet_tags == GRAIN_BOUNDARY
    touching = np.linalg.norm(mesh.points[mesh.facets], axis=2).min(axis=1) > 1.2 - 1e-9
    tags[mesh.facet_tags == OUTER] = MATRIX_OUTER
    tags[inner & touching] = CONTACT
    axes = np.eye(3)[: int(whole.grain.max())]
    domain = build_domain(MPI.COMM_SELF, replace(mesh, facet_tags=tags.astype(np.int32)), axes)
    medium = Medium(domain, 1.0, 1.0, boundaries=BoundaryTransport.by_angle(domain, OBSTACLE, OBSTACLE, 0.0))
    space = medium.space()
    rows, mass = SurfaceRows(domain, space, LITHIUM_SURFACE, {}), Diffusion(medium, space, Phases()).mass
    assert rows.areas.sum() == pytest.approx(4 * np.pi * 1.2**2, rel=0.06)
    assert (mass.array_r[rows.areas > 0.0] > 0.0).all()
    filmed = SurfaceRows(domain, space, LITHIUM_SURFACE, {CONTACT: 2.0})
    assert filmed.count == 0
    assert filmed.conductance == pytest.approx(rows.areas / 2.0)
