"""Lagrange spaces that are continuous inside grains and broken where grains meet (eq. 12.1).

The degrees of freedom of a discontinuous space are merged inside each grain: cells of one grain that share a
continuous degree of freedom share the broken one. Facets can be named across which the field stays continuous; what
they join at a degree of freedom is merged as well. Facet integrals over grain boundaries then see both sides, at no
cost inside the grains.
"""

from __future__ import annotations

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from solver import compat
from solver.solve.domain import Domain

Integers = NDArray[np.int64]
Ranks = NDArray[np.int32]


def grainwise_space(
    domain: Domain, degree: int, shape: tuple[int, ...] = (), joined: NDArray[np.int32] | None = None
) -> fem.FunctionSpace:
    """Space of fields that may jump between grains; collective.

    Args:
        domain: The particle; every region of it counts as a grain.
        degree: Degree of the Lagrange elements.
        shape: Shape of a value; () for scalars.
        joined: Local and ghost facets between two cells across which fields are continuous all the same.
    """
    continuous = fem.functionspace(domain.mesh, ("Lagrange", degree, shape))
    comm, places = domain.comm, continuous.dofmap.list
    owner, number = _owners_and_numbers(continuous)
    region = np.repeat(domain.grain.astype(np.int64), places.shape[1])
    own_cell = np.repeat(np.arange(len(places)) < domain.owned, places.shape[1])
    rows = np.stack([places.ravel(), region], axis=1)
    pairs, inverse = np.unique(rows, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    is_inside = np.zeros(len(pairs), dtype=np.int64)
    is_inside[inverse[own_cell]] = 1
    links = _links(domain, continuous, joined) if joined is not None else np.zeros((0, 3), dtype=np.int64)

    # All ranks that know a continuous degree of freedom ask its owner, who sees every grain around it.
    asked = _Meeting(comm, owner[pairs[:, 0]], np.column_stack([number[pairs[:, 0]], pairs[:, 1], is_inside]))
    told = _Meeting(comm, owner[links[:, 0]], np.column_stack([number[links[:, 0]], links[:, 1:]]))
    cluster, cluster_owner = asked.answer(_clusters(asked, told)).T

    # Each rank numbers what it owns; the others learn the numbers in the same place.
    key = np.column_stack([owner[pairs[:, 0]], cluster])
    _, first, merged = np.unique(key, axis=0, return_index=True, return_inverse=True)
    owners = cluster_owner[first]
    is_owned = owners == comm.rank
    begin = sum(comm.allgather(int(is_owned.sum()))[: comm.rank])
    numbers = np.where(is_owned, begin + np.cumsum(is_owned) - 1, -1)
    numbered = _Meeting(comm, key[first, 0].astype(np.int32), np.column_stack([key[first, 1], numbers]))
    numbers = numbered.answer(_shared_numbers(numbered.rows))[:, 0]

    ghosts = np.flatnonzero(~is_owned)
    ghosts = ghosts[np.argsort(numbers[ghosts])]
    local = np.empty(len(first), dtype=np.int32)
    local[is_owned] = np.arange(is_owned.sum())
    local[ghosts] = is_owned.sum() + np.arange(len(ghosts))
    return compat.space_of_dofs(
        domain.mesh,
        ("DG", degree, shape),
        local[merged.ravel()[inverse]].reshape(places.shape),
        int(is_owned.sum()),
        numbers[ghosts],
        owners[ghosts].astype(np.int32),
    )


class _Meeting:
    """Rows of integers sent to the ranks where they are looked at together, and the answers on their way back.

    Attributes:
        rows: Rows this rank has received.
        senders: Who sent each.
    """

    def __init__(self, comm: MPI.Comm, to: Ranks, rows: Integers) -> None:
        self._comm = comm
        self._order = np.argsort(to, kind="stable")
        bounds = np.cumsum(np.bincount(to, minlength=comm.size))[:-1]
        received = comm.alltoall(np.split(rows[self._order], bounds))
        self._bounds = np.cumsum([len(part) for part in received])[:-1]
        self.rows: Integers = np.concatenate(received)
        self.senders = np.repeat(np.arange(comm.size), [len(part) for part in received])

    def answer(self, values: Integers) -> Integers:
        """Sends one row back for each row received; returns the answers to what this rank sent, in its order."""
        back = np.concatenate(self._comm.alltoall(np.split(values, self._bounds)))
        result = np.empty_like(back)
        result[self._order] = back
        return result


def _owners_and_numbers(space: fem.FunctionSpace) -> tuple[Ranks, Integers]:
    """Owner and global number of every local and ghost degree of freedom."""
    index_map = space.dofmap.index_map
    size, rank = index_map.size_local, space.mesh.comm.rank
    owners = np.concatenate([np.full(size, rank, dtype=np.int32), index_map.owners])
    return owners, np.concatenate([index_map.local_range[0] + np.arange(size), index_map.ghosts]).astype(np.int64)


def _links(domain: Domain, space: fem.FunctionSpace, facets: NDArray[np.int32]) -> Integers:
    """Rows (degree of freedom, region, region) of what is joined across facets, local numbers."""
    dimension, topology = domain.dimension, domain.mesh.topology
    to_cells = topology.connectivity(dimension - 1, dimension)
    starts = to_cells.offsets[facets]
    facets = facets[np.diff(to_cells.offsets)[facets] == 2]
    starts = to_cells.offsets[facets]
    first, second = to_cells.array[starts], to_cells.array[starts + 1]
    of_cells = topology.connectivity(dimension, dimension - 1).array.reshape(-1, dimension + 1)
    side = np.argmax(of_cells[first] == facets[:, None], axis=1)
    layout = space.dofmap.dof_layout
    closure = np.array([layout.entity_closure_dofs(dimension - 1, number) for number in range(dimension + 1)])
    on_facet = np.take_along_axis(space.dofmap.list[first], closure[side], axis=1)
    grains = domain.grain[np.stack([first, second], axis=1)]
    return np.column_stack([on_facet.ravel(), np.repeat(grains, on_facet.shape[1], axis=0)]).astype(np.int64)


def _clusters(asked: _Meeting, told: _Meeting) -> Integers:
    """Cluster and its owner, for every row asked: the lowest rank with one of its cells."""
    nodes, inverse = np.unique(asked.rows[:, :2], axis=0, return_inverse=True)
    inverse, links = inverse.ravel(), told.rows
    ends = [_found(nodes, links[:, [0, side]]) for side in (1, 2)]
    graph = coo_array((np.ones(len(links), dtype=np.int8), tuple(ends)), shape=(len(nodes), len(nodes)))
    count, label = connected_components(graph, directed=False)
    owners = np.full(count, np.iinfo(np.int64).max)
    inside = asked.rows[:, 2] == 1
    np.minimum.at(owners, label[inverse[inside]], asked.senders[inside])
    return np.column_stack([label[inverse], owners[label[inverse]]]).astype(np.int64)


def _found(nodes: Integers, wanted: Integers) -> Integers:
    """Rows of `nodes` (sorted, unique) that equal the wanted rows."""
    together, inverse = np.unique(np.concatenate([nodes, wanted]), axis=0, return_inverse=True)
    place = np.empty(len(together), dtype=np.int64)
    place[inverse.ravel()[: len(nodes)]] = np.arange(len(nodes))
    return place[inverse.ravel()[len(nodes) :]]


def _shared_numbers(rows: Integers) -> Integers:
    """The number its owner gave each cluster, for every row (cluster, number or −1)."""
    count = int(rows[:, 0].max(initial=-1)) + 1
    number = np.full(count, -1, dtype=np.int64)
    np.maximum.at(number, rows[:, 0], rows[:, 1])
    return number[rows[:, :1]]
