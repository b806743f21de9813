"""Checks of `coupling: two-way`: what it does not go with is refused by name, at once."""

from __future__ import annotations

import pytest

from solver.case.load import load_case
from solver.errors import CaseError

CASE = """
particle: {particle}
material: {material}
electrochemistry: {{protocol: [Charge at 1C until 50 % SoC]{diffusion}}}
mechanics: {{coupling: {coupling}{mechanics}}}
"""


def load(
    tmp_path,
    particle="{grains: {count: 5}}",
    material="NMC811",
    mechanics="",
    diffusion="",
    coupling="two-way",
    more="",
):
    path = tmp_path / "case.yaml"
    text = CASE.format(
        particle=particle, material=material, mechanics=mechanics, diffusion=diffusion, coupling=coupling
    )
    path.write_text(text + more, encoding="utf-8")
    return load_case(path)


def test_particles_sections_and_coatings_may_be_coupled(tmp_path):
    for particle in (
        "{grains: {count: 5}}",
        "{dimension: 2, grains: {count: 5}}",
        "{coating: {material: ZrO2, thickness: 20 nm}}",
        "{coating: {material: EEC_layer, thickness: 200 nm}}",
    ):
        assert load(tmp_path, particle).case.mechanics.coupling == "two-way"


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("particle.matrix", {"particle": "{matrix: {material: LPSCl}}"}),
        ("composition", {"more": "composition: {shells: [{material: NMC622, from_radius: 0.5}]}\n"}),
        ("electrochemistry.mobility", {"material": "isotropic-benchmark"}),
        ("electrochemistry.mobility", {"diffusion": ", kinetics: butler-volmer, mobility: lattice-gas"}),
    ],
)
def test_what_is_not_there_is_refused_by_name(tmp_path, key, options):
    with pytest.raises(CaseError) as caught:
        load(tmp_path, **options)
    assert any(f"{key}:" in line for line in str(caught.value).splitlines())


def test_a_material_without_voltage_takes_an_ideal_mobility(tmp_path):
    loaded = load(tmp_path, material="isotropic-benchmark", diffusion=", mobility: lattice-gas")
    assert loaded.case.electrochemistry.mobility == "lattice-gas"


def test_a_mobility_without_two_way_coupling_is_pointed_out(tmp_path):
    warnings = load(tmp_path, coupling="one-way", diffusion=", mobility: dilute").warnings
    assert any("no effect" in str(warning) for warning in warnings)
