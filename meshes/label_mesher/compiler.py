"""Compiles the C++ program once per source, compiler and CGAL, into the cache folder.

Nothing is shipped ready-made: CGAL is headers only, and a program made on the machine fits its libraries.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock

from meshes.cache import cache_folder
from meshes.errors import MeshError

_SOURCE = Path(__file__).with_name("label_mesher.cpp")
_COMPILERS = ("c++", "g++", "clang++")
# CGAL needs neither GMP nor MPFR for this program; without them nothing has to be linked.
_FLAGS = ("-std=c++17", "-O2", "-DNDEBUG", "-DCGAL_DISABLE_GMP", "-w", "-pthread")
_TIME_LIMIT = 900
_OLDEST = (5, 6)  # named parameters of Mesh_3
_INSTALL = "Debian and Ubuntu: apt install g++ libcgal-dev; conda: conda install -c conda-forge cxx-compiler cgal-cpp"


@dataclass(frozen=True)
class Toolchain:
    """What the program is compiled with.

    Args:
        compiler: Path of the C++ compiler.
        compiler_version: First line it tells about itself.
        cgal_version: Version of the CGAL headers it finds.
        flags: Options to compile with.
    """

    compiler: str
    compiler_version: str
    cgal_version: str
    flags: tuple[str, ...]

    @property
    def program(self) -> Path:
        """Where the compiled program is, or will be."""
        parts = [_SOURCE.read_text(), self.compiler, self.compiler_version, self.cgal_version, *self.flags]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        return cache_folder() / "label-mesher" / key / "label_mesher"


@cache
def find_toolchain() -> Toolchain:
    """The C++ compiler and the CGAL headers of this environment.

    Raises:
        MeshError: If either is missing; says what to install.
    """
    named = os.environ.get("CXX", "").split()
    compiler = next(filter(None, map(shutil.which, (*named[:1], *_COMPILERS))), None)
    if compiler is None:
        raise MeshError(f"pores, voids and elongated grains need a C++ compiler, and there is none; {_INSTALL}")
    # In a conda environment that is not activated the compiler does not look there by itself.
    include = Path(sys.prefix) / "include"
    flags = (*_FLAGS, f"-I{include}") if (include / "CGAL").exists() else _FLAGS
    with tempfile.TemporaryDirectory(prefix="vegard-probe-") as folder:
        source = Path(folder) / "version.cpp"
        source.write_text("#include <CGAL/version.h>\nvegard CGAL_VERSION_STR\n")
        command = [compiler, *flags, "-E", "-P", str(source)]
        probe = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False)
    if probe.returncode != 0:
        raise MeshError(
            f"pores, voids and elongated grains need CGAL 5.6 or newer, and {compiler} finds none; {_INSTALL}"
        )
    version = probe.stdout.strip().rsplit("vegard", 1)[-1].strip(' "\n')
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST:
        raise MeshError(f"pores, voids and elongated grains need CGAL 5.6 or newer, here it is {version}; {_INSTALL}")
    told = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=_TIME_LIMIT, check=False)
    return Toolchain(compiler, told.stdout.partition("\n")[0], version, flags)


def obtain_program(progress: Callable[[str], None]) -> Path:
    """The compiled program, from the cache or compiled now.

    Args:
        progress: Is told when it is compiled.

    Raises:
        MeshError: If it cannot be compiled.
    """
    toolchain = find_toolchain()
    program = toolchain.program
    if program.exists():
        return program
    try:
        program.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(program.with_suffix(".lock")):
            if not program.exists():
                progress("compiling the mesher of pores, voids and elongated grains (once, about a minute)")
                _compile(toolchain, program)
    except OSError as error:
        raise MeshError(f"{program.parent}: the mesher cannot be compiled there ({error.strerror})") from error
    return program


def _compile(toolchain: Toolchain, program: Path) -> None:
    """Compile beside the place, then move there: a program that exists is whole."""
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        made = Path(folder) / program.name
        command = [toolchain.compiler, *toolchain.flags, str(_SOURCE), "-o", str(made)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired as error:
            raise MeshError(f"{toolchain.compiler} took longer than {_TIME_LIMIT} s for {_SOURCE.name}") from error
        if result.returncode != 0:
            told = [line for line in result.stderr.splitlines() if "error" in line] or result.stderr.splitlines()[-1:]
            raise MeshError(
                f"{toolchain.compiler} cannot compile {_SOURCE.name} with CGAL {toolchain.cgal_version}: "
                f"{' '.join(told[:1])[:300]}; {_INSTALL}"
            )
        made.replace(program)
