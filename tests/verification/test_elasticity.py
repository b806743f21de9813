"""Elasticity against closed forms: the law, a manufactured solution, V10 and V13 (eqs. 1.1-2.7)."""

from __future__ import annotations

import bars
import numpy as np
import pytest
from boxes import box, domain_of
from crystals import CRYSTAL_CONSTANTS, STIFFNESS, linear_lattice, lithium, mechanics
from elasticity_cases import (
    LAMINATES,
    free_crystal_residue,
    isotropic_strain_residue,
    laminate_stress,
    manufactured_errors,
    mean_stress,
    mismatch_error,
    stiffness_on_lithium,
    turning_error,
)
from voigt import tensors, voigt_stress

from solver import compat
from solver.materials import LatticeStrain
from solver.model.elasticity import strain
from solver.solve.solids import Crystal
from solver.solve.stress import GAUSS


@pytest.mark.parametrize("axis", [[0, 0, 1], [1, 0, 0], [1, 2, -2]])
def test_law_equals_the_rotated_stiffness_matrix(axis):
    """Patch test: for a linear displacement the sampled stress is the 6×6 product, everywhere."""
    domain = domain_of(box((2, 2, 2)), [axis])
    gradient = np.array([[1.0, 2.0, -0.5], [0.3, -1.5, 0.7], [-0.2, 0.4, 0.9]]) * 1e-3
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(0.0, 0.0))])
    model.displacement.interpolate(lambda points: gradient @ points)
    expected = voigt_stress(CRYSTAL_CONSTANTS, axis, (gradient + gradient.T) / 2)
    sample = model.stress()
    # Only rounding separates the two ways of writing the same law.
    assert np.abs(tensors(sample.stress) - expected).max() < 1e-9 * np.abs(expected).max()
    assert sample.weights.sum() == pytest.approx(1.0, rel=1e-12)


def test_displacement_converges_at_third_order():
    """Manufactured solution for the operator: L² rate 3 and strain rate 2 for P2."""
    displacement, strains = manufactured_errors((3, 6, 12))
    bars.STRAIN_RATE.check(strains.rates[-1])
    bars.DISPLACEMENT_RATE.check(displacement.rates[-1])


@pytest.mark.parametrize("kind", LAMINATES)
def test_laminate_v10(kind):
    """Symmetric laminate of two orientations, wide against its thickness: the middle matches laminate theory to 1 %."""
    result = laminate_stress(LAMINATES[kind])
    bars.IN_PLANE.check(result.in_plane_error)
    bars.OUT_OF_PLANE.check(result.out_of_plane)


@pytest.mark.parametrize("tolerance", [1e-8, 1e-10])
def test_free_single_crystal_is_stress_free_v13(tolerance):
    """Uniform x strains a crystal without stressing it: what is left is the solver's tolerance."""
    bars.FREE_CRYSTAL.check(free_crystal_residue(tolerance))


def test_isotropic_strain_stresses_no_polycrystal_v13():
    bars.ISOTROPIC_STRAIN.check(isotropic_strain_residue())


def test_turning_the_particle_turns_the_stress_v13():
    bars.TURNING.check(turning_error())


def test_mean_stress_of_a_free_polycrystal_vanishes():
    bars.MEAN_STRESS.check(mean_stress())


def test_mismatch_is_the_stress_at_uniform_lithium():
    """Eq. 2.7: one scaled unit solution equals a solve at uniform x; the actual solution is left alone."""
    bars.MISMATCH.check(mismatch_error())


def test_lithium_does_not_depend_on_the_stiffness_v13():
    """One-way: ten times as stiff, ten times the stress, the same lithium."""
    change, ratio = stiffness_on_lithium()
    bars.ONE_WAY.check(change)
    assert ratio == pytest.approx(10.0, rel=1e-6)


def test_eigenstrain_is_taken_at_the_quadrature_points():
    """The mean strain of a bent lattice curve follows the curve between the vertices, not its chord."""
    lattice = LatticeStrain(np.linspace(0, 1, 21), np.zeros(21), np.linspace(0, 1, 21) ** 2 * 0.01)
    domain = domain_of(box((1, 1, 1)), [[0, 0, 1]])
    model = mechanics(domain, [Crystal(STIFFNESS, lattice)])
    model.solve(lithium(domain, lambda points: points[0]))
    sample = model.stress()
    along_z = compat.expression(strain(model.displacement)[2, 2], GAUSS[3].points)
    total = compat.evaluate(along_z, domain.mesh, np.arange(6, dtype=np.int32))
    chemical = total - sample.elastic_strain[..., 2]
    # PCHIP through 21 rows of a parabola misses it by less than 1e-3 of its range.
    assert np.abs(chemical - 0.01 * sample.points[..., 0] ** 2).max() < 1e-5
