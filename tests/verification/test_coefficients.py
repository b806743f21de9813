"""Coefficients that change against closed forms: cooling, softening, strained diffusion (eqs. 2.6, 14.3-14.6)."""

from __future__ import annotations

import bars
import numpy as np
import pytest
from coefficient_cases import (
    LAW,
    answers_to_a_held_surface,
    cooled_coating_residue,
    cooled_core_shell,
    cooled_crystal_residue,
    cooled_laminate,
    cooled_matrix_residue,
    graded_sphere,
    lag_in_time,
    mismatch_error,
    pressed_charge,
    pressed_factor,
    sheared_site,
    softened_core_shell,
    softened_polycrystal,
    strained_fields,
    strained_two_way,
    way_dependence,
)

from solver.solve.strained_diffusion import StrainedDiffusivity


def test_a_crystal_cools_without_stress():
    bars.COOLED_CRYSTAL.check(cooled_crystal_residue(1e-8))


def test_a_cooled_laminate_is_that_of_laminate_theory():
    result = cooled_laminate("anisotropic")
    bars.COOLED_IN_PLANE.check(result.in_plane_error)
    bars.COOLED_OUT_OF_PLANE.check(result.out_of_plane)


def test_core_and_shell_that_cool_differently_v5():
    bars.COOLED_CORE.check(cooled_core_shell(10))


@pytest.mark.parametrize("resolved", [True, False], ids=["shell", "membrane"])
def test_grain_and_coating_that_cool_alike_do_not_stress_each_other(resolved):
    bars.COOLED_COATING.check(cooled_coating_residue(resolved))


def test_a_matrix_put_around_a_cooled_particle_carries_nothing():
    """Nor does the bond between them; 1e-8 of the load of 1400 MPa is left."""
    assert max(cooled_matrix_residue()) < 1e-3


def test_the_mismatch_part_holds_cooling_and_softening():
    gap, changed = mismatch_error()
    bars.COOLED_MISMATCH.check(gap)
    assert changed == 0.0  # the actual state is put back bit by bit


@pytest.mark.parametrize("x", [0.4, 0.2])
def test_uniform_lithium_softens_stress_in_proportion(x):
    bars.SOFTENED.check(softened_polycrystal(x))


def test_core_and_shell_that_soften_differently_v5():
    bars.SOFTENED_CORE.check(softened_core_shell(10))


def test_a_sphere_that_is_softer_in_its_core():
    result = graded_sphere((4, 8))
    bars.GRADED_ERROR.check(result.errors[-1])
    bars.GRADED_RATE.check(result.rates[-1])


def test_softened_stress_does_not_depend_on_the_way():
    bars.SOFTENED_WAY.check(way_dependence())


def test_a_site_of_a_soft_crystal_knows_the_energy_of_its_shear():
    """Eq. 14.7: the third number of a linear displacement, by tensors."""
    found, expected = sheared_site()
    assert np.allclose(found, expected, rtol=1e-10, atol=0.0)


@pytest.mark.parametrize("pressure", [2e3, -2e3])
def test_a_known_strain_gives_its_factor(pressure):
    found, expected = pressed_factor(pressure)
    bars.STRAINED_FACTOR.check(abs(found / expected - 1.0))
    assert (found < 1.0) == (pressure > 0.0)  # pressure closes the way, tension opens it


def test_the_factor_is_limited():
    found, expected = pressed_factor(-2e4, StrainedDiffusivity(2.3, 0.69, 4.0))
    assert expected == pytest.approx(4.0)
    assert found == pytest.approx(4.0, rel=1e-12)


def test_a_charge_under_pressure_is_one_with_that_diffusivity():
    bars.STRAINED_CHARGE.check(pressed_charge())


def test_the_answer_follows_a_surface_that_is_held_at_once():
    before, after = answers_to_a_held_surface()
    assert before < 1e-6  # at rest, but for rounding
    assert after > 100.0


def test_no_sensitivity_changes_nothing():
    assert np.array_equal(strained_fields(StrainedDiffusivity(0.0, 0.0, 10.0)), strained_fields(None))


def test_it_goes_with_stress_on_lithium():
    """Without sensitivity nothing changes but for the agreement asked of lithium and stress, 1e-6."""
    plain, zero, strained = (strained_two_way(law) for law in (None, StrainedDiffusivity(0.0, 0.0, 10.0), LAW))
    assert np.abs(zero - plain).max() < 1e-6
    assert np.abs(strained - plain).max() > 1e-3


def test_a_rim_under_tension_lets_lithium_out_more_easily():
    """While a sphere is charged, its rim is pulled along the surface: it conducts better, and x differs less."""
    assert np.ptp(strained_fields(LAW)) < 0.98 * np.ptp(strained_fields(None))


def test_strain_at_the_end_of_a_step_is_known_to_second_order():
    bars.STRAINED_RATE.check(lag_in_time((8, 16, 32)).rates[-1])
