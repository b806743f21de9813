"""Profiles, scripts and the queue of Slurm, without a Slurm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from sweep_files import planned

from solver.errors import CaseError
from solver.sweep.plan import Plan
from solver.sweep.profile import Profile, load_profile
from solver.sweep.slurm import FOLDER, LOGS, Submission, make_scripts, ranges, states_in_queue
from solver.sweep.tasks import ATTEMPT, can_go_on, forget_checkpoint, task_command, tasks_of

AXES = "axes: {particle.radius: {from: 2 um, to: 2.6 um, steps: 7}}\nranks: 2\n"
FULL = """\
partition: standard
account: battery
time: 90 min
memory: 2 GB
cores_per_rank: 2
at_once: 3
extra: [--constraint=milan]
environment: [module load gcc openmpi]
command: vegard
scratch: ${TMPDIR:-/tmp}
notice: 3 min
requeues: 4
"""


def profile(folder: Path, text: str) -> Profile:
    path = folder / "slurm.yaml"
    path.write_text(text)
    return load_profile(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(CaseError) as caught:
        profile(folder, text)
    return [line.removeprefix(f"{folder}/") for line in caught.value.problems]


def test_every_problem_of_a_profile_with_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path, "partitoin: x\nnotice: 4 kg\nextra: [constraint=a]\nenvironment: ['a\n\n  b']\n")
    assert found[0] == 'slurm.yaml:1: partitoin: unknown key; did you mean "partition"?'
    assert any("time: is missing; write time: 4 h" in line for line in found)
    assert any(line.startswith('slurm.yaml:2: notice: "4 kg" is not a time') for line in found)
    assert any(line.startswith("slurm.yaml:3: extra[1]: ") and "no option of sbatch" in line for line in found)
    assert any("environment[1]" in line for line in found)
    assert problems(tmp_path, "time: 1 min\nnotice: 1 min") == ["slurm.yaml:2: notice: time must be longer than notice"]


@pytest.mark.parametrize("name", ["a b", "x\n#SBATCH --exclusive", "$(id)", ""])
def test_a_name_is_nothing_but_a_name(tmp_path: Path, name: str) -> None:
    assert len(problems(tmp_path, f"time: 1 h\npartition: {json.dumps(name)}\n")) == 1


def test_ranges_as_slurm_writes_them() -> None:
    assert ranges([1, 2, 3, 4, 7, 9, 10]) == "1-4,7,9-10"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, AXES)


def test_script_says_what_the_profile_says(tmp_path: Path, plan: Plan) -> None:
    tasks = tasks_of(plan)
    (script,) = make_scripts(plan, [tasks[0], *tasks[2:]], profile(tmp_path, FULL))
    folder = plan.folder.resolve()
    for line in (
        "#SBATCH --array=1,3-7%3",
        f"#SBATCH --output={folder / FOLDER / LOGS}/%A_%a.log",
        "#SBATCH --ntasks=2",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --mem=2000M",
        "#SBATCH --time=90",
        "#SBATCH --partition=standard",
        "#SBATCH --account=battery",
        "#SBATCH --constraint=milan",
        "#SBATCH --signal=B:USR1@180",
        "module load gcc openmpi",
        f'vegard sweep task {folder} "$run" &',
    ):
        assert f"\n{line}\n" in script.text
    assert subprocess.run(["bash", "-n"], input=script.text, text=True, check=False).returncode == 0


def test_memory_without_a_profile_is_one_and_a_half_times_the_estimate(tmp_path: Path, plan: Plan) -> None:
    tasks = tasks_of(plan)
    (script,) = make_scripts(plan, tasks, profile(tmp_path, "time: 1 h"))
    asked = int(script.text.partition("--mem=")[2].partition("M")[0])
    assert asked == pytest.approx(1.5 * max(task.memory for task in tasks) / 1e6, abs=1.0)


def test_more_runs_than_an_array_may_have(tmp_path: Path, plan: Plan) -> None:
    scripts = make_scripts(plan, tasks_of(plan), profile(tmp_path, "time: 1 h\narray_size: 3"))
    assert [script.path.name for script in scripts] == ["array.sh", "array-2.sh", "array-3.sh"]
    assert [script.runs for script in scripts] == [(1, 2, 3), (4, 5, 6), (7,)]
    for script in scripts:
        numbers = script.text.partition("--array=")[2].partition("\n")[0]
        assert numbers == ("1" if script.first == 6 else "1-3")
        assert f"run=$((SLURM_ARRAY_TASK_ID + {script.first}))" in script.text


def test_what_slurm_still_has_is_not_submitted_again(plan: Plan) -> None:
    tasks = tasks_of(plan)
    # Run 5 began on another machine as part of a job that is gone, run 6 in one that is still there, run 7 by hand.
    for task, job in ((tasks[4], "11_5"), (tasks[5], "12_6"), (tasks[6], "")):
        attempt = {"host": "elsewhere", "process": 1, "born": 1.0, "job": job}
        (task.folder / ATTEMPT).write_text(json.dumps(attempt))
    submissions = [Submission("12", 0, (2, 3), "now"), Submission("13", 3, (4,), "now")]
    found = states_in_queue(tasks, submissions, {"12_3", "13_1", "12_6", "99_1"})
    assert [is_queued for _, _, is_queued in found] == [False, False, True, True, False, True, False]
    assert [status.state for _, status, _ in found[4:]] == ["interrupted", "running", "running"]
    assert states_in_queue(tasks, submissions, set(), take_over=True)[6][1].state == "interrupted"


class TestGoingOn:
    @staticmethod
    def keep(plan: Plan, state: str, digest: str | None = None) -> None:
        task = tasks_of(plan)[0]
        (task.results / "checkpoint").mkdir(parents=True)
        (task.results / "checkpoint" / "latest.json").write_text("{}")
        (task.results / "status.json").write_text(json.dumps({"program": "vegard", "state": state}))
        (task.results / "provenance.json").write_text(json.dumps({"case": {"digest": digest or task.digest}}))

    @pytest.mark.parametrize("state", ["running", "interrupted"])
    def test_a_stopped_run_goes_on(self, plan: Plan, state: str) -> None:
        self.keep(plan, state)
        task = tasks_of(plan)[0]
        assert task_command(task)[-4:] == ["resume", "--ranks=2", "--", str(task.results)]
        forget_checkpoint(task)
        assert task_command(task)[3] == "run"

    @pytest.mark.parametrize(("state", "digest"), [("failed", None), ("finished", None), ("interrupted", "another")])
    def test_others_begin_anew(self, plan: Plan, state: str, digest: str | None) -> None:
        self.keep(plan, state, digest)
        assert not can_go_on(tasks_of(plan)[0])
        assert "--force" in task_command(tasks_of(plan)[0])
