"""Cases of two-way coupling with known answers, as functions that return numbers: the tests judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from boxes import ball, box, domain_of, with_facets
from convergence import Convergence
from crystals import STIFFNESS, isotropic_crystal, linear_lattice, lithium, mechanics
from numpy.typing import NDArray
from radial_reference import LithiatedSphere
from region_meshes import octant
from runs import fixed
from voigt import tensors

from solver.materials import EquilibriumVoltage, load_material
from solver.materials.material import GAS_CONSTANT
from solver.model.chemical_potential import ChemicalLaw, Dilute, LatticeGas, OpenCircuitLaw
from solver.solve.coupling import Coupling, OneWay
from solver.solve.diffusion import Diffusion
from solver.solve.domain import Domain
from solver.solve.energy_balance import EnergyBalance
from solver.solve.grainwise import grainwise_space
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.potential_step import PotentialStepSolver, Transmission, on_sites
from solver.solve.segments import Segment
from solver.solve.site_strain import SiteStrain
from solver.solve.solids import Crystal
from solver.solve.state import State, StepResult
from solver.solve.step_solver import even_flux
from solver.solve.stepping import StepSettings, TimeLoop, at_times
from solver.solve.stress_shift import StressPotential, coupling_strength
from solver.solve.surface import SurfaceRows
from solver.solve.transport import Transport
from solver.solve.two_way import TwoWay

Array = NDArray[np.float64]

RADIUS = 5.0
LAWS: dict[str, ChemicalLaw] = {"dilute": Dilute(), "lattice-gas": LatticeGas()}
SPHERE = LithiatedSphere()
# Nothing at all would be no amount to measure a balance by, and a logarithm cannot start from it.
ALMOST_EMPTY = 1e-6


@dataclass
class Watch:
    """Keeps every attempted step, and of output states the stress, x at corners of cells, and the energy balance."""

    steps: list[StepResult] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    corners: list[Array] = field(default_factory=list)

    def on_step(self, result: StepResult) -> None:
        self.steps.append(result)

    def on_state(self, state: State) -> None:
        self.states.append(state)
        self.corners.append(state.stoichiometry.x.array[state.stoichiometry.function_space.dofmap.list])


@dataclass(frozen=True)
class Problem:
    """A particle of one crystal under two-way coupling, in the units of the solver."""

    domain: Domain
    crystal: Crystal
    law: ChemicalLaw
    diffusivity: tuple[float, float]
    maximum_concentration: float
    temperature: float
    initial: float
    rest: float
    equipotential: bool = False
    voltage: EquilibriumVoltage | None = None

    @property
    def strength(self) -> float:
        """κ [1/MPa]."""
        return coupling_strength(self.maximum_concentration, self.temperature)

    def couple(self, tolerance: float = 1e-6) -> TwoWay:
        """The coupling, ready to step."""
        made: list[PotentialStepSolver] = []

        def surface(diffusion: Diffusion, rows: SurfaceRows) -> PotentialStepSolver:
            medium = Transmission(self.law, voltage=self.voltage)
            made.append(on_sites(diffusion, rows, medium, self.equipotential, phases=Phases()))
            return made[0]

        transport = Transport(self.domain, *self.diffusivity, initial=self.initial, surface=surface, phases=Phases())
        masses = made[0].sites.masses
        shift = StressPotential(
            [self.crystal], np.ones((len(masses), 1)), np.full(len(masses), self.strength), self.rest
        )
        sites = made[0].sites.field.function_space
        model = self.mechanics()
        unit = self.maximum_concentration * GAS_CONSTANT * self.temperature * 1e-6
        balance = partial(EnergyBalance, self.domain.comm, self.law, masses, unit)
        strain = SiteStrain(self.domain, model, sites)
        return TwoWay(transport, made[0], model, self.law, shift, strain, tolerance=tolerance, balance=balance)

    def mechanics(self) -> Mechanics:
        """Its elastic answer."""
        return mechanics(self.domain, [self.crystal], tolerance=1e-8, rest=self.rest)


def run(coupling: Coupling, segments: Sequence[Segment], settings: StepSettings, times: Sequence[float] = ()) -> Watch:
    """Runs a coupling through segments."""
    watch = Watch()
    TimeLoop(coupling, segments, settings, [watch]).run(at_times(times))
    return watch


@dataclass(frozen=True)
class SphereStrain:
    """Error of the volume strain at the sites of a sphere, over its range: at the surface, and anywhere."""

    surface: float
    largest: float


def strain_of_sphere(levels: int) -> SphereStrain:
    """c = (r/R)²: the trace of the strain is 3 ε* + (1 − 2ν)(3 − 5 r²/R²) A/E (eq. 6.5)."""
    young, poisson, swell = 140e3, 0.3, 0.02
    domain = domain_of(octant(ball(levels, RADIUS)), [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(young, poisson, swell)], tolerance=1e-8)
    assert model.solve(lithium(domain, lambda points: (points**2).sum(axis=0) / RADIUS**2)).converged
    sites = grainwise_space(domain, 1)
    trace = SiteStrain(domain, model, sites)().sum(axis=1)
    model.destroy()
    places = np.zeros((len(trace), 3))
    places[sites.dofmap.list] = domain.mesh.geometry.x[domain.cell_vertices]
    square = (places**2).sum(axis=1) / RADIUS**2
    amplitude = 2.0 * swell / (5.0 * (1.0 - poisson))
    exact = 3.0 * swell * square + (1.0 - 2.0 * poisson) * amplitude * (3.0 - 5.0 * square)
    error = np.abs(trace - exact) / np.ptp(exact)
    return SphereStrain(float(error[square > 1.0 - 1e-9].mean()), float(error.max()))


def lithiated_sphere(levels: int, mobility: str, weaker: float = 1.0) -> Problem:
    """The sphere of Zhang, Shyy and Sastry, one eighth of it, with a partial molar volume so many times smaller."""
    domain = domain_of(octant(ball(levels, RADIUS)), [[0, 0, 1]])
    crystal = isotropic_crystal(SPHERE.youngs_modulus * 1e-6, SPHERE.poisson_ratio, SPHERE.swell / weaker)
    return Problem(
        domain,
        crystal,
        LAWS[mobility],
        (SPHERE.diffusivity * 1e12,) * 2,
        SPHERE.maximum_concentration,
        SPHERE.temperature,
        initial=ALMOST_EMPTY,
        rest=0.0,
    )


@dataclass(frozen=True)
class SphereStresses:
    """Hoop stress at the surface and stress at the centre [MPa], one row per time; most outer iterations."""

    found: Array
    wanted: Array
    outer: int

    @property
    def error(self) -> float:
        """Largest relative error."""
        return float(np.abs(self.found / self.wanted - 1.0).max())


def sphere_stresses(levels: int, mobility: str, times: Sequence[float], two_way: bool = True) -> SphereStresses:
    """V4: stress of the lithiated sphere at times [s], against finite volumes along the radius."""
    problem = lithiated_sphere(levels, mobility)
    settings = StepSettings(2e-3, largest_change=0.05, initial=1.0, smallest=1e-3, largest=600.0)
    if two_way:
        coupling: Coupling = problem.couple(1e-5)
    else:
        transport = Transport(
            problem.domain, *problem.diffusivity, initial=ALMOST_EMPTY, surface=even_flux, phases=Phases()
        )
        coupling = OneWay(transport, problem.mechanics())
    watch = run(coupling, [Segment(max(times), "lithiate", rate=SPHERE.rate)], settings, times[:-1])
    centres, profiles = SPHERE.lithium(np.array(times), mobility if two_way else None)
    wanted = np.array([SPHERE.stresses(centres, profile) for profile in profiles])
    found = np.array([_surface_and_centre(state) for state in watch.states[1:]])
    return SphereStresses(found, wanted, max(step.outer for step in watch.steps))


def _surface_and_centre(state: State) -> tuple[float, float]:
    """Hoop stress at r = R and mean stress at r = 0, by polynomials through the Gauss points near them."""
    assert state.stress is not None
    points, full = state.stress.points, tensors(state.stress.stress)
    r = np.linalg.norm(points, axis=-1)
    normal = points / r[..., None]
    radial = np.einsum("cqi,cqij,cqj->cq", normal, full, normal)
    trace = np.trace(full, axis1=-2, axis2=-1)
    outer, inner = r > 0.7 * RADIUS, r < 0.35 * RADIUS
    hoop = np.polyfit(r[outer] / RADIUS - 1.0, (trace - radial)[outer] / 2.0, 3)[-1]
    return float(hoop), float(np.polyfit(r[inner] ** 2, trace[inner] / 3.0, 1)[-1])


def profile_error(levels: int) -> float:
    """Root-mean-square error of x in the coupled sphere (dilute) after 500 s."""
    settings = StepSettings(1e-3, largest_change=0.1, initial=1.0, smallest=1e-3, largest=600.0)
    problem = lithiated_sphere(levels, "dilute")
    watch = run(problem.couple(1e-5), [Segment(500.0, "lithiate", rate=SPHERE.rate)], settings)
    centres, profiles = SPHERE.lithium(np.array([500.0]), "dilute")
    corners = problem.domain.mesh.geometry.x[problem.domain.cell_vertices]
    # The ball of flat facets holds less; lithium that entered is that of its own volume, so compare differences.
    exact = np.interp(np.linalg.norm(corners, axis=-1) / RADIUS, centres, profiles[0])
    gap, weights = watch.corners[-1] - exact, problem.domain.cell_volumes[:, None] / 4.0
    gap -= (weights * gap).sum() / (4.0 * weights.sum())
    return float(np.sqrt((weights * gap**2).sum() / (4.0 * weights.sum())))


def profile_errors(levels: Sequence[int]) -> Convergence:
    """The same against the number of cells along the radius."""
    return Convergence.of((count, profile_error(count)) for count in levels)


def effect_of_stress(weaker: float) -> float:
    """Largest change of x by stress after 300 s in a sphere whose partial molar volume is `weaker` times less."""
    settings, segments = fixed(30.0), [Segment(300.0, "lithiate", rate=SPHERE.rate)]
    fields = []
    for factor in (weaker, 1e6):
        problem = lithiated_sphere(3, "dilute", factor)
        fields.append(run(problem.couple(1e-10), segments, settings).corners[-1])
    return float(np.abs(fields[0] - fields[1]).max())


def energy_imbalance(steps: int) -> float:
    """What the balance of energy misses over 400 s in even steps, in a coarse sphere that is half full."""
    problem = lithiated_sphere(3, "lattice-gas")
    coupling = Problem(**{**problem.__dict__, "initial": 0.4}).couple(1e-7)
    watch = run(coupling, [Segment(400.0, "lithiate", rate=SPHERE.rate)], fixed(400.0 / steps))
    return watch.states[-1].energy_imbalance


def bicrystal(axes: list[list[float]], initial: float = 0.5) -> Problem:
    """Two grains side by side in a block, of a layered oxide with a linear lattice and no stress when full."""

    def grain_of(points: Array) -> NDArray[np.int32]:
        return np.where(points[:, 0] < 1.0, 1, 2).astype(np.int32)

    domain = domain_of(box((8, 4, 4), (2.0, 1.0, 1.0), grain_of), axes)
    crystal = Crystal(STIFFNESS, linear_lattice(0.01, -0.02))
    return Problem(domain, crystal, LatticeGas(), (1e-2, 1e-3), 49061.0, 298.15, initial, rest=1.0)


@dataclass(frozen=True)
class Equilibrium:
    """A block at rest for long.

    Attributes:
        jump: Mean size of the jump of x across the boundary.
        gap: Difference of the mean potentials of both grains over the slope of its chemical part: an error of x.
        lithium: Change of the mean of x.
    """

    jump: float
    gap: float
    lithium: float


def equilibrium(axes: list[list[float]]) -> Equilibrium:
    """Potential at the Gauss points from full stress tensors, which the solver does not use, after a long rest."""
    problem = bicrystal(axes)
    settings = StepSettings(1e-3, largest_change=0.1, initial=1.0, smallest=1e-4, largest=1e5)
    watch = run(problem.couple(1e-7), [Segment(2e4, "rest", rate=0.0)], settings)
    state, corners, domain = watch.states[-1], watch.corners[-1], problem.domain
    assert state.stress is not None
    axis = domain.c_axes[domain.grain - 1]
    along = np.einsum("ci,cqij,cj->cq", axis, tensors(state.stress.stress), axis)
    trace = state.stress.stress[..., :3].sum(axis=-1)
    x = corners.mean(axis=1)
    weights = state.stress.weights / state.stress.weights.sum()
    shift = -problem.strength * (weights * (0.01 * (trace - along) - 0.02 * along)).sum(axis=1) / weights.sum(axis=1)
    potential, volumes = problem.law(x) + shift, weights.sum(axis=1)
    means = [np.average(potential[domain.grain == grain], weights=volumes[domain.grain == grain]) for grain in (1, 2)]
    gap = abs(means[0] - means[1]) / 4.0  # f' of a lattice gas at 1/2
    vertices, low, high = domain.cell_vertices, np.full(10**4, 2.0), np.full(10**4, -2.0)
    np.minimum.at(low, vertices, corners)
    np.maximum.at(high, vertices, corners)
    jumps = (high - low)[high > low + 1e-12]
    return Equilibrium(float(jumps.mean()) if len(jumps) else 0.0, gap, state.mean_stoichiometry - 0.5)


def collapsing_polycrystal(levels: int, radius: float) -> Problem:
    """Twelve grains of NMC811 where the c axis begins to collapse, under a surface with one potential."""
    material, temperature = load_material("NMC811"), 298.15
    assert material.open_circuit is not None
    mesh, random = ball(levels, radius), np.random.default_rng(3)
    centres = random.normal(size=(12, 3))
    centres *= (radius * random.uniform(size=12) ** (1 / 3) / np.linalg.norm(centres, axis=1))[:, None]
    places = mesh.points[mesh.cells].mean(axis=1)
    grain = (np.argmin(((places[:, None] - centres) ** 2).sum(axis=-1), axis=1) + 1).astype(np.int32)
    axes = random.normal(size=(12, 3)).tolist()
    domain = domain_of(with_facets(mesh.points, mesh.cells, grain), axes)
    voltage = EquilibriumVoltage(material.open_circuit, temperature)
    return Problem(
        domain,
        Crystal(material.stiffness, material.lattice),
        OpenCircuitLaw(voltage, temperature),
        material.diffusivity(temperature),
        material.maximum_concentration,
        temperature,
        initial=0.4,
        rest=1.0,
        equipotential=True,
        voltage=voltage,
    )
