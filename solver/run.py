"""One run from a case to a results folder: the only place where all the rooms meet.

Data goes one way: case → mesh → domain → model and operators → accepted states → indicators, fields and tables.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpi4py import MPI

from solver.case.composition import radial_material
from solver.case.load import LoadedCase, load_text
from solver.collective import on_root
from solver.errors import OutputError, VegardError
from solver.indicators.settings import IndicatorSettings
from solver.materials.radial import RadialMaterial
from solver.output.checkpoint import Checkpoints, read_checkpoint
from solver.output.folder import CHECKPOINT, KEPT_MESH, RunFolder, cannot_go_on
from solver.output.left_out import left_out
from solver.output.provenance import peak_memory
from solver.output.recorder import Recorder
from solver.output.summary import MaterialFacts
from solver.report.page import write_report
from solver.report.progress import ProgressDisplay
from solver.report.table import results_text
from solver.setup.electrochemistry import plan_courses, plan_segments, step_settings
from solver.setup.layers import layer_numbers
from solver.setup.operators import build_coupling, mean_sites
from solver.setup.particle import Particle, prepare_particle
from solver.solve.coupling import Coupling
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.state import Observer
from solver.solve.stepping import TimeLoop, at_times, every

log = logging.getLogger(__name__)


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
    comm = MPI.COMM_WORLD
    with RunFolder(folder, comm, force) as run:
        run.write_text("case.yaml", loaded.text)
        run.write_text("case.resolved.json", loaded.case.model_dump_json(indent=1) + "\n")
        _carry_out(loaded, run, progress, None)
        return run.path


def resume_case(folder: Path, *, progress: bool = True) -> Path:
    """Goes on with a run from its latest checkpoint; collective over the world communicator.

    Args:
        folder: Results folder of a run that was stopped.
        progress: Show progress on the console.

    Returns:
        The results folder.

    Raises:
        CaseError: When the case in the folder is no longer valid.
        OutputError: When the folder holds nothing to go on with, or the case or a file of it was edited.
        SolveError: When a step fails for good.
    """
    comm = MPI.COMM_WORLD
    # Everything is looked at before the folder is touched.
    found = on_root(comm, lambda: _found(folder))
    assert found is not None  # it is shared
    loaded, earlier = found
    with RunFolder(folder, comm, resume=True) as run:
        _carry_out(loaded, run, progress, earlier)
        return run.path


def _found(folder: Path) -> tuple[LoadedCase, dict[str, Any]]:
    """Case and provenance of a run that can be gone on with."""
    problem = cannot_go_on(folder)
    if problem is not None:
        raise OutputError(problem)
    try:
        earlier = dict(json.loads((folder / "provenance.json").read_text(encoding="utf-8")))
        text, began = (folder / "case.yaml").read_text(encoding="utf-8"), earlier["case"]
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(
            f"{folder}: its case or its provenance cannot be read ({error}); run the case again"
        ) from error
    loaded = load_text(text, Path(began["file"]))
    if loaded.digest != began["digest"]:
        raise OutputError(
            f"{folder}: case.yaml there, or a file it refers to, was edited after the run began; "
            "undo it, or run the edited case with another --output"
        )
    return loaded, earlier


def _carry_out(loaded: LoadedCase, run: RunFolder, progress: bool, earlier: dict[str, Any] | None) -> None:
    """Solves and reports, from the start or from the checkpoint of an earlier run."""
    comm, phases = run.comm, Phases()
    tell = _teller(comm, progress)
    run.record(case={"digest": loaded.digest, "file": str(loaded.path.absolute())})
    try:
        summary = _solve(loaded, run, phases, tell, progress, earlier)
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


def _solve(
    loaded: LoadedCase,
    run: RunFolder,
    phases: Phases,
    tell: Callable[[str], None],
    progress: bool,
    earlier: dict[str, Any] | None,
) -> dict[str, Any]:
    """Solves and records; returns the content of summary.json."""
    case, comm = loaded.case, run.comm
    material = radial_material(case)
    run.record(material=material.numbers())
    run.record(layers=layer_numbers(case.particle))
    record = None if earlier is None else earlier["mesh"]
    particle = prepare_particle(loaded, comm, phases, tell, run.path / CHECKPOINT / KEPT_MESH, record)
    run.record(mesh=particle.mesh_record)
    tell("setting up the solver")
    coupling = build_coupling(case, material, particle, phases)
    segments, duration = _segments(loaded, material, coupling, particle)
    kept = None if earlier is None else read_checkpoint(run.path, particle.domain)
    settings = IndicatorSettings.of(case.indicators)
    facts, records = MaterialFacts.of(material), None if kept is None else kept.records
    recorder = Recorder(run, particle.domain, settings, case.output.format, phases, facts, records)
    keeper = Checkpoints(run.path, particle.domain, coupling.memory, recorder.memory, float(case.output.checkpoint))
    fields = case.output.fields
    display = ProgressDisplay(fields + len(segments), duration) if progress and comm.rank == 0 else None
    observers: list[Observer] = [recorder] if display is None else [recorder, display]
    if kept is not None:
        tell(f"going on from {kept.place.time:.6g} s")
    try:
        next_output = every(duration / fields) if fields else at_times([])
        loop = TimeLoop(coupling, segments, step_settings(case), observers, keeper)
        with keeper.listening():
            loop.run(next_output, None if kept is None else (kept.place, kept.memory))
        recorder.finish()
    finally:
        recorder.close()
        if display is not None:
            display.close()
        summary = recorder.summary.as_data() | {"left_out": left_out(case), "mesh": particle.mesh_record}
        run.write_json("summary.json", summary)
    return summary


def _segments(
    loaded: LoadedCase, material: RadialMaterial, coupling: Coupling, particle: Particle
) -> tuple[list[Segment], float]:
    """The protocol, and the time it will probably take [s]."""
    sites = mean_sites(material, particle.domain)
    courses = plan_courses(loaded.case, loaded.tables, material, coupling.transport, sites)
    segments = plan_segments(loaded.case, material, courses)
    return segments, sum(segment.expected or segment.duration for segment in segments)


def _draw(comm: MPI.Comm, folder: Path) -> None:
    """Draws the figures; a failure costs the pictures, not the results."""
    try:
        on_root(comm, lambda: write_report(folder))
    except VegardError as error:
        if comm.rank == 0:
            log.warning("the figures could not be drawn: %s", error)
            print(f"warning: the figures could not be drawn: {error}", file=sys.stderr)


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
