"""States of the interface layer: what opens, what closes, what stays."""

from __future__ import annotations

import numpy as np
import pytest

from solver.materials import TransverseStiffness
from solver.model.interface import BONDED, CLOSED, OPEN, RESIDUE, InterfaceLaw, next_states

BULK = TransverseStiffness.isotropic(22100.0, 0.37)


def after(state, normal, shear, strain, adhesion=50.0):
    arrays = (np.atleast_1d(np.asarray(value, dtype=float)) for value in (normal, shear, strain))
    return next_states(np.atleast_1d(np.array(state, dtype=np.int8)), *arrays, adhesion).tolist()


@pytest.mark.parametrize(
    ("normal", "shear", "expected"),
    [(49.0, 0.0, BONDED), (51.0, 0.0, OPEN), (0.0, 51.0, OPEN), (40.0, 40.0, OPEN), (-500.0, 49.0, BONDED)],
)
def test_bond_holds_up_to_the_adhesion(normal, shear, expected):
    """Tension and shear add as vectors; pressure neither helps nor harms."""
    assert after(BONDED, normal, shear, np.sign(normal)) == [expected]


def test_bond_sheared_off_under_pressure_stays_in_contact():
    assert after(BONDED, -500.0, 60.0, -0.01) == [CLOSED]


def test_broken_bond_never_heals():
    assert after([OPEN, OPEN, CLOSED, CLOSED], [0.0] * 4, [0.0] * 4, [0.1, -0.1, 0.1, -0.1]) == [
        OPEN,
        CLOSED,
        OPEN,
        CLOSED,
    ]


def test_the_most_loaded_columns_open_first():
    assert after([BONDED] * 4, [60.0, 100.0, 200.0, 190.0], [0.0] * 4, [0.01] * 4) == [BONDED, BONDED, OPEN, OPEN]


def test_stiffness_of_each_state():
    bonded, closed, opened = InterfaceLaw(BULK, 50.0).stiffness()
    assert bonded == BULK
    assert closed.C33 == BULK.C33
    assert pytest.approx(RESIDUE * BULK.C44) == closed.C44
    assert pytest.approx(RESIDUE * BULK.C13) == closed.C13
    assert pytest.approx(RESIDUE * BULK.C33) == opened.C33
