"""Neighbourhoods wider than one layer of ghost cells: copies of what other ranks hold near this rank's own points."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray


class Halo:
    """Exchange pattern for values attached to points: each rank receives the foreign points near its own.

    "Near" is the box around a rank's own points, widened by `margin` on each side, so that nothing within it is missed.

    Args:
        points: (n, 3) places of this rank's values [µm].
        targets: (m, 3) places around which this rank wants the values of others [µm].
        margin: Distance up to which they are wanted [µm].
        comm: All ranks, collectively.
    """

    def __init__(
        self, points: NDArray[np.float64], targets: NDArray[np.float64], margin: float, comm: MPI.Comm
    ) -> None:
        self._comm = comm
        box = np.stack([targets.min(axis=0, initial=np.inf) - margin, targets.max(axis=0, initial=-np.inf) + margin])
        boxes = np.array(comm.allgather(box))
        self._send = [
            np.zeros(0, dtype=np.int64)
            if rank == comm.rank
            else np.flatnonzero(np.all((points >= low) & (points <= high), axis=1))
            for rank, (low, high) in enumerate(boxes)
        ]
        self._counts = [len(rows) for rows in self._send]
        self._received = comm.alltoall(self._counts)

    def extend(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Own rows followed by the received ones.

        Args:
            values: (n, ...) one row per own point; the same trailing shape on all ranks.

        Returns:
            (n + received, ...) array, always with the same order of the received rows.
        """
        width = int(np.prod(values.shape[1:], dtype=np.int64))
        outgoing = np.ascontiguousarray(values[np.concatenate(self._send)], dtype=np.float64)
        incoming = np.empty((sum(self._received), *values.shape[1:]))
        self._comm.Alltoallv(
            [outgoing, [count * width for count in self._counts]],
            [incoming, [count * width for count in self._received]],
        )
        return np.concatenate([values, incoming])
