"""How much of a machine a sweep uses: runs per hour of the engine against one run alone on the same machine.

A machine that does other things at the same time gives no wall time worth having, so its load is printed beside it, and
the processor time of the runs, which then still says what running side by side and the engine itself cost.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

_CASE = """\
material: NMC811
particle:
  radius: 3 um
  dimension: 2
  grains: {count: 60}
electrochemistry:
  protocol: [Charge at 1C until 40 % SoC]
output: {fields: 6, pictures: false}
"""
_ALONE = 3


@dataclass(frozen=True)
class SweepBenchmark:
    """Figures of one measurement, wall times in seconds.

    Attributes:
        runs: Runs of the sweep, of one rank each.
        cores: Cores the engine used.
        alone: Time of one such run with nothing beside it, median.
        together: Time of the whole sweep.
        alone_work: Processor time of one run alone, median [s].
        work: Processor time of the whole sweep, the engine's own included [s].
        load: Load of the machine by others, before anything was started.
    """

    runs: int
    cores: int
    alone: float
    together: float
    alone_work: float
    work: float
    load: float

    @property
    def efficiency(self) -> float:
        """Runs per time of the sweep over those of `cores` undisturbed runs side by side."""
        return self.runs * self.alone / (self.cores * self.together)

    @property
    def work_efficiency(self) -> float:
        """The same by processor time: work of the runs alone over that of the sweep."""
        return self.runs * self.alone_work / self.work


def measure_sweep(cores: int, runs_per_core: int) -> SweepBenchmark:
    """Time a sweep of equal work, meshes made and forms compiled before."""
    load = os.getloadavg()[0]
    runs = cores * runs_per_core
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "base.yaml").write_text(_CASE)
        (folder / "sweep.yaml").write_text(f"base: base.yaml\nseeds: {runs}\n")
        # The first time makes the meshes and forms; --force is the same work without them.
        _vegard(folder, "sweep", "run", "sweep.yaml", "--output", "out", "--jobs", str(cores))
        case = next((folder / "out" / "runs").iterdir()) / "case.yaml"
        alone = [
            _vegard(folder, "run", str(case), "--ranks", "1", "--quiet", "--output", f"alone{number}")
            for number in range(_ALONE)
        ]
        together, work = _vegard(folder, "sweep", "run", "out", "--jobs", str(cores), "--force")
    walls, works = zip(*alone)
    return SweepBenchmark(runs, cores, statistics.median(walls), together, statistics.median(works), work, load)


def sweep_table(figures: SweepBenchmark) -> Table:
    """The figures, with the target."""
    table = Table("figure", "value", "target", title="sweep of runs of one rank")
    table.add_row("runs", f"{figures.runs} on {figures.cores} cores", "")
    table.add_row("one run alone", f"{figures.alone:.2f} s", "")
    table.add_row("all of them", f"{figures.together:.2f} s", "")
    table.add_row("throughput / (cores x single)", f"{figures.efficiency:.2f}", "0.90")
    table.add_row("the same by processor time", f"{figures.work_efficiency:.2f}", "0.90")
    table.add_row("load by others before", f"{figures.load:.1f}", "0")
    return table


def _vegard(folder: Path, *arguments: str) -> tuple[float, float]:
    """Wall and processor time of a command and its children [s]; its output is shown only when it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    begin, before = time.perf_counter(), _children()
    done = subprocess.run(
        [sys.executable, "-m", "solver.cli", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"vegard {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begin, _children() - before


def _children() -> float:
    """Processor time of all processes this one has started and waited for [s]."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
