"""Diffusion against closed forms: decay of an anisotropic mode in a box, and spheres V1 and V2 (eqs. 3.1-3.8)."""

from __future__ import annotations

import bars
import numpy as np
import pytest
from boxes import ball, domain_of
from diffusion_cases import (
    decay_in_space,
    decay_in_time,
    driven_sphere,
    held_sphere,
    lead_of_surface,
    lithium_balance,
    outcome_of_tolerance,
    two_grains,
)
from runs import adaptive, run_lithium

from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.step_solver import even_flux, fast_reaction
from solver.solve.transport import Transport


def test_error_falls_with_the_square_of_the_cell_size():
    bars.SPACE_RATE.check(*decay_in_space((6, 12, 24)).rates)


def test_error_falls_with_the_square_of_the_step():
    bars.TIME_RATE.check(*decay_in_time((10, 20, 40, 80)).rates)


@pytest.mark.parametrize("equipotential", [False, True])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_requested_tolerance_is_met(equipotential, tolerance):
    """The error of x anywhere, at an inner and at the last output time, stays below what was asked for."""
    bars.TOLERANCE.check(outcome_of_tolerance(equipotential, tolerance).share)


def test_tighter_tolerance_takes_more_steps_and_rejects_some():
    segments = [Segment(600.0, "charge", rate=-0.5 / 3600)]
    loose = run_lithium(two_grains(True), segments, adaptive(1e-2, initial=100.0))
    tight = run_lithium(two_grains(True), segments, adaptive(1e-5, initial=100.0))
    assert sum(step.accepted for step in tight.steps) > 2 * sum(step.accepted for step in loose.steps)
    rejected = [step for step in tight.steps if not step.accepted]
    assert rejected
    assert all("error" in step.reason for step in rejected)


@pytest.mark.parametrize("equipotential", [False, True])
def test_lithium_is_conserved(equipotential):
    balance = lithium_balance(equipotential)
    bars.BALANCE.check(balance.imbalance, balance.mean_error)


def test_fast_surface_has_one_stoichiometry_and_spares_blocked_grains():
    """With c along z the poles are blocked; a shared potential keeps them from being emptied."""
    domain = domain_of(ball(6, radius=5.0), [[0, 0, 1]])
    spread = {}
    for equipotential in (False, True):
        transport = Transport(
            domain, 4e-3, 4e-5, initial=0.9, surface=fast_reaction if equipotential else even_flux, phases=Phases()
        )
        recorder = run_lithium(transport, [Segment(200.0, "charge", rate=-0.5 / 3600)], adaptive(1e-3))
        places = transport.stoichiometry.function_space.tabulate_dof_coordinates()
        surface = np.linalg.norm(places, axis=1) > 5.0 - 1e-9
        spread[equipotential] = np.ptp(recorder.fields[-1][surface])
    assert spread[True] < 1e-12
    assert spread[False] > 0.1


def test_sphere_with_held_surface_v1():
    coarse, fine = held_sphere(10), held_sphere(20)
    bars.HELD_PROFILE.check(fine.error)
    bars.HELD_UPTAKE.check(fine.uptake_error)
    bars.HELD_RATE.check(np.log2(coarse.error / fine.error))


def test_sphere_with_constant_flux_v2():
    coarse, fine = driven_sphere(10), driven_sphere(20)
    bars.FLUX_PROFILE.check(fine.error)
    bars.FLUX_RATE.check(np.log2(coarse.error / fine.error))
    bars.FLUX_SPREAD.check(coarse.surface_spread, fine.surface_spread)


def test_quasi_steady_surface_to_mean_difference():
    """c_s − c̄ = J R/(5 D) once the start has died away."""
    bars.LEAD.check(abs(lead_of_surface(14, (1.0,))[-1] / 0.2 - 1))
