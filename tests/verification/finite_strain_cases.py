"""Large strains with known answers (chapter 15 of the theory), as functions that return numbers: tests judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import closed_forms
import discs
import numpy as np
import ufl
from boxes import ball, box, domain_of, with_facets
from convergence import Convergence
from crystals import (
    CRYSTAL_CONSTANTS,
    STIFFNESS,
    growing_with_radius,
    isotropic_crystal,
    linear_lattice,
    lithium,
    mechanics,
)
from dolfinx import fem
from finite_sphere import Isotropic, radial_reference
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.linalg import polar
from scipy.spatial.transform import Rotation
from voigt import tensors, voigt_stress

from solver import compat
from solver.model.elasticity import StiffnessFields
from solver.model.finite_strain import FiniteCrystal, deformation
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver, rigid_motions
from solver.solve.finite_equilibrium import FiniteEquilibrium
from solver.solve.finite_mechanics import FiniteMechanics
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.solids import Crystal, Solids, by_grain, one_crystal
from solver.solve.stress import StressSample

Array = NDArray[np.float64]

TURN = Rotation.from_euler("xyz", [0.9, -0.6, 1.4]).as_matrix()
GRADIENT = np.array([[1.03, 0.2, -0.05], [-0.1, 0.96, 0.08], [0.02, -0.15, 1.05]])
STRETCHES = (0.96, 1.05)


def finite_mechanics(
    domain: Domain,
    crystals: Sequence[Crystal],
    crystal_of_grain: NDArray[np.intp] | None = None,
    tolerance: float = 1e-10,
    rest: float = 0.0,
    may_stretch: bool = True,
) -> FiniteMechanics:
    """The finite counterpart of `crystals.mechanics`, free of stress at x = `rest`."""
    shares = one_crystal if crystal_of_grain is None else by_grain(crystal_of_grain)
    solids = Solids(domain, crystals, shares, rest=rest)
    return FiniteMechanics(domain, solids, tolerance=tolerance, phases=Phases(), may_stretch=may_stretch)


def cauchy(gradient: Array, stretches: tuple[float, float], axis: Array) -> tuple[Array, Array]:
    """Cauchy stress [MPa] of a deformation by eqs. 15.1 to 15.5 with matrices and principal axes, and turned back."""
    along = np.outer(axis, axis)
    elastic = gradient @ np.linalg.inv(stretches[0] * (np.eye(3) - along) + stretches[1] * along)
    values, vectors = np.linalg.eigh(elastic.T @ elastic)
    strain = vectors @ np.diag((values - 1 / values) / 4) @ vectors.T
    inverse = vectors @ np.diag(1 / values) @ vectors.T
    driving = voigt_stress(CRYSTAL_CONSTANTS, axis, strain)
    stress = elastic @ (driving + inverse @ driving @ inverse) @ elastic.T / 2 / np.linalg.det(elastic)
    turn = polar(elastic)[0]
    return stress, turn.T @ stress @ turn


def uniform_state(gradient: Array, stretches: tuple[float, float], axis: Array) -> StressSample:
    """The sampled stress of a box with a uniform deformation and lattice."""
    domain = domain_of(box((1, 1, 1)), [axis.tolist()])
    model = finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(stretches[0] - 1, stretches[1] - 1))])
    model.solve(lithium(domain, 1.0))
    model.displacement.interpolate(lambda points: (gradient - np.eye(3)) @ points)
    sample = model.stress()
    model.destroy()
    return sample


def isotropic_state(stretch: tuple[float, float, float], young: float, poisson: float) -> Array:
    """(6,) stress of an isotropic box stretched along x, y and z [MPa]."""
    domain = domain_of(box((1, 1, 1)), [[0, 0, 1]])
    model = finite_mechanics(domain, [isotropic_crystal(young, poisson, 0.0)])
    model.displacement.interpolate(lambda points: (np.array(stretch) - 1.0)[:, None] * points)
    stress = model.stress().stress
    model.destroy()
    assert np.ptp(stress.reshape(-1, 6), axis=0).max() < 1e-6 * young
    return stress[0, 0]


@dataclass
class Equilibrium:
    """A body with a given lattice, apart from lithium: forms, and Newton's method."""

    domain: Domain
    displacement: fem.Function
    crystal: FiniteCrystal
    solver: ElasticSolver
    newton: FiniteEquilibrium

    @property
    def largest_stress(self) -> float:
        """Largest component of the Cauchy stress in the middle of any cell [MPa]."""
        middle = np.full((1, self.domain.dimension), 1.0 / (self.domain.dimension + 1))
        cells = np.arange(self.domain.owned, dtype=np.int32)
        values = compat.evaluate(compat.expression(self.crystal.cauchy, middle), self.domain.mesh, cells)
        return float(np.abs(values).max())


def equilibrium(domain: Domain, stretches: tuple[float, float], tolerance: float = 1e-10) -> Equilibrium:
    """An anisotropic body whose lattice has the same stretches everywhere."""
    constants = np.tile(CRYSTAL_CONSTANTS, (len(domain.grain), 1))
    solver = ElasticSolver(domain, StiffnessFields.of_cells(domain.mesh, constants), tolerance, Phases())
    displacement = fem.Function(solver.space)
    lattice = [fem.Constant(domain.mesh, PETSc.ScalarType(stretch)) for stretch in stretches]
    crystal = FiniteCrystal(deformation(displacement), *lattice, domain.cell_axis, solver.stiffness)
    newton = FiniteEquilibrium(solver, crystal, displacement, None, radius=domain.radius, tolerance=tolerance)
    return Equilibrium(domain, displacement, crystal, solver, newton)


def turned_start(angle: float) -> tuple[Equilibrium, bool]:
    """A free crystal that starts turned by an angle about an oblique axis; whether Newton's method converged."""
    body = equilibrium(domain_of(ball(3, 5.0), [[1, 2, 2]]), STRETCHES)
    turn = Rotation.from_rotvec(angle * np.array([1.0, 2.0, -2.0]) / 3.0).as_matrix()
    body.displacement.interpolate(lambda points: (turn - np.eye(3)) @ points)
    return body, body.newton.find().converged


@dataclass(frozen=True)
class Derivatives:
    """Forms against differences, each over the size of what is compared, and how far the tangent is from symmetric."""

    force: float
    tangent: float
    asymmetry: float
    turning: float


def derivatives() -> Derivatives:
    """Forces against differences of the energy and the tangent against those of the forces, at a rough state."""
    domain = domain_of(box((2, 2, 2), grain_of=lambda x: np.where(x[:, 0] > 0.5, 2, 1)), [[1, 2, 2], [0, 1, -1]])
    body = equilibrium(domain, STRETCHES)
    space, measure = body.displacement.function_space, ufl.dx(metadata={"quadrature_degree": 2})
    test, trial = ufl.grad(ufl.TestFunction(space)), ufl.grad(ufl.TrialFunction(space))
    energy = compat.form(body.crystal.energy * measure)
    force = compat.form(body.crystal.work(test) * measure)
    tangent = compat.form(body.crystal.tangent(trial, test) * measure)
    random = np.random.default_rng(5)
    state = 0.02 * random.normal(size=body.displacement.x.array.shape)
    way = random.normal(size=state.shape)

    def forces(values: Array) -> Array:
        body.displacement.x.array[:] = values
        vector = compat.create_vector(force)
        compat.assemble_vector(vector, force)
        return vector.array.copy()

    def energy_at(values: Array) -> float:
        body.displacement.x.array[:] = values
        return compat.assemble_scalar(energy)

    size = 1e-5
    slope = (energy_at(state + size * way) - energy_at(state - size * way)) / (2 * size)
    change = (forces(state + size * way) - forces(state - size * way)) / (2 * size)
    held = forces(state)
    matrix = compat.create_matrix(tangent, "aij")
    compat.assemble_matrix(matrix, tangent)
    rows = matrix.convert("dense").getDenseArray()
    motions = [vector.array for vector in rigid_motions(space, None, body.displacement).getVecs()]
    return Derivatives(
        force=abs(slope / (held @ way) - 1),
        tangent=float(np.abs(rows @ way - change).max() / np.abs(change).max()),
        asymmetry=float(np.abs(rows - rows.T).max() / np.abs(rows).max()),
        turning=float(max(abs(held @ motion) for motion in motions) / np.linalg.norm(held)),
    )


@dataclass(frozen=True)
class Polycrystal:
    """Eight grains that strain by −2 % and 3 % times a factor: small and finite strains.

    Attributes:
        difference: Root-mean-square difference of the stress, over that of the stress.
        residuals: Of the rounds of Newton's method.
        imbalance: Largest component of ∫σ dv over the deformed volume, over ∫|σ| dv.
        energy_error: Relative difference of ∫½σ:e dv from the energy.
    """

    difference: float
    residuals: tuple[float, ...]
    imbalance: float
    energy_error: float


def particle() -> Domain:
    """Eight grains in a coarse ball of radius 5, one per octant, with odd axes."""
    mesh = ball(3, 5.0)
    grain = ((mesh.points[mesh.cells].mean(axis=1) > 0) @ [1, 2, 4] + 1).astype(np.int32)
    axes = np.random.default_rng(3).normal(size=(8, 3)).tolist()
    return domain_of(with_facets(mesh.points, mesh.cells, grain), axes)


@cache
def grains(factor: float, body: Callable[[], Domain] = particle) -> Polycrystal:
    """The particle, or the grains of another body, with an uneven lithium field."""
    domain = body()
    crystal = Crystal(STIFFNESS, linear_lattice(-0.02 * factor, 0.03 * factor))
    small: Mechanics = mechanics(domain, [crystal])
    large = finite_mechanics(domain, [crystal], tolerance=1e-11)
    field = lithium(domain, growing_with_radius)
    assert small.solve(field).converged
    large.solve(field)
    before, after = small.stress(), large.stress()
    total = after.moments.sum(axis=(0, 1))
    if domain.dimension == 2:
        total[2] = 0.0
    size = np.einsum("cq,cqi->i", after.deformed_weights, np.abs(after.stress)).max()
    twice = np.einsum("cq,cqij,cqij->", after.deformed_weights, tensors(after.stress), tensors(after.elastic_strain))
    cells = ufl.dx(domain.mesh, metadata={"quadrature_degree": 2})
    energy = compat.assemble_scalar(compat.form(large.crystal.energy * cells))
    result = Polycrystal(
        float(np.sqrt(((after.stress - before.stress) ** 2).mean() / (before.stress**2).mean())),
        tuple(large.equilibrium.residuals),
        float(np.abs(total).max() / size),
        abs(0.5 * twice / energy - 1),
    )
    small.destroy()
    large.destroy()
    return result


def small_strain_limit(factors: Sequence[float], body: Callable[[], Domain]) -> float:
    """Order with which the difference to small strains falls with the strain."""
    differences = [grains(factor, body).difference for factor in factors]
    return float(np.polyfit(np.log(factors), np.log(differences), 1)[0])


def section() -> Domain:
    """A disc of four grains with odd axes."""
    seeds = np.array([[2.0, 1.0, 0.0], [-2.0, 2.0, 0.0], [-1.0, -2.0, 0.0], [2.0, -2.5, 0.0]])
    axes = np.random.default_rng(3).normal(size=(4, 3)).tolist()
    return domain_of(discs.disc(8, 5.0, discs.nearest_seed(seeds)), axes)


def free_section(axis: list[float]) -> tuple[float, float]:
    """A free section of one crystal: largest stress [MPa], and its stretch along its normal."""
    domain = domain_of(discs.disc(4, 5.0), [axis])
    model = finite_mechanics(domain, [Crystal(STIFFNESS, linear_lattice(STRETCHES[0] - 1, STRETCHES[1] - 1))])
    model.solve(lithium(domain, 1.0))
    found = float(np.abs(model.stress().stress).max()), 1.0 + model.axial_strain
    model.destroy()
    return found


YOUNG, POISSON, SWELL = 140e3, 0.3, 0.05


def swollen_sphere(levels: int) -> float:
    """Root-mean-square error of the stress of a sphere that swells by 5 % x, x = (r/R)², over that of the stress."""
    domain = domain_of(ball(levels, 5.0), [[0, 0, 1]])
    model = finite_mechanics(domain, [isotropic_crystal(YOUNG, POISSON, SWELL)])
    model.solve(lithium(domain, lambda points: (points**2).sum(axis=0) / 25.0))
    exact = radial_reference([(5.0, Isotropic.of(YOUNG, POISSON), lambda r: 1.0 + SWELL * (r / 5.0) ** 2)])
    return _error(model, exact, 5.0)


def _error(model: FiniteMechanics, exact: Callable[[Array], tuple[Array, Array]], radius: float) -> float:
    sample = model.stress()
    model.destroy()
    r = np.linalg.norm(sample.points, axis=-1)
    places = np.linspace(0.0, radius, 201)
    radial, hoop = (np.interp(r, places, values) for values in exact(places))
    normal = sample.points / r[..., None]
    wanted = hoop[..., None, None] * np.eye(3) + (radial - hoop)[..., None, None] * (
        normal[..., :, None] * normal[..., None, :]
    )
    gap = np.abs(tensors(sample.stress) - wanted).max(axis=(-1, -2))
    size = np.abs(wanted).max(axis=(-1, -2))
    return float(np.sqrt((sample.weights * gap**2).sum() / (sample.weights * size**2).sum()))


def swollen_spheres(counts: Sequence[int]) -> Convergence:
    """The same on finer and finer balls."""
    return Convergence.of((levels, swollen_sphere(levels)) for levels in counts)


CORE, SHELL, CORE_SHARE = (140e3, 0.25), (200e3, 0.3), 0.5


@dataclass(frozen=True)
class CoreShell:
    """Mean stress in a core [MPa]: computed, exact at finite strains, and exact at small ones."""

    found: float
    exact: float
    small: float


def core_shell(levels: int, misfit: float) -> CoreShell:
    """A core that wants to swell by `misfit` in a shell that does not."""
    domain = domain_of(ball(levels, 1.0, core_levels=round(CORE_SHARE * levels)), [[0, 0, 1], [0, 0, 1]])
    crystals = [isotropic_crystal(*CORE, misfit), isotropic_crystal(*SHELL, 0.0)]
    model = finite_mechanics(domain, crystals, np.array([0, 1]))
    model.solve(lithium(domain, 1.0))
    sample, core = model.stress(), domain.grain == 1
    model.destroy()
    weights = sample.weights[core]
    mean = float((weights[..., None] * sample.stress[core][..., :3]).sum() / 3.0 / weights.sum())
    exact = radial_reference(
        [
            (CORE_SHARE, Isotropic.of(*CORE), lambda r: 1.0 + misfit),
            (1.0, Isotropic.of(*SHELL), lambda r: 1.0),
        ]
    )
    linear = closed_forms.CoreShell(core=CORE, shell=SHELL, misfit=misfit, ratio=CORE_SHARE)
    return CoreShell(mean, float(exact(np.array([0.5 * CORE_SHARE]))[0][0]), -linear.pressure)
