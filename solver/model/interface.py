"""The thin layer between particle and matrix that may open: its states, its stiffness in each, and what changes them.

While bonded the layer is matrix like the rest. Once its traction has exceeded the adhesion it is *open*, carrying
nothing, or *closed*, carrying pressure but neither tension nor shear (eqs. 9.6 and 9.7 of docs/theory.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials import TransverseStiffness

Array = NDArray[np.float64]
States = NDArray[np.int8]

BONDED, CLOSED, OPEN = 0, 1, 2

# What is left of the stiffness where nothing is carried; without any, points inside the layer could move freely. At an
# opening as wide as the layer is thick, the tension left in a layer of 50 GPa is half a megapascal.
RESIDUE = 1e-5

# Columns open in order of their traction: in one round, those within this share of the largest. The rest is relieved
# by their opening, or its turn comes in a later round.
_TOGETHER = 0.75


@dataclass(frozen=True)
class InterfaceLaw:
    """Stiffness and strength of the layer.

    Attributes:
        bulk: Elastic constants of the matrix [MPa].
        adhesion: Traction at which the bond opens [MPa].
    """

    bulk: TransverseStiffness
    adhesion: float

    def stiffness(self) -> tuple[TransverseStiffness, ...]:
        """Elastic constants [MPa] about the normal of the layer, one set per state."""
        left = {name: RESIDUE * getattr(self.bulk, name) for name in ("C11", "C12", "C13", "C33", "C44")}
        return self.bulk, TransverseStiffness(**(left | {"C33": self.bulk.C33})), TransverseStiffness(**left)


def next_states(
    states: States, normal_traction: Array, shear_traction: Array, normal_strain: Array, adhesion: float
) -> States:
    """States after a look at what the layer carries in equilibrium with the present ones.

    Args:
        states: (columns,) present states.
        normal_traction: (columns,) facet means [MPa], tension positive.
        shear_traction: (columns,) facet means, lengths [MPa].
        normal_strain: (columns,) means of the layer's strain along its normal [-].
        adhesion: Strength of the bond [MPa].
    """
    after = states.copy()
    bonded = states == BONDED
    load = np.where(bonded, np.hypot(np.maximum(normal_traction, 0.0), shear_traction) / adhesion, 0.0)
    breaking = (load > 1.0) & (load >= _TOGETHER * load.max(initial=0.0))
    loose = ~bonded
    after[loose | breaking] = np.where(normal_strain < 0.0, CLOSED, OPEN)[loose | breaking]
    return after
