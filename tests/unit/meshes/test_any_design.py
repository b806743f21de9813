"""Any description of a particle gives a sound mesh or a clear error that names the option, in limited time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
from hypothesis import HealthCheck, event, given, note, settings
from pydantic import ValidationError

from meshes.body import Body
from meshes.build import build_particle
from meshes.errors import MeshError
from meshes.particle import Particle
from meshes.particle_mesh import (
    FACET_GROUPS,
    INTERFACE,
    MATRIX,
    all_facets,
    cell_volumes,
    facet_grains,
)
from meshes.quality import check_mesh, inverse_condition
from meshes.statistics import report_on
from tests.helpers.descriptions import Described, descriptions

# More with VEGARD_DESIGNS=500; the seconds are for machines that are busy, a design takes one to ten.
EXAMPLES = int(os.environ.get("VEGARD_DESIGNS", "30"))
SECONDS = 300


@contextmanager
def limited_time(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"no mesh and no error after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def silent(line: str) -> None:
    pass


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="VEGARD_DESIGNS" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(descriptions())
def test_any_design_is_meshed_or_refused_with_the_option(described: Described) -> None:
    with limited_time(SECONDS):
        outcome = mesh_or_problems(described)
        if isinstance(outcome, list):
            event("refused")
            note("\n".join(outcome))
            assert any(problem.startswith("particle.") for problem in outcome)
        else:
            event("meshed")
            check_body(*outcome)


def mesh_or_problems(described: Described) -> tuple[Body, Particle] | list[str]:
    try:
        particle = Particle.model_validate(described)
        return build_particle(particle, Path(), silent), particle
    except ValidationError as error:
        return [".".join(["particle", *map(str, detail["loc"])]) for detail in error.errors()]
    except MeshError as error:
        return list(error.problems)


def check_body(body: Body, particle: Particle) -> None:
    """What every mesh must be."""
    mesh = body.mesh
    check_mesh(mesh)
    assert mesh.dimension == particle.dimension
    assert mesh.grain_count >= 1
    volumes = cell_volumes(mesh.points, mesh.cells)
    assert volumes.min() > 0.0
    facets = all_facets(mesh.cells)
    second = np.where(facets.cells[:, 1] < 0, 0, mesh.grain[facets.cells[:, 1]])
    assert (mesh.grain[facets.cells[:, 0]] != second).sum() == len(mesh.facets)
    assert len(facet_grains(mesh)) == len(mesh.facets)
    assert set(np.unique(mesh.facet_tags)) <= set(FACET_GROUPS)
    thick = mesh.is_grain | (mesh.grain == MATRIX)
    if mesh.dimension == 3:
        assert inverse_condition(mesh.points[mesh.cells[thick]]).min() > 0.02
    wanted = {"matrix": MATRIX in mesh.grain, "limited": INTERFACE in mesh.grain}
    assert wanted["matrix"] == (particle.matrix is not None)
    assert wanted["limited"] == (particle.matrix is not None and particle.matrix.interface == "limited")
    assert report_on(body, particle).text()
