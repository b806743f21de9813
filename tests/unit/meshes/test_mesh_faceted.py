"""Faceted crystals: their planes, volume, cross-section and mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meshes.build import build_particle
from meshes.faceted import crystal
from meshes.orientation import c_axes
from meshes.particle import FixedOrientation, Grains, Particle
from meshes.particle_mesh import OUTER, cell_volumes, enclosed_volume
from meshes.quality import check_mesh, measure_quality


def silent(line: str) -> None:
    pass


def face_normals(points: np.ndarray, facets: np.ndarray) -> np.ndarray:
    a, b, c = (points[facets[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    return normals / np.linalg.norm(normals, axis=1)[:, None]


@pytest.mark.parametrize("aspect_ratio", [0.4, 0.6, 1.0, 1.6])
def test_a_crystal_has_eight_planes_at_the_angles_of_the_lattice(aspect_ratio: float) -> None:
    corners, faces = crystal(2.0, aspect_ratio)
    assert len(corners) == 12
    distances, heights = [], []
    for face in faces:
        normal = face_normals(corners, face[None, :3])[0]
        distance = corners[face] @ normal
        assert np.ptp(distance) < 1e-9
        assert (corners @ normal < distance[0] + 1e-9).all()
        heights.append(abs(normal[2]))
        distances.append(distance[0])
    # (104) of a hexagonal lattice: its reciprocal vector has 2/(√3 a) across and 4/c along the c axis.
    across, along = 2.0 / (np.sqrt(3.0) * 2.872), 4.0 / 14.20
    assert np.allclose(sorted(heights)[:6], along / np.hypot(along, across))
    assert np.allclose(sorted(heights)[6:], 1.0)
    flat = np.array(heights) > 0.99
    assert np.array(distances)[flat].mean() / np.array(distances)[~flat].mean() == pytest.approx(aspect_ratio)


def test_a_faceted_particle_has_the_volume_of_its_ball_and_its_c_axis_upright() -> None:
    particle = Particle(radius="1 um", shape="faceted")
    body = build_particle(particle, Path(), silent)
    mesh = body.mesh
    check_mesh(mesh)
    volume = 4.0 / 3.0 * np.pi
    assert cell_volumes(mesh.points, mesh.cells).sum() == pytest.approx(volume, rel=1e-12)
    assert enclosed_volume(mesh) == pytest.approx(volume, rel=1e-12)
    assert (mesh.facet_tags == OUTER).all()
    assert len(np.unique(np.round(face_normals(mesh.points, mesh.facets), 6) + 0.0, axis=0)) == 8
    assert measure_quality(mesh.points, mesh.cells, mesh.grain).is_good
    assert c_axes(particle, np.zeros((1, 3)), Path()).tolist() == [[0.0, 0.0, 1.0]]


def test_another_orientation_of_a_faceted_particle_is_left_as_it_is() -> None:
    tilted = Particle(shape="faceted", grains={"orientation": {"axis": [1.0, 0.0, 0.0]}})
    assert c_axes(tilted, np.zeros((1, 3)), Path()).tolist() == [[1.0, 0.0, 0.0]]
    assert Particle(shape="faceted", grains=Grains(count=1)).grains.orientation == FixedOrientation(
        axis=[0.0, 0.0, 1.0]
    )
    assert Particle.model_validate(tilted.model_dump(mode="json")) == tilted


def test_the_cross_section_of_a_crystal_is_a_hexagon() -> None:
    body = build_particle(Particle(radius="1 um", shape="faceted", dimension=2), Path(), silent)
    mesh = body.mesh
    assert mesh.dimension == 2
    assert np.abs(mesh.points[:, 2]).max() == 0.0
    assert cell_volumes(mesh.points, mesh.cells).min() > 0.0
    assert cell_volumes(mesh.points, mesh.cells).sum() == pytest.approx(body.volume_asked, rel=1e-12)
    edges = mesh.points[mesh.facets[:, 1]] - mesh.points[mesh.facets[:, 0]]
    directions = np.degrees(np.arctan2(edges[:, 1], edges[:, 0])) % 360.0
    assert len(np.unique(np.round(directions, 3) % 360.0)) == 6
