"""Two-way coupling of a case: the law of the chemical potential, sites in every grain, stress at them (chapter 13)."""

from __future__ import annotations

from functools import partial

import numpy as np

from solver.case.electrochemistry import Electrochemistry
from solver.case.schema import Case
from solver.errors import SolveError
from solver.materials.material import GAS_CONSTANT
from solver.materials.radial import RadialMaterial
from solver.model.chemical_potential import ChemicalLaw, Dilute, LatticeGas, OpenCircuitLaw
from solver.setup.electrochemistry import reaction_of, step_settings, voltage_of
from solver.setup.layers import cooling_of
from solver.solve.diffusion import Diffusion
from solver.solve.energy_balance import EnergyBalance
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.potential_step import PotentialStepSolver, Transmission, on_sites
from solver.solve.site_strain import SiteStrain
from solver.solve.solids import Crystal
from solver.solve.stress_shift import StressPotential, coupling_strength
from solver.solve.surface import SurfaceRows
from solver.solve.transport import Transport
from solver.solve.two_way import TwoWay

# Lithium and stress agree to this share of the error that a step may have (eq. 13.9).
AGREEMENT = 0.1
# Relative residual of elastic solves over it: strains of a few percent times coupling numbers of ten.
_ELASTIC_SHARE = 0.03
_PASCALS = 1e6  # in a megapascal


class SiteSurface:
    """Makes the step solver of a transport with sites in every grain, and keeps it for the coupling.

    Args:
        electrochemistry: The section of the case.
        materials: What the grains are made of.
        phases: Stopwatch.

    Attributes:
        law: Chemical part of the potential.
    """

    def __init__(self, electrochemistry: Electrochemistry, materials: RadialMaterial, phases: Phases) -> None:
        material = materials.materials[-1]
        voltage = voltage_of(electrochemistry, material)
        self.law = _law(electrochemistry, materials)
        kinetics = None
        if electrochemistry.kinetics == "butler-volmer" and voltage is not None:
            kinetics = reaction_of(electrochemistry, material, voltage)
        medium = Transmission(self.law, materials.diffusivity_profile, voltage)
        is_even = electrochemistry.kinetics == "uniform-flux"
        self._make = partial(on_sites, medium=medium, equipotential=not is_even, kinetics=kinetics, phases=phases)
        self._made: PotentialStepSolver | None = None

    def __call__(self, diffusion: Diffusion, rows: SurfaceRows) -> PotentialStepSolver:
        """The solver; collective."""
        self._made = self._make(diffusion, rows)
        return self._made

    @property
    def solver(self) -> PotentialStepSolver:
        """The solver that was made last.

        Raises:
            SolveError: When none was made.
        """
        if self._made is None:
            raise SolveError("two-way coupling was set up before its transport")
        return self._made


def two_way(
    case: Case, material: RadialMaterial, surface: SiteSurface, transport: Transport, mechanics: Mechanics
) -> TwoWay:
    """The coupling of a case.

    Args:
        case: The case.
        material: What the grains are made of; one material (`two_way_checks`).
        surface: Made the step solver of the transport.
        transport: Lithium.
        mechanics: Displacement.
    """
    domain, solver = transport.medium.domain, surface.solver
    only, temperature = material.materials[0], case.electrochemistry.temperature
    masses = solver.sites.masses
    softening = only.stiffness_softening if case.mechanics.softening else 0.0
    crystal = Crystal(only.stiffness, only.lattice, cooling_of(case, material).grain_strain(only), softening)
    strength = coupling_strength(only.maximum_concentration, temperature)
    law = StressPotential(
        [crystal],
        (masses > 0.0).astype(np.float64)[:, None],
        np.full(len(masses), strength),
        case.mechanics.stress_free_stoichiometry,
    )
    unit = only.maximum_concentration * GAS_CONSTANT * temperature / _PASCALS
    is_alone = not case.particle.coatings and case.mechanics.stack_pressure == 0.0
    assert solver.sites.field is not None
    return TwoWay(
        transport,
        solver,
        mechanics,
        surface.law,
        law,
        SiteStrain(
            domain, mechanics, solver.sites.field.function_space, softens=only.stiffness if softening > 0.0 else None
        ),
        tolerance=agreement(case),
        balance=partial(EnergyBalance, domain.comm, surface.law, masses, unit) if is_alone else None,
    )


def agreement(case: Case) -> float:
    """Change of x that the last disagreement of lithium and stress may still cause [-]."""
    return AGREEMENT * step_settings(case).local_tolerance


def elastic_tolerance(case: Case) -> float:
    """Relative residual at which elastic solves stop: as the case says, unless that would hide the agreement."""
    wanted = case.numerics.displacement_tolerance
    return min(wanted, _ELASTIC_SHARE * agreement(case)) if case.mechanics.coupling == "two-way" else wanted


def _law(electrochemistry: Electrochemistry, materials: RadialMaterial) -> ChemicalLaw:
    voltage = voltage_of(electrochemistry, materials.materials[-1])
    if electrochemistry.mobility == "lattice-gas":
        return LatticeGas()
    if electrochemistry.mobility == "dilute" or voltage is None:
        return Dilute()
    return OpenCircuitLaw(voltage, electrochemistry.temperature)
