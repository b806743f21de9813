"""Stress in the chemical potential: against the full tensors, its derivatives against differences, and its sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from solver.materials import LatticeStrain, TransverseStiffness, load_material
from solver.solve.solids import Crystal
from solver.solve.stress_shift import StressPotential, coupling_strength

NMC811 = load_material("NMC811")
CRYSTAL = Crystal(NMC811.stiffness, NMC811.lattice)
OTHER = Crystal(
    TransverseStiffness(200e3, 80e3, 50e3, 150e3, 40e3),
    LatticeStrain(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.004, 0.01]), np.array([0.03, 0.01, 0.0])),
)
STRENGTH = coupling_strength(NMC811.maximum_concentration, 298.15)


def law(places, crystals=(CRYSTAL,), shares=None):
    rows = np.ones((places, 1)) if shares is None else shares
    return StressPotential(crystals, rows, np.full(places, STRENGTH), rest=1.0)


def states(places):
    """Stoichiometries away from the rows of the tables, where curvatures jump, and strains of a percent."""
    random = np.random.default_rng(1)
    x = random.uniform(0.15, 0.85, 4 * places)
    rows = np.concatenate([NMC811.lattice.stoichiometry, [0.5]])
    x = x[np.abs(x[:, None] - rows).min(axis=1) > 1e-3][:places]
    return x, 0.01 * random.normal(size=(places, 2))


def test_strength_of_a_layered_oxide():
    """1/(50000 mol/m³ R 298.15 K) is 8.07 per GPa."""
    assert coupling_strength(5e4, 298.15) == pytest.approx(8.068e-3, rel=1e-3)


def test_shift_is_the_work_of_the_full_stress_tensor():
    """−κ σ:∂ε*/∂x with 3 × 3 tensors in a crystal that is turned, sheared as well."""
    random = np.random.default_rng(4)
    x = 0.37
    turn = Rotation.random(random_state=5).as_matrix()
    total = 0.01 * random.normal(size=(3, 3))
    total = total + total.T
    axis = turn[:, 2]
    strain_a, strain_c = NMC811.lattice.both(x) - NMC811.lattice.both(1.0)
    slope_a, slope_c = NMC811.lattice.both_slopes(x)
    along = np.outer(axis, axis)
    free = strain_a * (np.eye(3) - along) + strain_c * along
    slope = slope_a * (np.eye(3) - along) + slope_c * along
    local = turn.T @ (total - free) @ turn
    vector = [local[0, 0], local[1, 1], local[2, 2], 2 * local[1, 2], 2 * local[0, 2], 2 * local[0, 1]]
    xx, yy, zz, yz, xz, xy = NMC811.stiffness.voigt() @ vector
    stress = turn @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ turn.T
    stretch = axis @ total @ axis
    shift, _ = law(1)(np.array([x]), np.array([[stretch, np.trace(total) - stretch]]))
    assert shift[0] == pytest.approx(-STRENGTH * float((stress * slope).sum()), rel=1e-12)


@pytest.mark.parametrize("crystals", [(CRYSTAL,), (CRYSTAL, OTHER)])
def test_derivatives_are_finite_differences(crystals):
    x, strain = states(200)
    share = np.random.default_rng(2).uniform(0.0, 1.0, 200)
    shares = np.ones((200, 1)) if len(crystals) == 1 else np.stack([share, 1.0 - share], axis=1)
    shift = law(200, crystals, shares)
    h = 1e-5
    by_x = (shift(x + h, strain)[0] - shift(x - h, strain)[0]) / (2 * h)
    scale = np.abs(by_x).max()
    assert np.abs(shift(x, strain)[1] - by_x).max() < 1e-6 * scale  # h² of the cubics
    for number, unit in enumerate(np.eye(2)):
        by_strain = (shift(x, strain + 1e-3 * unit)[0] - shift(x, strain - 1e-3 * unit)[0]) / 2e-3
        assert np.allclose(shift.by_strain(x)[:, number], by_strain, rtol=1e-9, atol=1e-9 * np.abs(by_strain).max())


SOFT = Crystal(NMC811.stiffness, NMC811.lattice, thermal_strain=(-0.008, -0.011), softening=0.37)


def energy_of(x, total, axis):
    """Elastic energy density of the soft crystal at a held total strain, from full tensors [MPa]."""
    free = NMC811.lattice.both(x) - NMC811.lattice.both(1.0) + np.array(SOFT.thermal_strain)
    along = np.outer(axis, axis)
    elastic = total - free[0] * (np.eye(3) - along) - free[1] * along
    turn = np.linalg.qr(np.column_stack([axis, *np.eye(3)[:2]]))[0][:, [1, 2, 0]]
    local = turn.T @ elastic @ turn
    vector = np.array([local[0, 0], local[1, 1], local[2, 2], 2 * local[1, 2], 2 * local[0, 2], 2 * local[0, 1]])
    return 0.5 * (1 - 0.37 * (1 - x)) * vector @ NMC811.stiffness.voigt() @ vector


def test_shift_of_a_crystal_that_softens_is_the_derivative_of_its_energy():
    """Eq. 14.7: at a held total strain, sheared as well, of a crystal that has cooled."""
    random, x, h = np.random.default_rng(4), 0.37, 1e-5
    total = 0.01 * random.normal(size=(3, 3))
    total, axis = total + total.T, np.array([1.0, 2.0, -2.0]) / 3
    along = axis @ total @ axis
    across = np.trace(total) - along
    even = along * np.outer(axis, axis) + across / 2 * (np.eye(3) - np.outer(axis, axis))
    free = NMC811.lattice.both(1.0) - NMC811.lattice.both(1.0) + np.array(SOFT.thermal_strain)
    other = total - even + free[0] * np.eye(3) + (free[1] - free[0]) * np.outer(axis, axis)
    strain = np.array([[along, across, energy_of(1.0, other, axis) / NMC811.stiffness.C11]])
    expected = (energy_of(x + h, total, axis) - energy_of(x - h, total, axis)) / (2 * h)
    shift = law(1, crystals=(SOFT,))
    assert shift(np.array([x]), strain)[0][0] == pytest.approx(STRENGTH * expected, rel=1e-7)
    by_x = (shift(np.array([x + h]), strain)[0] - shift(np.array([x - h]), strain)[0]) / (2 * h)
    assert shift(np.array([x]), strain)[1] == pytest.approx(by_x, rel=1e-6)


def test_an_unstressed_crystal_has_no_shift_and_the_coupling_number_as_its_slope():
    x, _ = states(50)
    shift = law(50)
    lattice = shift.lattice_strain(x)
    value, slope = shift(x, np.stack([lattice[:, 1], 2 * lattice[:, 0]], axis=1))
    assert np.abs(value).max() < 1e-12
    assert np.allclose(slope, shift.number(x), rtol=1e-12)
    assert (shift.number(x) >= 0.0).all()


def test_collapse_of_the_c_axis_is_strongly_coupled():
    """At the steepest fall of c the number is of the order 60 to 100: several times the slope of F U/(R T)."""
    x = np.linspace(0.13, 0.45, 200)
    assert 30.0 < law(200).number(x).max() < 200.0


def test_shift_is_continuous_where_the_lattice_table_ends_and_vanishes_beyond():
    end = float(NMC811.lattice.stoichiometry[0])
    x = end + np.array([-0.2, -0.1, -0.04, -1e-9, 1e-9])
    strain = np.full((5, 2), 0.01)
    value, slope = law(5)(x, strain)
    assert not value[:2].any()
    assert value[3] == pytest.approx(value[4], rel=1e-6)
    higher, lower = law(5)(x + 1e-6, strain)[0], law(5)(x - 1e-6, strain)[0]
    assert slope[2] == pytest.approx((higher - lower)[2] / 2e-6, rel=1e-6)


def test_a_place_without_crystal_has_no_shift():
    shift = law(3, shares=np.zeros((3, 1)))
    value, slope = shift(np.full(3, 0.3), np.full((3, 2), 0.01))
    assert not value.any()
    assert not slope.any()
