"""Diffusion against closed forms: decay of an anisotropic mode in a box, and spheres V1 and V2 (eqs. 3.1-3.8)."""

from __future__ import annotations

import numpy as np
import pytest
from boxes import ball, box, domain_of
from runs import adaptive, fixed, run_lithium
from scipy.optimize import brentq

from solver.solve.phases import Phases
from solver.solve.stepping import Segment
from solver.solve.transport import Transport

IN_PLANE, ACROSS = 1.0, 0.1
DECAY = np.pi**2 * (IN_PLANE + ACROSS)


def mode(points):
    """cos(πx) cos(πz): with c along z it decays as exp(−π²(D_ab + D_c) t) in an insulated unit cube."""
    return np.cos(np.pi * points[0]) * np.cos(np.pi * points[2])


def box_transport(count: int) -> Transport:
    domain = domain_of(box((count, 2, count)), [[0, 0, 1]])
    transport = Transport(domain, IN_PLANE, ACROSS, initial=0.5, equipotential=False, phases=Phases())
    transport.stoichiometry.interpolate(lambda points: 0.5 + 0.3 * mode(points))
    return transport


def decayed(transport: Transport, recorder) -> float:
    """Amplitude of the mode at the end of the run, from a least-squares fit to the nodal values."""
    shape = mode(transport.stoichiometry.function_space.tabulate_dof_coordinates().T)
    return float(shape @ (recorder.fields[-1] - 0.5) / (shape @ shape))


def test_error_falls_with_the_square_of_the_cell_size():
    end = 0.05
    errors = []
    for count in (6, 12, 24):
        transport = box_transport(count)
        recorder = run_lithium(transport, [Segment(end, 0.0, None, "rest")], adaptive(1e-6, initial=1e-6))
        errors.append(abs(decayed(transport, recorder) - 0.3 * np.exp(-DECAY * end)))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    # Lumped P1 is second order; 0.2 covers the coarse meshes.
    assert (rates > 1.8).all(), (errors, rates)


def test_error_falls_with_the_square_of_the_step():
    end = 0.05
    reference_transport = box_transport(6)
    reference = run_lithium(reference_transport, [Segment(end, 0.0, None, "rest")], adaptive(1e-6, initial=1e-7))
    errors = []
    for steps in (10, 20, 40, 80):
        recorder = run_lithium(box_transport(6), [Segment(end, 0.0, None, "rest")], fixed(end / steps))
        assert len(recorder.steps) == steps
        errors.append(np.abs(recorder.fields[-1] - reference.fields[-1]).max())
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    # BDF2 after one backward Euler step: the first step's error is itself second order in the step.
    assert (rates[1:] > 1.8).all(), (errors, rates)


def polycrystal_transport(equipotential: bool) -> Transport:
    mesh = ball(5, radius=5.0, core_levels=3)
    domain = domain_of(mesh, [[0, 0, 1], [1, 1, 0]])
    return Transport(domain, 4e-3, 4e-4, initial=0.9, equipotential=equipotential, phases=Phases())


@pytest.mark.parametrize("equipotential", [False, True])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_requested_tolerance_is_met(equipotential, tolerance):
    """The error of x anywhere, at an inner and at the last output time, stays below what was asked for."""
    segments = [Segment(600.0, -0.5 / 3600, None, "charge"), Segment(300.0, 0.0, None, "rest")]
    reference = run_lithium(polycrystal_transport(equipotential), segments, adaptive(1e-6, 0.01), [150.0])
    recorder = run_lithium(polycrystal_transport(equipotential), segments, adaptive(tolerance), [150.0])
    assert recorder.times == reference.times == [0.0, 150.0, 600.0, 900.0]
    for ours, exact in zip(recorder.fields, reference.fields, strict=True):
        assert np.abs(ours - exact).max() < tolerance


def test_tighter_tolerance_takes_more_steps_and_rejects_some():
    segments = [Segment(600.0, -0.5 / 3600, None, "charge")]
    loose = run_lithium(polycrystal_transport(True), segments, adaptive(1e-2, initial=100.0))
    tight = run_lithium(polycrystal_transport(True), segments, adaptive(1e-5, initial=100.0))
    assert sum(step.accepted for step in tight.steps) > 2 * sum(step.accepted for step in loose.steps)
    rejected = [step for step in tight.steps if not step.accepted]
    assert rejected
    assert all("error" in step.reason for step in rejected)


@pytest.mark.parametrize("equipotential", [False, True])
def test_lithium_is_conserved(equipotential):
    transport = polycrystal_transport(equipotential)
    segments = [Segment(600.0, -1 / 3600, None, "charge"), Segment(300.0, 0.5 / 3600, None, "discharge")]
    recorder = run_lithium(transport, segments, adaptive(1e-3), [200.0, 400.0])
    # The linear solves stop at 1e-10; a run takes tens of them.
    assert max(recorder.imbalances) < 1e-8
    assert transport.lithium() / transport.volume == pytest.approx(0.9 - 600 / 3600 + 300 * 0.5 / 3600, abs=1e-8)


def test_fast_surface_has_one_stoichiometry_and_spares_blocked_grains():
    """With c along z the poles are blocked; a shared potential keeps them from being emptied."""
    domain = domain_of(ball(6, radius=5.0), [[0, 0, 1]])
    spread = {}
    for equipotential in (False, True):
        transport = Transport(domain, 4e-3, 4e-5, initial=0.9, equipotential=equipotential, phases=Phases())
        recorder = run_lithium(transport, [Segment(200.0, -0.5 / 3600, None, "charge")], adaptive(1e-3))
        places = transport.stoichiometry.function_space.tabulate_dof_coordinates()
        surface = np.linalg.norm(places, axis=1) > 5.0 - 1e-9
        spread[equipotential] = np.ptp(recorder.fields[-1][surface])
    assert spread[True] < 1e-12
    assert spread[False] > 0.1


RADIUS, DIFFUSIVITY = 5.0, 1e-2


def sphere_transport(levels: int) -> Transport:
    domain = domain_of(ball(levels, RADIUS), [[0, 0, 1]])
    return Transport(domain, DIFFUSIVITY, DIFFUSIVITY, initial=0.9, equipotential=True, phases=Phases())


def radii(transport: Transport):
    return np.linalg.norm(transport.stoichiometry.function_space.tabulate_dof_coordinates(), axis=1) / RADIUS


def held_surface(r, tau, terms=200):
    """V1: (c − c0)/(cs − c0) in a sphere whose surface is held from τ = 0 (Crank 1975)."""
    n = np.arange(1, terms)[:, None]
    series = (-1.0) ** n / n * np.sin(n * np.pi * r) * np.exp(-((n * np.pi) ** 2) * tau)
    return 1 + 2 / (np.pi * r) * series.sum(axis=0)


def constant_flux(r, tau, terms=200):
    """V2: (c − c0) D/(J R) in a sphere with inward flux J from τ = 0 (Crank 1975)."""
    alpha = np.array(
        [brentq(lambda a: np.tan(a) - a, (k + 1e-12) * np.pi, (k + 0.5) * np.pi - 1e-12) for k in range(1, terms)]
    )
    series = np.sin(np.outer(alpha, r)) / (alpha**2 * np.sin(alpha))[:, None] * np.exp(-(alpha**2) * tau)[:, None]
    return 3 * tau + r**2 / 2 - 0.3 - 2 / r * series.sum(axis=0)


TIME = 0.05 * RADIUS**2 / DIFFUSIVITY


def test_closed_forms_reproduce_their_printed_values():
    assert held_surface(np.array([0.25, 0.5, 0.75]), 0.05) == pytest.approx([0.07052, 0.22769, 0.57226], abs=1e-5)
    assert constant_flux(np.array([0.25, 0.5, 0.99]), 0.05) == pytest.approx([0.00827, 0.03489, 0.30226], abs=1e-5)


def test_sphere_with_held_surface_v1():
    profiles, uptakes = [], []
    for levels in (5, 10, 20):
        transport = sphere_transport(levels)
        recorder = run_lithium(transport, [Segment(TIME, None, 0.4, "hold")], adaptive(1e-4, initial=1e-3))
        r = radii(transport)
        inside = (r > 0.1) & (r < 0.999)
        ours = (recorder.fields[-1][inside] - 0.9) / (0.4 - 0.9)
        profiles.append(np.abs(ours - held_surface(r[inside], 0.05)).max())
        uptakes.append(abs((transport.lithium() / transport.volume - 0.9) / (0.4 - 0.9) / 0.60694 - 1))
    # Half a percent of the surface's change at 20 cells along the radius, approached at second order.
    assert profiles[-1] < 0.005, profiles
    assert uptakes[-1] < 0.005, uptakes
    assert np.log2(profiles[1] / profiles[2]) > 1.6, profiles


def test_sphere_with_constant_flux_v2():
    profiles, surfaces = [], []
    for levels in (5, 10, 20):
        transport = sphere_transport(levels)
        rate = -0.5 / 3600
        recorder = run_lithium(transport, [Segment(TIME, rate, None, "charge")], adaptive(1e-4, initial=1e-2))
        flux = rate * transport.volume / transport.area
        r = radii(transport)
        off_centre = r > 0.1
        ours = (recorder.fields[-1][off_centre] - 0.9) * DIFFUSIVITY / (flux * RADIUS)
        exact = constant_flux(r[off_centre], 0.05)
        profiles.append(np.abs(ours - exact).max() / np.ptp(exact))
        surfaces.append(np.ptp(ours[r[off_centre] > 1 - 1e-9]))
    assert profiles[-1] < 0.005, profiles
    assert np.log2(profiles[1] / profiles[2]) > 1.6, profiles
    assert max(surfaces) < 1e-12  # one potential


def test_quasi_steady_surface_to_mean_difference():
    """c_s − c̄ = J R/(5 D) once the start has died away."""
    transport = sphere_transport(14)
    rate = -0.2 / 3600
    run_lithium(transport, [Segment(RADIUS**2 / DIFFUSIVITY, rate, None, "charge")], adaptive(1e-4, initial=0.1))
    flux = rate * transport.volume / transport.area
    surface = transport.stoichiometry.x.array[radii(transport) > 1 - 1e-9].mean()
    mean = transport.lithium() / transport.volume
    assert surface - mean == pytest.approx(flux * RADIUS / (5 * DIFFUSIVITY), rel=0.01)
