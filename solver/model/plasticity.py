"""Plastic flow of the matrix: von Mises yield, isotropic hardening, eqs. 9.2-9.5 of docs/theory.md.

Arrays in, arrays out, at any number of points at once. Flow changes no volume, so the law needs only the shear modulus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Components xx, yy, zz, yz, xz, xy of a symmetric tensor; each shear stands for two entries.
_ENTRIES = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
_ROOT = np.sqrt(1.5)


@dataclass(frozen=True)
class PlasticLaw:
    """An isotropic solid that flows.

    Attributes:
        shear_modulus: G [MPa].
        yield_strength: Von Mises stress at which flow starts [MPa].
        hardening_modulus: Rise of the yield strength per equivalent plastic strain [MPa]; 0 is perfectly plastic.
    """

    shear_modulus: float
    yield_strength: float
    hardening_modulus: float


@dataclass(frozen=True)
class Flow:
    """Plastic state after a strain was applied.

    Attributes:
        plastic_strain: (…, 6) tensor components.
        equivalent: (…,) equivalent plastic strain.
        lost_shear: (…,) shear stiffness 2G(1 − θ) lost in every direction of the deviator [MPa].
        lost_along: (…, 6) tensor m; the stiffness m ⊗ m is lost besides [√MPa].
    """

    plastic_strain: Array
    equivalent: Array
    lost_shear: Array
    lost_along: Array


def deviator(tensor: Array) -> Array:
    """Tensor (…, 6) less its mean."""
    result = np.array(tensor, dtype=np.float64)
    result[..., :3] -= tensor[..., :3].mean(axis=-1, keepdims=True)
    return result


def flow(strain: Array, plastic_strain: Array, equivalent: Array, law: PlasticLaw) -> Flow:
    """Radial return: the plastic state that belongs to a strain, and the stiffness lost for small changes of it.

    Args:
        strain: (…, 6) total strain.
        plastic_strain: (…, 6) plastic strain before, without trace.
        equivalent: (…,) equivalent plastic strain before.
        law: The solid.
    """
    shear, hardening = law.shear_modulus, law.hardening_modulus
    trial = 2.0 * shear * (deviator(strain) - plastic_strain)
    size = np.sqrt(trial**2 @ _ENTRIES)
    excess = _ROOT * size - (law.yield_strength + hardening * equivalent)
    flowing = excess > 0.0
    multiplier = np.where(flowing, excess, 0.0) / (3.0 * shear + hardening)
    direction = trial / np.where(size > 0.0, size, 1.0)[..., None]
    # θ is the share of the trial deviator that is left; the tangent consistent with the return is
    # 2G θ dev − 2G θ̄ n ⊗ n on top of the bulk part.
    lost = 3.0 * shear * multiplier / np.where(size > 0.0, _ROOT * size, 1.0)
    along = np.where(flowing, 1.0 / (1.0 + hardening / (3.0 * shear)) - lost, 0.0)
    return Flow(
        plastic_strain=plastic_strain + (_ROOT * multiplier)[..., None] * direction,
        equivalent=equivalent + multiplier,
        lost_shear=2.0 * shear * lost,
        lost_along=np.sqrt(2.0 * shear * np.maximum(along, 0.0))[..., None] * direction,
    )
