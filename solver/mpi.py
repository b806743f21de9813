"""Several processes on one case: who may print, how to start them, and how all of them stop when one fails.

mpi4py is loaded only by a run that needs it; everything else is read from the environment that a launcher (mpirun,
srun) leaves behind, so that cheap commands stay cheap and also work when a launcher starts many of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from meshes.errors import VegardError

_RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
_SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
# Time for rank 0 to tell of a failure that all ranks share, before another rank speaks up.
_COURTESY = 2.0
# Time for the launcher to pass the last lines on; it drops what is still in its pipes when it kills the ranks.
_DELIVERY = 1.0


class LaunchError(VegardError):
    """Processes that cannot be started, or were started in a way that cannot work."""

    exit_code = 2


def launched_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Rank of this process as its launcher numbers it; 0 without a launcher."""
    in_step = ("SLURM_PROCID",) if "SLURM_STEP_ID" in environment else ()
    return _first_integer((*_RANK_VARIABLES, *in_step), environment) or 0


def launched_size(environment: Mapping[str, str] = os.environ) -> int:
    """Number of processes that mpirun started together with this one; 1 without it."""
    return _first_integer(_SIZE_VARIABLES, environment) or 1


def require_one_program(comm_size: int, environment: Mapping[str, str] = os.environ) -> None:
    """Stop when Slurm started several processes that know nothing of each other.

    Args:
        comm_size: Number of ranks of MPI's world communicator.
        environment: Variables set by Slurm.

    Raises:
        LaunchError: With the command that works.
    """
    tasks = _first_integer(("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"), environment) or 1
    if comm_size > 1 or tasks <= 1:
        return
    if "SLURM_STEP_ID" in environment:
        raise LaunchError(
            f"srun started {tasks} separate copies of this run instead of one run on {tasks} ranks; "
            f'write "srun --mpi=pmix vegard run …", or "vegard run … --ranks {tasks}" without srun'
        )
    raise LaunchError(
        f"this Slurm job has {tasks} tasks but the run would use one; "
        f'write "vegard run … --ranks {tasks}" (or "--ranks 1" if one is meant)'
    )


def start_ranks(ranks: int, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by `mpirun` running a Python module on several ranks.

    Args:
        ranks: How many.
        arguments: What follows `python`, such as `-m solver.cli run case.yaml`.

    Raises:
        LaunchError: When there is no mpirun, or this process was itself started by one.
    """
    if launched_size() > 1:
        raise LaunchError(f"mpirun already started {launched_size()} ranks; leave --ranks out")
    command, environment = launch_command(ranks, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, environment)


def launch_command(ranks: int, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Command line and environment that run a Python module on several ranks.

    Args:
        ranks: How many.
        arguments: What follows `python`.

    Raises:
        LaunchError: When there is no mpirun.
    """
    launcher = shutil.which("mpirun") or shutil.which("mpiexec")
    if launcher is None:
        raise LaunchError('neither "mpirun" nor "mpiexec" is on the PATH; run without --ranks, or load an MPI module')
    return [launcher, "-n", str(ranks), sys.executable, *arguments], {**os.environ, **_launcher_environment(ranks)}


def abort_all(lines: Sequence[str], exit_code: int) -> NoReturn:
    """Print a failure once and end every rank, also those that wait for this one inside a collective call."""
    rank = launched_rank()
    # Another rank may end this one meanwhile, by the signal that otherwise interrupts a run: then it goes quietly.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if rank:
        time.sleep(_COURTESY)
        lines = [f"[rank {rank}] {line}" for line in lines]
    print("\n".join(lines), file=sys.stderr, flush=True)
    sys.stdout.flush()
    time.sleep(_DELIVERY)
    world = sys.modules["mpi4py.MPI"].COMM_WORLD
    world.Abort(exit_code)
    sys.exit(exit_code)


def has_several_ranks() -> bool:
    """Whether MPI is running in this process with other ranks besides it."""
    mpi = sys.modules.get("mpi4py.MPI")
    return mpi is not None and mpi.Is_initialized() and not mpi.Is_finalized() and mpi.COMM_WORLD.size > 1


def _launcher_environment(ranks: int) -> dict[str, str]:
    """Settings Open MPI needs for a root user (containers), more ranks than cores, and one thread per rank."""
    settings = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    if os.geteuid() == 0:
        settings |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    if ranks > len(os.sched_getaffinity(0)):
        settings |= {
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1",
        }
    return settings


def _first_integer(names: Sequence[str], environment: Mapping[str, str]) -> int | None:
    return next((int(environment[name]) for name in names if environment.get(name, "").isdigit()), None)
