"""`vegard sweep submit`: a planned sweep as array jobs of Slurm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solver.cli.console import note, say

if TYPE_CHECKING:
    from solver.sweep.plan import Plan
    from solver.sweep.tasks import Task, TaskStatus


def submit(
    sweep: Annotated[Path, typer.Argument(help="Folder of a planned sweep.")],
    profile: Annotated[Path, typer.Option("--profile", help="Profile of the cluster, see docs/clusters.md.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Write the scripts, submit nothing.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Submit failed runs too.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Runs begun without Slurm on other machines have ended.")
    ] = False,
) -> None:
    """Hand a sweep to Slurm.

    Writes slurm/array.sh into the folder of the sweep and submits it with sbatch. Only runs that are neither finished
    nor in the queue are submitted, so the same command goes on after a cancelled job.
    """
    from solver.sweep import slurm
    from solver.sweep.plan import read_plan, sole_engine
    from solver.sweep.profile import load_profile
    from solver.sweep.tasks import tasks_of

    settings, made = load_profile(profile), read_plan(sweep)
    with sole_engine(made.folder):
        queue = set() if dry else slurm.queued_tasks()
        submitted = slurm.read_submissions(made.folder)
        found = slurm.states_in_queue(tasks_of(made), submitted, queue, take_over)
        todo = _to_submit(found, retry_failed)
        if not todo:
            say("there is nothing to submit")
            return
        scripts = slurm.make_scripts(made, todo, settings)
        slurm.write_scripts(made, scripts)
        for script in scripts:
            if dry:
                say(f"{len(script.runs)} runs: sbatch {script.path}")
            else:
                entry = slurm.submit(made, script)
                say(f"{len(entry.runs)} runs are submitted as job {entry.job}; scancel {entry.job} cancels them")
    if not dry:
        say(f'how far they are: "vegard sweep status {made.folder}"')


def show_submissions(made: Plan) -> None:
    """Say which jobs a sweep was submitted as, the latest last."""
    from solver.sweep.slurm import read_submissions

    for entry in read_submissions(made.folder)[-3:]:
        say(f"{len(entry.runs)} runs were submitted as job {entry.job} of Slurm, {entry.submitted}")


def _to_submit(found: list[tuple[Task, TaskStatus, bool]], retry_failed: bool) -> list[Task]:
    """Tasks that are neither done nor under way; says what is left out."""
    wanted = {"waiting", "interrupted", *(["failed"] if retry_failed else [])}
    queued = sum(is_queued and status.state != "finished" for _, status, is_queued in found)
    elsewhere = sum(status.state == "running" and not is_queued for _, status, is_queued in found)
    failed = sum(status.state == "failed" and not is_queued for _, status, is_queued in found)
    if queued:
        note(f"{queued} runs are in the queue and left there")
    if elsewhere:
        note(f"{elsewhere} runs go on without Slurm and are left; if they have ended, add --take-over")
    if failed and not retry_failed:
        note(f"{failed} runs failed before and are left; --retry-failed submits them again")
    return [task for task, status, is_queued in found if status.state in wanted and not is_queued]
