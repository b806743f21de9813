"""Figures of grain-wise broken spaces on a ball and a disc of grains, alike on any number of ranks.

Run under mpirun it prints them as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product

import dolfinx
import numpy as np
import synthetic
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import GRAIN_BOUNDARY
from solver import compat
from solver.solve.domain import Domain
from solver.solve.facet_forms import facets_tagged
from solver.solve.grainwise import grainwise_space

Figures = dict[str, dict[str, float]]
SHAPES = {"scalar": (), "vector": (3,)}
SLOPE = np.array([0.3, -0.7, 0.4])
DOMAINS = {"ball": synthetic.domain, "disc": synthetic.section}


def is_joined(grains: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Boundaries declared continuous in the variant "some": between grains (…, 2) whose numbers add up to 4, 5, 6."""
    return np.isin(grains.sum(axis=-1), (4, 5, 6))


VARIANTS: dict[str, Callable[[NDArray[np.integer]], NDArray[np.bool_]] | None] = {
    "none": None,
    "some": is_joined,
    "all": lambda grains: np.ones(grains.shape[:-1], dtype=bool),
}


def joined_facets(domain: Domain, variant: str) -> NDArray[np.int32] | None:
    """Facets across which a variant is continuous."""
    chosen = VARIANTS[variant]
    if chosen is None:
        return None
    facets = facets_tagged(domain, [GRAIN_BOUNDARY])
    to_cells = domain.mesh.topology.connectivity(domain.dimension - 1, domain.dimension)
    facets = facets[np.diff(to_cells.offsets)[facets] == 2]
    cells = to_cells.array[to_cells.offsets[facets][:, None] + np.arange(2)]
    return facets[chosen(domain.grain[cells])]


def figures(comm: MPI.Comm = MPI.COMM_WORLD) -> Figures:
    """Figures by "particle/degree/shape/variant"."""
    found = {}
    for particle, make in DOMAINS.items():
        domain = make(comm)
        for degree, shape, variant in product((1, 2), SHAPES, VARIANTS):
            joined = joined_facets(domain, variant)
            space = grainwise_space(domain, degree, SHAPES[shape], joined)
            found[f"{particle}/{degree}/{shape}/{variant}"] = _of_space(domain, space, joined)
    return found


def _of_space(domain: Domain, space: fem.FunctionSpace, joined: NDArray[np.int32] | None) -> dict[str, float]:
    """Size of a space and integrals of fields in it, the same on any number of ranks.

    A linear field and one that is the grain's number (where nothing is joined) are known; of a field of random numbers
    only the jump over joined facets is.
    """
    linear, random = fem.Function(space), fem.Function(space)
    _scatter(linear, np.repeat(space.tabulate_dof_coordinates() @ SLOPE, space.dofmap.bs))
    _scatter(random, np.random.default_rng(domain.comm.rank).normal(size=len(random.x.array)))
    found = {
        "size": domain.comm.allreduce(space.dofmap.index_map.size_local),
        "linear jump": _jump(domain, linear),
        "linear gradient": _integral(domain, ufl.inner(ufl.grad(linear), ufl.grad(linear)) * ufl.dx),
    }
    if joined is None:
        stepped, block = fem.Function(space), space.dofmap.bs
        number = np.broadcast_to(domain.grain[:, None], space.dofmap.list.shape)
        for component in range(block):
            stepped.x.array[block * space.dofmap.list + component] = number
        _scatter(stepped, stepped.x.array.copy())
        found["stepped jump"] = _jump(domain, stepped)
        found["stepped gradient"] = _integral(domain, ufl.inner(ufl.grad(stepped), ufl.grad(stepped)) * ufl.dx)
    else:
        found["joined jump"] = _jump(domain, random, joined)
    return found


def _scatter(field: fem.Function, values: NDArray[np.float64]) -> None:
    """Sets a field from the values at owned degrees of freedom; ghosts must come from their owners."""
    owned = field.function_space.dofmap.index_map.size_local * field.function_space.dofmap.bs
    field.x.array[:owned], field.x.array[owned:] = values[:owned], np.nan
    field.x.scatter_forward()


def _jump(domain: Domain, field: fem.Function, facets: NDArray[np.int32] | None = None) -> float:
    """Integral of the squared jump over grain boundaries, all of them or some facets [µm²]."""
    chosen = facets_tagged(domain, [GRAIN_BOUNDARY]) if facets is None else facets
    tags = dolfinx.mesh.meshtags(domain.mesh, domain.dimension - 1, chosen, np.ones(len(chosen), dtype=np.int32))
    boundary = ufl.Measure("dS", domain=domain.mesh, subdomain_data=tags, subdomain_id=1)
    return _integral(domain, ufl.inner(ufl.jump(field), ufl.jump(field)) * boundary)


def _integral(domain: Domain, form: ufl.Form) -> float:
    return float(domain.comm.allreduce(compat.assemble_scalar(compat.form(form))))


if __name__ == "__main__":
    result = figures(MPI.COMM_WORLD)
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(result))
