"""What the solver knows of a material: numbers in the micro system (µm, s, MPa), curves, and where each came from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solver.materials.curves import LatticeStrain
from solver.materials.diffusivity_profile import DiffusivityProfile
from solver.materials.errors import MaterialError
from solver.materials.records import Entry
from solver.materials.stiffness import TransverseStiffness

__all__ = ["Entry", "Fracture", "GrainBoundarySet", "LatticeStrain", "Material", "OpenCircuit", "TransverseStiffness"]

GAS_CONSTANT = 8.31446261815324
ROOM_TEMPERATURE = 298.15


def arrhenius(activation_energy: float, reference_temperature: float, temperature: float) -> float:
    """Factor of a rate with an activation energy [J/mol] at a temperature [K]; 1 at the reference (eq. 3.3)."""
    return math.exp(activation_energy / GAS_CONSTANT * (1 / reference_temperature - 1 / temperature))


@dataclass(frozen=True, eq=False)
class OpenCircuit:
    """Open-circuit voltage U(x) [V] against lithium metal, constant outside the interval it was measured in.

    Attributes:
        name: Name of the curve.
        valid: Interval of x it was measured in.
        function: U(x) [V] at the reference temperature.
        entropy: dU/dT(x) [V/K], or None where it is not known (eq. 14.2).
        reference_temperature: Of the curve [K].
    """

    name: str
    valid: tuple[float, float]
    function: Callable[[ArrayLike], NDArray[np.float64]]
    entropy: Callable[[ArrayLike], NDArray[np.float64]] | None = None
    reference_temperature: float = ROOM_TEMPERATURE

    def __call__(self, x: ArrayLike, temperature: float | None = None) -> NDArray[np.float64]:
        """U [V] at stoichiometry x, same shape as x, and at a temperature [K]; by default that of the curve."""
        voltage = self.function(x)
        if self.entropy is None or temperature is None:
            return voltage
        return voltage + (temperature - self.reference_temperature) * self.entropy(x)


@dataclass(frozen=True)
class Fracture:
    """Strengths inside a grain [MPa], energies [J/m² = MPa µm]; mostly assumed, see the entries."""

    cleavage_toughness: float
    cleavage_strength: float
    off_basal_factor: float
    basal_shear_strength_lithiated: float
    basal_shear_strength_charged: float
    particle_weibull_modulus: float


@dataclass(frozen=True, eq=False)
class Material:
    """One active material, as chosen by a case.

    Attributes:
        name: Name in the library.
        stiffness: Elastic constants of a grain [MPa] (eq. 2.2).
        stiffness_softening: k_E of eq. 2.6 [-].
        lattice: Lattice strains against x (eq. 1.1).
        strain_table: Which strain table is in use.
        diffusivity_ab: Diffusivity in the basal plane [µm²/s] at the reference temperature (eq. 3.2).
        diffusivity_c: Diffusivity along c [µm²/s] at the reference temperature.
        diffusivity_profile: d(x), by which both are multiplied (eq. 14.1); None where they do not depend on x.
        diffusion_activation_energy: [J/mol] (eq. 3.3).
        reference_temperature: [K].
        maximum_concentration: Lithium sites [mol/m³], x = 1.
        density: Crystal without pores [kg/m³].
        theoretical_capacity: x from 1 to 0 [mAh/g].
        open_circuit: U(x) or None.
        stoichiometry_range: Interval of x the strain table covers; strains are constant outside.
        fracture: Strengths inside a grain, or None.
        exchange_current_density: i_ref of the surface reaction at the reference temperature [A/m²] (eq. 11.3), or None.
        transfer_coefficient: α of its anodic branch [-].
        reaction_activation_energy: [J/mol].
        thermal_expansion: α_a and α_c [1/K] (eq. 14.5), or None.
        entries: Every number by `group.name` with unit, range, confidence, source and note, overrides included.
    """

    name: str
    stiffness: TransverseStiffness
    stiffness_softening: float
    lattice: LatticeStrain
    strain_table: str
    diffusivity_ab: float
    diffusivity_c: float
    diffusivity_profile: DiffusivityProfile | None
    diffusion_activation_energy: float
    reference_temperature: float
    maximum_concentration: float
    density: float
    theoretical_capacity: float
    open_circuit: OpenCircuit | None
    stoichiometry_range: tuple[float, float]
    fracture: Fracture | None
    exchange_current_density: float | None
    transfer_coefficient: float
    reaction_activation_energy: float
    thermal_expansion: tuple[float, float] | None
    entries: Mapping[str, Entry]

    def arrhenius(self, temperature: float) -> float:
        """Factor of the diffusivities at a temperature [K] (eq. 3.3); 1 at the reference temperature.

        Raises:
            MaterialError: When the temperature is not positive.
        """
        if not temperature > 0:
            raise MaterialError(f"{temperature:g} K is no temperature; write for example 25 degC")
        return arrhenius(self.diffusion_activation_energy, self.reference_temperature, temperature)

    def diffusivity(self, temperature: float) -> tuple[float, float]:
        """Diffusivities in the basal plane and along c [µm²/s] at a temperature [K]."""
        factor = self.arrhenius(temperature)
        return self.diffusivity_ab * factor, self.diffusivity_c * factor

    def numbers(self) -> dict[str, object]:
        """What the solver computes with, as plain JSON values; goes into provenance and into the digest."""
        return {
            "name": self.name,
            "stiffness [MPa]": {name: getattr(self.stiffness, name) for name in ("C11", "C12", "C13", "C33", "C44")},
            "stiffness_softening": self.stiffness_softening,
            "strain_table": self.strain_table,
            "stoichiometry": np.asarray(self.lattice.stoichiometry).tolist(),
            "strain_a": np.asarray(self.lattice.strain_a).tolist(),
            "strain_c": np.asarray(self.lattice.strain_c).tolist(),
            "diffusivity_ab [um^2/s]": self.diffusivity_ab,
            "diffusivity_c [um^2/s]": self.diffusivity_c,
            "diffusivity_profile": None if self.diffusivity_profile is None else self.diffusivity_profile.numbers(),
            "diffusion_activation_energy [J/mol]": self.diffusion_activation_energy,
            "reference_temperature [K]": self.reference_temperature,
            "exchange_current_density [A/m^2]": self.exchange_current_density,
            "transfer_coefficient": self.transfer_coefficient,
            "reaction_activation_energy [J/mol]": self.reaction_activation_energy,
            "open_circuit": None if self.open_circuit is None else self.open_circuit.name,
            "has_entropy": self.open_circuit is not None and self.open_circuit.entropy is not None,
            "maximum_concentration [mol/m^3]": self.maximum_concentration,
            "thermal_expansion [1/K]": self.thermal_expansion and list(self.thermal_expansion),
            "density [kg/m^3]": self.density,
            "theoretical_capacity [mAh/g]": self.theoretical_capacity,
        }

    @property
    def digest(self) -> str:
        """Hash of everything the solver computes with: equal digests mean equal physics."""
        return hashlib.sha256(json.dumps(self.numbers(), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class GrainBoundarySet:
    """Cohesive numbers of grain boundaries.

    Attributes:
        name: Name of the set.
        title: What it stands for.
        strength: Normal strength σ_n [MPa].
        shear_strength: τ_n [MPa].
        toughness: Opening energy G_Ic [J/m²].
        shear_toughness: G_IIc [J/m²].
        normal_stiffness: [MPa/µm].
        entries: The numbers with unit, range, confidence, source and note.
    """

    name: str
    title: str
    strength: float
    shear_strength: float
    toughness: float
    shear_toughness: float
    normal_stiffness: float
    entries: Mapping[str, Entry]

    @property
    def opening_at_strength(self) -> float:
        """Opening at which the traction is largest [µm]."""
        return self.strength / self.normal_stiffness

    @property
    def opening_at_failure(self) -> float:
        """Opening at which a bilinear law has spent its energy [µm]."""
        return 2 * self.toughness / self.strength

    def cohesive_length(self, youngs_modulus: float) -> float:
        """E G/σ² [µm] for a modulus [MPa]; elements must be smaller than about a quarter of it."""
        return youngs_modulus * self.toughness / self.strength**2

    def fracture_toughness(self, youngs_modulus: float) -> float:
        """√(E G) [MPa √m] for a modulus [MPa]."""
        return math.sqrt(youngs_modulus * self.toughness * 1e-6)
