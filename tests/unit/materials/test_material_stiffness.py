"""Elastic constants: stability, isotropy, Voigt convention, and eq. 2.2 against the rotated 6 × 6 matrix."""

from __future__ import annotations

import numpy as np
import pytest
import ufl

from solver.materials import MaterialError, TransverseStiffness, load_material, material_names
from solver.model.elasticity import stress

_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
# Sums of a few hundred products of numbers of order one: a thousand times the rounding unit.
_ROUNDING = 1e-12


def fourth_order(voigt):
    """Stiffness tensor (3, 3, 3, 3) of a Voigt matrix with engineering shears."""
    tensor = np.zeros((3, 3, 3, 3))
    for row, (i, j) in enumerate(_PAIRS):
        for column, (k, m) in enumerate(_PAIRS):
            for a, b in {(i, j), (j, i)}:
                for c, d in {(k, m), (m, k)}:
                    tensor[a, b, c, d] = voigt[row, column]
    return tensor


def rotation_to(axis, rng):
    """A rotation whose third column is `axis`, with a random turn about it."""
    first = np.cross(axis, rng.normal(size=3))
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(axis, first), axis], axis=1)


def closed_form(constants, strain, axis):
    """Eq. 2.2 as implemented for the solver, evaluated for numbers."""
    expression = stress(ufl.as_matrix(strain.tolist()), ufl.as_vector(axis.tolist()), constants)
    return np.array([[float(expression[i, j](())) for j in range(3)] for i in range(3)])


@pytest.mark.parametrize("name", material_names())
def test_closed_form_is_the_rotated_matrix(name):
    rng = np.random.default_rng(7)
    stiffness = load_material(name).stiffness
    tensor = fourth_order(stiffness.voigt())
    for _ in range(3):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        turn = rotation_to(axis, rng)
        rotated = np.einsum("ai,bj,ck,dl,ijkl->abcd", turn, turn, turn, turn, tensor)
        strain = rng.normal(size=(3, 3))
        strain += strain.T
        expected = np.einsum("abcd,cd->ab", rotated, strain)
        found = closed_form(stiffness, strain, axis)
        assert np.abs(found - expected).max() < _ROUNDING * np.abs(expected).max()


def test_voigt_uses_engineering_shear_and_the_c_axis_is_z():
    stiffness = TransverseStiffness(C11=285e3, C12=93e3, C13=65e3, C33=215e3, C44=52e3)
    matrix = stiffness.voigt()
    assert np.array_equal(matrix, matrix.T)
    assert np.array_equal(np.diag(matrix), [285e3, 285e3, 215e3, 52e3, 52e3, 96e3])
    assert stiffness.C66 == 96e3
    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = 1e-3  # ε_yz = 1e-3 is γ_yz = 2e-3
    found = closed_form(stiffness, shear, np.array([0.0, 0.0, 1.0]))
    assert found[1, 2] == pytest.approx(matrix[3, 3] * 2e-3, rel=_ROUNDING)


def test_engineering_constants_of_nmc811():
    compliance = np.linalg.inv(load_material("NMC811").stiffness.voigt())
    # GPa, from an independent inversion of the same constants
    assert 1e-3 / compliance[0, 0] == pytest.approx(245.073, abs=5e-4)
    assert 1e-3 / compliance[2, 2] == pytest.approx(192.646, abs=5e-4)


@pytest.mark.parametrize(("modulus", "ratio"), [(140e3, 0.3), (150e3, 0.0), (1.0, -0.5), (70e3, 0.499)])
def test_isotropic_grain_is_hookes_law_for_any_axis(modulus, ratio):
    rng = np.random.default_rng(3)
    stiffness = TransverseStiffness.isotropic(modulus, ratio)
    shear = modulus / (2 * (1 + ratio))
    lame = modulus * ratio / ((1 + ratio) * (1 - 2 * ratio))
    strain = rng.normal(size=(3, 3))
    strain += strain.T
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    hooke = lame * np.trace(strain) * np.eye(3) + 2 * shear * strain
    assert closed_form(stiffness, strain, axis) == pytest.approx(hooke, rel=1e-10, abs=1e-10 * np.abs(hooke).max())
    assert 1 / np.linalg.inv(stiffness.voigt())[2, 2] == pytest.approx(modulus, rel=1e-10)


@pytest.mark.parametrize(("modulus", "ratio"), [(0.0, 0.3), (-1.0, 0.3), (1.0, 0.5), (1.0, -1.0), (1.0, float("nan"))])
def test_impossible_isotropic_solids_are_refused(modulus, ratio):
    with pytest.raises(MaterialError, match="stable solid"):
        TransverseStiffness.isotropic(modulus, ratio)


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"C44": 0.0}, "C44 > 0"),
        ({"C12": 300e3}, "C11 > |C12|"),
        ({"C12": -300e3}, "C11 > |C12|"),
        ({"C13": 202e3}, "2 C13²"),
        ({"C33": -1.0}, "2 C13²"),
        ({"C11": float("inf")}, "finite"),
    ],
)
def test_unstable_constants_are_refused(change, condition):
    constants = {"C11": 285e3, "C12": 93e3, "C13": 65e3, "C33": 215e3, "C44": 52e3} | change
    with pytest.raises(MaterialError) as caught:
        TransverseStiffness(**constants)
    assert condition in str(caught.value)


def test_stability_conditions_are_those_of_the_eigenvalues():
    rng = np.random.default_rng(11)
    verdicts = []
    for _ in range(400):
        C11, C12, C13, C33, C44 = rng.uniform(-1, 1.5, size=5)
        matrix = np.diag([C11, C11, C33, C44, C44, (C11 - C12) / 2])
        matrix[0, 1] = matrix[1, 0] = C12
        matrix[0, 2] = matrix[2, 0] = matrix[1, 2] = matrix[2, 1] = C13
        positive = bool(np.linalg.eigvalsh(matrix).min() > 0)
        verdicts.append(positive)
        assert (TransverseStiffness.stability_problem(C11, C12, C13, C33, C44) is None) == positive
    assert 10 < sum(verdicts) < 390  # the sample holds both kinds
