"""How large a case is and what it will cost, from the particle description alone: nothing is meshed or solved.

The figures are those of docs/numerics.md, measured on one core; they tell minutes from hours, not seconds from
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshes.estimate import MeshEstimate, estimate_cells
from meshes.particle import Particle
from meshes.store import obtain
from solver.case.checks import capacity_ratio, current_scale, stoichiometry_at
from solver.case.current_table import courses_of
from solver.case.load import LoadedCase
from solver.case.protocol import PlannedStep, plan_protocol
from solver.case.schema import Case
from solver.materials import load_material


@dataclass(frozen=True)
class CostFigures:
    """Costs per degree of freedom (DOF), one core, as measured for 0.1 to 4 million displacement DOFs.

    Attributes:
        base_memory: Python, DOLFINx and PETSc before any mesh [bytes].
        memory: Peak of the whole process per displacement DOF [bytes].
        setup: Assembly, preconditioner and constant operators per displacement DOF [s].
        iteration: One preconditioned iteration per displacement DOF [s].
        cold_iterations: Iterations without an initial guess.
        warm_iterations: Iterations with a guess projected from earlier states; output states lie far apart.
        close_iterations: The same where the states are those of successive time steps.
        two_way: Elastic solves per time step where stress acts back on lithium.
        finite_strain: Equilibrium of one state at large strains, its mismatch part included, over that at small ones.
        state: Stresses, indicators and fields of one output state per displacement DOF [s].
        transport: One time step of lithium per concentration DOF [s].
        steps: Time steps that error control takes for one protocol step, typically.
        start: Loading libraries and compiling forms that are not in the cache yet [s].
    """

    base_memory: float = 350e6
    memory: float = 1.9e3
    setup: float = 5e-6
    iteration: float = 0.3e-6
    cold_iterations: int = 16
    warm_iterations: int = 12
    close_iterations: int = 5
    two_way: int = 5
    finite_strain: float = 6.0
    state: float = 2e-6
    transport: float = 1.5e-6
    steps: int = 60
    start: float = 15.0


FIGURES = CostFigures()


@dataclass(frozen=True)
class CaseEstimate:
    """Size and cost of a case.

    Attributes:
        mesh: Grains, cells, nodes and the time to mesh.
        steps: The protocol with its states of charge and times.
        states: Output states.
        lithium_unknowns: DOFs of the stoichiometry, linear elements.
        displacement_unknowns: DOFs of the displacement, quadratic elements; 0 without mechanics.
        memory: Peak [bytes].
        seconds: Solving and writing on one core [s], without meshing.
    """

    mesh: MeshEstimate
    steps: tuple[PlannedStep, ...]
    states: int
    lithium_unknowns: int
    displacement_unknowns: int
    memory: float
    seconds: float


def estimate_case(loaded: LoadedCase, figures: CostFigures = FIGURES) -> CaseEstimate:
    """Estimate a case; a mesh from a file is read and counted, any other is only estimated.

    Raises:
        MeshError: When the mesh file cannot be used.
    """
    case = loaded.case
    mesh = _mesh_size(case.particle, loaded.folder)
    electrochemistry = case.electrochemistry
    material = load_material(case.material)
    ratio = capacity_ratio(electrochemistry, material)
    start = electrochemistry.initial_stoichiometry
    courses = courses_of(loaded.tables, current_scale(electrochemistry, material, case.particle))
    steps = plan_protocol(electrochemistry.steps, start, ratio, stoichiometry_at(material), courses=courses)
    states = 1 + case.output.fields + len(steps)
    displacement = 3 * (mesh.nodes + mesh.edges) if case.mechanics.coupling != "none" else 0
    # The mismatch part of a state (eq. 2.7) is a multiple of one solution, so a state costs one solve at small strains.
    # Guesses from earlier solutions are lost where the stiffness changes.
    warm = figures.cold_iterations if case.mechanics.softening else figures.warm_iterations
    close = figures.cold_iterations if case.mechanics.softening else figures.close_iterations
    solves: float = figures.cold_iterations + warm * states
    solves += close * _answers_per_step(case, figures) * figures.steps * len(steps)
    if case.mechanics.strain == "finite":
        solves *= figures.finite_strain
    seconds = (
        figures.start
        + displacement * (figures.setup + figures.iteration * solves + figures.state * states)
        + mesh.nodes * figures.transport * figures.steps * len(steps)
    )
    memory = figures.base_memory + figures.memory * displacement
    return CaseEstimate(mesh, steps, states, mesh.nodes, displacement, memory, seconds)


def _answers_per_step(case: Case, figures: CostFigures) -> int:
    """Elastic solves in a time step, whether somebody looks or not."""
    if case.mechanics.coupling == "two-way":
        return figures.two_way
    return 0 if case.electrochemistry.strained_diffusion is None else 1


def _mesh_size(particle: Particle, folder: Path) -> MeshEstimate:
    if particle.from_file is None:
        return estimate_cells(particle)
    report = obtain(particle, folder).report
    # Euler's formula for a ball of tetrahedra, with 4 cells = 2 inner facets + 1 outer facet.
    edges = report.nodes + report.cells + report.outer_facets // 2 - 1
    size = (6 * 2**0.5 * report.volume / report.cells) ** (1 / 3)
    return MeshEstimate(report.grains, report.cells, report.nodes, edges, 0.0, size)
