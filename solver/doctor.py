"""`vegard doctor`: one block of text that tells whether this installation works, made to be pasted into a report.

Versions first, then checks that do in small what a run does: solve, mesh, write and read a field, draw, use two ranks.
Every line stands alone: what cannot even be imported is reported like any other failure.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from solver.mpi import launched_rank

_WIDTH = 14
_TIME_LIMIT = 120
_BLAS = ("libblas", "libopenblas", "libmkl_rt", "libblis", "libflexiblas", "libatlas")
_DISTRIBUTIONS = ("fenics-dolfinx", "petsc4py", "mpi4py", "meshio", "pyvista", "numpy", "scipy", "h5py")
# Solved on two ranks in a process of its own, started as `vegard run --ranks 2` starts them.
_RANKS_PROGRAM = """
from mpi4py import MPI
from solver.doctor import solve_small
error = solve_small(MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print(MPI.COMM_WORLD.size, error)
"""


@dataclass(frozen=True)
class Check:
    """Something tried; `run` returns what to tell about it and raises when it fails."""

    name: str
    run: Callable[[], str]


def run_doctor() -> int:
    """Print the report.

    Returns:
        0 when every check passed, otherwise 1.
    """
    if launched_rank() > 0:
        return 0
    facts = {
        "vegard": _vegard,
        "environment": _environment,
        "python": lambda: f"{platform.python_version()} ({sys.executable})",
        "libraries": _libraries,
        "petsc": _petsc,
        "mpi": _mpi,
        "gmsh": _gmsh,
        "vtk": _vtk,
        "blas": _blas,
        "compiler": _compiler,
        "cgal": _cgal,
        "system": _system,
        "cache": _cache,
    }
    checks = (
        Check("solve", _check_solve),
        Check("mesh", _check_mesh),
        Check("field file", _check_field_file),
        Check("picture", _check_picture),
        Check("2 ranks", _check_ranks),
    )
    for name, fact in facts.items():
        print(f"{name:<{_WIDTH}}{_told(fact)}", flush=True)
    failed = sum(not _passes(check) for check in checks)
    print(f"{failed} of {len(checks)} checks failed" if failed else "all checks passed")
    return 1 if failed else 0


def _told(fact: Callable[[], str]) -> str:
    try:
        return fact()
    except Exception as error:  # whatever is broken, the rest of the report is wanted
        return f"unknown: {_first_line(error)}"


def _passes(check: Check) -> bool:
    start = time.perf_counter()
    try:
        verdict, told = "OK", check.run()
    except Exception as error:  # the same
        verdict, told = "FAIL", _first_line(error)
    seconds = time.perf_counter() - start
    print(f"{check.name:<{_WIDTH}}{verdict:<5}{seconds:6.2f} s  {told}", flush=True)
    return verdict == "OK"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


# ---------------------------------------------------------------------------------------------------------- facts


def _vegard() -> str:
    folder = Path(__file__).resolve().parents[1]
    try:
        number = version("vegard")
    except PackageNotFoundError:  # run from a checkout without being installed
        number = "checkout"
    return f"{number} in {folder}"


def _environment() -> str:
    way = os.environ.get("VEGARD_INSIDE")
    return f"{way}, entered by scripts/vegard" if way else "as found, without scripts/vegard"


def _libraries() -> str:
    return ", ".join(f"{name} {_version(name)}" for name in _DISTRIBUTIONS)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _petsc() -> str:
    from petsc4py import PETSc

    number = ".".join(str(part) for part in PETSc.Sys.getVersion())
    return f"{number}, {PETSc.ScalarType.__name__}, {PETSc.IntType.__name__} indices"


def _mpi() -> str:
    from mpi4py import MPI

    return f"{MPI.Get_library_version().splitlines()[0].strip(chr(0))}; {shutil.which('mpirun') or 'no mpirun'}"


def _gmsh() -> str:
    return _output([sys.executable, "-c", "import gmsh; print(gmsh.__version__)"])


def _vtk() -> str:
    from vtkmodules.vtkCommonCore import vtkVersion

    return str(vtkVersion.GetVTKVersion())


def _blas() -> str:
    """The library that is loaded, which the name of the package does not tell on Debian."""
    import scipy.linalg  # noqa: F401  (loads it)

    maps = Path("/proc/self/maps")
    if not maps.exists():
        return "unknown on this system"
    loaded = {line.split()[-1] for line in maps.read_text().splitlines() if ".so" in line}
    libraries = sorted(path for path in loaded if Path(path).name.startswith(_BLAS))
    # Debian's other implementations come as a libblas.so.3 too, in a folder that names them.
    optimised = any(name in path for path in libraries for name in ("openblas", "mkl", "blis", "atlas", "flexiblas"))
    if libraries and not optimised:
        return f"{libraries[0]}; WARNING: the slow reference BLAS (Debian: install libopenblas0-serial)"
    return ", ".join(Path(path).name for path in libraries) or "none found"


def _compiler() -> str:
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    program = shutil.which(named.split()[0]) or shutil.which("cc")
    if program is None:
        return "MISSING: element kernels cannot be compiled (Debian: install gcc libc6-dev)"
    return _output([program, "--version"])


def _cgal() -> str:
    """What porous, hollow and elongated-grained particles are meshed with; dense ones do without."""
    from meshes.errors import MeshError
    from meshes.label_mesher.compiler import find_toolchain

    try:
        toolchain = find_toolchain()
    except MeshError as error:
        return f"MISSING: {error}"
    state = "compiled" if toolchain.program.exists() else "its mesher is compiled when first needed"
    return f"{toolchain.cgal_version} with {toolchain.compiler_version} ({toolchain.compiler}); {state}"


def _output(command: list[str]) -> str:
    """First line that a short command prints."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False)
    if result.returncode != 0:
        told = [line for line in (result.stderr + result.stdout).splitlines() if line.strip(" -")]
        raise RuntimeError(told[0] if told else f"{command[0]} ended with status {result.returncode}")
    return result.stdout.strip().partition("\n")[0]


def _system() -> str:
    gigabyte = 1024**3
    memory = psutil.virtual_memory()
    return (
        f"{platform.system()} {platform.release()}, {_processor()}, {psutil.cpu_count(logical=False)} cores "
        f"({psutil.cpu_count()} threads), {memory.total / gigabyte:.1f} GB memory, "
        f"{memory.available / gigabyte:.1f} GB free"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _cache() -> str:
    from meshes.cache import cache_folder

    folder = cache_folder()
    if not folder.exists():
        return f"{folder} (nothing there yet)"
    sizes = [f"{entry.name} {_size(entry)}" for entry in sorted(folder.iterdir()) if entry.is_dir()]
    free = shutil.disk_usage(folder).free / 1024**3
    return f"{folder} ({', '.join(sizes) or 'empty'}; {free:.0f} GB free)"


def _size(folder: Path) -> str:
    """Disk space of a folder; a private root of 100 000 files was measured when it was made."""
    noted = folder / ".vegard-ready"
    if noted.exists():
        return f"{noted.read_text().strip() or '?'} MB"
    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f"{total / 1024**2:.0f} MB"


# --------------------------------------------------------------------------------------------------------- checks


def _check_solve() -> str:
    from mpi4py import MPI

    return f"10 triangles, quadratic solution reproduced to {solve_small(MPI.COMM_SELF):.1e}"


def solve_small(comm: object) -> float:
    """Poisson's equation on ten triangles with P2, whose solution x² + 2 y² lies in the space.

    Args:
        comm: Communicator of mpi4py.

    Returns:
        Largest nodal error [-].

    Raises:
        RuntimeError: If the solver does not converge or the error is above rounding.
    """
    import numpy as np
    import ufl
    from dolfinx import fem, mesh
    from dolfinx.fem import petsc as fem_petsc
    from petsc4py import PETSc

    from solver import compat

    domain = mesh.create_unit_square(comm, 5, 1)  # type: ignore[arg-type]
    space = fem.functionspace(domain, ("Lagrange", 2))
    trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
    exact = fem.Function(space)
    exact.interpolate(lambda x: x[0] ** 2 + 2 * x[1] ** 2)
    domain.topology.create_connectivity(1, 2)
    boundary = mesh.exterior_facet_indices(domain.topology)
    fixed = fem.dirichletbc(exact, fem.locate_dofs_topological(space, 1, boundary))
    left = compat.form(ufl.inner(ufl.grad(trial), ufl.grad(test)) * ufl.dx)
    right = compat.form(-6.0 * test * ufl.dx)
    matrix = fem_petsc.assemble_matrix(left, bcs=[fixed])
    matrix.assemble()
    load = fem_petsc.assemble_vector(right)
    fem_petsc.apply_lifting(load, [left], [[fixed]])
    load.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    fem_petsc.set_bc(load, [fixed])
    solver = PETSc.KSP().create(domain.comm)
    solver.setOperators(matrix)
    solver.setType("cg")
    solver.getPC().setType("jacobi")
    solver.setTolerances(rtol=1e-14)
    solution = load.duplicate()
    solver.solve(load, solution)
    solution.axpy(-1.0, exact.x.petsc_vec)
    error = solution.norm(PETSc.NormType.NORM_INFINITY)
    if solver.getConvergedReason() < 0 or not np.isfinite(error) or error > 1e-10:
        raise RuntimeError(f"solver ended with reason {solver.getConvergedReason()}, error {error:.1e}")
    return float(error)


def _check_mesh() -> str:
    import numpy as np

    from meshes import particle_mesh, store
    from meshes.particle import Grains, MeshOptions, Particle

    particle = Particle(radius="1 um", grains=Grains(count=3), mesh=MeshOptions(size="0.5 um"))
    with tempfile.TemporaryDirectory() as folder:
        mesh: particle_mesh.ParticleMesh = store.load(store.obtain(particle, Path(folder), store=Path(folder)).path)
    return f"{len(mesh.cells)} tetrahedra in {np.unique(mesh.grain).size} grains"


def _check_field_file() -> str:
    import h5py
    import numpy as np

    values = np.linspace(0.0, 1.0, 1000).reshape(-1, 10) ** 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "field.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("stress", data=values, compression="gzip")
        with h5py.File(path, "r") as file:
            read = file["stress"][()]
    if not np.array_equal(read, values):
        raise RuntimeError("the values read differ from those written")
    return f"HDF5 {h5py.version.hdf5_version}, {values.size} values equal"


def _check_picture() -> str:
    import pyvista

    from meshes.display import ensure_display

    ensure_display()
    plotter = pyvista.Plotter(off_screen=True, window_size=[120, 100])
    plotter.add_mesh(pyvista.Sphere(), color="red")
    picture = plotter.screenshot(return_img=True)
    plotter.close()
    if picture.std() < 1.0:
        raise RuntimeError("the picture is blank")
    return f"{picture.shape[1]} x {picture.shape[0]} pixels drawn"


def _check_ranks() -> str:
    starter = f"from solver.mpi import start_ranks; start_ranks(2, ['-c', {_RANKS_PROGRAM!r}])"
    size, error = _output([sys.executable, "-c", starter]).split()
    if size != "2":
        raise RuntimeError(f"mpirun started ranks that do not see each other (size {size}); is it another MPI's?")
    return f"the same solve to {float(error):.1e}"
