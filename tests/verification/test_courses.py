"""Currents from tables against mathematics: a sinusoid, the exact charge, order in time."""

from __future__ import annotations

import bars
import numpy as np
import pytest
from course_cases import charge_of_a_ragged_table, oscillating_sphere, oscillation_in_time
from reaction_cases import kinetics, reacting, run, sphere
from runs import adaptive, fixed

from solver.case.course import Course
from solver.solve.segments import End, Segment
from solver.solve.stepping import StepSettings


def test_sinusoidal_current_in_a_sphere() -> None:
    coarse, fine = oscillating_sphere(5), oscillating_sphere(10)
    bars.SINUSOID.check(fine.error)
    bars.SINUSOID_RATE.check(np.log2(coarse.error / fine.error))
    assert max(coarse.imbalance, fine.imbalance) < bars.BALANCE.limit


def test_error_falls_with_the_square_of_the_step() -> None:
    bars.COURSE_RATE.check(oscillation_in_time((40, 80, 160)).fitted)


@pytest.mark.parametrize("settings", [adaptive(1e-3), fixed(100.0)], ids=["error control", "steps over many rows"])
def test_charge_of_a_ragged_table_is_exact(settings: StepSettings) -> None:
    bars.COURSE_CHARGE.check(*charge_of_a_ragged_table(settings))


def test_a_constant_table_is_a_constant_current() -> None:
    rate = -1.0 / 3600.0
    segment = Segment(300.0, "follow", course=Course(np.array([0.0, 1.0, 300.0]), np.array([rate] * 3)))
    followed, driven = (
        run(sphere(reacting(kinetics())), [each]) for each in (segment, Segment(300.0, "charge", rate=rate))
    )
    # Sums of the same numbers in another order.
    assert np.abs(followed.fields[-1] - driven.fields[-1]).max() < 1e-9
    assert followed.states[-1].potential == pytest.approx(driven.states[-1].potential, abs=1e-8)
    assert followed.states[-1].rate == pytest.approx(rate)


def test_jumps_are_hit_and_voltages_end_a_table() -> None:
    """Pulses: the voltage at the end of a step is that of the current there; both sides of an end are found."""
    one_c = 1.0 / 3600.0
    times, rates = (
        np.array([0.0, 60.0, 60.0, 120.0, 120.0, 900.0]),
        one_c * np.array([-2.0, -2.0, 0.0, 0.0, -2.0, -2.0]),
    )
    ends = (End("potential", 3.0, None, "3 V"), End("potential", 3.75, None, "3.75 V"))
    watch = run(sphere(reacting(kinetics())), [Segment(900.0, "follow", course=Course(times, rates), ends=ends)])
    accepted = [step for step in watch.steps if step.accepted]
    for jump in (60.0, 120.0):
        assert min(abs(step.time - jump) for step in accepted) < 1e-9
    last = watch.states[-1]
    assert last.ended == "3.75 V"
    assert last.potential == pytest.approx(3.75, abs=1.1e-4)
    assert 120.0 < last.time < 900.0
    assert last.lithium_imbalance < 1e-10
