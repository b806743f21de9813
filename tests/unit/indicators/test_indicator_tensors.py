"""Tensor algebra against numpy on full matrices."""

from __future__ import annotations

import numpy as np
import pytest

from solver.indicators import tensors

ORDER = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]


def six(matrix):
    return np.stack([matrix[..., i, j] for i, j in ORDER], axis=-1)


@pytest.fixture(scope="module")
def matrices():
    random = np.random.default_rng(2)
    plain = random.normal(size=(2000, 3, 3)) * 10.0 ** random.uniform(-6, 6, size=(2000, 1, 1))
    return plain + np.swapaxes(plain, 1, 2)


def test_first_principal_is_the_largest_eigenvalue(matrices):
    exact = np.linalg.eigvalsh(matrices)[:, 2]
    size = np.linalg.norm(matrices, axis=(1, 2))
    # Where eigenvalues nearly meet, the closed form loses half the digits: 1e-8 of the norm.
    assert np.max(np.abs(tensors.first_principal(six(matrices)) - exact) / size) < 3e-8


@pytest.mark.parametrize(
    "values", [(2.0, 2.0, 2.0), (5.0, 5.0, -1.0), (5.0, -1.0, -1.0), (0.0, 0.0, 0.0), (3.0, 0.0, 0.0)]
)
def test_first_principal_of_coinciding_values(values):
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    found = tensors.first_principal(six(rotation @ np.diag(values) @ rotation.T))
    assert found == pytest.approx(max(values), abs=1e-7)


def test_invariants_of_uniaxial_and_shear_stress():
    stress = np.array([[0, 0, 90.0, 0, 0, 0], [0, 0, 0, 0, 0, 30.0]])
    assert tensors.hydrostatic(stress).tolist() == [30.0, 0.0]
    assert tensors.von_mises(stress) == pytest.approx([90.0, 30.0 * np.sqrt(3.0)])
    assert tensors.first_principal(stress) == pytest.approx([90.0, 30.0])


def test_contractions(matrices):
    other = matrices[::-1]
    expected = np.einsum("nij,nij->n", matrices, other)
    assert tensors.double_contraction(six(matrices), six(other)) == pytest.approx(expected, rel=1e-12, abs=1e-9)
    assert tensors.frobenius(six(matrices)) == pytest.approx(np.linalg.norm(matrices, axis=(1, 2)), rel=1e-12)


def test_traction_and_its_parts(matrices):
    normal = np.random.default_rng(1).normal(size=(len(matrices), 3))
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    vector = tensors.traction(six(matrices), normal)
    assert vector == pytest.approx(np.einsum("nij,nj->ni", matrices, normal), rel=1e-12, abs=1e-9)
    along, shear = tensors.normal_and_shear(vector, normal)
    assert np.hypot(along, shear) == pytest.approx(np.linalg.norm(vector, axis=1), rel=1e-9)
    assert along == pytest.approx(np.einsum("ni,nij,nj->n", normal, matrices, normal), rel=1e-9, abs=1e-9)
