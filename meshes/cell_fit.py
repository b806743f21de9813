"""Weights that give grains of any metric the volumes asked for, in solids of any shape, counted on a cloud of points.

Where cells are not polyhedra in a spheroid (elongated grains, a hollow particle) there are no closed expressions. The
same damped Newton iteration as for dense particles then works on points: the volume of a cell is the points in it, and
the area of a face over the jump of slope across it is how many points lie close to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import spsolve

from meshes.arrays import Array, Indices
from meshes.errors import MeshError
from meshes.label_field import LabelField, distance_chunks
from meshes.power_diagram import power_neighbours

_CANDIDATES = 24
_SELECTIONS = 4  # of candidates; few are needed
_STEPS = 12
_BAND = 0.2  # share of the points that count as close to a face
_TOLERANCE = 0.01
_POINTS_OFF = 1.5  # small grains have few points
_EMPTY = 0.05  # of the smallest grain: the weights are no good start
_ACCEPTED = 0.15
_SMALLEST_STEP = 1.0 / 64.0


@dataclass(frozen=True)
class _Contest:
    """The grains that may own each point.

    Args:
        grains: The nearest grains of every point, shape (n, k).
        distances: Their distances without weights [µm²], shape (n, k).
    """

    grains: Indices
    distances: Array

    def standing(self, weights: Array) -> tuple[Indices, Indices, Array]:
        """First and second grain of every point, and how far the second is behind [µm²], shape (n,) each."""
        behind = self.distances - weights[self.grains]
        rows = np.arange(len(behind))
        if behind.shape[1] == 1:
            return self.grains[:, 0], self.grains[:, 0], np.full(len(behind), np.inf)
        order = np.argpartition(behind, 1, axis=1)[:, :2]
        two = np.take_along_axis(behind, order, axis=1)
        swap = (two[:, 0] > two[:, 1]).astype(np.int64)
        first, second = order[rows, swap], order[rows, 1 - swap]
        return self.grains[rows, first], self.grains[rows, second], np.abs(two[:, 1] - two[:, 0])

    def counts(self, weights: Array) -> Indices:
        """Number of points of every grain, shape (N,)."""
        return np.bincount(self.standing(weights)[0], minlength=len(weights))


def fit_on_cloud(field: LabelField, targets: Array, points: Array, tolerance: float = _TOLERANCE) -> Array:
    """Weights with which the grains have the volumes asked for.

    Args:
        field: Seeds, their metric and first weights.
        targets: Volumes asked for, in any unit, shape (N,).
        points: Even cloud of the solid [µm], shape (n, 3).
        tolerance: Largest relative error of a volume at which the iteration ends.

    Returns:
        Weights [µm²], shape (N,), without common offset.

    Raises:
        MeshError: If a grain stays without points or far from its volume.
    """
    wanted = targets * (len(points) / targets.sum())
    allowed = np.maximum(tolerance * wanted, _POINTS_OFF)
    weights = field.weights - field.weights.mean()
    for _ in range(_SELECTIONS):
        contest = _contest(field, weights, points)
        counts = contest.counts(weights)
        if counts.min() < _EMPTY * wanted.min():
            weights = np.zeros(len(wanted))
            contest = _contest(field, weights, points)
            counts = contest.counts(weights)
        # Only with fresh candidates is it certain that these are the winners.
        if (np.abs(counts - wanted) < allowed).all():
            return weights
        weights = _newton(contest, wanted, weights, allowed)
    error = np.abs(_contest(field, weights, points).counts(weights) - wanted) / wanted
    if error.max() > _ACCEPTED and tolerance <= _TOLERANCE:
        grain = int(error.argmax()) + 1
        raise MeshError(
            f"grain {grain}: its volume could not be fitted ({100 * error.max():.0f} % off); choose another "
            "particle.grains.seed, less spread or less elongation"
        )
    return weights


def _contest(field: LabelField, weights: Array, points: Array) -> _Contest:
    """The grains that are nearest with these weights, and the distances they have without."""
    count = min(_CANDIDATES, field.grain_count)
    if field.shapes is None:
        squared, grains = power_neighbours(field.positions, weights, points, count)
        return _Contest(grains, squared + weights[grains])
    chosen_grains, distances = [], []
    for part in distance_chunks(field, weights, points):
        chosen = np.argpartition(part.astype(np.float32), count - 1, axis=1)[:, :count]
        chosen_grains.append(chosen)
        distances.append(np.take_along_axis(part, chosen, axis=1) + weights[chosen])
    return _Contest(np.concatenate(chosen_grains), np.concatenate(distances))


def _newton(contest: _Contest, wanted: Array, weights: Array, allowed: Array) -> Array:
    """Weights after damped Newton steps among fixed candidates."""
    standing = contest.standing(weights)
    counts = np.bincount(standing[0], minlength=len(wanted))
    for _ in range(_STEPS):
        error = wanted - counts
        if (np.abs(error) < allowed).all():
            break
        step, fraction = _step(standing, counts, error, contest), 1.0
        while fraction >= _SMALLEST_STEP:
            trial = weights + fraction * step
            trial_standing = contest.standing(trial)
            trial_counts = np.bincount(trial_standing[0], minlength=len(wanted))
            improved = np.linalg.norm(wanted - trial_counts) < np.linalg.norm(error)
            if improved and trial_counts.min() >= min(counts.min(), 0.3 * wanted.min()):
                break
            fraction *= 0.5
        else:
            break
        weights, standing, counts = trial, trial_standing, trial_counts
    return weights - weights.mean()


def _step(standing: tuple[Indices, Indices, Array], counts: Indices, error: Array, contest: _Contest) -> Array:
    """Change of the weights that moves as many points as are missing; the mean weight is held."""
    first, second, behind = standing
    width = float(np.quantile(behind, _BAND))
    close = behind < width
    size = len(counts)
    coupling = coo_matrix((np.ones(close.sum()), (first[close], second[close])), shape=(size, size)).tocsr()
    coupling = (coupling + coupling.T) / (2.0 * width)
    degree = np.asarray(coupling.sum(axis=1)).ravel()
    # A cell without close points (empty, or far from its neighbours) still gets a finite step.
    degree = np.maximum(degree, 0.05 * degree.mean()) * (1.0 + 1e-9)
    diagonal = coo_matrix((degree, (np.arange(size), np.arange(size))), shape=(size, size))
    matrix: csc_matrix = (diagonal - coupling).tocsc()
    step = np.atleast_1d(spsolve(matrix, error - error.mean()))
    return step - step.mean()
