"""Anderson's acceleration: ends on linear problems as theory says, and converges where plain repetition does not."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from solver.solve.anderson import Anderson

SIZE = 5


def linear_problem(largest):
    """Matrix with eigenvalues of size up to `largest`, in no special basis, and an offset."""
    random = np.random.default_rng(2)
    turn = np.linalg.qr(random.normal(size=(SIZE, SIZE)))[0]
    return turn @ np.diag(np.linspace(-largest, 0.8, SIZE)) @ turn.T, random.normal(size=SIZE)


@pytest.mark.parametrize("largest", [0.9, 3.0])
def test_linear_problem_ends_after_as_many_steps_as_unknowns(largest):
    """Even one that grows when it is merely repeated; the last digits go to the normal equations."""
    matrix, offset = linear_problem(largest)
    solution = np.linalg.solve(np.eye(SIZE) - matrix, offset)
    mixer, point = Anderson(MPI.COMM_SELF, np.ones(SIZE), depth=SIZE), np.zeros(SIZE)
    errors = []
    for _ in range(SIZE + 1):
        point = mixer.next(point, matrix @ point + offset)
        errors.append(np.abs(point - solution).max())
    assert errors[-1] < 1e-8
    assert errors[-2] > 1e-4


def test_first_step_is_the_image():
    mixer = Anderson(MPI.COMM_SELF, np.ones(3))
    assert np.array_equal(mixer.next(np.zeros(3), np.array([1.0, 2.0, 3.0])), [1.0, 2.0, 3.0])


def test_what_is_forgotten_does_not_count():
    matrix, offset = linear_problem(0.9)
    mixer = Anderson(MPI.COMM_SELF, np.ones(SIZE))
    mixer.next(np.ones(SIZE), matrix @ np.ones(SIZE))
    mixer.forget()
    image = matrix @ np.zeros(SIZE) + offset
    assert np.array_equal(mixer.next(np.zeros(SIZE), image), image)


def test_a_point_that_is_its_own_image_stays():
    """The changes vanish, and so does what they say."""
    mixer, point = Anderson(MPI.COMM_SELF, np.ones(3)), np.array([1.0, -2.0, 0.5])
    for _ in range(3):
        assert np.array_equal(mixer.next(point, point), point)


def test_curved_problem_converges_faster_than_by_repetition():
    """cos(v) component by component: repetition gains a factor 0.67 a step."""
    mixer, point = Anderson(MPI.COMM_SELF, np.ones(1)), np.zeros(1)
    for _ in range(7):
        point = mixer.next(point, np.cos(point))
    assert abs(point[0] - 0.7390851332151607) < 1e-9
