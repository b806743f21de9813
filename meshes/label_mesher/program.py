"""Runs the C++ program: writes its job, starts it under a time limit, reads its tetrahedra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from meshes.arrays import Array, Indices
from meshes.engine import run_child
from meshes.label_field import LabelField
from meshes.label_mesher.compiler import obtain_program

_ROUND = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class Sizes:
    """How fine the tetrahedra are; all but the shares are circumradii [µm].

    Args:
        grains: In every grain, shape (N,).
        pores: At the wall of every pore, shape (M,).
        void: At the wall of the void.
        channel: At the wall of its channel.
        growth: Growth per distance from a wall [-].
        distance_share: Largest distance of a facet from the wall it stands for, over the local size [-].
        outer: Of facets on the outer surface.
    """

    grains: Array
    pores: Array
    void: float
    channel: float
    growth: float
    distance_share: float
    outer: float


def run_label_mesher(
    field: LabelField, sizes: Sizes, time_limit: float, progress: Callable[[str], None]
) -> tuple[Array, Indices, Indices]:
    """Tetrahedra of a label field, as CGAL makes them: not yet cleaned of islets.

    Args:
        field: What is where.
        sizes: How fine.
        time_limit: Seconds after which the program is killed.
        progress: Is told when the program must be compiled first.

    Returns:
        Points [µm], shape (n, 3), corners of the cells, shape (m, 4), and their grains 1..N, shape (m,).

    Raises:
        EngineError: If the program failed or took too long.
        MeshError: If it cannot be compiled.
    """
    program = obtain_program(progress)

    def write(path: Path) -> None:
        with path.open("w") as stream:
            _write_job(stream, field, sizes, time_limit)

    return run_child("the mesher of labels", [str(program)], write, _read_result, time_limit)


def _write_job(stream: TextIO, field: LabelField, sizes: Sizes, time_limit: float) -> None:
    """The text file that `label_mesher.cpp` reads; all numbers with all their digits."""
    shapes = np.tile(_ROUND, (field.grain_count, 1)) if field.shapes is None else field.shapes
    holes = _holes(field, sizes)
    head = [*field.outline.semi_axes, sizes.growth, sizes.distance_share, sizes.outer, time_limit / 4.0]
    stream.write(" ".join(f"{value:.17g}" for value in head) + f"\n{field.grain_count} {len(holes)}\n")
    np.savetxt(stream, np.column_stack([field.positions, field.weights, sizes.grains, shapes]), fmt="%.17g")
    np.savetxt(stream, holes, fmt=["%.17g"] * 5 + ["%d"])


def _holes(field: LabelField, sizes: Sizes) -> Array:
    """Centre, radius, size and whether it is the channel, shape (holes, 6)."""
    count = len(field.pore_radii)
    rows = [np.column_stack([field.pore_centres, field.pore_radii, sizes.pores, np.zeros(count)])]
    if field.void_radius:
        rows.append(np.array([[0.0, 0.0, 0.0, field.void_radius, sizes.void, 0.0]]))
    if field.channel_radius is not None:
        rows.append(np.array([[0.0, 0.0, 0.0, field.channel_radius, sizes.channel, 1.0]]))
    return np.concatenate(rows)


def _read_result(path: Path) -> tuple[Array, Indices, Indices]:
    with path.open("rb") as stream:
        points, cells = (int(count) for count in np.fromfile(stream, np.int64, 2))
        coordinates = np.fromfile(stream, np.float64, 3 * points).reshape(-1, 3)
        corners = np.fromfile(stream, np.int32, 4 * cells).reshape(-1, 4).astype(np.int64)
        return coordinates, corners, np.fromfile(stream, np.int32, cells).astype(np.int64)
