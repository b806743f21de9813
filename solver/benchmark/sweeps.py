"""How much of a machine a sweep uses: runs per hour of the engine against one run alone on the same machine.

A machine that does other things at the same time gives no figure worth having, so its load is printed beside it.
"""

from __future__ import annotations

import os
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
        load: Load of the machine by others, before anything was started.
    """

    runs: int
    cores: int
    alone: float
    together: float
    load: float

    @property
    def efficiency(self) -> float:
        """Runs per time of the sweep over those of `cores` undisturbed runs side by side."""
        return self.runs * self.alone / (self.cores * self.together)


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
        together = _vegard(folder, "sweep", "run", "out", "--jobs", str(cores), "--force")
    return SweepBenchmark(runs, cores, statistics.median(alone), together, load)


def sweep_table(figures: SweepBenchmark) -> Table:
    """The figures, with the target."""
    table = Table("figure", "value", "target", title="sweep of runs of one rank")
    table.add_row("runs", f"{figures.runs} on {figures.cores} cores", "")
    table.add_row("one run alone", f"{figures.alone:.2f} s", "")
    table.add_row("all of them", f"{figures.together:.2f} s", "")
    table.add_row("throughput / (cores x single)", f"{figures.efficiency:.2f}", "0.90")
    table.add_row("load by others before", f"{figures.load:.1f}", "0")
    return table


def _vegard(folder: Path, *arguments: str) -> float:
    """Wall time of a command [s]; its output is shown only when it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    begin = time.perf_counter()
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
    return time.perf_counter() - begin
