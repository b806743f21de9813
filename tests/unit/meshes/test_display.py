"""Pictures without a screen, each in a process of its own because a display stays for the life of its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import psutil
import pytest

pytest.importorskip("pyvista")

DRAW = """
import json, os, psutil
from meshes.display import ensure_display
ensure_display()
ensure_display()
import pyvista
plotter = pyvista.Plotter(off_screen=True, window_size=(120, 100))
plotter.add_mesh(pyvista.Sphere(), color="red")
picture = plotter.screenshot(return_img=True)
contrast = int(picture[..., 0].max()) - int(picture[..., 1].min())
helpers = [child.pid for child in psutil.Process().children(recursive=True)]
print(json.dumps({"shape": picture.shape, "contrast": contrast, "helpers": helpers}), flush=True)
"""


def draw(ending: str = "", **environment: str) -> tuple[int, dict[str, Any]]:
    settings = {name: value for name, value in os.environ.items() if name != "DISPLAY"} | environment
    command = [sys.executable, "-c", DRAW + ending]
    result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def test_a_picture_is_drawn_and_the_process_ends_well() -> None:
    """Red on a lighter ground, and a plotter that nobody closed does not spoil the exit."""
    status, seen = draw()
    assert status == 0
    assert seen["shape"] == [100, 120, 3]
    assert seen["contrast"] > 100  # red is 255 in the first channel and 0 in the second


def test_a_dead_display_of_the_user_is_not_used() -> None:
    """An ssh session leaves a DISPLAY behind that answers no more; VTK would end the process."""
    status, _ = draw(DISPLAY="localhost:77.0")
    assert status == 0


def test_no_server_outlives_a_killed_process() -> None:
    status, seen = draw("os.kill(os.getpid(), 9)")
    assert status == -signal.SIGKILL
    helpers = [psutil.Process(number) for number in seen["helpers"] if psutil.pid_exists(number)]
    _, alive = psutil.wait_procs(helpers, timeout=20)
    assert [process.name() for process in alive] == []
