"""The return mapping: uniaxial and shear curves, no volume, and the tangent against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from solver.model.plasticity import PlasticLaw, deviator, flow

LAW = PlasticLaw(shear_modulus=8000.0, yield_strength=300.0, hardening_modulus=500.0)
BULK = 28700.0


def stress_of(strain, state):
    elastic = strain - state.plastic_strain
    stress = 2 * LAW.shear_modulus * deviator(elastic)
    stress[..., :3] += BULK * strain[..., :3].sum(axis=-1, keepdims=True)
    return stress


def at_rest(*shape):
    return np.zeros((*shape, 6)), np.zeros(shape)


def test_below_yield_nothing_flows():
    strain = np.array([[0.001, -0.0005, 0.0, 0.002, 0.0, 0.0]])
    state = flow(strain, *at_rest(1), LAW)
    assert not state.plastic_strain.any()
    assert not state.equivalent.any()
    assert not state.lost_shear.any()
    assert not state.lost_along.any()


def test_simple_shear_follows_the_curve():
    """τ √3 = Y + H α with α = 2 ε_p/√3: after yield the slope is 2GH/(3G + H)."""
    shears = np.linspace(0.0, 0.1, 11)
    strain = np.zeros((11, 6))
    strain[:, 5] = shears
    state = flow(strain, *at_rest(11), LAW)
    stress = stress_of(strain, state)[:, 5]
    first = LAW.yield_strength / np.sqrt(3) / (2 * LAW.shear_modulus)
    slope = 2 * LAW.shear_modulus * LAW.hardening_modulus / (3 * LAW.shear_modulus + LAW.hardening_modulus)
    expected = np.where(
        shears < first, 2 * LAW.shear_modulus * shears, LAW.yield_strength / np.sqrt(3) + slope * (shears - first)
    )
    assert stress == pytest.approx(expected, rel=1e-12)


def test_stress_ends_on_the_hardened_yield_surface_and_keeps_the_volume():
    rng = np.random.default_rng(1)
    strain = 0.1 * rng.normal(size=(50, 6))
    before = deviator(0.01 * rng.normal(size=(50, 6))), 0.02 * rng.random(50)
    state = flow(strain, *before, LAW)
    shear = deviator(stress_of(strain, state))
    mises = np.sqrt(1.5 * (shear**2 @ [1, 1, 1, 2, 2, 2]))
    assert (state.equivalent > before[1]).all()
    assert mises == pytest.approx(LAW.yield_strength + LAW.hardening_modulus * state.equivalent, rel=1e-12)
    assert state.plastic_strain[:, :3].sum(axis=1) == pytest.approx(0.0, abs=1e-15)


def test_tangent_is_the_derivative_of_the_stress():
    rng = np.random.default_rng(2)
    strain = 0.05 * rng.normal(size=(20, 6))
    before = deviator(0.01 * rng.normal(size=(20, 6))), 0.02 * rng.random(20)
    change = rng.normal(size=(20, 6))
    state, step = flow(strain, *before, LAW), 1e-7
    ends = [
        stress_of(strain + sign * step * change, flow(strain + sign * step * change, *before, LAW)) for sign in (1, -1)
    ]
    numeric = (ends[0] - ends[1]) / (2 * step)
    along = (state.lost_along * change) @ [1, 1, 1, 2, 2, 2]
    exact = (2 * LAW.shear_modulus - state.lost_shear)[:, None] * deviator(change) - along[:, None] * state.lost_along
    exact[:, :3] += BULK * change[:, :3].sum(axis=1, keepdims=True)
    # Central differences lose about half of the digits.
    assert numeric == pytest.approx(exact, abs=1e-6 * np.abs(exact).max())


def test_unloading_is_elastic():
    strain = np.array([[0.05, -0.02, -0.03, 0.0, 0.01, 0.0]])
    loaded = flow(strain, *at_rest(1), LAW)
    back = flow(0.98 * strain, loaded.plastic_strain, loaded.equivalent, LAW)
    assert (back.plastic_strain == loaded.plastic_strain).all()
    assert back.equivalent == loaded.equivalent
