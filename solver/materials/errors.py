"""The error of this room: a library file or a choice of material that cannot be used."""

from __future__ import annotations

from solver.errors import CaseError


class MaterialError(CaseError):
    """A material that does not exist, contradicts itself or is used where it has no numbers; one line per problem."""
