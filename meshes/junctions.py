"""Where grains meet: points on the faces, lines and corners that grains share, for pores to sit at."""

from __future__ import annotations

import numpy as np

from meshes.arrays import Array, Indices
from meshes.label_field import LabelField, distance_chunks, shape_matrices

_CORNER_SHARE = 1.0 / 3.0  # of the points; the others lie on lines
_NEWTON_STEPS = 6
_ROUND_OFF = 1e-6  # of the square of the radius


def junction_points(field: LabelField, starts: Array) -> Array:
    """Move points to where three or four grains meet: a third of them to corners, the others to lines.

    With fewer grains they go to what there is: faces between two grains, or nowhere in a single crystal.

    Args:
        field: The grains.
        starts: Where to start [µm], in random order, shape (n, 3).

    Returns:
        Those that arrived inside the outline, shape (k, 3).
    """
    corners = round(_CORNER_SHARE * len(starts))
    distances = _Distances(field)
    arrived = np.concatenate([_meeting(distances, starts[:corners], 4), _meeting(distances, starts[corners:], 3)])
    return _inside(field, arrived)


def boundary_points(field: LabelField, starts: Array) -> Array:
    """Move points (n, 3) to the nearest boundary between two grains; those that arrived inside, shape (k, 3)."""
    return _inside(field, _meeting(_Distances(field), starts, 2))


def _inside(field: LabelField, points: Array) -> Array:
    return points[(field.outline.to_ball(points) ** 2).sum(axis=1) < 1.0]


class _Distances:
    """Power distances to all grains, and their gradients."""

    def __init__(self, field: LabelField) -> None:
        shapes = field.shapes
        if shapes is None:
            shapes = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], (field.grain_count, 1))
        self.count = field.grain_count
        self.tolerance = _ROUND_OFF * field.outline.radius**2
        self._field, self._matrices = field, shape_matrices(shapes)

    def nearest(self, points: Array, number: int) -> Indices:
        """The grains nearest to points (n, 3), in no order, shape (n, number)."""
        if number >= self.count:
            return np.tile(np.arange(self.count), (len(points), 1))
        chunks = distance_chunks(self._field, self._field.weights, points)
        parts = [np.argpartition(distance, number, axis=1)[:, :number] for distance in chunks]
        return np.concatenate([np.empty((0, number), dtype=np.int64), *parts])

    def to(self, points: Array, grains: Indices) -> tuple[Array, Array]:
        """Power distances (n, k) of points (n, 3) to their grains (n, k), and gradients (n, k, 3)."""
        offset = points[:, None] - self._field.positions[grains]
        pulled = np.einsum("nkij,nkj->nki", self._matrices[grains], offset)
        return (pulled * offset).sum(axis=2) - self._field.weights[grains], 2.0 * pulled


def _meeting(distances: _Distances, starts: Array, number: int) -> Array:
    """The points nearest to the starts at which their `number` nearest grains meet; NaN where they do not meet."""
    number = min(number, distances.count)
    points = starts.copy()
    grains = distances.nearest(points, number)
    for _ in range(_NEWTON_STEPS if number > 1 and len(points) else 0):
        value, gradient = distances.to(points, grains)
        rows, residual = gradient[:, 1:] - gradient[:, :1], value[:, 1:] - value[:, :1]
        points = points - (np.linalg.pinv(rows, rcond=1e-6) @ residual[..., None])[..., 0]
    value, _ = distances.to(points, grains)
    met = np.ptp(value, axis=1) < distances.tolerance if number > 1 else np.ones(len(points), dtype=bool)
    # Nobody else is nearer there: the grains are still the nearest ones.
    met &= (np.sort(distances.nearest(points, number), axis=1) == np.sort(grains, axis=1)).all(axis=1)
    return np.where(met[:, None], points, np.nan)
