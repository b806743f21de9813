"""`scripts/benchmark phases`, `charge`, `scaling` and `sweeps`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from mpi4py import MPI
from rich.console import Console

from solver.benchmark.charge import ChargeBenchmark, coupling_table, stepping_table
from solver.benchmark.phases import measure, measured_apart, phase_table
from solver.benchmark.scaling import strong_table, weak_table
from solver.benchmark.sweeps import measure_sweep, sweep_table

program = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@program.command()
def phases(
    sizes: Annotated[str, typer.Option(help="Numbers of tetrahedra, with commas.")] = "30000,100000,300000",
    ranks: Annotated[int, typer.Option(help="Repeat the sizes on so many ranks; 1 for not.")] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")] = None,
    naive: Annotated[bool, typer.Option(help="Time a step that assembles everything anew.")] = True,
    one: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure how fast the phases of a run are on this machine, as ratios."""
    if one is not None:
        measurement = measure(one, naive)
        if MPI.COMM_WORLD.rank == 0 and json_file is not None:
            json_file.write_text(json.dumps(asdict(measurement)))
        return
    wanted = [int(float(size)) for size in sizes.split(",")]
    serial = [measured_apart(size, 1, naive) for size in wanted]
    console = Console(width=max(120, 40 + 26 * len(wanted)), force_terminal=False)
    console.print(phase_table(serial))
    parallel = [measured_apart(size, ranks, False) for size in wanted] if ranks > 1 else []
    for alone, together in zip(serial, parallel, strict=False):
        gain = alone.cold_solve_wall_s / together.cold_solve_wall_s
        console.print(f"cold solve of {alone.tetrahedra} tetrahedra on {ranks} ranks: {gain:.2f} times one rank [1.6]")
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(item) for item in serial + parallel], indent=1))


@program.command()
def sweeps(
    cores: Annotated[int, typer.Option(help="Runs at the same time.")] = len(os.sched_getaffinity(0)),
    runs_per_core: Annotated[int, typer.Option(help="Runs of the sweep per core.")] = 4,
) -> None:
    """Measure how much of the machine a sweep uses."""
    Console(width=120, force_terminal=False).print(sweep_table(measure_sweep(cores, runs_per_core)))


@program.command()
def charge(
    tetrahedra: Annotated[int, typer.Option(help="Number of tetrahedra, roughly.")] = 100_000,
    grains: Annotated[int, typer.Option(help="Number of grains.")] = 200,
    mechanics: Annotated[bool, typer.Option(help="Also compare one-way and two-way coupling.")] = True,
) -> None:
    """Measure what a full charge takes: steps, solves, and the effect of the coupling."""
    benchmark = ChargeBenchmark(tetrahedra, grains)
    tables = [stepping_table(benchmark)]
    tables += [coupling_table(benchmark)] if mechanics else []
    if MPI.COMM_WORLD.rank == 0:
        for table in tables:
            Console(width=120, force_terminal=False).print(table)


@program.command()
def scaling(
    tetrahedra: Annotated[int, typer.Option(help="Number of tetrahedra on one rank, roughly.")] = 100_000,
    ranks: Annotated[str, typer.Option(help="Numbers of ranks, with commas.")] = "1,2",
) -> None:
    """Measure how the elastic solve spreads over ranks, with the memory that each of them takes."""
    counts = [int(count) for count in ranks.split(",")]
    for table in (strong_table(tetrahedra, counts), weak_table(tetrahedra, counts)):
        Console(width=140, force_terminal=False).print(table)


if __name__ == "__main__":
    program()
