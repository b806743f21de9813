"""Errors against the number of cells or steps, and the rates at which they fall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Convergence:
    """Errors of one quantity on finer and finer divisions.

    Attributes:
        counts: Cells along an edge or a radius, or steps of a run.
        errors: Error with each.
    """

    counts: tuple[int, ...]
    errors: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, float]]) -> Convergence:
        """From pairs of count and error."""
        counts, errors = zip(*pairs, strict=True)
        return cls(counts, errors)

    @property
    def rates(self) -> tuple[float, ...]:
        """Orders between neighbouring counts."""
        return tuple((-np.diff(np.log(self.errors)) / np.diff(np.log(self.counts))).tolist())

    @property
    def fitted(self) -> float:
        """Order by the straight line through all errors on logarithmic axes."""
        return -float(np.polyfit(np.log(self.counts), np.log(self.errors), 1)[0])
