"""A limit of the verification, with its reason and its test."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_ORDER = "second order; the rest is for coarse meshes"


@dataclass(frozen=True)
class Bar:
    """A limit on a number.

    Attributes:
        quantity: What the number is, in the words of the page.
        limit: The limit.
        why: Why it is this one.
        test: The test that checks it, as file::function.
        at_least: Whether the number must be above the limit rather than below.
    """

    quantity: str
    limit: float
    why: str
    test: str
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number is on the right side; NaN never is."""
        return value > self.limit if self.at_least else value < self.limit

    def check(self, *values: float) -> None:
        """Asserts it of each number."""
        for value in values:
            assert self.holds(value), f"{self.quantity}: {value:.4g}, limit {self.limit:.4g} ({self.why})"

    def row(self, reached: str) -> str:
        """Row of a table: quantity, number reached, limit with its reason, test."""
        sign = ">" if self.at_least else "<"
        return f"| {self.quantity} | {reached} | {sign} {self.limit:g}: {self.why} | `{self.test}` |"
