"""Layers: numbers of the library in the solver's units, numbers of a case laid over, names checked with the case."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshes.designs import LayerMaterial
from solver.case.load import load_text
from solver.errors import CaseError
from solver.materials import MaterialError, layer_names, load_layer


def test_every_layer_of_the_library_loads():
    assert layer_names() == ["EEC_layer", "LPSCl", "Li3InCl6", "Nb12WO33", "NiO", "ZrO2"]
    for name in layer_names():
        layer = load_layer(name)
        assert 20e3 <= layer.youngs_modulus <= 250e3
        assert 0.2 < layer.poisson_ratio < 0.4
        assert pytest.approx(layer.youngs_modulus / (2 * (1 + layer.poisson_ratio))) == layer.stiffness.C44


def test_numbers_come_in_micrometres_seconds_and_megapascals():
    layer = load_layer("EEC_layer")
    assert (layer.youngs_modulus, layer.poisson_ratio, layer.host_strain_share) == (170e3, 0.27, 0.3)
    assert (layer.diffusivity, layer.adhesion, layer.toughness) == (pytest.approx(0.02), 1000.0, 1.0)
    assert layer.plane_strain_modulus == pytest.approx(170e3 / (1 - 0.27**2))
    electrolyte = load_layer("LPSCl")
    assert (electrolyte.yield_strength, electrolyte.hardening_modulus, electrolyte.diffusivity) == (300.0, 0.0, None)


def test_a_case_replaces_numbers():
    choice = LayerMaterial.model_validate(
        {"base": "LPSCl", "youngs_modulus": "4.7 GPa", "diffusivity": "1e-14 m^2/s", "misfit": -0.01}
    )
    layer = load_layer(choice)
    assert (layer.youngs_modulus, layer.misfit) == (pytest.approx(4700.0), -0.01)
    assert layer.diffusivity == pytest.approx(0.01)
    assert layer.poisson_ratio == 0.37


def test_active_materials_and_unknown_names_are_no_layers():
    with pytest.raises(MaterialError, match='no layer "NMC811"'):
        load_layer("NMC811")
    with pytest.raises(MaterialError, match="did you mean ZrO2"):
        load_layer("ZrO")


def case(particle: str):
    text = f"particle: {particle}\nmaterial: Ni90\nelectrochemistry: {{protocol: Charge at 1C until 60 % SoC}}\n"
    return load_text(text, Path("/nowhere/c.yaml"))


@pytest.mark.parametrize(
    ("particle", "expected"),
    [
        ("{coating: {material: EEC, thickness: 20 nm}}", ["particle.coating.material", "did you mean EEC_layer"]),
        (
            "{coating: [{material: EEC_layer, thickness: 20 nm}, {material: LPSCl, thickness: 20 nm}]}",
            ["particle.coating[2].material", "nothing is known of lithium in LPSCl", "diffusivity"],
        ),
        ("{matrix: {material: LPSC}}", ["particle.matrix.material", "did you mean LPSCl"]),
    ],
)
def test_a_case_with_an_unusable_layer_is_refused(particle, expected):
    with pytest.raises(CaseError) as caught:
        case(particle)
    [line] = caught.value.problems
    assert all(part in line for part in expected)


def test_the_numbers_of_layers_are_part_of_the_case():
    plain = case("{coating: {material: ZrO2, thickness: 20 nm}}")
    stiffer = case("{coating: {material: {base: ZrO2, youngs_modulus: 201 GPa}, thickness: 20 nm}}")
    assert plain.digest != stiffer.digest


def test_a_coating_that_hardly_passes_lithium_is_warned_of():
    def warnings(coating: str):
        return case(f"{{radius: 5 um, coating: {coating}}}").warnings

    [line] = warnings("{material: ZrO2, thickness: 20 nm}")
    assert "particle.coating: lithium hardly passes" in line
    assert "drop of x of about 9.3" in line  # (5 µm / 3 / 3600 s) (0.02 µm / 1e-6 µm²/s)
    assert not warnings("{material: ZrO2, thickness: 20 nm, coverage: 90 %}"), "the rest of the surface is bare"
    assert not warnings("{material: EEC_layer, thickness: 20 nm}")
