"""Transversely isotropic stiffness of one grain; equations 2.2 and 2.3 of docs/theory.md. Numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials.errors import MaterialError


@dataclass(frozen=True)
class TransverseStiffness:
    """Five elastic constants [MPa] of a grain whose symmetry axis e3 is the crystal c axis.

    Raises:
        MaterialError: When the constants are not positive definite (eq. 2.3).
    """

    C11: float
    C12: float
    C13: float
    C33: float
    C44: float

    def __post_init__(self) -> None:
        if problem := self.stability_problem(self.C11, self.C12, self.C13, self.C33, self.C44):
            raise MaterialError(problem)

    @staticmethod
    def stability_problem(C11: float, C12: float, C13: float, C33: float, C44: float) -> str | None:
        """The stability condition of eq. 2.3 that fails, in words, or None; all constants in one unit of stress."""
        conditions = {
            "C44 > 0": C44 > 0,
            "C11 > |C12|": abs(C12) < C11,
            "C33 (C11 + C12) > 2 C13²": C33 * (C11 + C12) > 2 * C13**2 and C33 > 0,
        }
        broken = [text for text, holds in conditions.items() if not holds]
        finite = all(map(math.isfinite, (C11, C12, C13, C33, C44)))
        if finite and not broken:
            return None
        return f"the stiffness is not positive definite: needs {' and '.join(broken) or 'finite numbers'}"

    @classmethod
    def isotropic(cls, youngs_modulus: float, poisson_ratio: float) -> TransverseStiffness:
        """The same law for an isotropic grain.

        Args:
            youngs_modulus: E [MPa], positive.
            poisson_ratio: ν [-], between -1 and 0.5, limits excluded.

        Raises:
            MaterialError: When E or ν is outside its limits.
        """
        if not (youngs_modulus > 0 and -1 < poisson_ratio < 0.5):
            raise MaterialError(
                f"Young's modulus {youngs_modulus:g} MPa and Poisson's ratio {poisson_ratio:g} describe no stable "
                "solid; write a positive modulus and a ratio between -1 and 0.5"
            )
        shear = youngs_modulus / (2 * (1 + poisson_ratio))
        lame = youngs_modulus * poisson_ratio / ((1 + poisson_ratio) * (1 - 2 * poisson_ratio))
        return cls(C11=lame + 2 * shear, C12=lame, C13=lame, C33=lame + 2 * shear, C44=shear)

    @property
    def C66(self) -> float:
        """Shear modulus within the basal plane [MPa], (C11 - C12)/2."""
        return (self.C11 - self.C12) / 2

    def voigt(self) -> NDArray[np.float64]:
        """Stiffness matrix [MPa], shape (6, 6).

        Order xx, yy, zz, yz, xz, xy; engineering shear strains (γ = 2ε); the c axis is z.
        """
        matrix = np.zeros((6, 6))
        matrix[:3, :3] = [
            [self.C11, self.C12, self.C13],
            [self.C12, self.C11, self.C13],
            [self.C13, self.C13, self.C33],
        ]
        matrix[range(3, 6), range(3, 6)] = self.C44, self.C44, self.C66
        return matrix
