"""Whole protocols of shipped cases: ends that are met, charge that is exact, pulses that are all there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from boxes import ball, domain_of
from protocol_cases import CASES, shipped
from reaction_cases import run

from solver.case.composition import radial_material
from solver.case.current_table import CurrentTable
from solver.case.load import load_case
from solver.case.protocol import TableChoice
from solver.materials.checks import FARADAY
from solver.setup.electrochemistry import plan_courses
from solver.setup.operators import build_transport, mean_sites
from solver.solve.phases import Phases
from solver.solve.segments import Segment

PROTOCOLS = [("cc-cv", 9), ("fast-charge", 9), ("pulse-charge", 99), ("drive-cycle", 1)]


@pytest.mark.parametrize(("name", "most"), PROTOCOLS)
def test_lithium_balances_and_newton_is_quick(name: str, most: int) -> None:
    _, watch = shipped(name, most)
    # Newton stops when the sum of the residual is 1e-9 of the flow; most steps do much better.
    assert max(state.lithium_imbalance for state in watch.states) < 1e-9
    newton = [attempt.newton for attempt in watch.attempts if attempt.converged]
    assert np.mean(newton) <= 4.0


def test_falling_currents_end_at_their_voltages() -> None:
    _, watch = shipped("fast-charge", 9)
    ends = [(state.ended, state.potential, state.rate) for state in watch.states[1:]]
    assert [end for end, _, _ in ends] == ["4.1 V", "4.2 V", "4.3 V", "time"]
    assert [potential for _, potential, _ in ends[:3]] == pytest.approx([4.1, 4.2, 4.3], abs=1.1e-4)
    assert [-3600.0 * rate for _, _, rate in ends] == pytest.approx([4.0, 2.0, 1.0, 0.0])


def test_pulses_move_what_their_time_says_until_the_voltage_ends_one() -> None:
    segments, watch = shipped("pulse-charge", 99)
    assert len(segments) == 61
    states = watch.states
    whole = [(before, after) for before, after in pairwise(states) if after.ended == "time"]
    moved = {round(after.state_of_charge - before.state_of_charge, 9) for before, after in whole}
    assert moved == {round(20.0 * 4.0 / 3600.0, 9), 0.0}
    cut = [state for state in states if state.ended == "4.3 V"]
    assert cut[0].potential == pytest.approx(4.3, abs=1.1e-4)
    assert cut[0].step_number > 20


def test_a_drive_moves_the_integral_of_its_table() -> None:
    segments, watch = shipped("drive-cycle", 1)
    course = segments[0].course
    assert course is not None
    gained = watch.states[1].mean_stoichiometry - watch.states[0].mean_stoichiometry
    assert gained == pytest.approx(np.trapezoid(course.rates, course.times), rel=1e-9)
    # Of 600 rows; long steps where the car stands.
    assert sum(step.accepted and step.step_number == 1 for step in watch.steps) < 600


def test_a_current_density_is_that_of_the_meshed_surface() -> None:
    # Moles: i A t / F of lithium enter c V sites. The area is that of the polyhedron, so this is exact.
    loaded = load_case(CASES / "drive-cycle.yaml")
    material = radial_material(loaded.case)
    domain = domain_of(ball(4, 3.0), [[0, 0, 1]])
    transport = build_transport(loaded.case, material, domain, Phases())
    sites, choice = mean_sites(material, domain), TableChoice("density.csv")
    table = CurrentTable(np.array([0.0, 60.0]), np.array([1.5, 1.5]), is_density=True)
    course = plan_courses(loaded.case, {choice: table}, material, transport, sites)[choice]
    watch = run(transport, [Segment(60.0, "follow", course=course)])
    entered = watch.states[-1].mean_stoichiometry - watch.states[0].mean_stoichiometry
    assert entered * transport.volume * 1e-18 * sites * FARADAY == pytest.approx(1.5 * transport.area * 1e-12 * 60.0)
