"""Errors against the size of cells or steps, and the rates at which they fall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Convergence:
    """Errors of one quantity at sizes that shrink; the unit of either does not matter to the rates."""

    sizes: tuple[float, ...]
    errors: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Convergence:
        """From pairs of size and error."""
        sizes, errors = zip(*pairs, strict=True)
        return cls(tuple(map(float, sizes)), tuple(map(float, errors)))

    @property
    def rates(self) -> tuple[float, ...]:
        """Exponents between neighbouring sizes."""
        return tuple((np.diff(np.log(self.errors)) / np.diff(np.log(self.sizes))).tolist())

    @property
    def fitted(self) -> float:
        """Exponent of the straight line through all errors on logarithmic axes."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.errors), 1)[0])
