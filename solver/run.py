"""One run from a case to a results folder: the only place where all the rooms meet.

Data goes one way: case → mesh → domain → model and operators → accepted states → indicators, fields and tables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import meshes.store
from meshes.orientation import c_axes
from meshes.particle_mesh import grain_centroids
from solver.case.checks import stoichiometry_at
from solver.case.composition import radial_material
from solver.case.load import LoadedCase
from solver.case.protocol import plan_protocol
from solver.case.schema import Case
from solver.electrochemistry import segment_of, surface_of
from solver.errors import VegardError
from solver.indicators.settings import IndicatorSettings
from solver.layers import film_resistances, layer_numbers, region_layers, surface_films, surface_shells
from solver.materials.radial import RadialMaterial
from solver.output.folder import RunFolder
from solver.output.provenance import peak_memory
from solver.output.recorder import Recorder
from solver.report.figures import figures_from_run
from solver.report.progress import ProgressDisplay
from solver.report.table import results_text
from solver.solve.coating_stress import CoatingStress
from solver.solve.coupling import Coupling, OneWay, OneWayWithMemory, Uncoupled
from solver.solve.domain import Domain, build_domain
from solver.solve.interface_layer import Columns
from solver.solve.load_path import LoadPath
from solver.solve.mechanics import Mechanics
from solver.solve.membrane import Membrane
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.solids import Crystal, Solids
from solver.solve.state import Observer
from solver.solve.stepping import StepSettings, TimeLoop, at_times, every
from solver.solve.transport import Transport
from solver.surroundings import limited_columns, surroundings_of

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Particle:
    """A meshed particle ready to be solved, how it was meshed, and the columns of a bond that may open."""

    domain: Domain
    mesh_record: dict[str, Any]
    columns: Columns | None = None


def run_case(loaded: LoadedCase, folder: Path, *, force: bool = False, progress: bool = True) -> Path:
    """Solves a case and writes its results; collective over the world communicator.

    Args:
        loaded: The case.
        folder: Results folder.
        force: Replace results that are there.
        progress: Show progress on the console.

    Returns:
        The results folder.

    Raises:
        MeshError: When the particle cannot be meshed.
        OutputError: When the folder holds results and `force` is not set, or cannot be written.
        SolveError: When a step fails for good; what was accepted until then is in the folder.
    """
    comm, phases = MPI.COMM_WORLD, Phases()
    tell = _teller(comm, progress)
    with RunFolder(folder, comm, force) as run:
        run.write_text("case.yaml", loaded.text)
        run.write_text("case.resolved.json", loaded.case.model_dump_json(indent=1) + "\n")
        run.record(case={"digest": loaded.digest, "file": str(loaded.path)})
        try:
            summary = _solve(loaded, run, phases, tell, progress)
        finally:
            run.record(wall_time_s=phases.seconds)  # nothing collective here: one rank alone may have failed
        run.record(peak_memory_MB=peak_memory(comm))
        if loaded.case.output.pictures:
            tell("drawing figures")
            with phases.measure("figures"):
                _draw(comm, run.path)
        run.record(wall_time_s=phases.seconds)
        tell(results_text(summary))
        _show_phases(tell, phases)
        return run.path


def _solve(
    loaded: LoadedCase,
    run: RunFolder,
    phases: Phases,
    tell: Callable[[str], None],
    progress: bool,
) -> dict[str, Any]:
    """Solves and records; returns the content of summary.json."""
    case, comm = loaded.case, run.comm
    material = radial_material(case)
    run.record(material=material.numbers())
    run.record(layers=layer_numbers(case.particle))
    particle = prepare_particle(loaded, comm, phases, tell)
    run.record(mesh=particle.mesh_record)
    tell("setting up the solver")
    coupling = build_coupling(case, material, particle, phases)
    settings = IndicatorSettings.of(case.indicators)
    segments = plan_segments(case, material)
    duration = sum(segment.expected or segment.duration for segment in segments)
    fields = case.output.fields
    recorder = Recorder(run, particle.domain, settings, case.output.format, phases)
    display = ProgressDisplay(fields + len(segments), duration) if progress and comm.rank == 0 else None
    observers: list[Observer] = [recorder] if display is None else [recorder, display]
    try:
        next_output = every(duration / fields) if fields else at_times([])
        TimeLoop(coupling, segments, step_settings(case), observers).run(next_output)
    finally:
        recorder.close()
        if display is not None:
            display.close()
        summary = recorder.summary.as_data() | {"mesh": particle.mesh_record}
        run.write_json("summary.json", summary)
    return summary


def _draw(comm: MPI.Comm, folder: Path) -> None:
    """Draws the figures; a failure costs the pictures, not the results."""
    try:
        on_root(comm, lambda: len(figures_from_run(folder)))
    except VegardError as error:
        if comm.rank == 0:
            log.warning("the figures could not be drawn: %s", error)
            print(f"warning: the figures could not be drawn: {error}", file=sys.stderr)


def prepare_particle(loaded: LoadedCase, comm: MPI.Comm, phases: Phases, tell: Callable[[str], None]) -> Particle:
    """Meshes the particle on rank 0 (or finds its mesh) and distributes it; collective.

    Raises:
        MeshError: On every rank, when there is no usable mesh.
    """
    particle = loaded.case.particle

    def mesh() -> tuple[Any, Any, Columns | None, dict[str, Any]]:
        stored = meshes.store.obtain(particle, loaded.folder, tell)
        tets = meshes.store.load(stored.path)
        axes = c_axes(particle, grain_centroids(tets), loaded.folder)
        columns = limited_columns(particle, tets)
        return tets, axes, columns, {"key": stored.key, "reused": stored.reused, "report": stored.report.to_json()}

    with phases.measure("mesh"):
        built = on_root(comm, mesh, share=False)
        tets, axes, columns, mesh_record = built if built is not None else (None, None, None, {})
    with phases.measure("distribution"):
        domain = build_domain(comm, tets, axes)
    return Particle(domain, comm.bcast(mesh_record, root=0), comm.bcast(columns, root=0))


def build_coupling(case: Case, material: RadialMaterial, particle: Particle, phases: Phases) -> Coupling:
    """The operators a case asks for, set up once."""
    mechanics, domain = case.mechanics, particle.domain
    transport = build_transport(case, material, domain, phases)
    if mechanics.coupling == "none":
        return Uncoupled(transport)
    solids = Solids(
        domain,
        [Crystal(each.stiffness, each.lattice) for each in material.materials],
        lambda points, grain: material.shares(domain.relative_radius(points)),
        layers=region_layers(case.particle),
        rest=mechanics.stress_free_stoichiometry,
    )
    films, shells = surface_films(case.particle), surface_shells(case.particle)
    around = surroundings_of(case, domain, particle.columns)
    solver = Mechanics(
        domain,
        solids,
        tolerance=case.numerics.displacement_tolerance,
        phases=phases,
        may_stretch=mechanics.out_of_plane == "generalised",
        terms=[*(Membrane(domain, film, solids) for film in films), *around.terms],
        coating=CoatingStress(domain, solids, shells, films) if films or shells else None,
        moment=around.pressure.moment() if around.pressure is not None else None,
    )
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


def build_transport(case: Case, material: RadialMaterial, domain: Domain, phases: Phases) -> Transport:
    """Diffusion in the grains and the passage through their surface."""
    electrochemistry = case.electrochemistry
    return Transport(
        domain,
        *material.diffusivity(electrochemistry.temperature, domain.cell_radius),
        sites=relative_sites(material, domain),
        initial=electrochemistry.initial_stoichiometry,
        surface=surface_of(electrochemistry, material.materials[-1]),
        resistances=film_resistances(case.particle),
        phases=phases,
    )


def relative_sites(material: RadialMaterial, domain: Domain) -> NDArray[np.float64]:
    """Lithium sites of every local and ghost cell over their mean in the grains [-]; collective."""
    sites = material.sites(domain.cell_radius)
    owned = slice(0, domain.owned)
    volumes = domain.cell_volumes[owned] * domain.is_grain[owned]
    mean = domain.comm.allreduce(float(volumes @ sites[owned])) / domain.volume
    return sites / mean


def plan_segments(case: Case, material: RadialMaterial) -> list[Segment]:
    """The protocol as stretches of constant current (eq. 3.4)."""
    capacity = case.electrochemistry.one_c_capacity
    ratio = 1.0 if capacity is None else capacity / material.theoretical_capacity
    start = case.electrochemistry.initial_stoichiometry
    planned = plan_protocol(case.electrochemistry.steps, start, ratio, stoichiometry_at(material.materials[-1]))
    return [segment_of(step, ratio) for step in planned]


def step_settings(case: Case) -> StepSettings:
    """Step-size control of a case."""
    numerics = case.numerics
    return StepSettings(
        tolerance=numerics.time_tolerance,
        largest_change=numerics.maximum_stoichiometry_step,
        initial=numerics.initial_step,
        smallest=numerics.minimum_step,
        largest=numerics.maximum_step,
    )


def on_root(comm: MPI.Comm, action: Callable[[], T], share: bool = True) -> T | None:
    """Result of something rank 0 does; when it fails there, every rank raises. Collective.

    Args:
        comm: Ranks that wait.
        action: Called on rank 0.
        share: Give every rank the result; otherwise the others get None.
    """
    result: T | None = None
    failure: VegardError | None = None
    if comm.rank == 0:
        try:
            result = action()
        except VegardError as error:
            failure = error
    failure = comm.bcast(failure, root=0)
    if failure is not None:
        raise failure
    return comm.bcast(result, root=0) if share else result


def _teller(comm: MPI.Comm, progress: bool) -> Callable[[str], None]:
    def tell(line: str) -> None:
        if comm.rank == 0:
            log.info(line)
            if progress:
                print(line, file=sys.stderr, flush=True)

    return tell


def _show_phases(tell: Callable[[str], None], phases: Phases) -> None:
    total = sum(phases.seconds.values())
    for name, seconds in sorted(phases.seconds.items(), key=lambda item: -item[1]):
        tell(f"{name:24s} {seconds:8.2f} s  {100 * seconds / total:5.1f} %  in {phases.calls[name]} calls")
