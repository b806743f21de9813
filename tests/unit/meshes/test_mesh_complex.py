"""Clipping, regularising and outlines: everything before Gmsh."""

from __future__ import annotations

import numpy as np
import pytest

from meshes.cell_complex import OUTSIDE, CellComplex, FaceKey
from meshes.clipping import clipped_complex
from meshes.frames import PlaneFrame, signed_area
from meshes.outlines import FaceOutline, Outlines, outline_faults, trace_outlines
from meshes.particle import Grains, Particle
from meshes.patches import outline
from meshes.power_diagram import cell_measures, power_diagram
from meshes.regularise import SHORTEST_CURVES, regularise, topology_faults
from meshes.seeds import Seeds, place_seeds
from meshes.spheroid import Spheroid

LEVELS = np.zeros(60, dtype=int)


def make(count: int, seed: int, aspect_ratio: float = 1.0) -> tuple[CellComplex, Seeds]:
    domain = Spheroid(5.0, aspect_ratio)
    grains = Grains(count=count, spread="40 %", relaxation=0, seed=seed)
    seeds = place_seeds(Particle(aspect_ratio=aspect_ratio, grains=grains), domain)
    return clipped_complex(seeds, domain), seeds


@pytest.mark.parametrize("aspect_ratio", [1.0, 2.5, 0.4])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 60])
def test_every_cell_is_a_closed_simple_body(count: int, aspect_ratio: float) -> None:
    complex_, _ = make(count, 1, aspect_ratio)
    assert topology_faults(complex_) == []
    for loops in complex_.faces.values():
        for loop in loops:
            ends = [complex_.ends(side) for side in loop]
            assert all(here[1] == there[0] for here, there in zip(ends, [*ends[1:], ends[0]]))


def test_faces_are_those_of_the_diagram_with_their_exact_areas() -> None:
    complex_, seeds = make(60, 2)
    measures = cell_measures(power_diagram(seeds.positions, seeds.weights, complex_.domain), complex_.domain)
    built = {key: loops for key, loops in complex_.faces.items() if key.other != OUTSIDE}
    assert {(key.cell, key.other) for key in built} == set(map(tuple, measures.pairs.tolist()))
    for (cell, other), exact in zip(measures.pairs.tolist(), measures.areas):
        (loop,) = next(loops for key, loops in built.items() if (key.cell, key.other) == (cell, other))
        points = outline(complex_, loop, segments=200)
        area = signed_area(PlaneFrame.fit(points).flatten(points))
        assert area == pytest.approx(exact, rel=1e-3, abs=1e-6)  # arcs in 200 pieces


def test_surface_vertices_lie_on_the_surface_before_and_after_mending() -> None:
    complex_, _ = make(60, 3, 2.0)
    for _ in range(2):
        points = np.array([p for p, on in zip(complex_.positions, complex_.on_surface) if on])
        assert np.abs((complex_.domain.to_ball(points) ** 2).sum(axis=1) - 1.0).max() < 1e-12
        regularise(complex_, np.full(60, 0.5), LEVELS)


@pytest.mark.parametrize("seed", range(6))
def test_mending_leaves_no_short_curve_and_simple_bodies(seed: int) -> None:
    complex_, _ = make(60, seed)
    shortest_before = min(complex_.length(number) for number in complex_.curves)
    regularise(complex_, np.full(60, 0.5), LEVELS)
    used = {side.curve for loops in complex_.faces.values() for loop in loops for side in loop}
    assert shortest_before < 0.02
    assert min(complex_.length(number) for number in used) >= SHORTEST_CURVES[0] * 0.5
    assert topology_faults(complex_) == []
    assert complex_.collapsed_curves > 10
    outlines = trace_outlines(complex_, np.full(60, 0.5))
    assert outline_faults(outlines) == []


def test_raised_levels_act_only_around_their_cell() -> None:
    sizes = np.full(60, 0.5)

    def mended(cells: list[int]) -> CellComplex:
        complex_, _ = make(60, 0)
        regularise(complex_, sizes, np.where(np.isin(np.arange(60), cells), 3, 0))
        return complex_

    def sides(complex_: CellComplex) -> dict[FaceKey, int]:
        return {key: sum(len(loop) for loop in loops) for key, loops in complex_.faces.items()}

    plain = mended([])
    kept = {side.curve: key.cell for key, loops in plain.faces.items() for loop in loops for side in loop}
    cell = kept[min(kept, key=plain.length)]  # the shortest curve that stayed goes when the limit is raised here
    raised, everywhere = sides(mended([cell])), sides(mended(list(range(60))))
    changed = {key for key, count in sides(plain).items() if raised.get(key) != count}
    assert 0 < len(changed) < 0.5 * sum(everywhere.get(key) != count for key, count in sides(plain).items())
    neighbours = {other for key in plain.faces for other in key[:2] if cell in key[:2]}
    assert all(neighbours & set(key[:2]) for key in changed)


def test_a_cell_that_lost_a_face_is_named() -> None:
    complex_, _ = make(5, 1)
    key = next(key for key in complex_.faces if key.other != OUTSIDE)
    del complex_.faces[key]
    assert {cell for cell, _ in topology_faults(complex_)} == {key.cell, key.other}


def flat_outlines(points: list[tuple[float, float]]) -> Outlines:
    nodes = np.array([(x, y, 0.0) for x, y in points])
    frame = PlaneFrame(np.zeros(3), np.eye(3))
    key = next(iter(make(2, 1)[0].faces))
    face = FaceOutline(key, frame, [np.arange(len(nodes))], [nodes[:, :2]], 1.0)
    return Outlines(nodes, [face])


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(0, 0), (3, 0), (3, 3), (0, 3)], None),
        ([(0, 0), (1, 0), (2, 0), (3, 0), (3, 3), (2, 3), (1, 3), (0, 3)], None),  # collinear edges are no crossing
        ([(0, 0), (4, 0), (4, 3), (1, -1), (0, 3)], "crosses itself"),
        ([(0, 0), (0, 3), (3, 3), (3, 0)], "is turned inside out"),
        ([(0, 0), (3, 0), (3, 0.003), (0, 0.003)], "is too thin"),
        ([(0, 0), (3, 0)], "has fewer than three nodes"),
    ],
)
def test_bad_outlines_are_found(points: list[tuple[float, float]], reason: str | None) -> None:
    assert [fault.reason for fault in outline_faults(flat_outlines(points))] == ([reason] if reason else [])


def test_warped_outlines_are_found() -> None:
    outlines = flat_outlines([(0, 0), (3, 0), (3, 3), (0, 3)])
    outlines.nodes[2, 2] = 2.0
    assert [fault.reason for fault in outline_faults(outlines)] == ["is too warped"]
