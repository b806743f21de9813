"""The closed forms reproduce the figures printed in docs/theory.md, chapter 6."""

from __future__ import annotations

import closed_forms as exact
import numpy as np
import pytest
from elasticity_cases import LAMINATE_ISOTROPIC, LAMINATE_POISSON, LAMINATE_YOUNG
from scipy.integrate import trapezoid
from sphere_cases import CORE_SHELL, PEAK_STRESS, PEAK_TIME


def test_lithium_in_a_sphere():
    assert exact.held_surface([0.25, 0.5, 0.75], 0.05) == pytest.approx([0.07052, 0.22769, 0.57226], abs=1e-5)
    assert exact.held_uptake(0.05) == pytest.approx(0.60694, abs=1e-5)
    assert exact.constant_flux([0.25, 0.5, 0.99], 0.05) == pytest.approx([0.00827, 0.03489, 0.30226], abs=1e-5)
    assert exact.surface_lead([2.0]) == pytest.approx([0.2], abs=1e-10)


def test_mean_and_surface_of_the_constant_flux_profile_agree_with_the_lead():
    r = np.linspace(0.0, 1.0, 4001)
    profile = exact.constant_flux(r, 0.05)
    mean = trapezoid(3 * r**2 * profile, r)
    assert mean == pytest.approx(3 * 0.05, abs=1e-6)
    assert profile[-1] - mean == pytest.approx(exact.surface_lead([0.05])[0], abs=1e-5)


def test_stress_of_any_profile_contains_the_parabola():
    r = np.linspace(0.0, 1.0, 11)
    for general, special in zip(exact.sphere_stress(r, np.square), exact.parabola_stress(r), strict=True):
        assert general == pytest.approx(0.4 * special, abs=1e-6)


def test_centre_of_a_held_sphere_peaks_where_it_is_printed():
    taus = PEAK_TIME + np.linspace(-2e-3, 2e-3, 41)
    centre = [exact.sphere_stress(np.zeros(1), lambda r, tau=tau: exact.held_surface(r, tau))[0][0] for tau in taus]
    assert max(centre) == pytest.approx(PEAK_STRESS, abs=2e-5)
    assert taus[np.argmax(centre)] == pytest.approx(PEAK_TIME, abs=2e-4)


def test_core_and_shell():
    assert CORE_SHELL.pressure == pytest.approx(-477.46, rel=1e-4)
    radial, hoop = CORE_SHELL.stress(np.array([0.5, 0.9, 1.0]))
    assert hoop == pytest.approx([477.46, -2165.3, -1926.6], rel=1e-4)
    assert radial == pytest.approx([477.46, 477.46, 0.0], rel=1e-4)  # pressure passes through the interface


def test_isotropic_laminate_v10():
    """σ₁ = −f₂ E/(1−ν²) [[1, ν], [ν, 1]] (Δe_xx, Δe_yy) for equal isotropic layers: checks the 6×6 code."""
    strains = (-0.01, 0.02)
    first, _ = exact.laminate([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], LAMINATE_ISOTROPIC, strains)
    misfit = np.array([strains[1] - strains[0], 0.0])
    matrix = np.array([[1.0, LAMINATE_POISSON], [LAMINATE_POISSON, 1.0]])
    closed = -0.5 * LAMINATE_YOUNG / (1 - LAMINATE_POISSON**2) * matrix @ misfit
    assert first[:2] == pytest.approx(closed, rel=1e-9)
