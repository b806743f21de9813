"""A place to draw on for pictures made without a screen.

VTK draws off-screen by itself where it was built with EGL or OSMesa (conda-forge, VTK 9.4 and later). Debian's VTK 9.3
draws only on an X server and ends the process without one, so one without a screen (Xvfb) is started when the first
picture is made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

from meshes.errors import VegardError

_START_LIMIT = 30.0
# The shell ends Xvfb when this process is gone, however it ended: then its standard input is closed. Not earlier, since
# the X library ends a process whose server vanishes, even if only a forgotten plotter still holds the connection.
_UNTIL_INPUT_ENDS = 'Xvfb "$@" <&- & server=$!; read -r line; kill "$server"; wait'


@lru_cache(maxsize=1)
def ensure_display() -> None:
    """Make `pyvista.Plotter(off_screen=True)` work in this process; call it before the first picture.

    Raises:
        VegardError: If VTK needs an X server and there is neither Xvfb nor a display.
    """
    from vtkmodules import vtkRenderingOpenGL2 as windows  # noqa: PLC0415  (0.3 s, for pictures only)

    if hasattr(windows, "vtkEGLRenderWindow") or hasattr(windows, "vtkOSOpenGLRenderWindow"):
        return
    if not hasattr(windows, "vtkXOpenGLRenderWindow"):  # Windows and macOS draw without help
        return
    if shutil.which("Xvfb"):
        os.environ["DISPLAY"] = f":{_start_server()}"
    elif not os.environ.get("DISPLAY"):
        raise VegardError(
            "pictures need an X server here; install Xvfb (Debian and Ubuntu: apt-get install xvfb), "
            "or a VTK that draws without one (pip install 'vtk>=9.4')"
        )


def _start_server() -> int:
    """Start Xvfb on a free display and return the display's number."""
    reading, writing = os.pipe()
    lifeline, _held_open = os.pipe()
    options = ["-displayfd", str(writing), "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-noreset"]
    subprocess.Popen(
        ["sh", "-c", _UNTIL_INPUT_ENDS, "sh", *options],
        stdin=lifeline,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing],
        start_new_session=True,  # a Ctrl-C is for this process, which may want to finish its picture
    )
    os.close(writing)
    os.close(lifeline)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    if not number:
        raise VegardError("Xvfb, the X server for pictures, did not start; try: Xvfb -displayfd 1")
    return int(number)
