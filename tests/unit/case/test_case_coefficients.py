"""Cooling, softening and diffusivities that change: what a case may ask for, and what it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshes.designs import LayerMaterial
from solver.case.cooling import Cooling
from solver.case.load import load_text
from solver.errors import CaseError
from solver.materials import MaterialChoice, MaterialError, load_layer, load_material

START = 'electrochemistry: {{protocol: ["Charge at 1C until 60 % SoC"]{}}}\n'


def refusal(rest: str, electrochemistry: str = "") -> str:
    """What a case is told."""
    material = "" if rest.startswith("material:") else "material: NMC811\n"
    with pytest.raises(CaseError) as caught:
        load_text(material + START.format(electrochemistry) + rest, Path("case.yaml"))
    return "\n".join(caught.value.problems)


def accepted(rest: str, electrochemistry: str = "") -> None:
    assert not load_text("material: NMC811\n" + START.format(electrochemistry) + rest, Path("case.yaml")).warnings


@pytest.mark.parametrize(
    ("rest", "electrochemistry", "words"),
    [
        ("mechanics: {coupling: none, stress_free_temperature: 700 degC}", "", "stress_free_temperature: needs mech"),
        ("mechanics: {coupling: none, softening: true}", "", "mechanics.softening: needs mechanics; leave it out"),
        ("mechanics: {coupling: none}", ", strained_diffusion: {}", "strained_diffusion: needs mechanics"),
        (
            "material: isotropic-benchmark\nmechanics: {softening: true}",
            "",
            "does not soften; write `material: {base: isotropic-benchmark, softening: 0.37}`",
        ),
        (
            "material: isotropic-benchmark\nmechanics: {stress_free_temperature: 700 degC}",
            "",
            "write `material: {base: isotropic-benchmark, thermal_expansion: 1.3e-5 1/K}`",
        ),
        (
            "particle: {coating: {material: Nb12WO33, thickness: 9 nm}}\nmechanics: {stress_free_temperature: 970 K}",
            "",
            "particle.coating.material: Nb12WO33 has no thermal expansion; write `material: {base: Nb12WO33, thermal",
        ),
        (
            "particle: {matrix: {material: {base: LPSCl, stress_free_temperature: 150 degC}}}",
            "",
            "particle.matrix.material: LPSCl has no thermal expansion",
        ),
        (
            "material: {base: NMC811, diffusivity: pulse_titration}\n"
            "composition: {shells: [{from_radius: 0.7, material: NMC111}]}",
            "",
            "composition.shells: the diffusivities of NMC811, NMC111 depend differently on lithium content",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(rest, electrochemistry, words):
    assert words in refusal(rest, electrochemistry)


@pytest.mark.parametrize(
    ("rest", "electrochemistry"),
    [
        ("mechanics: {stress_free_temperature: 750 degC, softening: true}", ", strained_diffusion: {}"),
        # Pressed around the particle as it is: it needs no expansion of its own.
        ("particle: {matrix: {material: LPSCl}}\nmechanics: {stress_free_temperature: 750 degC}", ""),
        (
            "particle: {coating: {material: EEC_layer, thickness: 9 nm}}\nmechanics: {stress_free_temperature: 970 K}",
            "",
        ),
    ],
)
def test_what_can_be_cooled_is_accepted(rest, electrochemistry):
    accepted(rest, electrochemistry)


def test_grains_shrink_by_their_axes():
    cooling = Cooling(298.15, 998.15, load_material("NMC811"))
    along, across = cooling.grain_strain(load_material("NMC811"))
    assert (2 * along + across) / 3 == pytest.approx(-700 * 1.3e-5)
    assert across - along == pytest.approx(-700 * 5e-6)
    other = load_material(MaterialChoice(base="NMC811", thermal_expansion="10 ppm/K", thermal_anisotropy="0 1/K"))
    assert cooling.grain_strain(other) == pytest.approx((-7e-3, -7e-3))
    assert Cooling(298.15, 298.15, other).grain_strain(load_material("isotropic-benchmark")) == (0.0, 0.0)


def test_layers_follow_what_the_particle_had_shrunk_when_they_were_put_on():
    """ε = α_L (T − T_L) + ᾱ (T_L − T_free): the second part is the particle's, which the layer was made to fit."""
    cooling = Cooling(298.15, 998.15, load_material("NMC811"))
    zirconia, electrolyte = load_layer("ZrO2"), load_layer("LPSCl")
    assert cooling.coating_strain(zirconia) == pytest.approx(-700 * 1e-5)
    assert cooling.matrix_strain(electrolyte) == pytest.approx(-700 * 1.3e-5)  # as the particle: no misfit
    later = LayerMaterial(base="ZrO2", stress_free_temperature="125 degC", thermal_expansion="1.2e-5 1/K")
    assert cooling.coating_strain(load_layer(later)) == pytest.approx(-100 * 1.2e-5 - 600 * 1.3e-5)
    with pytest.raises(MaterialError, match="Nb12WO33 has no thermal expansion"):
        cooling.coating_strain(load_layer("Nb12WO33"))


def test_warmer_than_the_layer_was_put_on():
    """Without cooling of the polycrystal a warm experiment still strains a layer that was put on cold."""
    cooling = Cooling(333.15, 333.15, load_material("NMC811"))
    layer = load_layer(LayerMaterial(base="ZrO2", stress_free_temperature="25 degC"))
    assert cooling.coating_strain(layer) == pytest.approx(35 * (1e-5 - 1.3e-5))
