"""Materials that change with the radius: shares, means, capacity, and what a case may say of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solver.case.composition import radial_material
from solver.case.load import load_text
from solver.errors import CaseError
from solver.materials import load_material
from solver.materials.radial import RadialMaterial

INNER, OUTER = load_material("NMC811"), load_material("NMC622")
CASE = "material: NMC811\nelectrochemistry: {{protocol: Charge at 1C until {end} SoC}}\ncomposition: {composition}\n"


def load(composition: str, end: str = "60 %"):
    return load_text(CASE.format(composition=composition, end=end), Path("/nowhere/c.yaml"))


def problem(composition: str, end: str = "60 %") -> str:
    with pytest.raises(CaseError) as caught:
        load(composition, end)
    return "\n".join(caught.value.problems)


def test_one_material_is_the_same_everywhere():
    material, radius = RadialMaterial((INNER,)), np.array([0.0, 0.5, 1.2])
    assert (material.shares(radius) == 1.0).all()
    assert [*map(tuple, material.diffusivity(298.15, radius))] == [(value,) * 3 for value in INNER.diffusivity(298.15)]
    assert material.theoretical_capacity == pytest.approx(INNER.theoretical_capacity)
    assert material.numbers() == INNER.numbers()


def test_a_sharp_boundary_divides():
    material = RadialMaterial((INNER, OUTER), (0.7,))
    shares = material.shares(np.array([0.0, 0.69, 0.71, 1.1]))
    assert shares.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert material.sites(np.array([0.9])) == pytest.approx(OUTER.maximum_concentration)


def test_a_smooth_one_mixes_in_linear_proportion():
    material = RadialMaterial((INNER, OUTER, INNER), (0.4, 0.8), width=0.2)
    radius = np.array([0.3, 0.35, 0.4, 0.5, 0.75, 0.95])
    shares = material.shares(radius)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert shares[:, 1] == pytest.approx([0.0, 0.25, 0.5, 1.0, 0.75, 0.0])
    in_plane = material.diffusivity(298.15, radius)[0]
    values = [each.diffusivity(298.15)[0] for each in (INNER, OUTER)]
    assert in_plane[2] == pytest.approx(np.mean(values))


def test_capacity_is_weighed_by_mass():
    material = RadialMaterial((INNER, OUTER), (0.5,))
    masses = np.array([0.125 * INNER.density, 0.875 * OUTER.density])
    wanted = masses @ [INNER.theoretical_capacity, OUTER.theoretical_capacity] / masses.sum()
    assert material.theoretical_capacity == pytest.approx(wanted, rel=1e-5)


def test_a_case_says_what_lies_outside():
    loaded = load("{shells: [{from_radius: 0.7, material: NMC622}], transition: smooth, width: 5 %}")
    material = radial_material(loaded.case)
    assert [each.name for each in material.materials] == ["NMC811", "NMC622"]
    assert (material.radii, material.width, material.dimension) == ((0.7,), 0.05, 3)
    assert material.stoichiometry_range[0] == max(INNER.stoichiometry_range[0], OUTER.stoichiometry_range[0])
    other = load("{shells: [{from_radius: 0.6, material: NMC622}], transition: smooth, width: 5 %}")
    assert loaded.digest != other.digest


def test_what_makes_no_sense_is_refused_by_name():
    assert 'composition.shells[1].material: "NMC62" is not' in problem(
        "{shells: [{from_radius: 0.7, material: NMC62}]}"
    )
    both = "{shells: [{from_radius: 0.7, material: NMC622}, {from_radius: 0.6, material: NMC111}]}"
    assert "composition: from_radius must rise" in problem(both)
    near = "{shells: [{from_radius: 0.6, material: NMC622}, {from_radius: 0.65, material: NMC111}], transition: smooth}"
    assert "transitions of 0.1 R overlap" in problem(near)
    deep = problem("{shells: [{from_radius: 0.7, material: NMC622}]}", end="84 %")
    assert "electrochemistry.protocol[1]" in deep
    assert "lattice table of NMC622" in deep
