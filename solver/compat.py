"""The only module that knows DOLFINx versions (0.9 to 0.11), and how forms are compiled on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc as fem_petsc
from dolfinx.graph import adjacencylist
from dolfinx.io import distribute_entity_data
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

# PETSc takes a closed pipe for a crash and aborts the whole program with a page of advice; Python's way is an error
# that can be caught, as for `vegard … | head`.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

VERSION = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])
OLDEST = (0, 9)

# Signatures differ between the versions, and a type checker sees only the one installed.
_petsc: Any = fem_petsc
_fem: Any = fem

if VERSION < OLDEST:
    raise ImportError(f"DOLFINx {dolfinx.__version__} is too old: Vegard needs 0.9 or later")

# Plain -O3 does not vectorise the kernels; allowing sums to be reordered does (docs/numerics.md). No flag here lets the
# compiler assume that numbers are finite.
_COMPILER_FLAGS = (
    "-O3",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
)
_COMPILE_TIMEOUT = 300
# Marks the messages of our index maps; any number that DOLFINx does not use itself.
_SPACE_TAG = 17


@lru_cache(maxsize=1)
def jit_options() -> dict[str, Any]:
    """Options for every `fem.form` and `fem.Expression`: vectorising flags and a cache of its own.

    The cache folder is keyed by the processor, because code built with -march=native fails on an older one.
    """
    base = os.environ.get("VEGARD_JIT_CACHE")
    root = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vegard" / "jit"
    key = hashlib.sha256(f"{dolfinx.__version__} {platform.machine()} {_processor()}".encode()).hexdigest()[:12]
    folder = root / f"{dolfinx.__version__}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "cffi_extra_compile_args": list(_COMPILER_FLAGS),
        "cache_dir": folder,
        "timeout": _COMPILE_TIMEOUT,
    }


def _processor() -> str:
    """Name and feature flags of the processor, as far as the system tells."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    return "".join(sorted({line for line in path.read_text().splitlines() if line.startswith(wanted)}))


@contextmanager
def _sole_compiler() -> Iterator[None]:
    """Lets one process at a time compile into the cache, of each run its rank 0.

    DOLFINx leaves a mark when it begins to compile and waits when it finds one. The mark of a compile that was killed
    would be waited for in vain: here, where nobody else compiles, marks without a result are cleared away.
    """
    folder: Path = jit_options()["cache_dir"]
    if MPI.COMM_WORLD.rank:
        yield
        return
    with (folder / ".compile.lock").open("a") as lock:
        # Waits in the kernel: a lock that is polled for would cost every run more than its compiled forms take to load.
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = {path.name for path in folder.iterdir()}
        for name in there:
            if name.endswith(".c") and f"{name}.cached" not in there:
                (folder / name).unlink(missing_ok=True)
        yield


def form(expression: ufl.Form) -> fem.Form:
    """Compiled form."""
    with _sole_compiler():
        return fem.form(expression, jit_options=jit_options())


def expression(value: ufl.core.expr.Expr, points: NDArray[np.float64]) -> fem.Expression:
    """Compiled expression at reference points (points, dimension)."""
    with _sole_compiler():
        return fem.Expression(value, points, jit_options=jit_options())


def facet_vertex_rule(dimension: int) -> dict[str, Any]:
    """Metadata of a quadrature at the vertices of the facets of triangles (2) or tetrahedra (3).

    FFCx 0.11 confuses its own rule when a form has two such integrals; UFL 0.9 warns of rules written out.
    """
    if VERSION < (0, 10):
        return {"quadrature_rule": "vertex", "quadrature_degree": 1}
    along = dimension - 1
    corners = np.vstack([np.zeros(along), np.eye(along)])
    weights = np.full(dimension, 1.0 / (along * dimension))  # of the reference edge, 1, or triangle, 1/2
    return {"quadrature_rule": "custom", "quadrature_points": corners, "quadrature_weights": weights}


def create_simplex_mesh(comm: MPI.Comm, cells: NDArray[np.int64], points: NDArray[np.float64]) -> mesh.Mesh:
    """Distributed mesh whose ranks also hold the neighbours across facets, as interior-facet terms need.

    Triangles keep three coordinates: gradients and normals then have three components, the one out of the plane zero.

    Args:
        comm: Ranks to distribute over.
        cells: (m, 4) or (m, 3) vertex numbers given on this rank; any rank may give none, in the right shape.
        points: (n, 3) coordinates given on this rank.
    """
    shape = {3: "triangle", 4: "tetrahedron"}[cells.shape[1]]
    element = ufl.Mesh(basix.ufl.element("Lagrange", shape, 1, shape=(3,)))
    links = () if VERSION < (0, 11) else (2,)
    partitioner = mesh.create_cell_partitioner(mesh.GhostMode.shared_facet, *links)
    if VERSION < (0, 10):
        return mesh.create_mesh(comm, cells, points, element, partitioner)
    return mesh.create_mesh(comm, cells, element, points, partitioner)


def cell_vertices(domain: mesh.Mesh) -> NDArray[np.int32]:
    """Rows of `mesh.geometry.x` of each local and ghost cell, (cells, corners)."""
    geometry: Any = domain.geometry
    return geometry.dofmap if VERSION < (0, 10) else geometry.dofmaps[0]


def distribute_facet_tags(domain: mesh.Mesh, facets: NDArray[np.int64], values: NDArray[np.int32]) -> mesh.MeshTags:
    """Tags of facets given by their vertices in input numbering, (k, corners), moved to the ranks that hold them."""
    dimension = domain.topology.dim - 1
    entities, local_values = distribute_entity_data(domain, dimension, facets, values)
    domain.topology.create_connectivity(dimension, 0)
    local_values = local_values.astype(np.int32, copy=False)
    tags = mesh.meshtags_from_entities(domain, dimension, adjacencylist(entities), local_values)
    tags.name = "facets"
    return tags


def space_of_dofs(
    domain: mesh.Mesh,
    element: tuple[str, int, tuple[int, ...]],
    dofs: NDArray[np.int32],
    owned: int,
    ghosts: NDArray[np.int64],
    ghost_owners: NDArray[np.int32],
) -> fem.FunctionSpace:
    """Function space with degrees of freedom numbered by hand.

    Args:
        domain: The mesh.
        element: Family, degree and value shape of a space with all its degrees of freedom inside the cells.
        dofs: (local and ghost cells, dofs of a cell) local numbers: owned ones first, then ghosts.
        owned: Number of owned degrees of freedom.
        ghosts: Global numbers of the ghosts.
        ghost_owners: Their owners.
    """
    family, degree, shape = element
    model = fem.functionspace(domain, (family, degree, shape) if shape else (family, degree))
    block = model.dofmap.bs
    tag = () if VERSION < (0, 10) else (_SPACE_TAG,)
    cpp: Any = dolfinx.cpp
    index_map = cpp.common.IndexMap(domain.comm, owned, ghosts, ghost_owners, *tag)
    layout = model.dofmap.dof_layout
    dof_map = cpp.fem.DofMap(layout, index_map, block, cpp.graph.AdjacencyList_int32(np.ascontiguousarray(dofs)), block)
    underlying: Any = model._cpp_object
    values = (list(shape),) if VERSION < (0, 10) else ()
    inner = type(underlying)(domain._cpp_object, underlying.element, dof_map, *values)
    return fem.FunctionSpace(domain, model.ufl_element(), inner)


def create_matrix(compiled: fem.Form, kind: str) -> PETSc.Mat:
    """Empty PETSc matrix of a type such as "aij" or "baij"."""
    return _petsc.create_matrix(compiled, kind)


def create_vector(compiled: fem.Form) -> PETSc.Vec:
    """Empty PETSc vector for a linear form."""
    if VERSION < (0, 10):
        return _petsc.create_vector(compiled)
    return _petsc.create_vector(_fem.extract_function_spaces(compiled))


def interpolation_matrix(source: fem.FunctionSpace, target: fem.FunctionSpace) -> PETSc.Mat:
    """Matrix that takes coefficients of `source` to those of `target`."""
    matrix = _petsc.interpolation_matrix(source, target)
    matrix.assemble()
    return matrix


def assemble_matrix(matrix: PETSc.Mat, compiled: fem.Form, conditions: Sequence[fem.DirichletBC] = ()) -> None:
    """Assembles into an existing matrix; rows and columns of fixed entries are those of the unit matrix."""
    matrix.zeroEntries()
    _petsc.assemble_matrix(matrix, compiled, list(conditions))
    matrix.assemble()


def add_to_matrix(matrix: PETSc.Mat, compiled: fem.Form, conditions: Sequence[fem.DirichletBC] = ()) -> None:
    """Adds a form to an assembled matrix with the same entries; rows and columns of fixed entries stay as they are."""
    diagonal = {"diagonal" if VERSION < (0, 10) else "diag": 0.0}
    _petsc.assemble_matrix(matrix, compiled, list(conditions), **diagonal)
    matrix.assemble()


def assemble_vector(vector: PETSc.Vec, compiled: fem.Form) -> None:
    """Assembles into an existing vector and adds up the contributions of all ranks."""
    with vector.localForm() as local:
        local.set(0.0)
    _petsc.assemble_vector(vector, compiled)
    vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)


def assemble_scalar(compiled: fem.Form) -> float:
    """Integral over the cells and facets of this rank."""
    return float(fem.assemble_scalar(compiled).real)


def evaluate(compiled: fem.Expression, domain: mesh.Mesh, cells: NDArray[np.int32]) -> NDArray[np.float64]:
    """Values of an expression in cells, shape (cells, …) flattened after the first axis."""
    return np.asarray(compiled.eval(domain, cells)).reshape(len(cells), -1)
