"""A picture of a mesh: the particle with an octant cut out, coloured by grain and by the direction of the c axis."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from meshes.arrays import Array
from meshes.display import ensure_display
from meshes.errors import MeshError
from meshes.particle_mesh import GRAIN_BOUNDARY, OUTER, ParticleMesh, facet_grains

_OCTANT = np.array([1.0, -1.0, 1.0])  # the corner that is cut out faces the viewer
_WINDOW = (1800, 900)
_GOLDEN = 0.6180339887


def picture(mesh: ParticleMesh, c_axes: Array, path: Path) -> None:
    """Draw a mesh.

    Args:
        mesh: The mesh.
        c_axes: Unit c axes of the grains, shape (N, 3).
        path: PNG file to write.

    Raises:
        MeshError: If the file cannot be written.
    """
    ensure_display()
    centre = 0.5 * (mesh.points.min(axis=0) + mesh.points.max(axis=0))
    skin, skin_lines = _skin(mesh, centre)
    cuts, cut_lines = _cuts(mesh, centre)
    plotter = pv.Plotter(off_screen=True, shape=(1, 2), window_size=list(_WINDOW), border=False)
    colours = (_grain_colours(mesh.grain_count), np.abs(c_axes))
    titles = (f"{mesh.grain_count} grains, {len(mesh.cells)} tetrahedra", "c axis: red along x, green y, blue z")
    for column, (colour, title) in enumerate(zip(colours, titles)):
        plotter.subplot(0, column)
        for surface, ambient in ((skin, 0.4), (cuts, 0.6)):
            surface.cell_data["colour"] = (255.0 * colour[surface.cell_data["grain"] - 1]).astype(np.uint8)
            plotter.add_mesh(surface.copy(), scalars="colour", rgb=True, ambient=ambient, diffuse=1.0 - ambient)
        for lines in (skin_lines, cut_lines):
            if lines.n_cells:
                actor = plotter.add_mesh(lines, color="black", line_width=2.0)
                # Drawn a little nearer than the surface they lie on, which would hide parts of them.
                actor.mapper.SetResolveCoincidentTopologyToPolygonOffset()
                actor.mapper.SetRelativeCoincidentTopologyLineOffsetParameters(-2.0, -10.0)
        plotter.add_text(title, position="upper_edge", font_size=13, color="black")
        _look(plotter, mesh, centre)
    plotter.set_background("white")  # type: ignore[arg-type]
    plotter.enable_anti_aliasing("msaa")
    try:
        plotter.screenshot(path)
    except OSError as error:
        raise MeshError(f"{path}: the picture cannot be written ({error.strerror})") from error
    finally:
        plotter.close()


def _look(plotter: pv.Plotter, mesh: ParticleMesh, centre: Array) -> None:
    plotter.camera.position = tuple(centre + 10.0 * np.ptp(mesh.points, axis=0).max() * np.array([0.62, -1.0, 0.62]))
    plotter.camera.focal_point = tuple(centre)
    plotter.camera.up = (0.0, 0.0, 1.0)
    plotter.enable_parallel_projection()  # type: ignore[call-arg]
    plotter.camera.parallel_scale = 0.58 * float(np.ptp(mesh.points, axis=0).max())


def _grain_colours(count: int) -> Array:
    """Colours that differ from one grain to the next, shape (N, 3)."""
    number = np.arange(count)
    hue, level = (number * _GOLDEN) % 1.0, (number * _GOLDEN**2) % 1.0
    return np.array([colorsys.hls_to_rgb(h, 0.55 + 0.25 * v, 0.5 + 0.25 * v) for h, v in zip(hue, level)])


def _skin(mesh: ParticleMesh, centre: Array) -> tuple[pv.PolyData, pv.PolyData]:
    """Outer surface without the octant, and the lines on it where grains meet."""
    outer = mesh.facet_tags == OUTER
    facets, grain = mesh.facets[outer], facet_grains(mesh)[outer, 0]
    surface = _surface(mesh.points, facets)
    surface.cell_data["grain"] = grain
    edges = np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]]), axis=1)
    order = np.lexsort(edges.T)
    edges, grains = edges[order], np.tile(grain, 3)[order]
    meets = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1) & (grains[1:] != grains[:-1]))
    lines = pv.PolyData()
    if len(meets):
        lines = pv.PolyData(mesh.points, lines=np.insert(edges[meets], 0, 2, axis=1).ravel())
    return _outside_octant(surface, centre), _outside_octant(lines, centre)


def _cuts(mesh: ParticleMesh, centre: Array) -> tuple[pv.PolyData, pv.PolyData]:
    """The three quarter discs that the octant leaves, and the lines on them where grains meet."""
    types = np.full(len(mesh.cells), pv.CellType.TETRA)
    grid = pv.UnstructuredGrid(np.insert(mesh.cells, 0, 4, axis=1).ravel(), types, mesh.points)
    grid.cell_data["grain"] = mesh.grain
    boundaries = _surface(mesh.points, mesh.facets[mesh.facet_tags == GRAIN_BOUNDARY])
    cuts, lines = [], []
    for axis, normal in enumerate(np.eye(3)):
        cuts.append(_quarter(grid.slice(normal, centre), centre, axis))
        if boundaries.n_cells:
            lines.append(_quarter(boundaries.slice(normal, centre), centre, axis))
    return _merged(cuts), _merged(lines)


def _surface(points: Array, triangles: NDArray[np.int64]) -> pv.PolyData:
    return pv.PolyData(points, np.insert(triangles, 0, 3, axis=1).ravel()) if len(triangles) else pv.PolyData()


def _outside_octant(data: pv.PolyData, centre: Array) -> pv.PolyData:
    if not data.n_cells:
        return data
    data.point_data["inside"] = ((data.points - centre) * _OCTANT).min(axis=1)
    return data.clip_scalar("inside", value=0.0)


def _quarter(cut: pv.PolyData, centre: Array, axis: int) -> pv.PolyData:
    """The part of a plane cut that borders the octant."""
    if not cut.n_cells:
        return cut
    others = [other for other in range(3) if other != axis]
    cut.point_data["inside"] = ((cut.points - centre) * _OCTANT)[:, others].min(axis=1)
    return cut.clip_scalar("inside", value=0.0, invert=False)


def _merged(parts: list[pv.PolyData]) -> pv.PolyData:
    parts = [part for part in parts if part.n_cells]
    return parts[0].append_polydata(*parts[1:]) if parts else pv.PolyData()
