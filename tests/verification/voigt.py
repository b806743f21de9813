"""Tensors and their six components, and the 6×6 form of the elastic law: independent of the solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

# Order of the components: xx, yy, zz, yz, xz, xy.
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def tensors(components: Array) -> Array:
    """Symmetric tensors (…, 3, 3) from components (…, 6)."""
    full = np.empty((*components.shape[:-1], 3, 3))
    for number, (i, j) in enumerate(PAIRS):
        full[..., i, j] = full[..., j, i] = components[..., number]
    return full


def voigt_stress(constants: tuple[float, ...], axis: ArrayLike, elastic: Array) -> Array:
    """Stress (3, 3) from a strain (3, 3) through the 6×6 matrix in the crystal frame: independent of eq. 2.2."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    turn = Rotation.align_vectors([axis], [[0, 0, 1]])[0].as_matrix()
    local = turn.T @ elastic @ turn
    vector = np.array([local[i, j] * (1 if i == j else 2) for i, j in PAIRS])
    return turn @ tensors(transversely_isotropic(*constants) @ vector) @ turn.T


def transversely_isotropic(c11: float, c12: float, c13: float, c33: float, c44: float) -> NDArray[np.float64]:
    """Voigt stiffness (6, 6) about axis 3, order xx yy zz yz xz xy, engineering shear, written out independently."""
    stiffness = np.zeros((6, 6))
    stiffness[:3, :3] = [[c11, c12, c13], [c12, c11, c13], [c13, c13, c33]]
    stiffness[3:, 3:] = np.diag([c44, c44, (c11 - c12) / 2])
    return stiffness
