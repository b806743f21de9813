"""Every indicator on stress fields whose answer is known by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from solver.indicators.cleavage import basal_shear_strength
from solver.indicators.registry import INDICATORS, IndicatorSet, definitions
from solver.indicators.settings import IndicatorSettings

COMM = MPI.COMM_SELF
SETTINGS = IndicatorSettings(length=0.2)
TENSION = 300.0
# Columns of coatings and matrices, which the particle of these tests has not.
ABSENT = ("coating_", "outside_stoichiometry", "interface_", "contact_loss", "debonded", "matrix_")


@pytest.fixture(scope="module")
def domain():
    return synthetic.domain(COMM, divisions=6, grains=7)


@pytest.fixture(scope="module")
def indicators(domain):
    return IndicatorSet(domain, SETTINGS)


def evaluate(indicators, stress_of, mismatch_of=None):
    domain = indicators.layout.domain
    stress = synthetic.sample(domain, stress_of)
    mismatch = synthetic.sample(domain, mismatch_of or (lambda points, grain: 0.25 * stress_of(points, grain)))
    state = replace(synthetic.state(domain), stress=stress, mismatch=mismatch)
    return indicators.evaluate(indicators.view(state))


def uniform(points, grain):
    """Uniaxial tension along z."""
    stress = np.zeros((*grain.shape, 6))
    stress[..., 2] = TENSION
    return stress


@pytest.fixture(scope="module")
def tension(indicators):
    return evaluate(indicators, uniform)


def test_every_number_is_defined_and_every_definition_has_a_number(tension):
    assert list(tension) == [definition.key for definition in definitions(SETTINGS)]
    assert len(set(tension)) == len(tension)
    without = {key: value for key, value in tension.items() if key.startswith(ABSENT)}
    assert len(without) == 26
    assert all(math.isnan(value) for value in without.values()), "there is neither coating nor matrix"
    numbers = [value for key, value in tension.items() if key not in without]
    assert all(isinstance(value, float) and math.isfinite(value) for value in numbers)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_definitions_say_what_they_are(indicator):
    for definition in indicator.definitions(SETTINGS):
        assert definition.meaning
        assert definition.unit


def test_uniform_tension_in_the_grains(tension):
    for level in ("p50", "p95", "p99"):
        assert tension[f"first_principal_{level}"] == pytest.approx(TENSION)
        assert tension[f"hydrostatic_{level}"] == pytest.approx(TENSION / 3.0)
        assert tension[f"von_mises_{level}"] == pytest.approx(TENSION)
    assert tension["first_principal_volume_above"] == 0.0
    assert tension["first_principal_nonlocal_max"] == pytest.approx(TENSION)


def test_uniform_tension_on_the_boundaries(tension, indicators):
    facets = indicators.layout.facets
    cosine = np.abs(facets.normal[:, 2])
    normal, shear = TENSION * cosine**2, TENSION * cosine * np.sqrt(1.0 - cosine**2)
    share = facets.area / facets.area.sum()
    for threshold in SETTINGS.boundary_thresholds:
        expected = share[normal > threshold].sum()
        assert tension[f"boundary_area_above_{threshold:g}MPa"] == pytest.approx(expected, abs=1e-12)
    risk = np.hypot(normal / SETTINGS.normal_strength, shear / SETTINGS.shear_strength)
    for key, values in (("boundary_normal", normal), ("boundary_shear", shear), ("boundary_risk", risk)):
        expected = np.percentile(values, 95.0, weights=facets.area, method="inverted_cdf")
        assert tension[f"{key}_p95"] == pytest.approx(expected)
    # Both sides see the same stress.
    assert tension["traction_jump"] < 1e-12


def test_compression_carries_no_risk_but_shear_does(indicators):
    pressed = evaluate(indicators, lambda points, grain: -1e-3 * uniform(points, grain))
    assert pressed["boundary_risk_p99"] <= 1e-3 * TENSION / SETTINGS.shear_strength
    assert pressed["core_boundary_tension"] == 0.0
    assert pressed["failure_probability"] == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(pressed["worst_region"])


def test_traction_is_the_mean_of_both_sides_and_the_jump_their_difference(indicators):
    layout = indicators.layout

    def stress_of(points, grain):
        stress = np.zeros((*grain.shape, 6))
        stress[..., :3] = 100.0 * grain[..., None]
        return stress

    state = replace(synthetic.state(layout.domain), stress=synthetic.sample(layout.domain, stress_of))
    traction = indicators.view(state).stress.traction
    grains = layout.facets.grains
    assert traction.normal == pytest.approx(50.0 * grains.sum(axis=1))
    assert traction.shear == pytest.approx(np.zeros(len(grains)), abs=1e-10)
    assert traction.jump == pytest.approx(100.0 * np.diff(grains, axis=1)[:, 0])


def test_traction_of_a_linear_field_is_exact_on_every_facet(indicators):
    layout = indicators.layout

    def stress_of(points, grain):
        stress = np.zeros((*grain.shape, 6))
        stress[..., 0], stress[..., 5] = 10.0 * points[..., 0] - 3.0 * points[..., 2], 5.0 * points[..., 1] + 1.0
        return stress

    state = replace(synthetic.state(layout.domain), stress=synthetic.sample(layout.domain, stress_of))
    traction = indicators.view(state).stress.traction
    x, y, z = layout.facets.centroid.T
    n = layout.facets.normal
    xx, xy = 10.0 * x - 3.0 * z, 5.0 * y + 1.0
    expected = np.stack([xx * n[:, 0] + xy * n[:, 1], xy * n[:, 0], 0.0 * x], axis=1)
    assert traction.vector == pytest.approx(expected, abs=1e-10)
    assert np.max(traction.jump) < 1e-10


def test_layers_feel_the_part_of_the_tension_across_them(tension, indicators):
    cells = indicators.layout.cells
    cosine = cells.axis[:, 2]
    normal, shear = TENSION * cosine**2, TENSION * np.abs(cosine) * np.sqrt(1.0 - cosine**2)
    expected = np.percentile(normal, 95.0, weights=cells.volume, method="inverted_cdf")
    assert tension["layer_normal_p95"] == pytest.approx(expected)
    expected = np.percentile(shear, 95.0, weights=cells.volume, method="inverted_cdf")
    assert tension["basal_shear_p95"] == pytest.approx(expected)


def test_basal_strength_falls_with_lithium_and_stays_within_the_measured_values():
    assert basal_shear_strength(np.array([0.05, 0.22, 0.61, 1.0])).tolist() == pytest.approx([39.0, 39.0, 62.5, 86.0])


def test_energy_of_uniform_tension(tension, indicators):
    density = 0.5 * TENSION * TENSION / 1e5
    assert tension["elastic_energy_density"] == pytest.approx(density)
    assert tension["elastic_energy"] == pytest.approx(density * indicators.layout.domain.volume)
    # At uniform density the shares of energy and volume are the same.
    assert tension["energy_near_boundaries"] == pytest.approx(tension["volume_near_boundaries"])
    assert 0.0 < tension["volume_near_boundaries"] < 1.0


def test_weibull_of_uniform_tension(tension, indicators):
    volume = indicators.layout.domain.volume
    expected = TENSION * volume ** (1.0 / SETTINGS.weibull_modulus)
    assert tension["weibull_stress"] == pytest.approx(expected)
    hazard = (expected / SETTINGS.weibull_stress) ** SETTINGS.weibull_modulus
    assert tension["failure_probability"] == pytest.approx(1.0 - math.exp(-hazard))


def test_parts_share_out_the_stress(tension):
    assert tension["mismatch_first_principal_p95"] == pytest.approx(0.25 * TENSION)
    assert tension["gradient_first_principal_p95"] == pytest.approx(0.75 * TENSION)
    assert tension["gradient_boundary_normal_p95"] == pytest.approx(0.75 * tension["boundary_normal_p95"])


def test_regions_find_the_rim(indicators):
    domain = indicators.layout.domain

    def stress_of(points, grain):
        radius = np.linalg.norm(points - domain.centroid, axis=-1) / domain.radius
        stress = np.zeros((*grain.shape, 6))
        stress[..., :3] = np.where(radius > 0.8, 900.0, 10.0)[..., None]
        return stress

    values = evaluate(indicators, stress_of)
    assert values["worst_region"] == 2.0
    assert values["core_boundary_tension"] == pytest.approx(10.0)
    assert values["core_boundary_area_pulled"] == 0.0
    assert values["rim_boundary_area_pulled"] > 0.7  # a facet at the border feels the stress of both regions
    assert values["core_first_principal_p95"] == pytest.approx(10.0)
    assert values["rim_first_principal_p95"] == pytest.approx(900.0)
    shares = [values[f"{name}_energy_share"] for name in ("core", "middle", "rim")]
    assert sum(shares) == pytest.approx(1.0)
    # Not all: a cell belongs to the region of its centroid, whatever its corners feel.
    assert shares[2] > 0.85


def test_stress_balance_tells_a_loaded_particle_from_a_free_one(tension, indicators):
    assert tension["stress_imbalance"] == pytest.approx(1.0)
    centre = indicators.layout.domain.centroid

    def odd(points, grain):
        return uniform(points, grain) * (points - centre)[..., :1]

    assert evaluate(indicators, odd)["stress_imbalance"] < 1e-10


def test_faces_average_the_traction_over_the_boundary_between_two_grains(indicators):
    layout = indicators.layout
    facets = layout.facets
    state = replace(synthetic.state(layout.domain), stress=synthetic.sample(layout.domain, synthetic.smooth_stress))
    view = indicators.view(state)
    values = indicators.evaluate(view)
    means, areas = [], []
    for pair in range(len(facets.pair_grains)):
        mine = facets.pair == pair
        area = facets.area[mine]
        means.append(area @ view.stress.traction.normal[mine] / area.sum())
        areas.append(area.sum())
    expected = np.percentile(means, 95.0, weights=areas, method="inverted_cdf")
    assert values["face_normal_p95"] == pytest.approx(expected)


def test_lithium_of_the_regions(indicators):
    values = indicators.evaluate(indicators.view(synthetic.state(indicators.layout.domain)))
    assert values["stoichiometry_max"] == pytest.approx(0.6)
    assert values["stoichiometry_min"] == pytest.approx(0.6 - 0.05 * 2.0, abs=1e-12)
    assert values["stoichiometry_core"] > values["stoichiometry_middle"] > values["stoichiometry_rim"]


def test_without_mechanics_only_lithium_is_reported(indicators):
    state = synthetic.state(indicators.layout.domain, mechanics=False)
    values = indicators.evaluate(indicators.view(state))
    finite = {key for key, value in values.items() if math.isfinite(value)}
    assert finite == {key for key in values if key.startswith("stoichiometry")} | {"lithium_imbalance"}


def test_a_single_crystal_has_no_boundary_numbers():
    indicators = IndicatorSet(synthetic.domain(COMM, divisions=4, grains=1), SETTINGS)
    values = evaluate(indicators, uniform)
    assert math.isnan(values["boundary_normal_p95"])
    assert math.isnan(values["boundary_area_above_100MPa"])
    assert math.isnan(values["worst_region"])
    assert values["boundary_area"] == 0.0
    assert values["volume_near_boundaries"] == 0.0
    assert values["first_principal_p95"] == pytest.approx(TENSION)
    assert list(values) == [definition.key for definition in definitions(SETTINGS)]
