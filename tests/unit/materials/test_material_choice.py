"""Choices of a case: what they change, what they refuse, and how that reads."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from solver.materials import EquilibriumVoltage, MaterialChoice, load_material


def chosen(base="NMC811", **overrides):
    return load_material(MaterialChoice(base=base, **overrides))


def message(**data):
    with pytest.raises(ValidationError) as caught:
        MaterialChoice(**data)
    return " | ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in caught.value.errors())


def test_a_bare_choice_is_the_material_itself():
    assert chosen().digest == load_material("NMC811").digest


def test_numbers_are_replaced_and_marked():
    material = chosen(
        diffusivity_ab="1e-14 m^2/s",
        diffusion_activation_energy="30 kJ/mol",
        reference_temperature="30 degC",
        maximum_concentration="49000 mol/m^3",
        theoretical_capacity="280 mAh/g",
        C44="60 GPa",
    )
    assert material.diffusivity_ab == pytest.approx(1e-2)
    assert material.diffusivity_c == pytest.approx(1e-4)  # the ratio of the library stays
    assert material.diffusion_activation_energy == pytest.approx(30e3)
    assert material.reference_temperature == pytest.approx(303.15)
    assert material.maximum_concentration == 49000
    assert material.theoretical_capacity == pytest.approx(280)
    assert np.diag(material.stiffness.voigt())[[0, 3]] == pytest.approx([285e3, 60e3])
    changed = {key for key, entry in material.entries.items() if entry.confidence == "case"}
    assert len(changed) == 6
    assert "elasticity.C44" in changed


def test_diffusivity_along_c():
    assert chosen(diffusivity_ratio=1.0).diffusivity_c == pytest.approx(4e-3)
    assert chosen(diffusivity_c="1e-16 m^2/s").diffusivity_c == pytest.approx(1e-4)
    assert chosen(diffusivity_ab="1e-15 m^2/s", diffusivity_c="2e-15 m^2/s").diffusivity(298.15) == pytest.approx(
        (1e-3, 2e-3)
    )


def test_isotropic_grains():
    stiffness = chosen(youngs_modulus="150 GPa", poisson_ratio=0.25).stiffness
    assert stiffness.C11 == stiffness.C33
    assert np.diag(stiffness.voigt())[3:] == pytest.approx([60e3] * 3)
    assert "elasticity.C11" not in chosen(youngs_modulus="150 GPa", poisson_ratio=0.25).entries


def test_constant_partial_molar_volume():
    material = chosen(partial_molar_volume="1.5e-6 m^3/mol")
    x = np.array([0.0, 0.4, 1.0])
    assert material.lattice.a(x) == pytest.approx(1.5e-6 * 49061 / 3 * (x - 1), rel=1e-12)
    assert np.array_equal(material.lattice.a(x), material.lattice.c(x))
    assert material.strain_table == "partial_molar_volume"
    assert material.stoichiometry_range == (0.0, 1.0)


def test_strains_of_ones_own():
    material = chosen(lattice={"x": [0.2, 0.6, 1], "strain_a": [-0.02, -0.01, 0], "strain_c": [0.01, 0.02, 0]})
    assert material.stoichiometry_range == (0.2, 1.0)
    assert material.lattice.both(0.6) == pytest.approx([-0.01, 0.02])
    assert material.strain_table == "case"


def test_other_tables_of_the_same_material():
    cycled = chosen(strain_table="cycled_cell", diffusivity="single_crystal")
    assert cycled.strain_table == "cycled_cell"
    assert cycled.lattice.c(0.255) == pytest.approx(-0.03579)
    assert cycled.diffusivity_ab == pytest.approx(2e-3)
    assert chosen("Ni90", strain_table="from_pristine").lattice.c(0.28) == pytest.approx(-0.0326)


def test_a_benchmark_with_single_crystal_constants():
    constants = {"C11": "300 GPa", "C12": "100 GPa", "C13": "70 GPa", "C33": "200 GPa", "C44": "50 GPa"}
    stiffness = chosen("isotropic-benchmark", **constants).stiffness
    assert np.diag(stiffness.voigt()) == pytest.approx([300e3, 300e3, 200e3, 50e3, 50e3, 100e3])
    assert "give C13, C33, C44 as well" in message(base="isotropic-benchmark", C11="300 GPa", C12="100 GPa")


def test_digest_tells_physics_apart():
    digests = {
        material.digest
        for material in (
            chosen(),
            chosen(C44="60 GPa"),
            chosen(diffusivity_ab="1e-14 m^2/s"),
            chosen(diffusivity_ratio=0.1),
            chosen(strain_table="cycled_cell"),
            chosen(theoretical_capacity="200 mAh/g"),
            chosen("NCM83"),
        )
    }
    assert len(digests) == 7
    assert chosen(C44="52 GPa").digest == chosen().digest  # the value of the library, said again


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"base": "NMC881"}, 'base: Value error, there is no material "NMC881"; did you mean NMC811'),
        ({"base": "ZrO2"}, "there is no material"),
        ({}, "base: Field required"),
        ({"base": "NMC811", "strain_tabel": "absolute"}, "strain_tabel: Extra inputs"),
        ({"base": "Ni90", "strain_table": "from_pristin"}, "did you mean from_pristine"),
        ({"base": "isotropic-benchmark", "strain_table": "absolute"}, "no strain_table of isotropic-benchmark"),
        ({"base": "NMC811", "strain_table": "kelvin"}, "known: absolute, cycled_cell"),
        ({"base": "NMC811", "stiffness_softening": 0.2}, "Extra inputs"),  # the solver has no C(x) yet
        ({"base": "NMC811", "diffusivity": "particel"}, "did you mean particle"),
        ({"base": "NMC811", "diffusivity_ab": 4e-15}, "has no unit"),
        ({"base": "NMC811", "diffusivity_ab": "4e-15 GPa"}, "is not a diffusivity"),
        ({"base": "NMC811", "diffusivity_ab": "1 m^2/s"}, "is outside"),
        ({"base": "NMC811", "diffusivity_ab": "4e-15 m^2/s", "diffusivity": "particle"}, "give one of diffusivity and"),
        ({"base": "NMC811", "diffusivity_c": "4e-15 m^2/s", "diffusivity_ratio": 0.1}, "give one of diffusivity_c and"),
        ({"base": "NMC811", "youngs_modulus": "150 GPa"}, "go together"),
        ({"base": "NMC811", "poisson_ratio": 0.3}, "go together"),
        ({"base": "NMC811", "youngs_modulus": "1 GPa", "poisson_ratio": 0.5}, "less than 0.5"),
        ({"base": "NMC811", "youngs_modulus": "1 GPa", "poisson_ratio": 0.3, "C11": "1 GPa"}, "not both"),
        ({"base": "NMC811", "C13": "210 GPa"}, "not positive definite"),
        ({"base": "NMC811", "C44": "0 GPa"}, "not positive definite"),
        ({"base": "NMC811", "partial_molar_volume": "1e-6 m^3/mol", "strain_table": "absolute"}, "give one of"),
        ({"base": "NMC811", "lattice": {"x": [0.5, 0.2], "strain_a": [0.0, 0.0], "strain_c": [0.0, 0.0]}}, "rise"),
        ({"base": "NMC811", "lattice": {"x": [0.2, 0.5], "strain_a": [0.0], "strain_c": [0.0, 0.0]}}, "1 values for 2"),
        (
            {"base": "NMC811", "lattice": {"x": [0.2, 1.5], "strain_a": [0.0, 0.0], "strain_c": [0.0, 0.0]}},
            "lattice.x.1",
        ),
        ({"base": "NMC811", "diffusivity_ratio": float("nan")}, "finite"),
        ({"base": "NMC811", "diffusivity_ratio": 0.0}, "greater than 0"),
    ],
)
def test_wrong_choices_say_what_is_wrong(data, words):
    assert words in message(**data)


def test_several_contradictions_come_at_once():
    text = message(base="Ni90", strain_table="nope", diffusivity="nope", poisson_ratio=0.3)
    assert "strain_table" in text
    assert "no diffusivity of Ni90" in text
    assert "go together" in text


def test_a_choice_survives_its_json():
    first = MaterialChoice(base="NMC811", diffusivity_ab="1e-14 m^2/s", C44="60 GPa", reference_temperature="30 degC")
    again = MaterialChoice.model_validate_json(first.model_dump_json(exclude_none=True))
    assert load_material(again).digest == load_material(first).digest


def test_the_voltage_moves_with_temperature_where_its_entropy_is_known():
    curve = chosen().open_circuit
    x = np.array([0.3, 0.6, 0.85])
    warm, cold = (EquilibriumVoltage(curve, temperature) for temperature in (328.15, 298.15))
    entropy = (
        0.04006 * np.exp(-((x - 0.2828) ** 2) / 0.0009855) - 0.06656 * np.exp(-((x - 0.8032) ** 2) / 0.02179)
    ) / 1e3
    assert warm(x) - cold(x) == pytest.approx(30.0 * entropy, abs=1e-8)  # between rows 4e-4 apart
    assert chosen("Ni90").open_circuit.entropy is None
    other = EquilibriumVoltage(chosen("Ni90").open_circuit, 328.15)
    assert other(0.6) == pytest.approx(float(chosen("Ni90").open_circuit(0.6)))
