"""Invariants and projections of symmetric tensors stored as six components xx, yy, zz, yz, xz, xy; plain numpy.

Shears are tensor components everywhere (never engineering shear), for stress and strain alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def hydrostatic(tensor: Array) -> Array:
    """Mean of the three normal components of (..., 6), shape (...)."""
    return tensor[..., :3].sum(axis=-1) / 3.0


def von_mises(tensor: Array) -> Array:
    """Von Mises equivalent of a (..., 6) stress, shape (...)."""
    normal = tensor[..., :3]
    differences = (normal - np.roll(normal, 1, axis=-1)) ** 2
    return np.sqrt(0.5 * differences.sum(axis=-1) + 3.0 * (tensor[..., 3:] ** 2).sum(axis=-1))


def frobenius(tensor: Array) -> Array:
    """Frobenius norm √(σ:σ) of (..., 6), shape (...)."""
    return np.sqrt(double_contraction(tensor, tensor))


def double_contraction(first: Array, second: Array) -> Array:
    """A:B of two (..., 6) tensors, shape (...)."""
    product = first * second
    return product[..., :3].sum(axis=-1) + 2.0 * product[..., 3:].sum(axis=-1)


def first_principal(tensor: Array) -> Array:
    """Largest eigenvalue of (..., 6) tensors, shape (...).

    Closed form (trigonometric solution of the cubic); accurate to about 1e-8 of the tensor's norm where the two largest
    eigenvalues meet, to rounding elsewhere, and some ten times faster than an eigenvalue solver on many small matrices.
    """
    mean = hydrostatic(tensor)
    xx, yy, zz = (tensor[..., i] - mean for i in range(3))
    yz, xz, xy = (tensor[..., i] for i in range(3, 6))
    radius = np.sqrt((xx**2 + yy**2 + zz**2 + 2.0 * (yz**2 + xz**2 + xy**2)) / 6.0)
    determinant = xx * (yy * zz - yz**2) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    cube = radius**3
    cosine = np.divide(0.5 * determinant, cube, out=np.zeros_like(cube), where=cube > 0.0)
    return mean + 2.0 * radius * np.cos(np.arccos(np.clip(cosine, -1.0, 1.0)) / 3.0)


def traction(tensor: Array, normal: Array) -> Array:
    """Vector σ·n of (..., 6) tensors on planes with (..., 3) unit normals, shape (..., 3)."""
    xx, yy, zz, yz, xz, xy = (tensor[..., i] for i in range(6))
    x, y, z = (normal[..., i] for i in range(3))
    return np.stack([xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z], axis=-1)


def normal_and_shear(vector: Array, normal: Array) -> tuple[Array, Array]:
    """Signed component of (..., 3) vectors along unit normals, and the length of the rest; both of shape (...)."""
    along = np.einsum("...i,...i->...", vector, normal)
    return along, np.linalg.norm(vector - along[..., None] * normal, axis=-1)
