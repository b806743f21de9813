"""The mesher of label fields: CGAL's tetrahedra → one body → grains in one piece → Gmsh's optimiser → checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshes import engine
from meshes.arrays import Array, Indices
from meshes.body import Progress
from meshes.dents import without_dents
from meshes.errors import Unmeshable
from meshes.improve import improve
from meshes.label_field import LabelField
from meshes.label_mesher.program import Sizes, run_label_mesher
from meshes.mending import Carving, compacted, joined_grains, without_islets
from meshes.particle_mesh import ParticleMesh, all_facets, tagged_mesh
from meshes.quality import inverse_condition
from meshes.straighten import straightened, without_teeth
from meshes.walls import tag_walls

# Circumradii asked of CGAL over the edges that come out.
_CIRCUMRADIUS = 1.6
# Largest edges at a wall over its radius of curvature, and how far facets leave it, over the circumradius: together
# they give a pore some 130 facets, enough to be round, and resolve the stress at a void.
_EDGES_AT_PORE = 0.75
_EDGES_AT_VOID = 0.22
_EDGES_AT_CHANNEL = 0.47
_GROWTH = 0.4
_DISTANCE_SHARE = 0.08
# Below this SICN (and 50° times this) tetrahedra are mended once more; the bar for the finished mesh is 0.06.
_MENDED_SICN = 0.12
# On the outer surface facets follow its curvature as closely as those of the mesher of dense particles.
_OUTER_CIRCUMRADIUS = 0.65


def mesh_labels(
    field: LabelField, size: float, time_limit: float, progress: Progress, grain_sizes: Array | None = None
) -> ParticleMesh:
    """Tetrahedra of a label field.

    Args:
        field: What is where.
        size: Edge length away from walls [µm].
        time_limit: Seconds each program may take.
        progress: Is told, in a line each, what is being done.
        grain_sizes: Edge length in every grain [µm], shape (N,); by default `size` everywhere.

    Returns:
        The mesh: one body connected through facets, every grain in one piece, walls of holes tagged `PORE_WALL`.

    Raises:
        Unmeshable: If a program failed or took too long, or a grain got no cell.
        MeshError: If the mesher cannot be compiled.
    """
    edges = np.full(field.grain_count, size) if grain_sizes is None else np.minimum(grain_sizes, size)
    progress("carving the grains")
    carving = without_islets(*run_label_mesher(field, _sizes(field, size, edges), time_limit, progress))
    carving = replace(carving, grain=without_teeth(carving))
    carving = without_dents(replace(carving, grain=joined_grains(carving)), field)
    _refuse_lost(field, carving.grain)
    progress(f"improving {len(carving.cells)} tetrahedra")
    mesh = tag_walls(tagged_mesh(carving.points, carving.cells, carving.grain, carving.facets), field)
    mesh = _optimised(replace(mesh, points=straightened(mesh, field)), size, time_limit)
    # Straight boundaries leave other nodes bare below the surface than the carving did.
    carving = without_dents(Carving(mesh.points, mesh.cells, mesh.grain, all_facets(mesh.cells)), field)
    mesh = tag_walls(tagged_mesh(carving.points, carving.cells, carving.grain, carving.facets), field)
    # The optimiser has made room for nodes that could not reach their line before.
    return improve(replace(mesh, points=straightened(mesh, field)), field.outline, _MENDED_SICN)


def _sizes(field: LabelField, size: float, edges: Array) -> Sizes:
    channel = size if field.channel_radius is None else min(size, _EDGES_AT_CHANNEL * field.channel_radius)
    return Sizes(
        grains=_CIRCUMRADIUS * edges,
        pores=_CIRCUMRADIUS * np.minimum(size, _EDGES_AT_PORE * field.pore_radii),
        void=_CIRCUMRADIUS * min(size, _EDGES_AT_VOID * field.void_radius),
        channel=_CIRCUMRADIUS * channel,
        growth=_GROWTH,
        distance_share=_DISTANCE_SHARE,
        outer=_OUTER_CIRCUMRADIUS * size,
    )


def _refuse_lost(field: LabelField, grain: Indices) -> None:
    missing = np.flatnonzero(np.bincount(grain, minlength=field.grain_count + 1)[1:] == 0)
    if len(missing):
        raise Unmeshable("is lost: too small for the elements, or swallowed by pores", int(missing[0]))


def _optimised(mesh: ParticleMesh, size: float, time_limit: float) -> ParticleMesh:
    """Gmsh's optimiser on the cells of every grain; nodes on surfaces and boundaries stay.

    A grain is taken as it was where its worst cell became worse: now and then the optimiser turns one inside out.
    """
    points, order = mesh.points, np.argsort(mesh.grain, kind="stable")
    cells, grain = mesh.cells[order], mesh.grain[order]
    job = {
        "size": np.array(size),
        "points": points,
        "tetrahedra": cells,
        "cell_counts": np.bincount(grain - 1),
        "facets": mesh.facets,
    }
    result = engine.run("optimiser", job, time_limit)
    new_points, new_cells, new_grain = result["points"], result["tetrahedra"], result["cell"] + 1
    better = _worst(new_points, new_cells, new_grain) >= _worst(points, cells, grain)
    kept, taken = ~better[grain - 1], better[new_grain - 1]
    stays = np.unique(cells[kept])
    new_points[stays] = points[stays]
    points, joined = compacted(new_points, np.concatenate([cells[kept], new_cells[taken]]))
    return tagged_mesh(points, joined, np.concatenate([grain[kept], new_grain[taken]]))


def _worst(points: Array, cells: Indices, grain: Indices) -> Array:
    """Smallest SICN in every grain, shape (N,)."""
    worst = np.ones(int(grain.max()))
    np.minimum.at(worst, grain - 1, inverse_condition(points[cells]))
    return worst
