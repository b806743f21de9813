"""Checks of `strain: finite`: everything that is worked out for small strains only is refused by name, at once."""

from __future__ import annotations

import pytest

from solver.case.load import load_case
from solver.errors import CaseError

CASE = """
particle: {particle}
material: NMC811
electrochemistry: {{protocol: [Charge at 1C until 50 % SoC]}}
mechanics: {{strain: finite{mechanics}}}
"""


def load(tmp_path, particle="{grains: {count: 5}}", mechanics=""):
    path = tmp_path / "case.yaml"
    path.write_text(CASE.format(particle=particle, mechanics=mechanics), encoding="utf-8")
    return load_case(path)


def test_plain_particles_and_sections_may_strain_much(tmp_path):
    for particle in ("{grains: {count: 5}}", "{dimension: 2, grains: {count: 5}}", "{sector: eighth}"):
        assert load(tmp_path, particle).case.mechanics.strain == "finite"


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("mechanics.coupling", {"mechanics": ", coupling: two-way"}),
        ("mechanics.softening", {"mechanics": ", softening: true"}),
        ("mechanics.stack_pressure", {"mechanics": ", stack_pressure: 5 MPa"}),
        ("particle.coating", {"particle": "{coating: {material: ZrO2, thickness: 20 nm}}"}),
        ("particle.matrix", {"particle": "{matrix: {material: LPSCl}}"}),
    ],
)
def test_what_needs_small_strains_is_refused_by_name(tmp_path, key, options):
    with pytest.raises(CaseError) as failure:
        load(tmp_path, **options)
    assert any(f"{key}:" in line and "mechanics.strain: small" in line for line in failure.value.problems)


def test_without_mechanics_the_option_says_nothing(tmp_path):
    loaded = load(tmp_path, mechanics=", coupling: none")
    assert any("mechanics.strain" in line for line in loaded.warnings)
