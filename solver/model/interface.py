"""The thin layer between particle and matrix that may open: its stiffness, its strength, and contact without a bond.

While bonded the layer is matrix like the rest. Once its traction has exceeded the adhesion it carries pressure, but
neither tension nor shear (eqs. 9.6 and 9.7 of docs/theory.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials import TransverseStiffness

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What is left of the stiffness where nothing is carried; without any, points inside the layer could move freely. At an
# opening as wide as the layer is thick, a layer of argyrodite still pulls with 4 MPa; less would cost iterations.
RESIDUE = 1e-4

# Columns open in order of their traction: in one round, those within this share of the largest. The rest is relieved
# by their opening, or its turn comes in a later round.
_TOGETHER = 0.25


@dataclass(frozen=True)
class InterfaceLaw:
    """Stiffness and strength of the layer.

    Attributes:
        bulk: Elastic constants of the matrix [MPa].
        adhesion: Traction at which the bond opens [MPa].
        free_strain: Strain of the layer without stress, equal in all directions [-].
    """

    bulk: TransverseStiffness
    adhesion: float
    free_strain: float = 0.0

    def stiffness(self) -> tuple[TransverseStiffness, TransverseStiffness]:
        """Elastic constants [MPa] of the layer while bonded, and after, without contact."""
        left = {name: RESIDUE * getattr(self.bulk, name) for name in ("C11", "C12", "C13", "C33", "C44")}
        return self.bulk, TransverseStiffness(**left)

    @property
    def contact_stiffness(self) -> float:
        """Pressure per strain along the normal where particle and matrix touch without a bond [MPa]."""
        return self.bulk.C33 * (1.0 - RESIDUE)


def breaking(bonded: NDArray[np.bool_], normal_traction: Array, shear_traction: Array, adhesion: float) -> Mask:
    """Which columns come off next (eq. 9.6).

    Args:
        bonded: (columns,) which are bonded.
        normal_traction: (columns,) facet means [MPa], tension positive.
        shear_traction: (columns,) facet means, lengths [MPa].
        adhesion: Strength of the bond [MPa].
    """
    load = np.where(bonded, np.hypot(np.maximum(normal_traction, 0.0), shear_traction) / adhesion, 0.0)
    return (load > 1.0) & (load >= _TOGETHER * load.max(initial=0.0))
