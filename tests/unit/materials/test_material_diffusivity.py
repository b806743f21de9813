"""Diffusivities that depend on lithium content: the relative profile, its integral, and where it comes from."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import quad

from solver.materials import MaterialChoice, load_material
from solver.materials.diffusivity_profile import DiffusivityProfile
from solver.materials.errors import MaterialError
from solver.materials.radial import RadialMaterial

TABLE = {"x": [0.2, 0.5, 0.9], "diffusivity": ["1e-15 m^2/s", "1e-14 m^2/s", "2e-16 m^2/s"]}


def chosen(**changes):
    return load_material(MaterialChoice(base="NMC811", **changes))


def test_the_titrated_diffusivity_is_the_formula_of_its_source():
    material = chosen(diffusivity="pulse_titration")
    x = np.array([0.3, 0.47, 0.8])
    exponent = (
        -13.96
        - 0.9231 * np.exp(-((x - 0.3216) ** 2) / 0.002534)
        - 0.4066 * np.exp(-((x - 0.4532) ** 2) / 0.003926)
        - 0.993 * np.exp(-((x - 0.8098) ** 2) / 0.09924)
    )
    found = material.diffusivity_ab * material.diffusivity_profile(x)
    assert found == pytest.approx(2.7 * 10**exponent * 1e12, rel=1e-6)  # rows lie 5e-4 apart: cubic error 1e-7
    assert material.diffusion_activation_energy == 12050


def test_integral_and_slope_belong_to_the_profile():
    profile = chosen(diffusivity="pulse_titration").diffusivity_profile
    for low, high in ((0.0, 0.2), (0.1, 0.4), (0.3, 0.31), (0.9, 1.1)):
        between = quad(profile, low, high, points=[profile.low, profile.high], epsabs=1e-12, limit=500)[0]
        assert profile.integral(high) - profile.integral(low) == pytest.approx(between, abs=1e-8)
    x = np.linspace(0.26, 0.94, 50)
    assert profile.slope(x) == pytest.approx((profile(x + 1e-6) - profile(x - 1e-6)) / 2e-6, abs=1e-3)
    assert not profile.slope([0.0, 0.2, 1.0]).any()
    assert profile([-0.1, 0.0]) == pytest.approx(2 * [float(profile(profile.low))])  # constant outside
    assert profile.integral(0.0) == 0.0


def test_a_table_of_ones_own():
    material = chosen(diffusivity_table=TABLE, diffusivity_ratio=0.1)
    values = material.diffusivity_ab * material.diffusivity_profile([0.0, 0.2, 0.5, 0.9, 1.0])
    assert values == pytest.approx([1e-3, 1e-3, 1e-2, 2e-4, 2e-4], rel=1e-12)
    assert material.diffusivity_c == pytest.approx(0.1 * material.diffusivity_ab)
    profile = material.diffusivity_profile
    assert profile.mean == pytest.approx(1.0)  # the reference is the mean over the table
    fine = profile(np.linspace(0.2, 0.9, 300))
    assert fine.min() >= profile(0.9)  # never overshoots, over two decades
    assert fine.max() <= profile(0.5)
    assert material.entries["transport.diffusivity_ab"].confidence == "case"


def test_constant_diffusivities_have_no_profile():
    assert chosen().diffusivity_profile is None
    assert chosen(diffusivity_ab="1e-15 m^2/s").diffusivity_profile is None
    assert chosen(diffusivity_table=TABLE).digest != chosen().digest


def test_profiles_of_shells_must_agree():
    table, constant = chosen(diffusivity_table=TABLE), chosen()
    assert RadialMaterial((constant, constant), (0.5,)).diffusivity_profile is None
    assert RadialMaterial((table, table), (0.5,)).diffusivity_profile is table.diffusivity_profile
    for others in (constant, chosen(diffusivity="pulse_titration")):
        with pytest.raises(MaterialError, match="depend differently on lithium content"):
            _ = RadialMaterial((table, others), (0.5,)).diffusivity_profile


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"diffusivity_table": TABLE | {"x": [0.2, 0.1, 0.9]}}, "x must be finite and rise"),
        ({"diffusivity_table": TABLE | {"x": [0.2, 0.9]}}, "3 values for 2 rows"),
        ({"diffusivity_table": TABLE, "diffusivity": "particle"}, "give one of diffusivity and diffusivity_table"),
        ({"diffusivity_table": TABLE | {"diffusivity": [1e-15, 1e-15, 1e-15]}}, "has no unit"),
    ],
)
def test_tables_that_cannot_be_used(changes, words):
    with pytest.raises(ValidationError, match=words):
        MaterialChoice(base="NMC811", **changes)


def test_a_profile_must_be_positive():
    with pytest.raises(MaterialError, match="positive"):
        DiffusivityProfile(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
