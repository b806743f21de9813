"""Nonlinear transport with known answers (chapter 13 of the theory), as functions that return numbers.

Boxes of one or two grains; the stress part of the potential is prescribed, or absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from boxes import box, domain_of
from convergence import Convergence
from numpy.typing import NDArray
from reaction_cases import voltage
from runs import Recorder, adaptive, fixed, run_lithium

from solver.materials import DiffusivityProfile
from solver.model.chemical_potential import ChemicalLaw, LatticeGas
from solver.model.kinetics import ButlerVolmer
from solver.solve.domain import Domain
from solver.solve.phases import Phases
from solver.solve.potential_step import PotentialStepSolver, Transmission, on_masters, on_sites
from solver.solve.segments import Segment
from solver.solve.step_solver import Drive
from solver.solve.transport import Transport

Array = NDArray[np.float64]
# s at places (n, 3) in grains (n,) with x (n,), and its slope by x.
Prescribed = Callable[[Array, NDArray[np.int32], Array], tuple[Array, Array]]

IN_PLANE, ACROSS = 1.0, 0.3


class Stressed:
    """Transport whose sites feel a prescribed stress part of the potential.

    Args:
        domain: The particle.
        law: Chemical part.
        stress: Stress part, or None.
        options: More for the solver: `equipotential`, `kinetics`.
        profile: d(x).
        initial: x at the start.
        resistances: Films.
    """

    def __init__(
        self,
        domain: Domain,
        law: ChemicalLaw,
        stress: Prescribed | None,
        *,
        profile: DiffusivityProfile | None = None,
        initial: float = 0.5,
        resistances: dict[int, float] | None = None,
        equipotential: bool = True,
        kinetics: ButlerVolmer | None = None,
    ) -> None:
        self.domain, self.law = domain, law
        medium = Transmission(law, profile, voltage())
        make = partial(on_sites, medium=medium, equipotential=equipotential, kinetics=kinetics, phases=Phases())
        self.transport = Transport(
            domain,
            IN_PLANE,
            ACROSS,
            initial=initial,
            surface=lambda diffusion, rows: self._keep(make(diffusion, rows)),
            resistances=resistances,
            phases=Phases(),
        )
        space = self.solver.sites.field.function_space
        owned = space.dofmap.index_map.size_local
        places = np.zeros((owned + space.dofmap.index_map.num_ghosts, 3))
        places[space.dofmap.list] = domain.mesh.geometry.x[domain.cell_vertices]
        grain = np.zeros(len(places), dtype=np.int32)
        grain[space.dofmap.list] = domain.grain[:, None]
        self.places, self.grain = places[:owned], grain[:owned]
        if stress is not None:
            self.solver.shift = lambda x: stress(self.places, self.grain, x)

    def _keep(self, solver: PotentialStepSolver) -> PotentialStepSolver:
        self.solver = solver
        return solver

    @property
    def x(self) -> Array:
        """(owned sites,) x of the accepted state."""
        self.transport.potential()
        return self.solver.sites.field.x.array[: len(self.grain)].copy()

    def potential(self) -> Array:
        """(owned sites,) chemical potential over RT of the accepted state."""
        x = self.x
        return self.law(x) + (0.0 if self.solver.shift is None else self.solver.shift(x)[0])

    def rest(self, time: float, tolerance: float = 1e-3) -> Recorder:
        """Lets lithium settle."""
        return run_lithium(self.transport, [Segment(time, "rest", rate=0.0)], adaptive(tolerance, initial=1e-3))


def two_grains(count: int = 3) -> Domain:
    """A bar of two grains that meet at x = 1, with different axes."""
    mesh = box((2 * count, count, count), (2.0, 1.0, 1.0), lambda c: np.where(c[:, 0] < 1.0, 1, 2).astype(np.int32))
    return domain_of(mesh, [[0, 0, 1], [0, 1, 1]])


def by_grain(first: float, second: float, slope: float = 0.0) -> Prescribed:
    """A stress part of its own in each of two grains, rising with x."""

    def stress(places: Array, grain: NDArray[np.int32], x: Array) -> tuple[Array, Array]:
        return np.where(grain == 1, first, second) + slope * x, np.full_like(x, slope)

    return stress


def along_x(height: float, slope: float = 0.0) -> Prescribed:
    """A stress part that falls and rises smoothly along the bar."""

    def stress(places: Array, grain: NDArray[np.int32], x: Array) -> tuple[Array, Array]:
        wave = height * np.cos(np.pi * places[:, 0])
        return wave * (1.0 + slope * x), slope * wave

    return stress


# -- manufactured steady states: d y + A(y) = load in a unit cube without flux at its faces

WAVE, MIDDLE = 0.3, 0.5
STEEPNESS = 1.5  # of d(x) = 1 + STEEPNESS x
HEIGHT = 0.8  # of the stress part cos(πx)


def linear_profile(steepness: float = STEEPNESS) -> DiffusivityProfile:
    """d(x) = 1 + β x, which cubics take exactly."""
    x = np.linspace(-0.5, 1.5, 41)
    return DiffusivityProfile(x, 1.0 + steepness * x)


def mode(points: Array) -> tuple[Array, Array, Array]:
    """cos πx cos πz, and its slopes along x and z."""
    along, up = np.pi * points[:, 0], np.pi * points[:, 2]
    return np.cos(along) * np.cos(up), -np.pi * np.sin(along) * np.cos(up), -np.pi * np.cos(along) * np.sin(up)


def manufactured(count: int, profile: bool, stressed: bool) -> float:
    """Largest error of x where x = MIDDLE + WAVE cos πx cos πz solves x − div D d (∇x + x (1 − x) ∇s) = source.

    The c axis is z: diffusion along it is slower. s = HEIGHT cos πx does not depend on x.
    """
    domain = domain_of(box((count, 2, count), (1.0, 2.0 / count, 1.0)), [[0, 0, 1]])
    stress = along_x(HEIGHT) if stressed else None
    case = Stressed(domain, LatticeGas(), stress, profile=linear_profile() if profile else None, equipotential=False)
    shape, slope_x, slope_z = mode(case.places)
    x, d, d_slope = MIDDLE + WAVE * shape, np.ones_like(shape), 0.0
    if profile:
        d, d_slope = 1.0 + STEEPNESS * x, STEEPNESS
    curvature = -(np.pi**2) * WAVE * shape  # along each of the two directions
    spread_x = d * curvature + d_slope * (WAVE * slope_x) ** 2
    spread_z = d * curvature + d_slope * (WAVE * slope_z) ** 2
    if stressed:
        s_slope = -np.pi * HEIGHT * np.sin(np.pi * case.places[:, 0])
        s_curvature = -(np.pi**2) * HEIGHT * np.cos(np.pi * case.places[:, 0])
        mobility, mobility_slope = x * (1.0 - x), 1.0 - 2.0 * x
        spread_x += d * mobility * s_curvature
        spread_x += (d_slope * mobility + d * mobility_slope) * WAVE * slope_x * s_slope
    source = x - IN_PLANE * spread_x - ACROSS * spread_z
    found, load, diagonal = (case.transport.stoichiometry.x.petsc_vec.duplicate() for _ in range(3))
    masses = case.solver.sites.masses
    diagonal.array[:], load.array[:] = masses, masses * source
    found.set(MIDDLE)
    case.solver.begin(Drive(inflow=0.0), found)
    assert case.solver.solve(diagonal, load, found).converged
    return float(np.abs(found.array_r - x).max())


def manufactured_rates(counts: Sequence[int], profile: bool, stressed: bool) -> Convergence:
    """Its error against the number of cells along an edge."""
    return Convergence.of((count, manufactured(count, profile, stressed)) for count in counts)


def error_in_time(counts: Sequence[int]) -> Convergence:
    """Largest error of x against the number of even steps, on one mesh with D(x) and drift, against tiny steps."""
    end = 0.05

    def final(settings: object) -> Array:
        domain = domain_of(box((6, 2, 6), (1.0, 1.0 / 3.0, 1.0)), [[0, 0, 1]])
        case = Stressed(domain, LatticeGas(), along_x(HEIGHT, 0.5), profile=linear_profile(), equipotential=False)
        field = case.transport.stoichiometry
        field.interpolate(lambda points: MIDDLE + WAVE * mode(points.T)[0])
        return run_lithium(case.transport, [Segment(end, "rest", rate=0.0)], settings).fields[-1]  # type: ignore[arg-type]

    reference = final(adaptive(1e-6, initial=1e-7))
    return Convergence.of((count, float(np.abs(final(fixed(end / count)) - reference).max())) for count in counts)


# -- a front that enters a slab, closed form

FRONT_TIME = 0.64


def front(count: int) -> tuple[Array, Array]:
    """Depth of the vertices of a slab whose face is held at x = 1, and x there at `FRONT_TIME`.

    With d = x (1 − x/2)/2 lithium enters an empty slab as x = 1 − X/√t up to X = √t: the equation in X/√t is
    (d x')' = −(X/√t) x'/2 (Philip 1960). The profile needs a little diffusivity where there is no lithium.
    """
    mesh = box((count, 1, 1), (1.0, 1.0 / count, 1.0 / count))
    face = (mesh.points[mesh.facets][:, :, 0] == 0.0).all(axis=1)
    domain = domain_of(replace(mesh, facets=mesh.facets[face], facet_tags=mesh.facet_tags[face]), [[0, 0, 1]])
    profile = DiffusivityProfile.of_function(lambda x: np.maximum(0.5 * x * (1.0 - 0.5 * x), 1e-6), 0.0, 1.0)
    medium = Transmission(LatticeGas(), profile)
    surface = partial(on_masters, medium=medium)
    transport = Transport(domain, 1.0, 1.0, initial=1e-9, surface=surface, phases=Phases())
    run_lithium(transport, [Segment(FRONT_TIME, "hold", surface=1.0)], adaptive(1e-4, initial=1e-6))
    depth = transport.stoichiometry.function_space.tabulate_dof_coordinates()[:, 0]
    return depth, transport.stoichiometry.x.array.copy()
