"""Two-way coupling gives the same history on one and two ranks, in a section."""

from __future__ import annotations

import pytest
from rank_runs import history_differences, history_on

pytestmark = pytest.mark.mpi

CASE = """\
particle: {dimension: 2, radius: 3 um, grains: {count: 8, seed: 1}, mesh: {size: 0.5 um}}
material: NMC811
mechanics: {coupling: two-way}
electrochemistry: {initial_stoichiometry: 0.6, protocol: [Charge at 1C until 40.5 % SoC]}
numerics: {displacement_tolerance: 1.0e-9}
output: {fields: 1, pictures: false}
"""
# Lithium and stress agree to 1e-5 of x, on every number of ranks after other iterations: a hundredfold of that.
LARGEST_DIFFERENCE = 1e-3


def test_one_and_two_ranks_agree(tmp_path):
    one, two = (history_on(tmp_path, ranks, CASE) for ranks in (1, 2))
    assert one["energy_imbalance [-]"].notna().all()
    differences = history_differences(one, two)
    del differences["energy_imbalance [-]"]  # a difference of large numbers, a guard like the others
    assert {key: value for key, value in differences.items() if value > LARGEST_DIFFERENCE} == {}
