"""Checks of what surrounds a particle: strengths that are needed, pressure that has no effect."""

from __future__ import annotations

import pytest

from solver.case.load import load_case
from solver.errors import CaseError

CASE = """
particle:
  grains: {{count: 5}}
  matrix: {matrix}
material: NMC811
electrochemistry: {{protocol: [Charge at 1C until 50 % SoC]}}
mechanics: {mechanics}
"""


def load(tmp_path, matrix, mechanics="{}"):
    path = tmp_path / "case.yaml"
    path.write_text(CASE.format(matrix=matrix, mechanics=mechanics), encoding="utf-8")
    return load_case(path)


def test_solid_electrolytes_of_the_library_have_all_strengths(tmp_path):
    for name in ("LPSCl", "Li3InCl6"):
        loaded = load(tmp_path, f"{{material: {name}, plastic: true, interface: limited}}")
        assert loaded.case.particle.matrix.plastic


@pytest.mark.parametrize(
    ("option", "missing"), [("plastic: true", "yield_strength"), ("interface: limited", "adhesion")]
)
def test_missing_strength_names_the_option_and_the_remedy(tmp_path, option, missing):
    with pytest.raises(CaseError) as failure:
        load(tmp_path, f"{{material: ZrO2, {option}}}")
    key = option.partition(":")[0]
    assert any(f"particle.matrix.{key}" in line and missing in line for line in failure.value.problems)
