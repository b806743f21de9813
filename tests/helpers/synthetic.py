"""A small polycrystal without a mesher: a block of tetrahedra bent into a ball, grains by nearest seed."""

from __future__ import annotations

import discs
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, ParticleMesh, cell_volumes
from solver.solve.domain import Domain, build_domain
from solver.solve.state import State
from solver.solve.stress import GAUSS, StressSample

# The six tetrahedra of a cube that share its long diagonal, as corners in binary order (x + 2 y + 4 z).
_KUHN = np.array([[0, 1, 3, 7], [0, 3, 2, 7], [0, 2, 6, 7], [0, 6, 4, 7], [0, 4, 5, 7], [0, 5, 1, 7]])
_FACETS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])


def block(divisions: int = 6, grains: int = 5, radius: float = 2.0, ball: bool = True, seed: int = 3) -> ParticleMesh:
    """A ball (or a cube of edge 2 `radius`) of 6 `divisions`³ tetrahedra with `grains` grains."""
    axis = np.linspace(-1.0, 1.0, divisions + 1)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = np.column_stack([x.ravel(), y.ravel(), z.ravel()])
    n = divisions + 1
    k, j, i = (part.ravel() for part in np.meshgrid(*(np.arange(divisions),) * 3, indexing="ij"))
    corner = i + n * j + n * n * k
    offsets = np.array([dx + n * dy + n * n * dz for dz in (0, 1) for dy in (0, 1) for dx in (0, 1)])
    cells = (corner[:, None] + offsets)[:, _KUHN].reshape(-1, 4)
    if ball:
        largest, length = np.abs(points).max(axis=1), np.linalg.norm(points, axis=1)
        points = points * np.divide(largest, length, out=np.ones_like(length), where=length > 0.0)[:, None]
    points = radius * points
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    negative = np.linalg.det(edges) < 0.0
    cells[negative, :2] = cells[negative, 1::-1]
    seeds = np.random.default_rng(seed).uniform(-radius, radius, (grains, 3))
    centroid = points[cells].mean(axis=1)
    nearest = np.argmin(np.linalg.norm(centroid[:, None] - seeds, axis=2), axis=1)
    grain = np.unique(nearest, return_inverse=True)[1].astype(np.int32) + 1
    facets, tags = _tagged_facets(cells, grain)
    return ParticleMesh(points, cells.astype(np.int64), grain, facets, tags)


def _tagged_facets(cells: NDArray[np.int64], grain: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    all_facets = np.sort(cells[:, _FACETS].reshape(-1, 3), axis=1)
    facets, inverse, counts = np.unique(all_facets, axis=0, return_inverse=True, return_counts=True)
    owner = np.repeat(grain, 4)
    low, high = np.full(len(facets), 2**31 - 1), np.zeros(len(facets), dtype=np.int64)
    np.minimum.at(low, inverse.ravel(), owner)
    np.maximum.at(high, inverse.ravel(), owner)
    outer, boundary = counts == 1, low != high
    kept = outer | boundary
    return facets[kept].astype(np.int64), np.where(outer[kept], OUTER, GRAIN_BOUNDARY).astype(np.int32)


def domain(comm: MPI.Comm = MPI.COMM_WORLD, **options: float) -> Domain:
    """The ball distributed over the ranks, with random c axes."""
    mesh = block(**options) if comm.rank == 0 else None  # type: ignore[arg-type]
    axes = None
    if mesh is not None:
        axes = np.random.default_rng(5).normal(size=(int(mesh.grain.max()), 3))
        axes /= np.linalg.norm(axes, axis=1)[:, None]
    return build_domain(comm, mesh, axes)


def flat_mesh() -> ParticleMesh:
    """The mesh of `section` with its defaults."""
    return discs.polycrystal_mesh()


def section(comm: MPI.Comm = MPI.COMM_WORLD, **options: int) -> Domain:
    """A disc of radius 2 with grains and random c axes, likewise."""
    return discs.polycrystal(comm, **options)


def sample(particle: Domain, stress_of: object) -> StressSample:
    """Stress sample of a tensor field `stress_of(points (…, 3), grain (…,)) -> (…, 6)` with strain = stress / 1e5."""
    rule, coordinates = GAUSS[particle.dimension], particle.mesh.geometry.x
    points = np.einsum("qv,cvi->cqi", rule.barycentric, coordinates[particle.cell_vertices])
    volume = np.abs(cell_volumes(coordinates, particle.cell_vertices))
    grain = np.repeat(particle.grain[:, None], points.shape[1], axis=1)
    stress = np.asarray(stress_of(points, grain))  # type: ignore[operator]
    weights = volume[:, None] * rule.weights / rule.weights.sum()
    return StressSample(stress, stress / 1e5, weights, points, particle.owned)


def smooth_stress(points: NDArray[np.float64], grain: NDArray[np.int32]) -> NDArray[np.float64]:
    """A linear tensor field plus a constant tensor per grain [MPa]."""
    matrix = np.random.default_rng(11).normal(size=(6, 3)) * 100.0
    jump = np.random.default_rng(12).normal(size=(500, 6)) * 200.0
    return points @ matrix.T + jump[grain]


def lithium_space(particle: Domain) -> fem.FunctionSpace:
    """The space of x in `state`."""
    return fem.functionspace(particle.mesh, ("Lagrange", 1))


def state(particle: Domain, index: int = 0, time: float = 0.0, amplitude: float = 1.0, mechanics: bool = True) -> State:
    """An accepted state with a linear x, a quadratic displacement and `smooth_stress` times `amplitude`."""
    stoichiometry = fem.Function(lithium_space(particle), name="stoichiometry")
    stoichiometry.interpolate(lambda p: 0.6 - 0.05 * amplitude * np.linalg.norm(p, axis=0))
    mean = 0.6 - 0.04 * amplitude
    common = {
        "index": index,
        "time": time,
        "step_number": 1,
        "state_of_charge": 1.0 - mean,
        "mean_stoichiometry": mean,
        "lithium_imbalance": 1e-13,
        "stoichiometry": stoichiometry,
    }
    if not mechanics:
        return State(**common)  # type: ignore[arg-type]
    displacement = fem.Function(fem.functionspace(particle.mesh, ("Lagrange", 2, (3,))), name="displacement")
    displacement.interpolate(lambda p: 1e-3 * amplitude * np.stack([p[0] * p[1], p[1] ** 2, p[2] + p[0]]))
    stress = sample(particle, lambda points, grain: amplitude * smooth_stress(points, grain))
    mismatch = sample(particle, lambda points, grain: 0.8 * amplitude * smooth_stress(0.0 * points, grain))
    return State(**common, displacement=displacement, stress=stress, mismatch=mismatch)  # type: ignore[arg-type]
