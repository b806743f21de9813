"""Anderson's acceleration of a fixed-point iteration v ← g(v) (eq. 13.9; Anderson 1965, Walker and Ni 2011)."""

from __future__ import annotations

from collections import deque

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Columns that depend on each other to this accuracy say nothing new.
_SMALLEST_SINGULAR_VALUE = 1e-12


class Anderson:
    """Finds the next point from the latest points and their images.

    On a linear problem in n dimensions it ends with the n+1-th image, if the depth is n.

    Args:
        comm: Ranks that share the vectors.
        weights: (k,) weights of the owned entries in the norm of the residual.
        depth: How many differences it keeps.
    """

    def __init__(self, comm: MPI.Comm, weights: Array, depth: int = 5) -> None:
        self._comm, self._weights = comm, weights
        self._steps: deque[tuple[Array, Array]] = deque(maxlen=depth)
        self._latest: tuple[Array, Array] | None = None

    def forget(self) -> None:
        """Begins a new iteration."""
        self._steps.clear()
        self._latest = None

    def next(self, point: Array, image: Array) -> Array:
        """The point to try after `point`, whose image is `image`, both (k,); collective."""
        residual = image - point
        if self._latest is not None:
            before, before_image = self._latest
            self._steps.append((residual - before, image - before_image))
        self._latest = residual, image
        if not self._steps:
            return image
        changes = np.stack([change for change, _ in self._steps])
        moves = np.stack([move for _, move in self._steps])
        return image - self._coefficients(changes, residual) @ moves

    def _coefficients(self, changes: Array, residual: Array) -> Array:
        """Least squares of residual − θ · changes, by normal equations of scaled rows."""
        rows = np.concatenate([changes, residual[None]])
        local = (self._weights * rows) @ rows.T
        products = np.empty_like(local)
        self._comm.Allreduce(local, products)
        scale = np.sqrt(np.maximum(products.diagonal()[:-1], np.finfo(float).tiny))
        gram = products[:-1, :-1] / np.outer(scale, scale)
        found, *_ = np.linalg.lstsq(gram, products[:-1, -1] / scale, rcond=_SMALLEST_SINGULAR_VALUE)
        return found / scale
