"""Meshes by content: the same description and the same versions give the same file, built once and kept.

An entry is two files, KEY.msh and KEY.json; the second is written last and holds the hash of the first, so an entry
that is half-written or damaged is seen and rebuilt. A lock per key lets concurrent runs wait for one another.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from filelock import FileLock, Timeout

from meshes.body import Progress
from meshes.build import build_particle
from meshes.cache import cache_folder
from meshes.errors import MeshError
from meshes.msh_file import read_msh, write_msh
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from meshes.statistics import MeshReport, report_on

# Raise when the mesher makes different meshes from the same description.
_MESHER_VERSION = 6
# What a description says about other things than the mesh.
_NO_GEOMETRY: dict[str, Any] = {
    "grains": {"orientation", "orientation_seed", "orientation_scatter"},
    "mesh": {"time_limit"},
    "coating": True,
    "matrix": {"material", "plastic"},
}
_SIDECARS = (".h5", ".hdf5", ".bin")


@dataclass(frozen=True)
class StoredMesh:
    """A mesh file in the store.

    Args:
        path: The .msh file (binary 4.1, named groups).
        key: Hash of everything that decides the mesh.
        report: Its figures.
        reused: Whether it was there already.
    """

    path: Path
    key: str
    report: MeshReport
    reused: bool


def default_store() -> Path:
    """Where meshes are kept."""
    return cache_folder() / "meshes"


def obtain(
    particle: Particle, base_folder: Path, progress: Progress | None = None, store: Path | None = None
) -> StoredMesh:
    """The mesh of a particle, from the store or made now.

    Args:
        particle: The description.
        base_folder: Folder that relative file names refer to.
        progress: Is told, in a line each, what is being done.
        store: Folder of the store; by default in the user's cache folder.

    Returns:
        The stored mesh.

    Raises:
        MeshError: If the particle cannot be meshed, or its file cannot be used.
    """
    tell = progress or _silent
    folder = default_store() if store is None else store
    key = mesh_key(particle, base_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{key}.lock", tell):
            found = _find(folder, key, tell)
            if found is not None:
                return found
            start = time.monotonic()
            body = build_particle(particle, base_folder, tell)
            report = replace(
                report_on(body, particle), seconds=round(time.monotonic() - start, 2), versions=_versions()
            )
            return _put(folder, key, body.mesh, report)
    except OSError as error:
        raise MeshError(f"{folder}: the mesh store cannot be used ({error.strerror})") from error


def load(path: Path) -> ParticleMesh:
    """Read a stored mesh.

    Raises:
        MeshError: If the file is missing or damaged.
    """
    return read_msh(path)


def mesh_key(particle: Particle, base_folder: Path) -> str:
    """Hash of what decides the mesh: shape, grains, size, versions; not orientations and not time limits."""
    described: dict[str, Any] = {"mesher": _MESHER_VERSION, "versions": _versions()}
    described |= particle.model_dump(exclude=_NO_GEOMETRY)
    if particle.from_file is not None:
        described["from_file"] |= {"path": _content_hash(base_folder / particle.from_file.path)}
        for key in ("radius", "aspect_ratio", "grains", "mesh"):
            del described[key]
    described["coating"] = [layer.model_dump(exclude={"material"}) for layer in particle.coatings]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:24]


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        progress("another run makes this mesh; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _silent(line: str) -> None:
    """Progress that nobody listens to."""


def _find(folder: Path, key: str, progress: Progress) -> StoredMesh | None:
    """The entry if it is there and undamaged."""
    path, record = folder / f"{key}.msh", folder / f"{key}.json"
    if not record.exists():
        return None
    try:
        data = json.loads(record.read_text())
        report = MeshReport.from_json(data["report"])
        intact = data["sha256"] == _hash_of(path)
    except (OSError, ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        progress("the stored mesh is damaged; making it again")
        return None
    return StoredMesh(path, key, report, reused=True)


def _put(folder: Path, key: str, mesh: ParticleMesh, report: MeshReport) -> StoredMesh:
    path, record = folder / f"{key}.msh", folder / f"{key}.json"
    record.unlink(missing_ok=True)
    _write_atomically(path, lambda temporary: write_msh(mesh, temporary))
    data: Mapping[str, Any] = {"sha256": _hash_of(path), "report": report.to_json()}
    _write_atomically(record, lambda temporary: temporary.write_text(json.dumps(data, indent=1)))
    return StoredMesh(path, key, report, reused=False)


def _write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _content_hash(path: Path) -> str:
    """Hash of a mesh file and of the files beside it that hold its numbers (XDMF keeps them in NAME.h5)."""
    try:
        beside = sorted(other for other in path.parent.glob(f"{glob.escape(path.stem)}*") if other.suffix in _SIDECARS)
        return " ".join(_hash_of(file) for file in (path, *beside))
    except OSError as error:
        raise MeshError(f"{path}: cannot be read ({error.strerror})") from error


@cache
def _versions() -> dict[str, str]:
    return {"gmsh": _gmsh_version(), "numpy": np.__version__, "scipy": scipy.__version__}


def _gmsh_version() -> str:
    """Version of Gmsh's Python module, read from its text: this process does not load Gmsh."""
    found = find_spec("gmsh")
    if found is None or found.origin is None:
        return "absent"
    match = re.search(r'GMSH_API_VERSION\s*=\s*"([^"]+)"', Path(found.origin).read_text(errors="replace"))
    return match.group(1) if match else "unknown"
