"""Several ranks: who speaks, how they are started, how all stop when one fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from solver import mpi
from solver.cli.run import default_folder

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environment", "rank", "size"),
    [
        ({}, 0, 1),
        ({"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4"}, 3, 4),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, 1, 2),
        ({"SLURM_PROCID": "2", "SLURM_STEP_ID": "0"}, 2, 1),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, 0, 1),
        ({"OMPI_COMM_WORLD_RANK": "rubbish"}, 0, 1),
    ],
)
def test_rank_and_size_as_the_launcher_says(environment, rank, size):
    assert (mpi.launched_rank(environment), mpi.launched_size(environment)) == (rank, size)


class TestSlurm:
    def test_copies_that_know_nothing_of_each_other_are_stopped(self):
        environment = {"SLURM_NTASKS": "4", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}
        with pytest.raises(mpi.LaunchError, match=r"4 separate copies.*srun --mpi=pmix"):
            mpi.require_one_program(1, environment)

    def test_one_process_in_a_job_of_many_tasks_is_pointed_out(self):
        with pytest.raises(mpi.LaunchError, match="--ranks 4"):
            mpi.require_one_program(1, {"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})

    @pytest.mark.parametrize(
        ("size", "environment"),
        [(1, {}), (4, {"SLURM_NTASKS": "4", "SLURM_STEP_ID": "0"}), (1, {"SLURM_NTASKS": "1", "SLURM_STEP_ID": "0"})],
    )
    def test_what_is_right_passes(self, size, environment):
        mpi.require_one_program(size, environment)


class TestRun:
    @pytest.fixture
    def recorded(self, vegard, monkeypatch):
        """Calls of the solver instead of the solver."""
        calls = []

        def run_case(loaded, folder, *, force, progress):
            calls.append((loaded.path, folder, force, progress))
            return folder

        monkeypatch.setitem(sys.modules, "solver.run", types.SimpleNamespace(run_case=run_case))
        return calls

    def test_defaults(self, vegard, recorded):
        outcome = vegard("run", "case.yaml")
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == "results are in results/case\n"
        assert recorded == [(Path("case.yaml"), Path("results/case"), False, True)]

    def test_options(self, vegard, recorded):
        vegard("run", "case.yaml", "--output", "elsewhere", "--force", "--quiet")
        assert recorded == [(Path("case.yaml"), Path("elsewhere"), True, False)]

    def test_ranks_start_mpirun_with_the_same_command(self, vegard, recorded, monkeypatch, tmp_path):
        started = []

        def execute(program, command, environment):
            started.append((program, command, environment))
            raise SystemExit(0)

        monkeypatch.setattr(os, "execvpe", execute)
        with pytest.raises(SystemExit):
            vegard("run", "case.yaml", "--ranks", "3", "--force")
        [(program, command, environment)] = started
        assert Path(program).name in ("mpirun", "mpiexec")
        same_command = ["-m", "solver.cli", "run", "--output=results/case", "--force", "--", "case.yaml"]
        assert command[-10:] == ["-n", "3", sys.executable, *same_command]
        assert environment["OMP_NUM_THREADS"] == "1" or "OMP_NUM_THREADS" in os.environ
        assert recorded == []

    def test_a_wrong_case_starts_nothing(self, vegard, monkeypatch):
        monkeypatch.setattr(os, "execvpe", lambda *_: pytest.fail("started"))
        assert vegard("run", "absent.yaml", "--ranks", "2").code == 2

    def test_ranks_inside_mpirun_are_refused(self, vegard, recorded, monkeypatch):
        monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
        outcome = vegard("run", "case.yaml", "--ranks", "2")
        assert outcome.code == 2
        assert "leave --ranks out" in outcome.err

    def test_without_mpirun_it_says_so(self, vegard, recorded, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda _: None)
        assert "on the PATH" in vegard("run", "case.yaml", "--ranks", "2").err

    def test_slurm_copies_are_stopped(self, vegard, recorded, monkeypatch):
        monkeypatch.setenv("SLURM_NTASKS", "4")
        outcome = vegard("run", "case.yaml")
        assert (outcome.code, recorded) == (2, [])
        assert "--ranks 4" in outcome.err
        assert vegard("run", "case.yaml", "--ranks", "1").code == 0

    @pytest.mark.parametrize(
        ("case", "folder"),
        [
            ("cases/dense.yaml", "dense"),
            ("a.b.yaml", "a.b"),
            ("...yaml", "case"),
            (".yaml", "yaml"),
            ("../x y.yaml", "x y"),
        ],
    )
    def test_default_folder_stays_inside_results(self, case, folder):
        assert default_folder(Path(case)) == Path("results") / folder


@pytest.mark.parametrize("arguments", [["check", "case.yaml"], ["--help"], ["check", "absent.yaml"], ["new", "n.yaml"]])
def test_only_rank_0_of_a_cheap_command_works(vegard, monkeypatch, tmp_path, arguments):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    outcome = vegard(*arguments)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert not (tmp_path / "n.yaml").exists()


FAILING_RUN = """\
import sys, types
from mpi4py import MPI
from solver.errors import SolveError

def run_case(loaded, folder, **options):
    if MPI.COMM_WORLD.rank == {rank} or {rank} < 0:
        raise {error}
    MPI.COMM_WORLD.barrier()  # would wait for ever

sys.modules["solver.run"] = types.SimpleNamespace(run_case=run_case)
from solver.cli.application import execute
sys.exit(execute(["run", "case.yaml"]))
"""


@pytest.mark.mpi
@pytest.mark.skipif(shutil.which("mpirun") is None, reason="needs mpirun")
@pytest.mark.parametrize(
    ("rank", "error", "code", "line"),
    [
        (0, "SolveError('step 3 failed')", 5, "step 3 failed"),
        (1, "SolveError('step 3 failed')", 5, "[rank 1] step 3 failed"),
        (1, "ZeroDivisionError('oops')", 70, "[rank 1] vegard failed unexpectedly: ZeroDivisionError: oops"),
        (-1, "SolveError('step 3 failed')", 5, "step 3 failed"),
    ],
)
def test_one_failing_rank_ends_all_and_is_heard_once(vegard, tmp_path, rank, error, code, line):
    (tmp_path / "fail.py").write_text(FAILING_RUN.format(rank=rank, error=error))
    environment = {**os.environ, **mpi._launcher_environment(2), "PYTHONPATH": str(ROOT), "OMPI_MCA_btl": "self,sm"}
    outcome = subprocess.run(
        ["mpirun", "-n", "2", "--map-by", ":OVERSUBSCRIBE", sys.executable, "fail.py"],
        capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert outcome.returncode == code
    assert outcome.stderr.splitlines().count(line) == 1
    assert outcome.stderr.count("failed") == line.count("failed") or "MPI_ABORT" in outcome.stderr


SLEEPING_RUN = """\
import pathlib, sys, time, types

def run_case(loaded, folder, **options):
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        pathlib.Path("closed").touch()

sys.modules["solver.run"] = types.SimpleNamespace(run_case=run_case)
sys.argv = ["vegard", "run", "case.yaml"]
from solver.cli import main
main()
"""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=lambda kind: kind.name)
def test_a_run_that_is_stopped_from_outside_closes_its_folder(vegard, tmp_path, kind):
    (tmp_path / "sleep.py").write_text(SLEEPING_RUN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "sleep.py"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(kind)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert (tmp_path / "closed").exists()
