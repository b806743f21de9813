"""The particle of a case: meshed on one rank, or found in the store, and distributed over all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi4py import MPI

import meshes.store
from meshes.orientation import c_axes
from meshes.particle_mesh import grain_centroids
from solver.case.load import LoadedCase
from solver.collective import on_root
from solver.errors import OutputError
from solver.setup.surroundings import limited_columns
from solver.solve.domain import Domain, build_domain
from solver.solve.interface_layer import Columns
from solver.solve.phases import Phases


@dataclass(frozen=True)
class Particle:
    """A meshed particle ready to be solved, how it was meshed, and the columns of a bond that may open."""

    domain: Domain
    mesh_record: dict[str, Any]
    columns: Columns | None = None


def prepare_particle(
    loaded: LoadedCase,
    comm: MPI.Comm,
    phases: Phases,
    tell: Callable[[str], None],
    kept: Path | None = None,
    record: dict[str, Any] | None = None,
) -> Particle:
    """Meshes the particle on rank 0 (or finds its mesh) and distributes it; collective.

    Args:
        loaded: The case.
        comm: Ranks to distribute over.
        phases: Stopwatch.
        tell: Told how meshing goes.
        kept: File that keeps the mesh with a run; none when None.
        record: How that file was meshed, for a run that goes on with it; the file is written anew when None.

    Raises:
        MeshError: On every rank, when there is no usable mesh.
    """
    particle = loaded.case.particle

    def mesh() -> tuple[Any, Any, Columns | None, dict[str, Any]]:
        if record is not None and kept is not None:
            path, made = kept, record
        else:
            stored = meshes.store.obtain(particle, loaded.folder, tell)
            path, made = stored.path, {"key": stored.key, "reused": stored.reused, "report": stored.report.to_json()}
            if kept is not None:
                _copy(path, kept)
        tets = meshes.store.load(path)
        axes = c_axes(particle, grain_centroids(tets), loaded.folder)
        return tets, axes, limited_columns(particle, tets), made

    with phases.measure("mesh"):
        built = on_root(comm, mesh, share=False)
        tets, axes, columns, mesh_record = built if built is not None else (None, None, None, {})
    with phases.measure("distribution"):
        domain = build_domain(comm, tets, axes)
    return Particle(domain, comm.bcast(mesh_record, root=0), comm.bcast(columns, root=0))


def _copy(path: Path, kept: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
    except OSError as error:
        raise OutputError(f"{kept}: cannot be written ({error.strerror}); choose another --output") from error
