"""Errors that are meant to be read by the person at the keyboard; the command line prints them without a traceback."""

from __future__ import annotations

from collections.abc import Iterable


class VegardError(Exception):
    """A failure with an explanation for the user.

    Args:
        problems: One line per problem; each says what is wrong and what to do instead.
    """

    exit_code = 1

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class MeshError(VegardError):
    """A particle could not be meshed, or a mesh failed its checks; names the grain where there is one."""

    exit_code = 3


class Unmeshable(Exception):
    """An attempt at a mesh that cannot be used; the mesher catches it and tries something else.

    Args:
        reason: What is wrong.
        cell: The grain to blame, numbered from 0, if it is known.
        seed_must_move: Whether only another position of the grain's seed can help.
        took_too_long: Whether it ran into the time limit.
    """

    def __init__(
        self, reason: str, cell: int | None = None, *, seed_must_move: bool = False, took_too_long: bool = False
    ) -> None:
        super().__init__(reason if cell is None else f"grain {cell + 1}: {reason}")
        self.cell = cell
        self.seed_must_move = seed_must_move
        self.took_too_long = took_too_long
