"""What one rank does for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mpi4py import MPI

from solver.errors import VegardError

T = TypeVar("T")


def on_root(comm: MPI.Comm, action: Callable[[], T], share: bool = True) -> T | None:
    """Result of something rank 0 does; when it fails there, every rank raises. Collective.

    Args:
        comm: Ranks that wait.
        action: Called on rank 0.
        share: Give every rank the result; otherwise the others get None.
    """
    result: T | None = None
    failure: VegardError | None = None
    if comm.rank == 0:
        try:
            result = action()
        except VegardError as error:
            failure = error
    failure = comm.bcast(failure, root=0)
    if failure is not None:
        raise failure
    return comm.bcast(result, root=0) if share else result
