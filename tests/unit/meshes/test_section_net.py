"""The net of points, the curves and the boundaries of which cross-sections are made."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from meshes.label_contours import label_contours
from meshes.particle import Grains, Particle
from meshes.planar_net import sample_chains, signed_areas, triangulate
from meshes.power_diagram import PowerLabels
from meshes.quality import corner_angles, inverse_condition
from meshes.section_cells import section_edges
from meshes.section_outline import cut_curves, disc
from meshes.section_sizes import sizes_around
from meshes.seeds import place_seeds
from meshes.spheroid import Spheroid

EQUILATERAL = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.75**0.5, 0.0]])
RIGHT = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def even(size: float):
    return lambda points: np.full(len(points), size)


def test_quality_of_triangles() -> None:
    """A regular triangle is perfect, half a square has 4√3 A / Σ l² = √3/2, a turned one has no quality."""
    assert inverse_condition(EQUILATERAL) == pytest.approx(1.0)
    assert inverse_condition(RIGHT) == pytest.approx(0.75**0.5)
    assert inverse_condition(RIGHT[[1, 0, 2]]) == pytest.approx(-(0.75**0.5))
    assert sorted(corner_angles(RIGHT)) == pytest.approx([45.0, 45.0, 90.0])


def test_a_net_without_curves_has_no_sharp_angles() -> None:
    empty = sample_chains([], [], even(0.1))
    points, triangles = triangulate(empty, even(0.1), np.zeros(2), np.ones(2), 0.1, 0.1)
    corners = points[triangles]
    inner = ((corners > 0.15) & (corners < 0.85)).all(axis=(1, 2))
    assert (signed_areas(points, triangles) > 0.0).all()
    angles = corner_angles(np.pad(corners[inner], ((0, 0), (0, 0), (0, 1))))
    assert angles.min() > 40.0
    assert np.sqrt(signed_areas(points, triangles)[inner].mean() * 4.0 / 3.0**0.5) == pytest.approx(0.1, rel=0.15)


def test_the_net_follows_curves_and_grades() -> None:
    """All segments of two crossing curves are edges; sizes grow from 0.03 at the crossing, angles stay above 18°."""

    def size(points: np.ndarray) -> np.ndarray:
        return np.minimum(0.12, 0.03 + 0.3 * np.linalg.norm(points - 0.5, axis=1))

    chains = [np.array([[0.5, 0.5], end]) for end in ([0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9])]
    curves = sample_chains(chains, [1, 1, 2, 2], size)
    points, triangles = triangulate(curves, size, np.zeros(2), np.ones(2), 0.03, 0.12)
    number = {tuple(point): n for n, point in enumerate(points.round(12).tolist())}
    ends = [[number[tuple(point)] for point in curves.points[row].round(12).tolist()] for row in curves.segments]
    edges = {tuple(sorted(pair)) for a, b, c in triangles.tolist() for pair in ((a, b), (b, c), (c, a))}
    assert all(tuple(sorted(pair)) in edges for pair in ends)
    corners = points[triangles]
    inner = ((corners > 0.15) & (corners < 0.85)).all(axis=(1, 2))
    assert corner_angles(np.pad(corners[inner], ((0, 0), (0, 0), (0, 1)))).min() > 18.0
    lengths = np.linalg.norm(np.diff(points[np.array(ends)], axis=1), axis=2)
    assert lengths.min() < 0.05
    assert lengths.max() > 0.08


def test_sizes_are_small_at_small_holes_only() -> None:
    """0.55 radii at the wall, 0.35 more per distance, the smaller of two holes counts, and at most the given size."""
    sizes = sizes_around(np.array([[1.0, 0.0], [1.0, 1.0], [9.0, 9.0]]), np.array([0.2, 0.02, 0.0]), 0.3)
    at = sizes(np.array([[1.2, 0.0], [1.4, 0.0], [1.02, 1.0], [-3.0, 1.0]]))
    assert at == pytest.approx([0.11, 0.18, 0.011, 0.3])
    assert (sizes.smallest, sizes.largest) == pytest.approx((0.011, 0.3))


def test_section_edges_lie_between_the_nearest_seeds() -> None:
    """Middles of the pieces are as far (in power) from two seeds, and no third is nearer; checked with 3D distances."""
    domain = Spheroid(5.0)
    seeds = place_seeds(Particle(grains=Grains(count=25, seed=4)), domain)
    edges = section_edges(seeds.positions, seeds.weights, 5.0)
    middle = edges.mean(axis=1)
    middle = middle[np.linalg.norm(middle, axis=1) < 5.0]
    assert len(middle) > 15
    spatial = np.column_stack([middle, np.zeros(len(middle))])
    power = np.sort(((spatial[:, None] - seeds.positions) ** 2).sum(axis=2) - seeds.weights, axis=1)
    assert power[:, 1] - power[:, 0] == pytest.approx(0.0, abs=1e-8)


def test_contours_of_labels_are_the_edges_of_the_diagram() -> None:
    """Total length inside the disc within 1 % of the exact edges: only meeting points are a part of a grid cell off."""
    domain = Spheroid(5.0)
    seeds = place_seeds(Particle(grains=Grains(count=40, seed=2)), domain)
    labels = PowerLabels(seeds.positions, seeds.weights)
    found = label_contours(lambda points: labels(np.column_stack([points, np.zeros(len(points))])), 5.2, 0.05)
    lengths = [
        sum(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum() for chain in cut_curves(disc(5.0), edges)[1])
        for edges in (found, section_edges(seeds.positions, seeds.weights, 5.0))
    ]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.01)


def test_curves_end_where_they_meet() -> None:
    """A square with a line through it: the rim in two parts, each cut at two corners, and the line without its ends."""
    edges, boundaries = cut_curves(shapely.box(-1.0, -1.0, 1.0, 1.0), np.array([[[-2.0, 0.0], [2.0, 0.0]]]))
    assert sorted(round(shapely.LineString(edge).length, 4) for edge in edges) == [1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    assert len(boundaries) == 1
    assert np.sort(boundaries[0][:, 0])[[0, -1]] == pytest.approx([-1.0, 1.0], abs=1e-6)
