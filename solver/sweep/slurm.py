"""Sweeps as array jobs of Slurm: a script that people can read, and `sbatch` to submit it.

What became of a run is read from its folder, as with every engine. Slurm is asked for one thing only: which runs are
still in its queue, so that they are not submitted twice.

    SWEEP/slurm/array.sh          the script; array-2.sh and so on when the runs do not fit into one array
    SWEEP/slurm/submitted.json    which runs were submitted as which job
    SWEEP/slurm/logs/JOB_TASK.log what a task printed, all its turns one after the other
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2

from solver.errors import OutputError, VegardError
from solver.output.files import write_json, write_text
from solver.sweep.plan import Plan
from solver.sweep.profile import Profile
from solver.sweep.tasks import Task, TaskStatus, attempt_job, task_status

FOLDER, RECORD, LOGS = "slurm", "submitted.json", "logs"
# Estimates of memory are within some 30 %; a run that takes more than it asked for is killed.
_MEMORY_MARGIN = 1.5
_LONGEST_JOB_NAME = 40


class QueueError(VegardError):
    """Slurm cannot be reached, or does not take a job."""

    exit_code = 6


@dataclass(frozen=True)
class Submission:
    """An array job.

    Attributes:
        job: Number of the job.
        first: What is added to the number of a task to get that of a run.
        runs: Numbers of the runs.
        submitted: When.
    """

    job: str
    first: int
    runs: tuple[int, ...]
    submitted: str

    def queue_names(self) -> dict[str, int]:
        """Run by the name that its task has in the queue."""
        return {f"{self.job}_{run - self.first}": run for run in self.runs}


@dataclass(frozen=True)
class Script:
    """A submission script.

    Attributes:
        path: Where it is.
        first: What is added to the number of a task to get that of a run.
        runs: Numbers of the runs.
        text: Its text.
    """

    path: Path
    first: int
    runs: tuple[int, ...]
    text: str


def make_scripts(plan: Plan, tasks: Sequence[Task], profile: Profile) -> list[Script]:
    """Scripts that run these tasks of a sweep; nothing is written."""
    chunks: dict[int, list[Task]] = {}
    for task in tasks:
        chunks.setdefault((task.index - 1) // profile.array_size, []).append(task)
    folder = plan.folder.resolve() / FOLDER
    scripts = []
    for number, (chunk, members) in enumerate(chunks.items(), start=1):
        path = folder / ("array.sh" if number == 1 else f"array-{number}.sh")
        first = chunk * profile.array_size
        text = _text(plan, members, profile, path, first)
        scripts.append(Script(path, first, tuple(task.index for task in members), text))
    return scripts


def write_scripts(plan: Plan, scripts: Sequence[Script]) -> None:
    """Write the scripts in place of earlier ones.

    Raises:
        OutputError: When the folder cannot be written.
    """
    folder = plan.folder.resolve() / FOLDER
    try:
        (folder / LOGS).mkdir(parents=True, exist_ok=True)
        for old in folder.glob("array*.sh"):
            old.unlink()
        for script in scripts:
            write_text(script.path, script.text)
            script.path.chmod(0o755)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error


def submit(plan: Plan, script: Script) -> Submission:
    """Hand a script to Slurm and note its job.

    Raises:
        QueueError: When Slurm does not take it.
    """
    answer = _ask(["sbatch", "--parsable", str(script.path)], f"sbatch {shlex.quote(str(script.path))}")
    job = answer.strip().splitlines()[-1].partition(";")[0] if answer.strip() else ""
    if not job.isdigit():
        raise QueueError(f'sbatch answered "{answer.strip()[:200]}", which is no number of a job')
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    submission = Submission(job, script.first, script.runs, now)
    record = [asdict(entry) for entry in (*read_submissions(plan.folder), submission)]
    write_json(plan.folder / FOLDER / RECORD, {"submissions": record})
    return submission


def read_submissions(folder: Path) -> list[Submission]:
    """The jobs that a sweep was submitted as, the latest last.

    Raises:
        OutputError: When the record cannot be read.
    """
    path = folder / FOLDER / RECORD
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["submissions"]
        return [Submission(**{**entry, "runs": tuple(entry["runs"])}) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path}: cannot be read ({error}); remove it when no job of this sweep is left") from error


def queued_tasks() -> set[str]:
    """Names JOB_TASK of this user's array tasks that Slurm has not ended yet.

    Raises:
        QueueError: When Slurm cannot be asked.
    """
    command = ["squeue", "--noheader", "--array", f"--user={os.getuid()}", "--format=%F_%K"]
    return set(_ask(command, "vegard sweep submit … --dry-run, and sbatch with the script it writes").split())


def states_in_queue(
    tasks: Sequence[Task], submissions: Sequence[Submission], queue: set[str], take_over: bool = False
) -> list[tuple[Task, TaskStatus, bool]]:
    """Every task with its state, and whether Slurm still has it.

    Args:
        tasks: Tasks of a sweep.
        submissions: Its jobs.
        queue: What Slurm has.
        take_over: Runs that were not begun by Slurm have ended, wherever they were.
    """
    waiting = {run for entry in submissions for name, run in entry.queue_names().items() if name in queue}
    found = []
    for task in tasks:
        job = attempt_job(task)
        is_queued = task.index in waiting or job in queue
        # A job that Slurm no longer has has ended, even when it had no time to say so.
        found.append((task, task_status(task, take_over or (bool(job) and not is_queued)), is_queued))
    return found


def _text(plan: Plan, tasks: Sequence[Task], profile: Profile, path: Path, first: int) -> str:
    folder = plan.folder.resolve()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solver.sweep"),
        autoescape=False,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    title = " ".join(plan.title.split())
    estimate = _MEMORY_MARGIN * max(task.memory for task in tasks) / 1e6
    throttle = f"%{profile.at_once}" if profile.at_once is not None else ""
    return environment.get_template("array.sh").render(
        title=title,
        name=f"vegard-{re.sub(r'[^A-Za-z0-9.+]+', '-', title).strip('-')}"[:_LONGEST_JOB_NAME],
        path=shlex.quote(str(path)),
        first=first,
        array=f"{ranges([task.index - first for task in tasks])}{throttle}",
        logs=str(folder / FOLDER / LOGS).replace("%", "%%"),
        ranks=max(task.ranks for task in tasks),
        memory=math.ceil(estimate if profile.memory is None else profile.memory),
        minutes=math.ceil(profile.time / 60.0),
        notice=round(profile.notice),
        profile=profile,
        folder=shlex.quote(str(folder)),
        command=profile.command or _own_command(),
        kernels=kernels_folder(os.environ),
    )


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as Slurm writes them: 1-4,7."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ",".join(str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}" for group in groups)


def kernels_folder(environment: Mapping[str, str]) -> str:
    """Shell text of the folder of compiled kernels that jobs start from."""
    given = environment.get("VEGARD_JIT_CACHE")
    return given or "${XDG_CACHE_HOME:-$HOME/.cache}/vegard/jit"


def _own_command() -> str:
    """How this very program is called: by the script of its checkout, or, where it is installed, by its Python."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "vegard"
    return shlex.quote(str(script)) if script.is_file() else f"{shlex.quote(sys.executable)} -m solver.cli"


def _ask(command: Sequence[str], instead: str) -> str:
    """What a command of Slurm prints.

    Raises:
        QueueError: When it fails; `instead` says what to do.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise QueueError(
            f"{command[0]}: {error.strerror}; the commands of Slurm are not seen from here; instead: {instead}"
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        raise QueueError(f"{said[:300]}; instead: {instead}")
    return done.stdout
