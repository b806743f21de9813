"""Active material that changes with the distance from the centre: core-shell particles and concentration gradients.

At every place there is a share of each material, and what depends on the material is the mean by these shares
(eq. 8.1). Most particles are of one material: then there is one share, 1 everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.materials.diffusivity_profile import DiffusivityProfile
from solver.materials.errors import MaterialError
from solver.materials.material import Material

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RadialMaterial:
    """Materials from the centre outwards.

    Attributes:
        materials: The first is that of the centre.
        radii: (materials − 1,) r/R at which the next one begins, rising.
        width: Distance over R in which one changes into the next, linearly; 0 is a sharp boundary.
        dimension: 3 for a particle, 2 for a section.
    """

    materials: tuple[Material, ...]
    radii: tuple[float, ...] = ()
    width: float = 0.0
    dimension: int = 3

    def shares(self, radius: Array) -> Array:
        """Share of each material at r/R (…,), shape (…, materials); they add up to 1."""
        bounds = np.array(self.radii)
        if self.width > 0.0:
            passed = np.clip((radius[..., None] - bounds) / self.width + 0.5, 0.0, 1.0)
        else:
            passed = (radius[..., None] >= bounds).astype(np.float64)
        ends = (*radius.shape, 1)
        return np.concatenate([np.ones(ends), passed], axis=-1) - np.concatenate([passed, np.zeros(ends)], axis=-1)

    def diffusivity(self, temperature: float, radius: Array) -> tuple[Array, Array]:
        """Diffusivities in the basal plane and along c [µm²/s] at a temperature [K] and at r/R (…,)."""
        values = np.array([material.diffusivity(temperature) for material in self.materials])
        mixed = self.shares(radius) @ values
        return mixed[..., 0], mixed[..., 1]

    @property
    def diffusivity_profile(self) -> DiffusivityProfile | None:
        """d(x), by which the diffusivities everywhere are multiplied (eq. 14.1); None where they do not depend on x.

        Raises:
            MaterialError: When the materials have different profiles.
        """
        profiles = [material.diffusivity_profile for material in self.materials]
        given = [profile for profile in profiles if profile is not None]
        if not given:
            return None
        if len(given) < len(profiles) or len({profile.digest for profile in given}) > 1:
            names = ", ".join(material.name for material in self.materials)
            raise MaterialError(
                f"the diffusivities of {names} depend differently on lithium content, which cannot be mixed; choose "
                "constant ones (`diffusivity_ab`), or give all the same `diffusivity` or `diffusivity_table`"
            )
        return given[0]

    def sites(self, radius: Array) -> Array:
        """Lithium sites at x = 1 and r/R (…,) [mol/m³]."""
        return self.shares(radius) @ np.array([material.maximum_concentration for material in self.materials])

    @property
    def theoretical_capacity(self) -> float:
        """Charge for x from 1 to 0 everywhere [mAh/g], in a ball (or disc) without pores."""
        edges = np.linspace(0.0, 1.0, 2001)
        masses = np.diff(edges**self.dimension)[:, None] * self.shares((edges[1:] + edges[:-1]) / 2)
        masses = masses.sum(axis=0) * [material.density for material in self.materials]
        return float(masses @ [material.theoretical_capacity for material in self.materials] / masses.sum())

    @property
    def stoichiometry_range(self) -> tuple[float, float]:
        """Interval of x that the strain tables of all materials cover."""
        lows, highs = zip(*(material.stoichiometry_range for material in self.materials), strict=True)
        return max(lows), min(highs)

    def numbers(self) -> dict[str, object]:
        """What the solver computes with, as plain JSON values."""
        if len(self.materials) == 1:
            return self.materials[0].numbers()
        shells: Sequence[dict[str, object]] = [material.numbers() for material in self.materials]
        return {"shells": shells, "radii": list(self.radii), "width": self.width}

    @property
    def digest(self) -> str:
        """Hash of everything the solver computes with."""
        return hashlib.sha256(json.dumps(self.numbers(), sort_keys=True).encode()).hexdigest()[:16]
