"""Large strains against closed forms, a radial reference and the small-strain solver (chapter 15 of the theory)."""

from __future__ import annotations

import finite_strain_cases as cases
import numpy as np
import pytest
from boxes import ball, domain_of
from crystals import CRYSTAL_CONSTANTS, STIFFNESS, linear_lattice, lithium
from finite_sphere import strain_of, stretch_of
from region_meshes import octant
from voigt import tensors

from solver.solve.solids import Crystal

AXES = ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 2.0, -2.0])
# What the crystal with the constants of the tests would bear if it were clamped at 5 %.
CLAMPED = 0.05 * CRYSTAL_CONSTANTS[0]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("turn", [np.eye(3), cases.TURN])
def test_stress_of_a_uniform_state_follows_the_law(axis, turn):
    """Patch test with a large strain, a large rotation and an anisotropic lattice: nothing but rounding is left."""
    axis = np.array(axis) / np.linalg.norm(axis)
    gradient = turn @ cases.GRADIENT
    sample = cases.uniform_state(gradient, cases.STRETCHES, axis)
    in_space, turned_back = cases.cauchy(gradient, cases.STRETCHES, axis)
    assert np.abs(tensors(sample.space_stress) - in_space).max() < 1e-10 * np.abs(in_space).max()
    assert np.abs(tensors(sample.stress) - turned_back).max() < 1e-10 * np.abs(in_space).max()
    assert sample.volume_ratio == pytest.approx(np.linalg.det(gradient), rel=1e-12)


@pytest.mark.parametrize("axis", AXES)
def test_rotation_stresses_nothing(axis):
    axis = np.array(axis) / np.linalg.norm(axis)
    sample = cases.uniform_state(cases.TURN, (1.0, 1.0), axis)
    assert np.abs(sample.stress).max() < 1e-12 * CRYSTAL_CONSTANTS[0]  # rounding
    assert np.abs(sample.elastic_strain).max() < 1e-14


@pytest.mark.parametrize("stretch", [0.9, 0.97, 1.03, 1.1])
def test_uniaxial_stress_by_its_closed_form(stretch):
    """Eq. 15.9: sides that carry nothing, and the stress along the bar."""
    young, poisson = 140e3, 0.27
    strain = strain_of(stretch)
    side = stretch_of(-poisson * strain)
    stress = cases.isotropic_state((stretch, side, side), young, poisson)
    expected = young * strain * (stretch**2 + stretch**-2) / (2 * stretch * side**2)
    assert stress[0] == pytest.approx(expected, rel=1e-11)
    assert np.abs(stress[1:]).max() < 1e-11 * abs(expected)


@pytest.mark.parametrize("stretch", [0.9, 1.05])
def test_hydrostatic_stress_by_its_closed_form(stretch):
    young, poisson = 140e3, 0.27
    stress = cases.isotropic_state((stretch, stretch, stretch), young, poisson)
    bulk = young / (3 * (1 - 2 * poisson))
    expected = 3 * bulk * strain_of(stretch) * (stretch**2 + stretch**-2) / (2 * stretch**3)
    assert stress[:3] == pytest.approx(np.full(3, expected), rel=1e-11)
    assert np.abs(stress[3:]).max() < 1e-11 * abs(expected)


@pytest.mark.parametrize("axis", AXES)
def test_free_crystal_swells_without_stress(axis):
    """5 % in each direction: what is left of the stress is what Newton's method leaves."""
    domain = domain_of(ball(3, 5.0), [axis])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.05, 0.05))])
    model.solve(lithium(domain, 1.0))
    sample = model.stress()
    model.destroy()
    # The iteration stops at 1e-10 of the forces; stress at single points is a hundred times rounder at most.
    assert np.abs(sample.stress).max() < 1e-8 * CLAMPED
    assert sample.volume_ratio == pytest.approx(0.95**2 * 1.05, rel=1e-8)


def test_lattice_is_measured_from_the_state_without_stress():
    """At rest at x = 0.4 the crystal is swollen already: stretches are ratios of lattice parameters (eq. 15.1)."""
    domain = domain_of(ball(2, 5.0), [[1, 2, 2]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.05, 0.05))], rest=0.4)
    model.solve(lithium(domain, 1.0))
    ratio = model.stress().volume_ratio
    model.destroy()
    assert ratio == pytest.approx((0.95 / 0.98) ** 2 * (1.05 / 1.02), rel=1e-8)


def test_eighth_swells_without_stress():
    """Planes of symmetry take the rigid motions away; an axis along one of them keeps the symmetry."""
    domain = domain_of(octant(ball(3, 5.0)), [[0, 0, 1]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.05, 0.05))])
    model.solve(lithium(domain, 1.0))
    sample = model.stress()
    model.destroy()
    assert np.abs(sample.stress).max() < 1e-8 * CLAMPED
    assert sample.volume_ratio == pytest.approx(0.95**2 * 1.05, rel=1e-8)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.0])
def test_free_crystal_stays_turned_as_it_is(angle):
    """Nothing is pinned: a body that starts turned by up to 57 degrees ends without stress, still turned."""
    body, converged = cases.turned_start(angle)
    assert converged
    assert body.largest_stress < 1e-8 * CLAMPED


def test_forces_and_tangent_are_derivatives():
    found = cases.derivatives()
    assert found.force < 1e-6  # central differences of a step of 1e-5
    assert found.tangent < 1e-6
    assert found.asymmetry < 1e-13  # rounding
    assert found.turning < 1e-12  # rounding: internal forces never work in rigid motions, out of balance or not


def test_newton_converges_quadratically():
    """Each residual is the square of the one before times a constant, from the first on."""
    residuals = np.array(cases.grains(1.0).residuals)
    assert len(residuals) <= 6
    before, after = residuals[:-1], residuals[1:]
    squares = after > 1e-11  # below, rounding decides
    assert (after[squares] < 3.0 * before[squares] ** 2).all()
    assert np.count_nonzero(squares) >= 3


def test_polycrystal_is_in_balance_over_the_deformed_volume():
    found = cases.grains(1.0)
    assert found.imbalance < 1e-8  # the tolerance times the condition of the sum
    assert found.energy_error < 5e-4  # ½σ:e is the energy up to the square of the elastic strain, some 2 %


@pytest.mark.parametrize("body", [cases.particle, cases.section], ids=["particle", "section"])
def test_small_strains_are_the_limit(body):
    """The difference is proportional to the strain: order 1, fitted over a factor of four."""
    order = cases.small_strain_limit((1.0, 0.5, 0.25), body)
    assert order == pytest.approx(1.0, abs=0.05)


def test_sphere_that_swells_unevenly_converges_to_the_radial_reference():
    """Stress of second order, as with small strains; coarse balls are at 1.7."""
    found = cases.swollen_spheres((3, 6))
    assert found.errors[-1] < 0.02
    assert found.fitted > 1.7


def test_core_shell_misfit_by_the_radial_reference():
    """5 % misfit: the reference is met to what the mesh allows, and differs from the small-strain form by more."""
    found = cases.core_shell(6, 0.05)
    assert abs(found.found / found.exact - 1) < 0.005
    assert abs(found.small / found.exact - 1) > 0.01


@pytest.mark.parametrize(("strain", "steps"), [(1.0, 1), (5.0, 2)])
def test_lattice_is_taken_there_in_steps_when_newton_fails(strain, steps):
    """From nothing to −20 % and 30 % at once, or to five times that in steps; and to the same stress in any steps."""
    domain = domain_of(ball(2, 5.0, core_levels=1), [[0, 0, 1], [1, 1, 0]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.1 * strain, 0.3 * strain))])
    model.solve(lithium(domain, cases.growing_with_radius))
    failed = sum(not report.converged for report in model.reports)
    assert (len(model.reports) > 1) == (failed > 0) == (steps > 1)
    assert model.stress().volume_ratio.min() > 0.0
    found = model.stress().stress
    for share in (0.5, 1.0):
        model.solve(lithium(domain, lambda points, share=share: share * cases.growing_with_radius(points)))
    again = model.stress().stress
    model.destroy()
    assert np.abs(again - found).max() < 1e-7 * np.abs(found).max()


@pytest.mark.parametrize("strain", [0.0, 1e-13, 1e-7])
def test_hardly_any_strain_is_solved_too(strain):
    """Where rounding is larger than the tolerance times the load: the first states of a run."""
    domain = domain_of(ball(2, 5.0, core_levels=1), [[0, 0, 1], [1, 1, 0]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-strain, strain))])
    model.solve(lithium(domain, cases.growing_with_radius))
    largest = np.abs(model.stress().stress).max()
    model.destroy()
    assert largest <= 2.0 * strain * CRYSTAL_CONSTANTS[0]


def test_way_back_to_rest_takes_one_step():
    """Forces that are large against those of the goal are no failure: a discharge ends where the charge began."""
    domain = domain_of(ball(2, 5.0, core_levels=1), [[0, 0, 1], [1, 1, 0]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.05, 0.05))])
    for content in (1.0, 1e-6, 1.0, 0.0):
        model.solve(lithium(domain, content))
    assert len(model.reports) == 4
    assert np.abs(model.stress().stress).max() == 0.0
    model.destroy()


def test_radial_reference_has_the_small_strain_limit():
    small = cases.core_shell(2, 1e-6)
    assert small.exact == pytest.approx(small.small, rel=1e-4)


@pytest.mark.parametrize(("axis", "stretch"), [([0, 0, 1], cases.STRETCHES[1]), ([1, 2, 0], cases.STRETCHES[0])])
def test_free_section_swells_without_stress(axis, stretch):
    """Along its normal too, by the stretch that the lattice has there."""
    stress, found = cases.free_section(axis)
    assert stress < 1e-8 * CLAMPED
    assert found == pytest.approx(stretch, rel=1e-8)


def test_mismatch_is_the_stress_at_uniform_lithium():
    """The other solution is found aside; the actual one is left alone."""
    domain = domain_of(ball(2, 5.0, core_levels=1), [[0, 0, 1], [1, 1, 0]])
    model = cases.finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, 0.03))])
    model.solve(lithium(domain, cases.growing_with_radius))
    before = model.stress().stress.copy()
    aside = model.mismatch(0.6).stress
    assert np.array_equal(model.stress().stress, before)
    model.solve(lithium(domain, 0.6))
    uniform = model.stress().stress
    model.destroy()
    assert np.abs(aside - uniform).max() < 1e-7 * np.abs(uniform).max()
