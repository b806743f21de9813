"""The bond between particle and matrix: when it comes off, and what is left of its stiffness."""

from __future__ import annotations

import numpy as np
import pytest

from solver.materials import TransverseStiffness
from solver.model.interface import RESIDUE, InterfaceLaw, breaking

BULK = TransverseStiffness.isotropic(22100.0, 0.37)


def comes_off(bonded, normal, shear, adhesion=50.0):
    return breaking(np.array(bonded), np.array(normal), np.array(shear), adhesion).tolist()


@pytest.mark.parametrize(
    ("normal", "shear", "expected"),
    [(49.0, 0.0, False), (51.0, 0.0, True), (0.0, 51.0, True), (40.0, 40.0, True), (-500.0, 49.0, False)],
)
def test_bond_holds_up_to_the_adhesion(normal, shear, expected):
    """Tension and shear add as vectors; pressure neither helps nor harms."""
    assert comes_off([True], [normal], [shear]) == [expected]


def test_what_is_off_does_not_come_off_again():
    assert comes_off([False, True], [500.0, 60.0], [0.0, 0.0]) == [False, True]


def test_the_most_loaded_columns_come_off_first():
    assert comes_off([True] * 4, [60.0, 30.0, 300.0, 290.0], [0.0] * 4) == [False, False, True, True]


def test_stiffness_left_without_a_bond():
    law = InterfaceLaw(BULK, 50.0)
    bonded, loose = law.stiffness()
    assert bonded == BULK
    assert pytest.approx(RESIDUE) == loose.C44 / BULK.C44
    # Where it touches, the layer is as stiff along its normal as while it was bonded.
    assert loose.C33 + law.contact_stiffness == pytest.approx(BULK.C33)
