"""Process control of the mesher: every Gmsh call runs in a child process that is killed when it takes too long.

Gmsh can loop for ever, crash or exit; none of that may reach the program. The child ends when the call returns, times
out or is interrupted, and also when this process dies (it watches its standard input).
"""

from __future__ import annotations

import os
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from meshes.errors import Unmeshable

Job = Mapping[str, NDArray]
Result = TypeVar("Result")

_ROOT = Path(__file__).resolve().parent.parent
_OF_MPI = ("OMPI_COMM_", "PMIX_", "PMI_", "MPI_LOCAL")
GMSH_CHILD = (sys.executable, "-m", "meshes.gmsh_child")


class EngineError(Unmeshable):
    """A child that failed or was killed."""


def run(kind: str, job: Job, time_limit: float, program: Sequence[str] = GMSH_CHILD) -> dict[str, NDArray]:
    """Run one job in a child process.

    Args:
        kind: What the child is to do, such as "surfaces".
        job: Named arrays for it.
        time_limit: Seconds after which it is killed.
        program: Command to which kind, job file and result file are appended.

    Returns:
        Named arrays it wrote.

    Raises:
        EngineError: If it failed, wrote nothing, or took too long.
    """

    def write(path: Path) -> None:
        with path.open("wb") as stream:
            np.savez(stream, **job)  # type: ignore[arg-type]

    def read(path: Path) -> dict[str, NDArray]:
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}

    return run_child(f"the {kind} mesher", [*program, kind], write, read, time_limit, suffix=".npz")


def run_child(
    name: str,
    command: Sequence[str],
    write: Callable[[Path], None],
    read: Callable[[Path], Result],
    time_limit: float,
    suffix: str = "",
) -> Result:
    """Run a program on a job file, in a folder that is removed afterwards.

    Args:
        name: What to call it in messages.
        command: The program; the job file and the result file are appended.
        write: Writes the job file.
        read: Reads the result file.
        time_limit: Seconds after which it is killed.
        suffix: Ending of the names of both files.

    Returns:
        What was read.

    Raises:
        EngineError: If it failed, wrote nothing, or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="vegard-mesh-") as folder:
        job_file, result_file, log_file = (
            Path(folder) / part for part in (f"job{suffix}", f"result{suffix}", "log.txt")
        )
        write(job_file)
        with log_file.open("wb") as log:
            status = supervise([*command, str(job_file), str(result_file)], log.fileno(), time_limit, Path(folder))
        if status is None:
            raise EngineError(f"{name} took longer than {time_limit:g} s and was stopped", took_too_long=True)
        if status != 0 or not result_file.exists():
            raise EngineError(f"{name} failed (exit code {status}): {last_words(log_file)}")
        return read(result_file)


def supervise(command: Sequence[str], log: int, time_limit: float, home: Path) -> int | None:
    """Run a command; whatever happens, nothing of it stays.

    Args:
        command: The program and its arguments.
        log: File descriptor for all it prints.
        time_limit: Seconds after which it is killed.
        home: Folder it takes for the user's.

    Returns:
        Its exit code, None if it was killed for taking too long.
    """
    # Its own session: a Ctrl-C reaches only this process, which then ends the child and all that it may have started.
    environment = _environment(home)
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    try:
        return child.wait(timeout=time_limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            child.kill()
        child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _environment(home: Path) -> dict[str, str]:
    """The child finds this package wherever it was started, uses one thread, and is no rank of an MPI run.

    Its home is a temporary folder: Gmsh would leave settings in the user's, and a user's Gmsh settings would make
    another mesh of the same description.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OF_MPI)}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"HOME": str(home), "GMSH_HOME": str(home), "PYTHONUSERBASE": site.getuserbase()}
    paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


def last_words(log_file: Path) -> str:
    """The last line a program printed, for messages."""
    lines = log_file.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "no message"
