"""A current over time: exact integrals, sides of jumps, and where it jumps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from solver.case.course import Course

# A ramp, a jump from 2 to -1 at 4 s, a rest, a quick switch to 1 at 9 s within 0.1 s.
COURSE = Course(
    np.array([0.0, 2.0, 4.0, 4.0, 6.0, 6.0, 9.0, 9.1, 10.0]), np.array([0.0, 2.0, 2.0, -1.0, -1.0, 0.0, 0.0, 1.0, 1.0])
)


def test_gain_is_the_integral_between_any_times():
    assert COURSE.gain(0.0, 2.0) == pytest.approx(2.0, rel=1e-14)
    assert COURSE.gain(0.0, 1.0) == pytest.approx(0.5, rel=1e-14)
    assert COURSE.gain(1.0, 5.0) == pytest.approx(1.5 + 4.0 - 1.0, rel=1e-14)
    assert COURSE.gain(0.0, 10.0) == pytest.approx(2.0 + 4.0 - 2.0 + 0.05 + 0.9, rel=1e-14)
    assert COURSE.gain(0.0, 99.0) == COURSE.gain(0.0, 10.0)  # it ends with its last row


def test_gains_of_pieces_add_up():
    cuts = np.sort(np.random.default_rng(1).uniform(0.0, 10.0, 50))
    pieces = sum(COURSE.gain(a, b) for a, b in pairwise(cuts))
    assert pieces == pytest.approx(COURSE.gain(cuts[0], cuts[-1]), rel=1e-13)


def test_both_sides_of_a_jump():
    assert (COURSE.rate(4.0, before=True), COURSE.rate(4.0)) == (2.0, -1.0)
    assert COURSE.rate(1.0) == COURSE.rate(1.0, before=True) == pytest.approx(1.0)
    # A clock that has added up rounded steps is still at the jump.
    assert COURSE.rate(4.0 + 1e-10, before=True) == pytest.approx(2.0)
    assert COURSE.rate(4.0 - 1e-10) == pytest.approx(-1.0)
    assert COURSE.rate(10.0, before=True) == 1.0


def test_jumps_are_vertical_lines_and_steep_ones():
    # The ramp at the start goes by more than a quarter of the largest current too; its ends count.
    assert COURSE.jumps.tolist() == [2.0, 4.0, 6.0, 9.0, 9.1]
    gentle = Course(np.arange(21.0), np.sin(np.arange(21.0) / 5))
    assert gentle.jumps.size == 0
    assert Course(np.arange(3.0), np.zeros(3)).jumps.size == 0


def test_reach_sees_turns_between_rows():
    course = Course(np.array([0.0, 2.0]), np.array([1.0, -1.0]))
    assert course.reach(2.0) == pytest.approx((0.0, 0.5))
    assert course.reach(0.5) == pytest.approx((0.0, 0.375))
