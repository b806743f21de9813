"""Speed of a run's phases on this machine, as ratios that survive a move to another: `scripts/benchmark`.

Every time is also given in units of S, one product of the stiffness matrix with a vector in the same process, and the
memory bandwidth of the same run stands beside it (docs/numerics.md explains the figures and their targets). Each size
is measured in a process of its own, so that peak memory means that size alone.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from rich.table import Table

import meshes.store
from meshes.estimate import estimate_cells
from meshes.orientation import c_axes
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh, grain_centroids
from solver import compat, mpi
from solver.materials import load_material
from solver.model.elasticity import strain, stress
from solver.model.transport import lithiation_rate
from solver.solve.domain import Domain, build_domain
from solver.solve.elastic_solver import rigid_motions
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.solids import Crystal, Solids
from solver.solve.step_solver import fast_reaction
from solver.solve.transport import Transport

_STEP = 40.0  # seconds between elastic solves of the sequence, at 1C
_START = 0.50  # stoichiometry there, just above the collapse of the c axis
_STEPS = 12
_COLD, _LOOSE = 1e-8, 1e-6


@dataclass
class Measurement:
    """Figures of one size; times in seconds of processor time of rank 0 unless they say wall."""

    tetrahedra: int
    grains: int
    unknowns: int
    ranks: int
    bandwidth_GB_s: float
    product_s: float
    mesh_wall_s: float
    distribution_s: float
    assembly_s: float
    set_up_s: float
    cold_iterations: int
    cold_solve_s: float
    cold_solve_wall_s: float
    step_iterations: float
    step_s: float
    step_iterations_tight: float
    step_tight_s: float
    load_s: float
    diffusion_s: float
    stress_s: float
    naive_step_s: float
    naive_iterations: int
    peak_memory_MB: float

    def in_products(self, seconds: float) -> float:
        """A time as a multiple of S."""
        return seconds / self.product_s


def measure(tetrahedra: int, naive: bool) -> Measurement:
    """Runs the phases of one size; collective over the world communicator.

    Args:
        tetrahedra: Roughly how many are wanted.
        naive: Also time a step that assembles and sets up everything anew, with PETSc's default multigrid.
    """
    comm = MPI.COMM_WORLD
    bandwidth = _bandwidth()
    particle = _particle(tetrahedra)
    start = time.perf_counter()
    tets, axes = _mesh(particle) if comm.rank == 0 else (None, None)
    meshed = time.perf_counter() - start
    domain, distribution = _timed(lambda: build_domain(comm, tets, axes))
    material = load_material("NMC811")
    phases = Phases(clock=time.process_time)
    mechanics = Mechanics(
        domain,
        Solids(domain, [Crystal(material.stiffness, material.lattice)], rest=1.0),
        tolerance=_COLD,
        phases=phases,
    )
    transport = Transport(domain, *material.diffusivity(298.15), initial=_START, surface=fast_reaction, phases=phases)
    transport.drive(lithiation_rate(-1, 1.0, 1.0))
    _advance(transport)
    product = _product(mechanics)
    wall = time.perf_counter()
    report, cold = _timed(lambda: mechanics.solve(transport.stoichiometry))
    wall = time.perf_counter() - wall
    tight_iterations, tight = _sequence(transport, mechanics, phases)
    mechanics.solver.set_tolerance(_LOOSE)
    iterations, step = _sequence(transport, mechanics, phases)
    # Peak memory before the naive step: that one is not part of a run.
    peak = comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    naive_iterations, naive_step = _naive_step(domain, mechanics) if naive else (0, float("nan"))
    calls = phases.calls
    return Measurement(
        tetrahedra=domain.mesh.topology.index_map(3).size_global,
        grains=domain.grain_count,
        unknowns=mechanics.solver.matrix.getSize()[0],
        ranks=comm.size,
        bandwidth_GB_s=bandwidth,
        product_s=product,
        mesh_wall_s=meshed,
        distribution_s=distribution,
        assembly_s=phases.seconds["stiffness assembly"],
        set_up_s=phases.seconds["elastic solver set-up"],
        cold_iterations=report.iterations,
        cold_solve_s=cold,
        cold_solve_wall_s=wall,
        step_iterations=iterations,
        step_s=step,
        step_iterations_tight=tight_iterations,
        step_tight_s=tight,
        load_s=(phases.seconds["load assembly"] + phases.seconds["lattice curves"]) / calls["load assembly"],
        diffusion_s=phases.seconds["diffusion solves"] / calls["diffusion solves"],
        stress_s=phases.seconds["stress evaluation"] / calls["stress evaluation"],
        naive_step_s=naive_step,
        naive_iterations=naive_iterations,
        peak_memory_MB=peak,
    )


def _particle(tetrahedra: int) -> Particle:
    """A dense particle of about that many tetrahedra, at 500 per grain."""
    grains = {"count": max(20, min(1000, tetrahedra // 500)), "seed": 1}
    particle = Particle.model_validate({"grains": grains})
    size = estimate_cells(particle).size * (estimate_cells(particle).cells / tetrahedra) ** (1.0 / 3.0)
    return Particle.model_validate({"grains": grains, "mesh": {"size": f"{size} um", "time_limit": 3600}})


def _mesh(particle: Particle) -> tuple[ParticleMesh, NDArray[np.float64]]:
    stored = meshes.store.obtain(particle, Path())
    tets = meshes.store.load(stored.path)
    return tets, c_axes(particle, grain_centroids(tets), Path())


def _bandwidth() -> float:
    """Memory bandwidth of a vector sum on this process [GB/s], the best of five."""
    first, second = np.ones(20_000_000), np.ones(20_000_000)
    result = np.empty_like(first)
    return 3 * first.nbytes / min(_timed(lambda: np.add(first, second, out=result))[1] for _ in range(5)) / 1e9


T = TypeVar("T")


def _timed(action: Callable[[], T]) -> tuple[T, float]:
    """Result and processor time [s]."""
    start = time.process_time()
    result = action()
    return result, time.process_time() - start


def _product(mechanics: Mechanics) -> float:
    """S: one product with the stiffness matrix [s], the median of batches."""
    matrix = mechanics.solver.matrix
    vector, result = matrix.createVecs()
    vector.set(1.0)

    def batch() -> None:
        for _ in range(10):
            matrix.mult(vector, result)

    return float(np.median([_timed(batch)[1] / 10 for _ in range(5)]))


def _advance(transport: Transport) -> None:
    if not transport.attempt(_STEP).converged:
        raise RuntimeError("a diffusion step of the benchmark did not converge")
    transport.commit()


def _sequence(transport: Transport, mechanics: Mechanics, phases: Phases) -> tuple[float, float]:
    """Mean iterations and time of a step with diffusion, elastic solve and stress, after the guesses have settled."""
    iterations, seconds = [], []
    for _ in range(_STEPS):

        def step() -> int:
            _advance(transport)
            count = mechanics.solve(transport.stoichiometry).iterations
            mechanics.stress()
            return count

        count, spent = _timed(step)
        iterations.append(count)
        seconds.append(spent)
    settled = slice(_STEPS // 3, None)
    return float(np.mean(iterations[settled])), float(np.median(seconds[settled]))


def _naive_step(domain: Domain, mechanics: Mechanics) -> tuple[int, float]:
    """A step that keeps nothing: scalar storage, new matrix, default smoothed aggregation, tight tolerance."""
    space = mechanics.solver.space
    trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
    energy = ufl.inner(stress(strain(trial), domain.cell_axis, mechanics.solver.stiffness), strain(test))
    form = compat.form(energy * ufl.dx(domain.mesh, metadata={"quadrature_degree": 2}))
    modes = rigid_motions(space)
    load = mechanics.load

    def step() -> int:
        matrix = compat.create_matrix(form, "aij")
        compat.assemble_matrix(matrix, form)
        matrix.setNullSpace(modes)
        matrix.setNearNullSpace(modes)
        ksp = PETSc.KSP().create(domain.comm)
        ksp.setOperators(matrix)
        ksp.setType("cg")
        ksp.getPC().setType("gamg")
        ksp.setTolerances(rtol=_COLD, max_it=500)
        solution = load.duplicate()
        ksp.solve(load, solution)
        count = ksp.getIterationNumber()
        for item in (ksp, matrix, solution):
            item.destroy()
        return count

    return _timed(step)


def phase_table(measurements: list[Measurement]) -> Table:
    """Figures of several sizes side by side."""
    table = Table(title="Times in S (one product with the stiffness matrix); targets in brackets", show_lines=False)
    table.add_column("")
    for one in measurements:
        table.add_column(f"{one.tetrahedra:,}".replace(",", " ") + f" tets, {one.ranks} rank(s)", justify="right")
    rows: list[tuple[str, Callable[[Measurement], str]]] = [
        ("grains", lambda m: f"{m.grains}"),
        ("unknowns of the displacement", lambda m: f"{m.unknowns}"),
        ("bandwidth [GB/s]", lambda m: f"{m.bandwidth_GB_s:.1f}"),
        ("S [ms]", lambda m: f"{1e3 * m.product_s:.2f}"),
        ("mesh, or its look-up [s]", lambda m: f"{m.mesh_wall_s:.1f}"),
        ("distribution [s]", lambda m: f"{m.distribution_s:.2f}"),
        ("stiffness assembly [60 S]", lambda m: f"{m.in_products(m.assembly_s):.0f}"),
        ("elastic solver set-up [80 S]", lambda m: f"{m.in_products(m.set_up_s):.0f}"),
        ("cold solve, rtol 1e-8 [140 S]", lambda m: f"{m.in_products(m.cold_solve_s):.0f}"),
        ("  iterations [20]", lambda m: f"{m.cold_iterations}"),
        ("step, rtol 1e-6 [45 S]", lambda m: f"{m.in_products(m.step_s):.0f}"),
        ("  iterations [4]", lambda m: f"{m.step_iterations:.1f}"),
        ("step, rtol 1e-8", lambda m: f"{m.in_products(m.step_tight_s):.0f}"),
        ("  iterations", lambda m: f"{m.step_iterations_tight:.1f}"),
        ("  of it load, with lattice curves", lambda m: f"{m.in_products(m.load_s):.1f}"),
        ("  of it diffusion", lambda m: f"{m.in_products(m.diffusion_s):.1f}"),
        ("  of it stress", lambda m: f"{m.in_products(m.stress_s):.1f}"),
        ("naive step, rtol 1e-8", lambda m: f"{m.in_products(m.naive_step_s):.0f}"),
        ("  over our step at 1e-8 [15]", lambda m: f"{m.naive_step_s / m.step_tight_s:.1f}"),
        ("  over our step at 1e-6", lambda m: f"{m.naive_step_s / m.step_s:.1f}"),
        ("peak memory [MB]", lambda m: f"{m.peak_memory_MB:.0f}"),
        ("  per unknown [2.2 kB]", lambda m: f"{1e3 * m.peak_memory_MB / m.unknowns:.2f}"),
    ]
    for name, show in rows:
        table.add_row(name, *(show(one) for one in measurements))
    return table


def measured_apart(tetrahedra: int, ranks: int, naive: bool) -> Measurement:
    """Measures one size in processes of its own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        arguments = ["-m", "solver.benchmark", "phases", "--one", str(tetrahedra), "--json", str(result)]
        arguments += [] if naive else ["--no-naive"]
        alone = ([sys.executable, *arguments], dict(os.environ))
        command, environment = mpi.launch_command(ranks, arguments) if ranks > 1 else alone
        subprocess.run(command, env=environment, check=True)
        return Measurement(**json.loads(result.read_text()))
