"""Transport in chemical-potential form against mathematics (eqs. 13.1-13.5, 14.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from boxes import ball, box, domain_of
from numpy.typing import NDArray
from potential_cases import (
    FRONT_TIME,
    Stressed,
    along_x,
    by_grain,
    error_in_time,
    front,
    linear_profile,
    manufactured_rates,
    two_grains,
)
from reaction_cases import TEMPERATURE, kinetics, reacting, run, voltage
from runs import adaptive, run_lithium
from scipy.optimize import brentq

from meshes.particle_mesh import OUTER
from solver.materials import EquilibriumVoltage, OpenCircuit
from solver.materials.checks import FARADAY
from solver.materials.material import GAS_CONSTANT
from solver.model.chemical_potential import (
    LEAST_SLOPE,
    ChemicalLaw,
    Dilute,
    LatticeGas,
    OpenCircuitLaw,
    mobility,
    nodes_of,
)
from solver.model.kinetics import ButlerVolmer
from solver.solve.boundary_transport import BoundaryLaw, BoundaryTransport
from solver.solve.diffusion import Diffusion
from solver.solve.phases import Phases
from solver.solve.potential_flux import PotentialFlux, Shift
from solver.solve.potential_step import PotentialStepSolver, Transmission, on_masters, on_sites
from solver.solve.segments import Segment
from solver.solve.step_solver import Drive, LinearStepSolver
from solver.solve.surface import SurfaceRows
from solver.solve.transport import SurfaceChoice, Transport

Array = NDArray[np.float64]

LAWS = [Dilute(), LatticeGas(), OpenCircuitLaw(voltage(), TEMPERATURE)]
NAMES = ["dilute", "lattice gas", "open circuit"]
THERMAL = GAS_CONSTANT * TEMPERATURE / FARADAY


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_slopes_of_the_laws(law: ChemicalLaw) -> None:
    # Central differences over 1e-6, not across the ends of the voltage table; their error is of its square.
    x, step = np.array([-0.01, 0.002, 0.3, 0.6, 0.9, 0.997, 1.01]), 1e-6
    assert law.slope(x) == pytest.approx((law(x + step) - law(x - step)) / (2 * step), rel=1e-6)
    inside = x[2:5]
    assert law.curvature(inside) == pytest.approx(
        (law.slope(inside + step) - law.slope(inside - step)) / (2 * step), rel=1e-4, abs=1e-4
    )
    assert (np.diff(law(np.linspace(-0.05, 1.05, 5001))) > 0.0).all()


def test_mobility_between_two_places() -> None:
    pairs = np.array([[0.2, 0.7], [0.5, 0.5], [0.5, 0.5 + 1e-9], [0.0, 0.4], [0.0, 0.0], [-0.01, 0.3]])
    first, second = pairs.T
    dilute = mobility(first, second, nodes_of(Dilute(), first), nodes_of(Dilute(), second)).value
    assert dilute[0] == pytest.approx(0.5 / np.log(3.5), rel=1e-13)  # the logarithmic mean
    assert dilute[1:3] == pytest.approx(0.5, rel=1e-8)
    assert dilute[4] <= 1e-6  # nothing to move where there is no lithium
    gas = mobility(first, second, nodes_of(LatticeGas(), first), nodes_of(LatticeGas(), second)).value
    assert gas[:2] == pytest.approx([0.5 / (np.log(0.7 / 0.3) - np.log(0.2 / 0.8)), 0.25], rel=1e-12)
    assert (gas > 0.0).all()
    assert (dilute > 0.0).all()


def test_a_flat_voltage_is_steepened() -> None:
    shape = OpenCircuit("flat", (0.05, 0.98), lambda x: np.maximum(4.0 - np.asarray(x), 3.5))
    law = OpenCircuitLaw(EquilibriumVoltage(shape, TEMPERATURE), TEMPERATURE)
    x = np.linspace(0.06, 0.97, 3001)
    assert law.slope(x).min() >= LEAST_SLOPE
    assert law.slope(np.array([0.3, 0.8])) == pytest.approx([1.0 / THERMAL, LEAST_SLOPE], rel=1e-9)
    assert law(0.3) == pytest.approx(-4.0 / THERMAL + 0.3 / THERMAL, rel=1e-9)
    # Where nothing is flat, the law is the voltage.
    assert OpenCircuitLaw(voltage(), TEMPERATURE)(x) == pytest.approx(-voltage()(x) / THERMAL, abs=1e-7)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("profiled", [False, True])
def test_tangent_of_the_flux_is_that_of_finite_differences(law: ChemicalLaw, profiled: bool) -> None:
    case = Stressed(two_grains(2), law, None)
    profile = linear_profile() if profiled else None
    flux = PotentialFlux(case.solver._flux._stiffness, law, profile)
    random = np.random.default_rng(4)
    x = random.uniform(0.2, 0.8, len(case.grain))
    x[:20] = 0.5  # places without a difference between them
    slope, direction = random.normal(size=len(x)), random.normal(size=len(x))

    def at(x: Array) -> Shift:
        return Shift(slope * x, slope)

    step = 1e-6
    flux.linearise(x, at(x))
    higher, lower = x + step * direction, x - step * direction
    difference = (flux.flow(higher, at(higher)) - flux.flow(lower, at(lower))) / (2 * step)
    # Error of the difference: the square of the step, and rounding over it.
    assert flux.apply(direction) == pytest.approx(difference, abs=1e-7 * np.abs(difference).max())
    assert abs(flux.flow(x, at(x)).sum()) < 1e-13 * np.abs(flux.flow(x, at(x))).sum()


SURFACES = {
    "even": {"equipotential": False},
    "fast": {},
    "fast, films": {"resistances": {OUTER: 0.1}},
    "reaction": {"kinetics": kinetics()},
    "reaction, films": {"kinetics": kinetics(film=0.02), "resistances": {OUTER: 0.1}},
}


@pytest.mark.parametrize("options", SURFACES.values(), ids=SURFACES.keys())
def test_tangent_of_a_step_is_that_of_finite_differences(options: dict) -> None:
    """Sites that settle, the pool, films and reaction included; the unknown of the surface is held."""
    case = Stressed(two_grains(2), LatticeGas(), by_grain(-0.5, 0.6, 0.8), profile=linear_profile(), **options)
    solver, field = case.solver, case.transport.stoichiometry
    random = np.random.default_rng(5)
    field.interpolate(lambda points: 0.5 + 0.2 * np.cos(points[0]) * np.sin(points[2] + 0.3))
    solver.begin(Drive(inflow=0.1), field.x.petsc_vec)
    vectors = [field.x.petsc_vec.duplicate() for _ in range(5)]
    diagonal, load, higher, lower, direction = vectors
    diagonal.array[:], load.array[:] = solver.sites.gather(solver.sites.masses), 0.0
    direction.array[:] = random.normal(size=direction.getLocalSize())
    pool = solver.sites.pool_masters
    direction.array[pool] = 0.3  # one unknown
    state = solver._settle(field.x.petsc_vec)
    unknown = solver._unknown_at(state)
    solver._linearise(diagonal, load, field.x.petsc_vec, state, unknown)
    tangent = diagonal.duplicate()
    solver._system.mult(None, direction, tangent)
    change = solver.sites.means(solver._system.change(direction.array_r))
    step, residuals = 1e-6, []
    for moved, sign in ((higher, 1.0), (lower, -1.0)):
        moved.array[:] = field.x.petsc_vec.array_r + sign * step * change
        settled = solver._settle(moved)
        solver._write(moved, settled)
        held = solver._unknown_at(settled) if len(pool) else unknown
        solver._linearise(diagonal, load, moved, settled, held)
        residuals.append(solver._right.array_r.copy())
    difference = (residuals[1] - residuals[0]) / (2 * step)
    # The sites settle to 1e-11 and better, which over the step leaves 1e-5 of unity at worst.
    assert tangent.array_r == pytest.approx(difference, abs=1e-6 * np.abs(difference).max())


@pytest.mark.parametrize(("profile", "stressed"), [(True, False), (False, True), (True, True)])
def test_manufactured_steady_states_converge_at_second_order(profile: bool, stressed: bool) -> None:
    """D(x), drift by a potential, and both; lumped P1 is of second order, 0.2 for coarse meshes."""
    found = manufactured_rates((6, 12, 24), profile, stressed)
    assert found.fitted > 1.8
    assert found.errors[-1] < 0.012  # without either it is 0.005 on this mesh


def test_error_in_time_falls_with_the_square_of_the_step() -> None:
    found = error_in_time((10, 20, 40))
    assert min(found.rates) > 1.8


def test_front_into_an_empty_slab() -> None:
    """Held face, diffusivity that vanishes without lithium: x = 1 − X/√t behind the front (Philip 1960).

    A cell smears the kink at the front, and the least diffusivity lets a little run ahead: 1 % of the cell's content.
    """
    depth, x = front(40)
    exact = np.maximum(1.0 - depth / np.sqrt(FRONT_TIME), 0.0)
    assert np.abs(x - exact).max() < 0.01
    assert np.abs(x - exact).mean() < 0.002


def two_grain_equilibrium(law: ChemicalLaw, first: float, second: float, share: float, mean: float) -> Array:
    """x in each of two grains at one potential, `share` of the lithium sites being in the first."""

    def contents(potential: float) -> Array:
        return np.array([brentq(lambda x, s: law(x) + s - potential, 1e-9, 1 - 1e-9, (s,)) for s in (first, second)])

    def excess(potential: float) -> float:
        return float(contents(potential) @ [share, 1.0 - share]) - mean

    ends = [float(law(1e-9)) + max(first, second) + 1e-9, float(law(1.0 - 1e-9)) + min(first, second) - 1e-9]
    return contents(brentq(excess, *ends, xtol=1e-14))


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("equipotential", [False, True])
def test_grains_under_different_stress_reach_equal_potentials(law: ChemicalLaw, equipotential: bool) -> None:
    """x jumps at their boundary by what the closed form says, nothing flows any more, and no lithium is lost."""
    case = Stressed(two_grains(2), law, by_grain(-0.4, 0.5), equipotential=equipotential)
    before = case.transport.lithium()
    case.rest(40.0)
    x = case.x
    expected = two_grain_equilibrium(law, -0.4, 0.5, 0.5, 0.5)
    for grain in (1, 2):
        # The time loop leaves the slowest mode at e^{-100}; Newton's method stops at 1e-9 of its first residual.
        assert x[case.grain == grain] == pytest.approx(expected[grain - 1], abs=1e-8)
    flow = case.solver._flux.flow(x, Shift(*case.solver.shift(x)))
    assert np.abs(flow).max() < 1e-6
    assert case.transport.lithium() == pytest.approx(before, rel=1e-13)


@pytest.mark.parametrize("law", [Dilute(), LatticeGas()], ids=NAMES[:2])
def test_a_potential_field_leads_to_the_distribution_of_boltzmann_or_fermi(law: ChemicalLaw) -> None:
    """x = C e^{−s}, and 1/(1 + C e^s): at the vertices exactly, because no flux flows between equal potentials."""
    domain = domain_of(box((8, 2, 2), (1.0, 0.25, 0.25)), [[0, 0, 1]])
    case = Stressed(domain, law, along_x(1.5), initial=0.3, equipotential=False)
    case.rest(20.0)
    s = 1.5 * np.cos(np.pi * case.places[:, 0])
    factor = case.x / np.exp(-s) if isinstance(law, Dilute) else case.x / (1.0 - case.x) / np.exp(-s)
    assert np.ptp(factor) < 1e-8 * factor.mean()


def sphere(surface: SurfaceChoice, resistances: dict[int, float] | None) -> Transport:
    """Slow along c, so that its surface is uneven."""
    domain = domain_of(ball(4, 5.0), [[0, 0, 1]])
    return Transport(domain, 1e-2, 1e-3, initial=0.9, surface=surface, resistances=resistances, phases=Phases())


@pytest.mark.parametrize("resistances", [None, {OUTER: 100.0}], ids=["bare", "film"])
@pytest.mark.parametrize("kind", ["fast", "even", "reaction"])
def test_without_stress_it_is_the_linear_solver(kind: str, resistances: dict[int, float] | None) -> None:
    """Current, rest and a held voltage, step by step; both linear solvers stop at 1e-10."""
    linear: dict[str, SurfaceChoice] = {
        "fast": lambda diffusion, rows: LinearStepSolver(diffusion, rows, voltage=voltage()),
        "even": lambda diffusion, rows: LinearStepSolver(diffusion, rows, equipotential=False),
        "reaction": reacting(kinetics()),
    }
    medium = Transmission(LatticeGas(), voltage=voltage())
    reaction = kinetics() if kind == "reaction" else None
    segments = [Segment(200.0, "charge", rate=-1.0 / 3600.0), Segment(100.0, "rest", rate=0.0)]
    if kind != "even":
        segments.append(Segment(100.0, "hold", potential=3.8))
    expected = run(sphere(linear[kind], resistances), segments, adaptive(1e-3))
    found = run(
        sphere(lambda diffusion, rows: on_masters(diffusion, rows, medium, kind != "even", reaction), resistances),
        segments,
        adaptive(1e-3),
    )
    assert len(found.steps) == len(expected.steps)
    for one, other in zip(found.fields, expected.fields, strict=True):
        assert one == pytest.approx(other, abs=1e-8)
    for one, other in zip(found.states, expected.states, strict=True):
        assert one.potential == pytest.approx(other.potential, abs=1e-7, nan_ok=True)


@pytest.mark.parametrize("options", SURFACES.values(), ids=SURFACES.keys())
@pytest.mark.parametrize("law", LAWS[1:], ids=NAMES[1:])
def test_lithium_and_iterations_of_a_stressed_charge(law: ChemicalLaw, options: dict) -> None:
    """Lithium to 1e-10 of what has passed; at most four Newton steps on average, whatever the surface."""
    case = Stressed(two_grains(2), law, by_grain(-0.6, 0.7, 0.8), profile=linear_profile(), initial=0.8, **options)
    watch = run(case.transport, [Segment(2.0, "charge", rate=-0.2)], adaptive(1e-3))
    assert all(attempt.converged for attempt in watch.attempts)
    passed = 0.8 - case.transport.lithium() / case.transport.volume
    assert passed == pytest.approx(0.4, rel=1e-10)
    assert np.mean([attempt.newton for attempt in watch.attempts]) <= 4.0
    assert case.solver.sites.masses @ case.x == pytest.approx(case.transport.lithium(), rel=1e-12)


def test_a_start_from_empty() -> None:
    """No lithium, no stress-driven flux; then it comes in under stress, and x stays a number near its bounds."""
    case = Stressed(two_grains(2), Dilute(), by_grain(-1.0, 1.0), initial=1e-9)
    case.rest(0.1)
    assert np.abs(case.x).max() < 1e-5
    watch = run(case.transport, [Segment(1.0, "discharge", rate=0.3)], adaptive(1e-3))
    assert all(attempt.converged for attempt in watch.attempts)
    ratio = case.x[case.grain == 1].mean() / case.x[case.grain == 2].mean()
    assert ratio == pytest.approx(np.exp(2.0), rel=0.05)  # nearly at equal potentials


@pytest.mark.parametrize("reaction", [None, kinetics()], ids=["fast", "reaction"])
def test_uniform_stress_moves_the_voltage(reaction: ButlerVolmer | None) -> None:
    """A crystal that is the same everywhere, at rest: U(x) − (RT/F) s."""
    law = OpenCircuitLaw(voltage(), TEMPERATURE)
    domain = domain_of(box((2, 2, 2)), [[0, 0, 1]])
    case = Stressed(domain, law, lambda places, grain, x: (np.full_like(x, 0.7), np.zeros_like(x)), kinetics=reaction)
    case.transport.drive(0.0)
    assert case.transport.potential() == pytest.approx(float(voltage()(0.5)) - 0.7 * THERMAL, abs=1e-7)
    case.transport.hold_potential(3.9)
    run_lithium(case.transport, [Segment(4000.0, "hold", potential=3.9)], adaptive(1e-3))
    unstressed = voltage().stoichiometry(3.9 + 0.7 * THERMAL)
    assert case.x == pytest.approx(unstressed, abs=1e-6)


@pytest.mark.parametrize("nonlinear", [False, True], ids=["linear diffusion", "D(x)"])
@pytest.mark.parametrize("jump", [-0.4, 0.4])
def test_steps_of_any_size_after_a_jump_of_the_voltage(jump: float, nonlinear: bool) -> None:
    """The extrapolation is far out, and the reaction e^8 times its exchange current: Newton's method takes it."""
    reaction = kinetics(exchange=5.0)
    medium = Transmission(LatticeGas(), linear_profile() if nonlinear else None)
    choices: list[SurfaceChoice] = [
        reacting(reaction),
        lambda diffusion, rows: on_masters(diffusion, rows, medium, kinetics=reaction),
    ]
    transport = sphere(choices[nonlinear], None)
    transport.hold_potential(float(voltage()(0.9)) + jump)
    for step in 10.0 ** np.arange(-4.0, 3.0):
        attempt = transport.attempt(float(step))
        assert attempt.converged
        assert attempt.newton <= 15


@pytest.mark.parametrize("make", [on_masters, partial(on_sites, phases=Phases())], ids=["masters", "sites"])
def test_a_boundary_has_its_own_coefficient_whatever_the_diffusivity(make: Callable[..., PotentialStepSolver]) -> None:
    """Even grains, x apart: k A (x⁻ − x⁺) crosses, and nothing moves inside; d(x) is that of the grains alone."""
    domain, transfer = two_grains(3), 1.5
    boundaries = BoundaryTransport.by_angle(domain, BoundaryLaw(transfer=transfer), BoundaryLaw(), 0.1)
    medium, solvers = Transmission(LatticeGas(), linear_profile()), []

    def keep(diffusion: Diffusion, rows: SurfaceRows) -> PotentialStepSolver:
        solvers.append(make(diffusion, rows, medium, equipotential=False))
        return solvers[0]

    transport = Transport(domain, 1.0, 0.3, initial=0.7, surface=keep, boundaries=boundaries, phases=Phases())
    field, rate = transport.stoichiometry, transport.stoichiometry.x.petsc_vec.duplicate()
    places = np.zeros((len(field.x.array), 3))
    places[field.function_space.dofmap.list] = domain.mesh.geometry.x[domain.cell_vertices]
    grain = np.zeros(len(places))
    grain[field.function_space.dofmap.list] = domain.grain[:, None]
    field.x.array[:] = np.where(grain == 1, 0.3, 0.7)
    transport.drive(0.0)
    solvers[0].rate(field.x.petsc_vec, rate)
    assert rate.array[grain == 1].sum() == pytest.approx(transfer * (0.7 - 0.3), rel=1e-12)  # the boundary is 1 µm²
    assert rate.array.sum() == pytest.approx(0.0, abs=1e-14)
    assert np.abs(rate.array[np.abs(places[:, 0] - 1.0) > 1e-9]).max() < 1e-14


@pytest.mark.parametrize("equipotential", [False, True])
@pytest.mark.parametrize("make", [on_masters, partial(on_sites, phases=Phases())], ids=["masters", "sites"])
def test_a_weak_obstacle_costs_no_iterations(make: Callable[..., PotentialStepSolver], equipotential: bool) -> None:
    """Tight ties between the sides of a boundary; with a diagonal alone 1140 iterations where 75 do."""
    domain, medium, counts = two_grains(6), Transmission(LatticeGas(), linear_profile()), []
    surface = partial(make, medium=medium, equipotential=equipotential)
    for transfer in (1.0, 1e6):
        boundaries = BoundaryTransport.by_angle(domain, BoundaryLaw(transfer=transfer), BoundaryLaw(), 0.1)
        transport = Transport(domain, 1.0, 0.3, initial=0.7, surface=surface, boundaries=boundaries, phases=Phases())
        transport.drive(-0.2)
        attempt = transport.attempt(0.1)
        assert attempt.converged
        counts.append(attempt.iterations)
    assert counts[1] <= 1.5 * counts[0]


def test_failure_is_told_not_raised() -> None:
    """A step for which there is no solution: more lithium leaves at once than there is."""
    case = Stressed(two_grains(2), LatticeGas(), by_grain(-0.5, 0.5), equipotential=False)
    case.transport.drive(-1e4)
    attempt = case.transport.attempt(1.0)
    assert not attempt.converged or attempt.lowest < 0.0
