"""What may be added to the elasticity of the cells: films on surfaces, pressure, inelastic strain, thin interfaces.

Strains are handed in as 3 × 3 tensors and not as displacements, so that the same term serves the displacement of a
particle and the even stretch of a cross-section along its normal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.core.expr import Expr


class ElasticTerm(Protocol):
    """An addition to eq. 2.4. Forms are asked for once; what changes during a run sits in their coefficients."""

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """Work of the stress that one strain causes in another, or None; symmetric and not negative.

        It is part of the matrix on both levels of the solver. When its coefficients change, `ElasticSolver.reassemble`
        must be called.

        Args:
            first: Strain that causes the stress, shape (3, 3).
            second: Strain it works in, shape (3, 3).
        """

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """Virtual work on the right-hand side, or None.

        Args:
            displacement: Virtual displacement [µm], shape (3,).
            strain: Its strain, shape (3, 3).
        """

    def eigenstrain(self) -> Expr | None:
        """Strain of the cells without stress, shape (3, 3), besides the lattice strain, or None."""

    def update(self, stoichiometry: NDArray[np.float64]) -> None:
        """Sets the coefficients for a lithium field, before the load is assembled.

        Args:
            stoichiometry: x at the corners of all local and ghost cells, shape (cells, corners).
        """


def joined(own: ufl.Form, parts: Iterable[ufl.Form | None]) -> ufl.Form:
    """A form with those parts added that are there."""
    return sum((part for part in parts if part is not None), own)
