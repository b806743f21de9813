"""A run folder guards results, tells how its run ended, and removes nothing it did not make."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from mpi4py import MPI

from solver.errors import OutputError, SolveError
from solver.output.folder import RunFolder, read_status

COMM = MPI.COMM_SELF
ROOT = Path(__file__).parents[3]


def finished_run(path):
    with RunFolder(path, COMM) as folder:
        folder.write_text("history.csv", "old results\n")
        (path / "fields" / "mesh_r00000.h5").write_bytes(b"x")
    return path


def status(path):
    return json.loads((path / "status.json").read_text())


def test_status_and_provenance_of_a_run(tmp_path):
    with RunFolder(tmp_path / "deep" / "run", COMM) as folder:
        assert status(folder.path)["state"] == "running"
        folder.update_status(time=12.5)
        folder.record(mesh={"key": "abc"})
        assert read_status(folder.path)["state"] == "running"
    found = status(folder.path)
    assert (found["state"], found["time"], found["ranks"]) == ("finished", 12.5, 1)
    provenance = json.loads((folder.path / "provenance.json").read_text())
    assert provenance["mesh"] == {"key": "abc"}
    assert provenance["exit_state"] == "finished"
    assert provenance["versions"]["numpy"]
    assert provenance["command"]


@pytest.mark.parametrize(
    ("error", "state"), [(SolveError("step 3 failed"), "failed"), (KeyboardInterrupt(), "interrupted")]
)
def test_how_a_run_ended_is_kept(tmp_path, error, state):
    with pytest.raises(type(error)), RunFolder(tmp_path, COMM):
        raise error
    found = status(tmp_path)
    assert found["state"] == state
    assert found["reason"] == (str(error) or "KeyboardInterrupt")
    log = (tmp_path / "run.log").read_text()
    assert found["reason"] in log
    assert "Traceback" not in log, "an explained failure needs no traceback"
    # The folder is free again.
    with RunFolder(tmp_path, COMM, force=True):
        pass


def test_an_unexpected_failure_leaves_its_traceback_in_the_log(tmp_path):
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path, COMM):
        raise ZeroDivisionError("division by zero")
    assert "ZeroDivisionError: division by zero" in (tmp_path / "run.log").read_text()
    assert status(tmp_path)["state"] == "failed"


def test_results_are_not_overwritten_unless_told_to(tmp_path):
    path = finished_run(tmp_path / "run")
    with pytest.raises(OutputError, match=r"results of a run \(finished.*--force"):
        RunFolder(path, COMM)
    assert (path / "history.csv").read_text() == "old results\n"
    with RunFolder(path, COMM, force=True):
        assert not (path / "history.csv").exists()
        assert not list((path / "fields").iterdir())


def test_force_leaves_the_users_files_alone(tmp_path):
    path = finished_run(tmp_path / "run")
    mine = [path / "notes.txt", path / "fields" / "mine.vtu", path / "figures" / "poster.svg", path / "other" / "a.h5"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_text("precious")
    with RunFolder(path, COMM, force=True):
        pass
    assert all(file.read_text() == "precious" for file in mine)


def test_a_file_of_the_user_is_never_taken_for_a_result(tmp_path):
    (tmp_path / "case.yaml").write_text("name: mine")
    for force in (False, True):
        with pytest.raises(OutputError, match=r"case\.yaml is there but no run left it"):
            RunFolder(tmp_path, COMM, force=force)
    assert (tmp_path / "case.yaml").read_text() == "name: mine"
    assert not (tmp_path / "status.json").exists()


def test_a_folder_with_other_files_can_be_used(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with RunFolder(tmp_path, COMM):
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_two_runs_cannot_share_a_folder(tmp_path):
    with RunFolder(tmp_path, COMM):
        for force in (False, True):
            with pytest.raises(OutputError, match="another run is writing"):
                RunFolder(tmp_path, COMM, force=force)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        RunFolder(tmp_path / "run", COMM)


def test_no_run_has_no_status(tmp_path):
    assert read_status(tmp_path) is None
    (tmp_path / "status.json").write_text('{"state": "finished"}')
    assert read_status(tmp_path) is None


def test_a_killed_run_is_seen_as_killed_and_can_be_replaced(tmp_path):
    script = (
        "import os, signal; from pathlib import Path; from mpi4py import MPI\n"
        "from solver.output.folder import RunFolder\n"
        f"folder = RunFolder(Path({str(tmp_path)!r}), MPI.COMM_SELF)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == -9
    assert status(tmp_path)["state"] == "running"
    assert read_status(tmp_path)["state"] == "killed"
    with pytest.raises(OutputError, match="killed"):
        RunFolder(tmp_path, COMM)
    with RunFolder(tmp_path, COMM, force=True):
        pass
    assert read_status(tmp_path)["state"] == "finished"


def test_the_log_holds_what_the_program_says(tmp_path):
    with RunFolder(tmp_path, COMM):
        logging.getLogger("solver.solve.somewhere").info("step 7 accepted")
        logging.getLogger("meshes.somewhere").warning("thin grain")
        logging.getLogger("unrelated").warning("not ours")
    logging.getLogger("solver").warning("after the end")
    text = (tmp_path / "run.log").read_text()
    assert "INFO step 7 accepted" in text
    assert "WARNING thin grain" in text
    assert "not ours" not in text
    assert "after the end" not in text
