"""One run from a case to a results folder: the only place where all the rooms meet.

Data goes one way: case → mesh → domain → model and operators → accepted states → indicators, fields and tables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpi4py import MPI

from solver.case.composition import radial_material
from solver.case.load import LoadedCase
from solver.collective import on_root
from solver.errors import VegardError
from solver.indicators.settings import IndicatorSettings
from solver.output.folder import RunFolder
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
from solver.setup.particle import prepare_particle
from solver.solve.phases import Phases
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
    sites = mean_sites(material, particle.domain)
    courses = plan_courses(case, loaded.tables, material, coupling.transport, sites)
    segments = plan_segments(case, material, courses)
    duration = sum(segment.expected or segment.duration for segment in segments)
    fields = case.output.fields
    recorder = Recorder(run, particle.domain, settings, case.output.format, phases, MaterialFacts.of(material))
    display = ProgressDisplay(fields + len(segments), duration) if progress and comm.rank == 0 else None
    observers: list[Observer] = [recorder] if display is None else [recorder, display]
    try:
        next_output = every(duration / fields) if fields else at_times([])
        TimeLoop(coupling, segments, step_settings(case), observers).run(next_output)
    finally:
        recorder.close()
        if display is not None:
            display.close()
        summary = recorder.summary.as_data() | {"left_out": left_out(case), "mesh": particle.mesh_record}
        run.write_json("summary.json", summary)
    return summary


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
