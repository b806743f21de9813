from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from meshes import engine
from meshes.engine import EngineError

JOB = {"size": np.array(1.0)}


def script(folder: Path, text: str) -> tuple[str, str]:
    path = folder / "child.py"
    path.write_text(text)
    return sys.executable, str(path)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_answers_come_back(tmp_path: Path) -> None:
    text = "import sys, numpy\njob = numpy.load(sys.argv[2])\nnumpy.savez(sys.argv[3], double=2 * job['size'])\n"
    assert engine.run("anything", JOB, 60.0, script(tmp_path, text))["double"] == 2.0


def test_a_hanging_child_is_killed_with_all_it_started(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys, time\n"
        f"inner = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{inner.pid}}')\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(EngineError, match="took longer than 3 s"):
        engine.run("slow", JOB, 3.0, script(tmp_path, text))
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert wait_for(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import os; os.kill(os.getpid(), 11)", "exit code -11"),
        ("pass", "no message"),
    ],
)
def test_failures_are_told_with_the_last_words(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        engine.run("broken", JOB, 60.0, script(tmp_path, text))


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_gmsh_child_ends_with_its_parent(tmp_path: Path, signal_number: signal.Signals) -> None:
    """A real Gmsh child, stopped in mid-job by a pause in its job file's place, when its parent is ended."""
    pid_file = tmp_path / "pid"
    fifo = tmp_path / "never-written"
    os.mkfifo(fifo)
    child = (
        "import os, sys, threading\n"
        "from meshes import gmsh_child\n"
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
        f"gmsh_child.main(['surfaces', {str(fifo)!r}, 'nowhere'])\n"  # opening a pipe nobody writes to blocks for ever
    )
    parent = (
        "import numpy, sys\nfrom meshes import engine\n"
        f"engine.run('surfaces', {{'size': numpy.array(1.0)}}, 300.0, {script(tmp_path, child)!r})\n"
    )
    environment = dict(os.environ, PYTHONPATH=str(engine._ROOT))
    process = subprocess.Popen([sys.executable, "-c", parent], env=environment, stderr=subprocess.DEVNULL)
    try:
        assert wait_for(lambda: pid_file.exists() and pid_file.read_text())
        pid = int(pid_file.read_text())
        assert alive(pid)
        process.send_signal(signal_number)
        process.wait(20.0)
        assert wait_for(lambda: not alive(pid))
    finally:
        process.kill()
        process.wait()
