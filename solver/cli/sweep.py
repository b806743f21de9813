"""`vegard sweep`: many cases from one file, run side by side, and one table of all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solver.cli.console import columns, duration, memory, note, say, show
from solver.cli.run import default_folder
from solver.cli.submit import show_submissions, submit

if TYPE_CHECKING:
    from solver.sweep.engine import Resources
    from solver.sweep.plan import Plan
    from solver.sweep.tasks import State, Task, TaskStatus

NAME = "sweep"
HELP = "Many cases from one: plan, run side by side, collect."
_MOST_ROWS = 40

SweepFile = Annotated[Path, typer.Argument(help="Sweep file, such as cases/sweeps/quick.yaml.")]
SweepPath = Annotated[Path, typer.Argument(help="Sweep file, or the folder of a planned sweep.")]
Output = Annotated[
    Path | None, typer.Option("--output", help="Folder of the sweep; by default results/ and the name of the file.")
]


def plan(
    sweep: SweepFile,
    output: Output = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only check and show; write nothing.")] = False,
) -> None:
    """Check all cases of a sweep and write their folders.

    Shows every run with its estimated time and memory. Nothing is meshed or solved. Planning a changed sweep again
    keeps finished runs whose case is still the same.
    """
    made = _plan(sweep, output, write=not dry)
    _show_plan(made)
    if not dry:
        say(f'the sweep is in {made.folder}; run it with "vegard sweep run {made.folder}"')


def run(
    sweep: SweepPath,
    output: Output = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, max=10_000, help="Runs at the same time; by default one per core.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option("--cores", min=1, max=100_000, help="Cores to use; by default all of this machine.")
    ] = None,
    memory_limit: Annotated[
        float | None,
        typer.Option("--memory", min=0.1, help="Memory for all runs together [GB]; by default what is free."),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed cases again.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Runs said to go on elsewhere have ended: run them again.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run everything anew, finished runs too.")] = False,
) -> None:
    """Run a sweep on this machine.

    As many runs side by side as there are cores and memory for. Finished runs are skipped and failed ones left until
    --retry-failed is given; a run that fails does not stop the others. Ctrl-C stops all runs in order; the same command
    goes on.
    """
    from solver.sweep.display import Display
    from solver.sweep.engine import Engine, Outcome
    from solver.sweep.plan import sole_engine
    from solver.sweep.tasks import forget_checkpoint, task_status, tasks_of

    made = _planned(sweep, output)
    with sole_engine(made.folder):
        tasks = tasks_of(made)
        found = [(task, task_status(task, take_over)) for task in tasks]
        todo, active = _chosen(found, retry_failed, force)
        if force:
            for anew in todo:
                forget_checkpoint(anew)
        resources = _resources(tasks, jobs, cores, memory_limit)
        display = Display(len(tasks), sum(status.state == "finished" for _, status in found) if not force else 0)
        outcome = Outcome()
        try:
            with display:
                outcome = Engine(resources, display).run(todo, active)
        finally:
            _close(made, tasks, outcome.elsewhere)
    if any(status.state == "failed" for status in map(task_status, tasks)):
        raise typer.Exit(1)


def status(sweep: SweepPath, output: Output = None) -> None:
    """Show how far a sweep is.

    Counts its runs by state, and lists those that are running and those that failed, with their errors.
    """
    from solver.sweep.plan import leftover_runs, read_plan
    from solver.sweep.tasks import task_status, tasks_of

    made = read_plan(_folder(sweep, output))
    found = [(task, task_status(task)) for task in tasks_of(made)]
    say(f"{made.title}: {_counts([status for _, status in found])}")
    _show_active([(task, status) for task, status in found if status.state in ("running", "interrupted", "failed")])
    show_submissions(made)
    left = sum(task.seconds for task, status in found if status.state in ("waiting", "interrupted"))
    if left:
        say(f"about {duration(left)} of work on one core are left")
    if others := leftover_runs(made):
        say(f"{len(others)} runs of an earlier plan stay in {made.folder / 'runs'}, such as {others[0]}")


def collect(sweep: SweepPath, output: Output = None) -> None:
    """Write one table of all runs of a sweep.

    One row per run: values of the axes, final and extreme values of all indicators, guards, timings; failed runs with
    their error. Written as table.csv, and as table.parquet where pyarrow is installed; columns.csv says what each
    column is.
    """
    from solver.sweep.collect import write_table
    from solver.sweep.plan import read_plan

    folder = _folder(sweep, output)
    collected = write_table(read_plan(folder))
    for failure in collected.failures:
        note(f"failed: {failure}")
    say(
        f"{collected.rows} runs, {collected.finished} of them finished; written: {', '.join(map(str, collected.files))}"
    )
    if collected.without_parquet:
        note("no Parquet file: pyarrow is not installed in this Python; table.csv holds the same")


def task(
    sweep: Annotated[Path, typer.Argument(help="Folder of a planned sweep.")],
    index: Annotated[int, typer.Argument(min=1, help="Number of the run in plan.csv, from 1.")],
    force: Annotated[bool, typer.Option("--force", help="Run it anew even when it is finished.")] = False,
) -> None:
    """Run one case of a sweep; batch jobs call this.

    A finished run is left as it is, and one that was stopped goes on from its checkpoint. The exit code is that of the
    run; 75 means that SIGUSR1 stopped it and the same command goes on.
    """
    from solver.errors import OutputError
    from solver.sweep.plan import read_plan
    from solver.sweep.tasks import forget_checkpoint, run_task, task_status, tasks_of

    tasks = tasks_of(read_plan(sweep))
    if index > len(tasks):
        raise OutputError(f"{sweep}: has {len(tasks)} runs, no run {index}")
    chosen = tasks[index - 1]
    state = task_status(chosen, others_ended=True).state
    if state == "running":
        raise OutputError(f"{chosen.folder}: is being run already; wait for it")
    if state == "finished" and not force:
        say(f"run {index} is finished: {chosen.results}")
        return
    if force:
        forget_checkpoint(chosen)
    code = run_task(chosen)
    result = task_status(chosen)
    say(f"run {index}: {result.state}{': ' + result.reason if result.reason else ''}  {chosen.results}")
    if code == 128 + signal.SIGUSR1:
        note("it was stopped before it could keep a checkpoint; give it more time")
    raise typer.Exit(code if code >= 0 else 128 - code)


COMMANDS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "plan": (plan, ("vegard sweep plan cases/sweeps/quick.yaml", "vegard sweep plan my-sweep.yaml --dry-run")),
    "run": (
        run,
        ("vegard sweep run cases/sweeps/quick.yaml", "vegard sweep run results/quick --jobs 2 --retry-failed"),
    ),
    "submit": (
        submit,
        (
            "vegard sweep submit results/quick --profile slurm.yaml",
            "vegard sweep submit results/quick --profile slurm.yaml --dry-run",
        ),
    ),
    "status": (status, ("vegard sweep status results/quick",)),
    "collect": (collect, ("vegard sweep collect results/quick",)),
    "task": (task, ("vegard sweep task results/quick 3",)),
}


def _folder(sweep: Path, output: Path | None) -> Path:
    if sweep.is_dir():
        return sweep
    return output if output is not None else default_folder(sweep)


def _planned(sweep: Path, output: Path | None) -> Plan:
    """The plan of a folder, or of a sweep file, which is planned first."""
    from solver.sweep.plan import read_plan

    return read_plan(sweep) if sweep.is_dir() else _plan(sweep, output, write=True)


def _plan(sweep: Path, output: Path | None, write: bool) -> Plan:
    from solver.sweep.cases import check_cases
    from solver.sweep.load import load_sweep
    from solver.sweep.plan import make_plan, write_plan

    loaded = load_sweep(sweep)
    checked = check_cases(loaded)
    for warning in checked.warnings:
        note(f"warning: {warning}")
    made = make_plan(loaded, checked, _folder(sweep, output))
    if write:
        write_plan(made, loaded, checked)
    return made


def _show_plan(made: Plan) -> None:
    from rich.table import Table

    table = Table(title=made.title, box=None, pad_edge=False, title_justify="left")
    varied = [axis for axis in made.axes if len({run.inputs.get(axis) for run in made.runs}) > 1]
    for title in ("run", *varied, "mesh", "memory", "time"):
        table.add_column(title, justify="left" if title in varied else "right")
    meshes = {run.mesh: number for number, run in reversed(list(enumerate(made.runs, start=1)))}
    names = {mesh: str(number) for number, mesh in enumerate(dict.fromkeys(run.mesh for run in made.runs), start=1)}
    shown = made.runs if len(made.runs) <= _MOST_ROWS else made.runs[: _MOST_ROWS - 1]
    for run in shown:
        seconds = run.seconds + (run.mesh_seconds if meshes[run.mesh] == run.index else 0.0)
        values = [str(run.inputs.get(axis, "")) for axis in varied]
        table.add_row(str(run.index), *values, names[run.mesh], memory(run.memory), duration(seconds))
    show([table])
    if len(shown) < len(made.runs):
        say(f"… and {len(made.runs) - len(shown)} more; plan.csv lists all")
    say(
        f"{len(made.runs)} runs, {made.meshes} different meshes; about {duration(made.seconds)} on one core, "
        f"up to {memory(max(run.memory for run in made.runs))} per run"
    )
    if made.repeated:
        say(f"{made.repeated} points are the same simulation as another and run once")
    if made.left_out:
        say(f"{made.left_out} points do not fulfil the constraints and are left out")


def _chosen(
    found: list[tuple[Task, TaskStatus]], retry_failed: bool, force: bool
) -> tuple[list[Task], list[tuple[Task, TaskStatus]]]:
    """Tasks to run, and those that are running already."""
    wanted: set[State] = {"waiting", "interrupted"}
    wanted |= {"failed"} if retry_failed or force else set()
    wanted |= {"finished"} if force else set()
    todo = [task for task, status in found if status.state in wanted]
    failed = sum(status.state == "failed" for _, status in found)
    if failed and not (retry_failed or force):
        note(f"{failed} runs failed before and are left; --retry-failed runs them again")
    return todo, [(task, status) for task, status in found if status.state == "running"]


def _resources(tasks: list[Task], jobs: int | None, cores: int | None, memory_limit: float | None) -> Resources:
    """What the runs may use; who asks for a number of runs gets it, however few cores there are."""
    from solver.sweep.engine import Resources

    here = len(os.sched_getaffinity(0))
    asked = (jobs or 1) * max(task.ranks for task in tasks)
    limit = memory_limit * 1e9 if memory_limit is not None else None
    return Resources(cores or max(here, asked), jobs or cores or here, limit)


def _close(made: Plan, tasks: list[Task], elsewhere: list[Task]) -> None:
    """Say how far the sweep is now and what to do next."""
    from solver.sweep.tasks import task_status

    found = [(task, task_status(task)) for task in tasks]
    states = [status.state for _, status in found]
    _show_active([(task, status) for task, status in found if status.state == "failed"])
    say(f"{made.title}: {_counts([status for _, status in found])}")
    if elsewhere:
        say(f"{len(elsewhere)} runs go on elsewhere; if they have ended, add --take-over")
    if "waiting" in states or "interrupted" in states:
        say(f'go on with "vegard sweep run {made.folder}"')
    elif "failed" in states:
        say(f'run the failed ones again with "vegard sweep run {made.folder} --retry-failed"')
    else:
        say(f'one table of all: "vegard sweep collect {made.folder}"')


def _counts(found: list[TaskStatus]) -> str:
    from solver.sweep.tasks import STATES

    counts = {state: sum(status.state == state for status in found) for state in STATES}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no runs"


def _show_active(found: list[tuple[Task, TaskStatus]]) -> None:
    """A line per run, the longest part last."""
    rows = [
        [f"run {task.index}", status.state, status.host, str(task.folder), status.reason or status.progress]
        for task, status in found
    ]
    for line in columns(rows[:_MOST_ROWS]).splitlines():
        say(line)
    if len(rows) > _MOST_ROWS:
        say(f"  … and {len(rows) - _MOST_ROWS} more")
