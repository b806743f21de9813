"""What stress adds to the chemical potential of lithium where the total strain is held (eqs. 13.6, 13.7).

A transversely isotropic crystal that strains along its own axes needs two numbers of the total strain only: the stretch
along c and that of the layers. With them held, the stress follows from the lithium of the place alone, so the shift and
its derivative are local. A crystal that softens (eq. 14.7) needs a third: the energy of all other strain, which lithium
does not change. NumPy only; `solver.solve.site_strain` finds the strain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solver.materials import LatticeStrain
from solver.materials.material import GAS_CONSTANT
from solver.model.elasticity import CONSTANTS
from solver.solve.solids import Crystal

Array = NDArray[np.float64]

_PASCALS = 1e6  # in a megapascal
# Beyond a lattice table strains stay, and their slope goes to zero over this change of x: a potential that jumped there
# would have no equilibrium.
_FADE = 0.05


def coupling_strength(maximum_concentration: float, temperature: float) -> float:
    """κ = 1/(c_max R T) [1/MPa]: what a megapascal of σ:∂ε*/∂x shifts μ/RT by (eq. 13.6).

    Args:
        maximum_concentration: Lithium sites [mol/m³].
        temperature: [K].
    """
    return _PASCALS / (maximum_concentration * GAS_CONSTANT * temperature)


@dataclass(frozen=True, eq=False)
class StressPotential:
    """The law at n places.

    Attributes:
        crystals: What there is.
        shares: (n, crystals) share of each; a place with none has no lithium and no shift.
        strength: (n,) κ [1/MPa].
        rest: x at which the crystals are free of strain [-].
    """

    crystals: Sequence[Crystal]
    shares: Array
    strength: Array
    rest: float

    def __call__(self, x: Array, strain: Array) -> tuple[Array, Array]:
        """Shift s and ds/dx at held total strain, each (n,) (eqs. 13.6, 13.7).

        Args:
            x: Stoichiometry, (n,).
            strain: Total strain along c, and the sum over both directions of the layers, (n, 2); with a third number,
                the energy of all other strain at x = 1 over C11, for crystals that soften.
        """
        slope = self._mixed(_slopes, x)
        curvature = self._mixed(_curvatures, x)
        elastic = strain[:, :2] - _doubled(self.lattice_strain(x))
        along, across = self._stress(elastic)
        own_along, own_across = self._stress(_doubled(self._mixed(LatticeStrain.both_slopes, x)))
        work = slope[:, 0] * across + slope[:, 1] * along
        derivative = slope[:, 0] * own_across + slope[:, 1] * own_along
        derivative -= curvature[:, 0] * across + curvature[:, 1] * along
        if not self._softening.any():
            return -self.strength * work, self.strength * derivative
        left = self._left(x)
        energy = 0.5 * (along * elastic[:, 0] + across * elastic[:, 1] / 2.0) + self._constants[:, 0] * strain[:, 2]
        shift = self._softening * energy - left * work
        return self.strength * shift, self.strength * (left * derivative - 2.0 * self._softening * work)

    def by_strain(self, x: Array) -> Array:
        """Derivatives of s by the first two numbers of the strain, (n, 2), of crystals that do not soften."""
        along, across = self._stress(_doubled(self._mixed(_slopes, x)))
        return -self.strength[:, None] * np.stack([along, across / 2.0], axis=1)

    def dead_slope(self, x: Array, x_stressed: Array, strain: Array) -> Array:
        """Slope of s by x, (n,), if the stress stayed as it is what it is at another x and a strain (eq. 13.10)."""
        along, across = self._stress(strain[:, :2] - _doubled(self.lattice_strain(x_stressed)))
        curvature = self._mixed(_curvatures, x)
        return -self.strength * self._left(x_stressed) * (curvature[:, 0] * across + curvature[:, 1] * along)

    def number(self, x: Array) -> Array:
        """κ β:C:β, (n,): over the slope of μ/RT, how strong the coupling is (eq. 13.7)."""
        slope = self._mixed(_slopes, x)
        along, across = self._stress(_doubled(slope))
        return self.strength * self._left(x) * (slope[:, 0] * across + slope[:, 1] * along)

    def lattice_strain(self, x: Array) -> Array:
        """ε_a and ε_c of the free crystal, its cooling included, (n, 2)."""
        return self._thermal + self._mixed(lambda lattice, at: lattice.both(at) - lattice.both(self.rest), x)

    def _stress(self, strain: Array) -> tuple[Array, Array]:
        """n·σn, and the sum of both normal stresses in the layers, [MPa] of strains (along c, sum across)."""
        constants = self._constants
        c, t = strain[:, 0], strain[:, 1]
        along = constants[:, 3] * c + constants[:, 2] * t
        across = (constants[:, 0] + constants[:, 1]) * t + 2.0 * constants[:, 2] * c
        return along, across

    @cached_property
    def _constants(self) -> Array:
        """(n, 5) mixed elastic constants [MPa], in the order of `CONSTANTS`."""
        rows = [[getattr(crystal.stiffness, name) for name in CONSTANTS] for crystal in self.crystals]
        return self.shares @ np.array(rows)

    @cached_property
    def _softening(self) -> Array:
        """(n,) k_E of eq. 2.6."""
        return self.shares @ np.array([crystal.softening for crystal in self.crystals])

    def _left(self, x: Array) -> Array:
        """Stiffness over that at x = 1, (n,)."""
        left: Array = 1.0 - self._softening * (1.0 - x)
        return left

    @cached_property
    def _thermal(self) -> Array:
        """(n, 2) strains since the temperature without stress (eq. 14.5)."""
        return self.shares @ np.array([crystal.thermal_strain for crystal in self.crystals])

    def _mixed(self, of: Callable[[LatticeStrain, Array], Array], x: Array) -> Array:
        """Mean over the crystals of what each has for both strains, (n, 2)."""
        mixed = np.zeros((len(x), 2))
        for number, crystal in enumerate(self.crystals):
            mixed += self.shares[:, number, None] * of(crystal.lattice, x)
        return mixed


def _slopes(lattice: LatticeStrain, x: Array) -> Array:
    """Slopes of both lattice strains, (n, 2), fading beyond the table."""
    inside, beyond = _beyond(lattice, x)
    return lattice.both_slopes(inside) * np.maximum(1.0 - np.abs(beyond) / _FADE, 0.0)[:, None]


def _curvatures(lattice: LatticeStrain, x: Array) -> Array:
    """Derivatives of those slopes, (n, 2)."""
    inside, beyond = _beyond(lattice, x)
    fading = np.where(np.abs(beyond) < _FADE, -np.sign(beyond) / _FADE, 0.0)
    curvatures = np.where(beyond[:, None] == 0.0, lattice.both_curvatures(x), 0.0)
    return curvatures + lattice.both_slopes(inside) * fading[:, None]


def _beyond(lattice: LatticeStrain, x: Array) -> tuple[Array, Array]:
    """The nearest x in the table, and how far x is beyond it."""
    inside = np.clip(x, lattice.stoichiometry[0], lattice.stoichiometry[-1])
    return inside, x - inside


def _doubled(strains: Array) -> Array:
    """Lattice strains (ε_a, ε_c) as numbers of a strain: along c, and the sum of both directions of the layers."""
    return np.stack([strains[:, 1], 2.0 * strains[:, 0]], axis=1)
