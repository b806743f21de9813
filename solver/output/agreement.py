"""Failures while writing: one rank's full disk must stop all ranks with the same words, not hang the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mpi4py import MPI

from solver.errors import OutputError


@contextmanager
def written_by_all(comm: MPI.Comm, what: str) -> Iterator[None]:
    """Runs a block of writing on every rank; collective at its end.

    Args:
        comm: Ranks that run the block.
        what: Named in the message.

    Raises:
        OutputError: On all ranks, when the block could not write on any of them.
    """
    problem = ""
    try:
        yield
    except OSError as error:
        problem = f"{what} could not be written ({error.strerror or error}); free space or choose another --output"
    first = next((text for text in comm.allgather(problem) if text), "")
    if first:
        raise OutputError(first)
