"""Errors of the solver side; see `meshes.errors` for what they have in common."""

from __future__ import annotations

from meshes.errors import MeshError, VegardError

__all__ = ["CaseError", "MeshError", "OutputError", "Requeue", "SolveError", "VegardError"]


class CaseError(VegardError):
    """A case file that cannot be used; every problem is a line `file:line: key: what is wrong; what to write`."""

    exit_code = 2


class OutputError(VegardError):
    """A result folder that cannot be written or must not be overwritten."""

    exit_code = 4


class SolveError(VegardError):
    """A step that failed for good: what failed, at which time, what was tried, where the last state is."""

    exit_code = 5


class Requeue(VegardError):
    """A run that stopped as asked by a signal, after keeping what it needs to go on."""

    exit_code = 75
