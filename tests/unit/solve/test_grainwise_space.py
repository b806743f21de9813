"""Spaces that are broken between grains, against a count by hand, on one and several ranks (eq. 12.1)."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import combinations, product
from pathlib import Path

import broken_spaces
import numpy as np
import pytest
import synthetic
from broken_spaces import DOMAINS, SHAPES, SLOPE, VARIANTS
from mpi4py import MPI
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from meshes.particle_mesh import GRAIN_BOUNDARY, ParticleMesh, areas_of, cell_volumes, facet_grains
from solver.mpi import launch_command

MESHES = {"ball": synthetic.block, "disc": synthetic.flat_mesh}
KEYS = ["/".join(map(str, key)) for key in product(DOMAINS, (1, 2), SHAPES, VARIANTS)]
# Sums of some thousand terms in another order.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def figures() -> broken_spaces.Figures:
    return broken_spaces.figures(MPI.COMM_SELF)


def nodes_of(corners: np.ndarray, degree: int) -> list[tuple[int, ...]]:
    """Vertices, and for P2 the edges, of a cell or facet."""
    found = [(int(corner),) for corner in corners]
    if degree == 2:
        found += [tuple(sorted((int(first), int(second)))) for first, second in combinations(corners, 2)]
    return found


def size_by_hand(mesh: ParticleMesh, degree: int, variant: str) -> int:
    """Pairs (grain, node), less what joined facets make one."""
    number: dict[tuple[int, tuple[int, ...]], int] = {}
    for grain, corners in zip(mesh.grain, mesh.cells):
        for node in nodes_of(corners, degree):
            number.setdefault((int(grain), node), len(number))
    joins, grains = VARIANTS[variant], facet_grains(mesh)
    links = []
    for pair, corners, tag in zip(grains, mesh.facets, mesh.facet_tags):
        if joins is not None and tag == GRAIN_BOUNDARY and joins(pair):
            links += [[number[int(grain), node] for grain in pair] for node in nodes_of(corners, degree)]
    ends = np.array(links, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(len(number),) * 2)
    return int(connected_components(graph, directed=False)[0])


@pytest.mark.parametrize("key", KEYS)
def test_size_and_fields(figures, key):
    particle, degree, shape, variant = key.split("/")
    mesh, found = MESHES[particle](), figures[key]
    components = 3 if SHAPES[shape] else 1
    assert found["size"] == size_by_hand(mesh, int(degree), variant)
    volume = np.abs(cell_volumes(mesh.points, mesh.cells)).sum()
    slope = SLOPE[: mesh.dimension]
    assert found["linear gradient"] == pytest.approx(components * slope @ slope * volume, rel=ROUNDING)
    assert found["linear jump"] == pytest.approx(0.0, abs=ROUNDING)
    if variant == "none":
        inner = mesh.facet_tags == GRAIN_BOUNDARY
        step = np.diff(facet_grains(mesh)[inner], axis=1)[:, 0]
        expected = components * areas_of(mesh.points, mesh.facets[inner]) @ step**2
        assert found["stepped jump"] == pytest.approx(expected, rel=ROUNDING)
        assert found["stepped gradient"] == pytest.approx(0.0, abs=ROUNDING)
    else:
        assert found["joined jump"] == pytest.approx(0.0, abs=ROUNDING)


@pytest.mark.parametrize("particle", DOMAINS)
def test_joining_all_boundaries_gives_the_continuous_space(figures, particle):
    mesh = MESHES[particle]()
    assert figures[f"{particle}/1/scalar/all"]["size"] == len(mesh.points)


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [2, 3])
def test_figures_do_not_depend_on_the_number_of_ranks(figures, ranks):
    command, environment = launch_command(ranks, [broken_spaces.__file__])
    root = Path(__file__).parents[3]
    environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "tests" / "helpers")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    together = json.loads(done.stdout)
    assert together.keys() == figures.keys()
    for key, expected in figures.items():
        assert together[key] == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING), key
