"""The operators a case asks for: transport, mechanics, and how they answer each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshes.particle_mesh import MATRIX
from solver.case.schema import Case
from solver.materials.radial import RadialMaterial
from solver.setup.boundaries import boundaries_of
from solver.setup.electrochemistry import surface_of
from solver.setup.layers import cooling_of, film_resistances, region_layers, surface_films, surface_shells
from solver.setup.particle import Particle
from solver.setup.solids import solids_of
from solver.setup.surroundings import surroundings_of
from solver.setup.two_way import SiteSurface, elastic_tolerance, two_way
from solver.solve.coating_stress import CoatingStress
from solver.solve.coupling import Coupling, OneWay, OneWayWithMemory, Uncoupled
from solver.solve.domain import Domain
from solver.solve.finite_mechanics import FiniteMechanics
from solver.solve.load_path import LoadPath
from solver.solve.mechanics import Mechanics
from solver.solve.membrane import Membrane
from solver.solve.phases import Phases
from solver.solve.solids import Solids
from solver.solve.strained_diffusion import StrainedDiffusion, StrainedDiffusivity
from solver.solve.transport import SurfaceChoice, Transport


def build_coupling(case: Case, material: RadialMaterial, particle: Particle, phases: Phases) -> Coupling:
    """The operators a case asks for, set up once."""
    coupling = _coupling(case, material, particle, phases)
    strained = case.electrochemistry.strained_diffusion
    if strained is None:
        return coupling
    law = StrainedDiffusivity(strained.per_percent_c, strained.per_percent_ab, strained.largest_factor)
    return StrainedDiffusion(coupling, law)


def _coupling(case: Case, material: RadialMaterial, particle: Particle, phases: Phases) -> Coupling:
    mechanics, domain = case.mechanics, particle.domain
    is_two_way = mechanics.coupling == "two-way"
    at_sites = SiteSurface(case.electrochemistry, material, phases) if is_two_way else None
    transport = build_transport(case, material, domain, phases, at_sites)
    if mechanics.coupling == "none":
        return Uncoupled(transport)
    cooling = cooling_of(case, material)
    layers = region_layers(case.particle, cooling)
    solids = solids_of(case, material, domain, layers)
    if mechanics.strain == "finite":
        return OneWay(transport, _finite_mechanics(case, domain, solids, phases))
    films, shells = surface_films(case.particle, cooling), surface_shells(case.particle, cooling)
    around = surroundings_of(case, domain, particle.columns, layers.get(MATRIX))
    solver = Mechanics(
        domain,
        solids,
        tolerance=elastic_tolerance(case),
        phases=phases,
        may_stretch=mechanics.out_of_plane == "generalised",
        terms=[*(Membrane(domain, film, solids) for film in films), *around.terms],
        coating=CoatingStress(domain, solids, shells, films) if films or shells else None,
        moment=around.pressure.moment() if around.pressure is not None else None,
    )
    if at_sites is not None:
        return two_way(case, material, at_sites, transport, solver)
    if not around.have_memory:
        return OneWay(transport, solver)
    path = LoadPath(
        domain,
        solver,
        rest=mechanics.stress_free_stoichiometry,
        tolerance=case.numerics.displacement_tolerance,
        plastic=around.plastic,
        interface=around.interface,
        pressure=around.pressure,
        phases=phases,
    )
    return OneWayWithMemory(transport, path)


def _finite_mechanics(case: Case, domain: Domain, solids: Solids, phases: Phases) -> FiniteMechanics:
    """Mechanics at large strains; what it cannot do is refused when a case is checked (`finite_strain_checks`)."""
    return FiniteMechanics(
        domain,
        solids,
        tolerance=case.numerics.displacement_tolerance,
        phases=phases,
        may_stretch=case.mechanics.out_of_plane == "generalised",
    )


def build_transport(
    case: Case, material: RadialMaterial, domain: Domain, phases: Phases, surface: SurfaceChoice | None = None
) -> Transport:
    """Diffusion in the grains and the passage through their surface, as the case says or as given."""
    electrochemistry = case.electrochemistry
    return Transport(
        domain,
        *material.diffusivity(electrochemistry.temperature, domain.cell_radius),
        sites=relative_sites(material, domain),
        initial=electrochemistry.initial_stoichiometry,
        surface=surface or surface_of(electrochemistry, material),
        resistances=film_resistances(case.particle),
        boundaries=boundaries_of(case, domain),
        phases=phases,
    )


def relative_sites(material: RadialMaterial, domain: Domain) -> NDArray[np.float64]:
    """Lithium sites of every local and ghost cell over their mean in the grains [-]; collective."""
    return np.asarray(material.sites(domain.cell_radius) / mean_sites(material, domain), dtype=np.float64)


def mean_sites(material: RadialMaterial, domain: Domain) -> float:
    """Mean of the lithium sites in the grains [mol/m³]; collective."""
    owned = slice(0, domain.owned)
    volumes = domain.cell_volumes[owned] * domain.is_grain[owned]
    return domain.comm.allreduce(float(volumes @ material.sites(domain.cell_radius)[owned])) / domain.volume
