"""Monotone cubics: through the rows, no overshoot, constant outside, slopes that are derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from solver.materials import LatticeStrain, MaterialError, load_material, material_names
from solver.materials.curves import Curve

_NAMES = material_names()


@pytest.mark.parametrize("name", _NAMES)
def test_rows_are_reproduced(name):
    lattice = load_material(name).lattice
    # Evaluating a cubic at its own node costs a few rounding errors of numbers below 0.1.
    assert np.abs(lattice.a(lattice.stoichiometry) - lattice.strain_a).max() < 1e-17
    assert np.abs(lattice.c(lattice.stoichiometry) - lattice.strain_c).max() < 1e-17


@pytest.mark.parametrize("name", _NAMES)
def test_no_overshoot_between_rows(name):
    lattice = load_material(name).lattice
    x = lattice.stoichiometry
    for function, rows in ((lattice.a, lattice.strain_a), (lattice.c, lattice.strain_c)):
        for i in range(len(x) - 1):
            values = function(np.linspace(x[i], x[i + 1], 101))
            low, high = sorted(rows[i : i + 2])
            assert values.min() >= low - 1e-15
            assert values.max() <= high + 1e-15
            assert (np.diff(values) * np.sign(rows[i + 1] - rows[i]) >= -1e-15).all()


def test_constant_outside_with_no_slope():
    lattice = load_material("NMC811").lattice
    outside = np.array([-0.3, 0.0, 0.1099, 1.0001, 1.4])
    ends = np.array([lattice.strain_c[0]] * 3 + [lattice.strain_c[-1]] * 2)
    assert np.array_equal(lattice.c(outside), ends)
    assert not lattice.a_slope(outside).any()
    assert not lattice.c_slope(outside).any()


@pytest.mark.parametrize("name", ["NMC811", "Ni90", "LCO"])
def test_slopes_are_finite_differences(name):
    lattice = load_material(name).lattice
    low, high = lattice.stoichiometry[[0, -1]]
    x = np.random.default_rng(5).uniform(low + 1e-4, high - 1e-4, 2000)
    # Second derivatives jump at rows; away from them the error of central differences is h² f'''/6 ~ 1e-7.
    x = x[np.abs(x[:, None] - lattice.stoichiometry).min(axis=1) > 2e-5]
    h = 1e-5
    for function, slope in ((lattice.a, lattice.a_slope), (lattice.c, lattice.c_slope)):
        assert np.abs((function(x + h) - function(x - h)) / (2 * h) - slope(x)).max() < 1e-6
    differences = (lattice.both_slopes(x + h) - lattice.both_slopes(x - h)) / (2 * h)
    assert np.abs(differences - lattice.both_curvatures(x)).max() < 1e-6
    assert not lattice.both_curvatures(np.array([low - 0.1, high + 0.1])).any()


def test_shapes_follow_the_argument():
    lattice = load_material("NMC811").lattice
    x = np.random.default_rng(1).uniform(0, 1, (7, 4))
    assert lattice.a(x).shape == (7, 4)
    assert lattice.both(x).shape == (7, 4, 2)
    assert lattice.both_slopes(x).shape == (7, 4, 2)
    assert np.array_equal(lattice.both(x)[..., 1], lattice.c(x))
    assert np.array_equal(lattice.both_slopes(x)[..., 0], lattice.a_slope(x))
    assert lattice.c(0.5).shape == ()
    assert lattice.c_slope(0.5).shape == ()


def test_two_rows_are_a_straight_line():
    line = LatticeStrain(np.array([0.0, 1.0]), np.array([-0.3, 0.0]), np.array([0.2, 0.0]))
    x = np.linspace(0, 1, 37)
    assert line.a(x) == pytest.approx(0.3 * (x - 1), abs=1e-15)
    assert line.c_slope(x) == pytest.approx(np.full(37, -0.2), abs=1e-14)


def test_volume_change_is_that_of_the_cell():
    lattice = load_material("NMC811").lattice
    x = np.array([0.11, 0.37, 1.0])
    a, c = lattice.a(x), lattice.c(x)
    assert lattice.volume_change(x) == pytest.approx((1 + a) * (1 + a) * (1 + c) - 1, abs=1e-15)


@pytest.mark.parametrize(
    ("x", "a", "c", "words"),
    [
        ([0.5], [0.0], [0.0], "two rows"),
        ([0.5, 0.5], [0.0, 0.0], [0.0, 0.0], "rise"),
        ([0.9, 0.5], [0.0, 0.0], [0.0, 0.0], "rise"),
        ([0.1, float("nan")], [0.0, 0.0], [0.0, 0.0], "finite"),
        ([0.1, 0.9], [0.0, float("inf")], [0.0, 0.0], "strain_a"),
        ([0.1, 0.9], [0.0, 0.0], [0.0, 0.0, 0.0], "strain_c has 3 values for 2 rows"),
    ],
)
def test_broken_tables_are_refused(x, a, c, words):
    with pytest.raises(MaterialError, match=words):
        LatticeStrain(np.array(x), np.array(a), np.array(c))


def test_all_problems_of_a_table_come_at_once():
    with pytest.raises(MaterialError) as caught:
        LatticeStrain(np.array([0.9, 0.1]), np.array([0.0, np.nan]), np.array([0.0]))
    assert len(caught.value.problems) == 3


def test_a_single_curve_is_clamped_too():
    curve = Curve(np.array([0.2, 0.4, 0.9]), np.array([4.3, 4.0, 3.6]))
    assert curve([0.0, 0.2, 0.4, 1.0]) == pytest.approx([4.3, 4.3, 4.0, 3.6], abs=1e-15)
    with pytest.raises(MaterialError, match="rise"):
        Curve(np.array([0.4, 0.2]), np.array([4.0, 4.1]))
