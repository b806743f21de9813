"""Where a result comes from: program, libraries, command, machine, batch job, and what the run took."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from mpi4py import MPI

_PACKAGES = (
    "vegard",
    "fenics-dolfinx",
    "fenics-basix",
    "fenics-ufl",
    "fenics-ffcx",
    "petsc4py",
    "mpi4py",
    "numpy",
    "scipy",
    "h5py",
    "meshio",
    "pydantic",
)
_BATCH_VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_NAME",
    "SLURM_NTASKS",
    "SLURM_NODELIST",
    "SLURM_CLUSTER_NAME",
)


def origin(comm: MPI.Comm) -> dict[str, Any]:
    """What is known when a run starts; the same structure on every rank, meant for rank 0."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "working_folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "ranks": comm.size,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "batch_job": {name: os.environ[name] for name in _BATCH_VARIABLES if name in os.environ},
        "versions": _versions(),
        "source": _source(Path(__file__).resolve().parents[2]),
        "platform": platform.platform(),
    }


def peak_memory(comm: MPI.Comm) -> list[float]:
    """Peak memory of each rank [MB]; collective."""
    # Linux counts in kB, macOS in bytes.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return [round(value, 1) for value in comm.allgather(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    versions["mpi"] = MPI.Get_library_version().splitlines()[0].strip("\0 ")
    return versions


def _source(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout the program runs from and whether files differ from it; None outside a checkout."""
    if not (folder / ".git").exists():
        return None
    changes = _git(folder, "status", "--porcelain")
    commit = _git(folder, "rev-parse", "HEAD") or _commit_from_files(folder / ".git")
    return {"commit": commit, "changed": None if changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command, or None where git cannot answer."""
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _commit_from_files(git: Path) -> str | None:
    """Commit of a checkout on a machine without git."""
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        if (git / reference).exists():
            return (git / reference).read_text().strip()
        packed = (line.split() for line in (git / "packed-refs").read_text().splitlines())
        return next((words[0] for words in packed if words[1:] == [reference]), None)
    except OSError:
        return None
