"""A picture of a mesh: coloured by grain and by the direction of the c axis, with an octant cut out to look inside.

A cross-section is seen from above. A plain crystal, and an eighth, which shows its inside anyway, are left uncut.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from meshes.arrays import Array, Indices
from meshes.display import ensure_display
from meshes.errors import MeshError
from meshes.particle_mesh import (
    COATING,
    INTERFACE,
    MATRIX,
    MEMBRANE_SURFACE,
    MOST_GRAINS,
    OUTER,
    PORE_WALLS,
    SYMMETRY,
    ParticleMesh,
    facet_grains,
)

_OCTANT = np.array([1.0, -1.0, 1.0])  # the corner that is cut out faces the viewer
_WINDOW = (1800, 900)
_MARGIN = 0.58  # half the height of the picture over the extent of what is in it
_SHARP = 30.0  # degrees between facets from which their edge is drawn
_GOLDEN = 0.6180339887
# What is not a grain keeps its colour in both halves of the picture.
_COATINGS = {"gold": (0.93, 0.72, 0.10), "teal": (0.10, 0.55, 0.55), "brown": (0.55, 0.33, 0.20)}
_MATRIX = (0.78, 0.80, 0.84)
_INTERFACE = (0.80, 0.10, 0.15)
_IN_PORES = 0.5  # how bright the walls of pores are, which would not stand out from the cut otherwise
_MEMBRANE_COVER = 0.7  # how much of the grains below a membrane is hidden


@dataclass(frozen=True)
class _Part:
    """A surface to draw, the region of each of its cells, and how evenly it is lit."""

    surface: pv.PolyData
    lines: pv.PolyData
    ambient: float


def picture(mesh: ParticleMesh, c_axes: Array, path: Path) -> None:
    """Draw a mesh.

    Args:
        mesh: The mesh, of any dimension and with any regions.
        c_axes: Unit c axes of the grains, shape (N, 3).
        path: PNG file to write.

    Raises:
        MeshError: If the file cannot be written.
    """
    ensure_display()
    parts = _parts(mesh)
    plotter = pv.Plotter(off_screen=True, shape=(1, 2), window_size=list(_WINDOW), border=False)
    titles = (_contents(mesh), "c axis: red along x, green y, blue z")
    for column, (colours, title) in enumerate(zip((_grain_colours(mesh.grain_count), np.abs(c_axes)), titles)):
        plotter.subplot(0, column)
        for part in parts:
            _draw(plotter, part, colours)
        plotter.add_text(title, position="upper_edge", font_size=13, color="black")
        _look(plotter, mesh)
    plotter.set_background("white")  # type: ignore[arg-type]
    plotter.enable_anti_aliasing("msaa")
    try:
        plotter.screenshot(path)
    except OSError as error:
        raise MeshError(f"{path}: the picture cannot be written ({error.strerror})") from error
    finally:
        plotter.close()


def _contents(mesh: ParticleMesh) -> str:
    """What there is to see, with the colours of all that are no grains."""
    regions = np.unique(mesh.grain[~mesh.is_grain])
    coatings = ((regions >= COATING) & (regions < MATRIX)).sum()
    cells = "tetrahedra" if mesh.dimension == 3 else "triangles"
    words = [f"{mesh.grain_count} grain{'s' * (mesh.grain_count > 1)}, {len(mesh.cells)} {cells}"]
    if coatings or np.isin(mesh.facet_tags, MEMBRANE_SURFACE).any():
        words.append(f"coating {', '.join(list(_COATINGS)[: max(1, coatings)])}")
    words += ["interface red"] * int(INTERFACE in regions) + ["matrix grey"] * int(MATRIX in regions)
    return "; ".join(words)


def _parts(mesh: ParticleMesh) -> list[_Part]:
    if mesh.dimension == 2:
        return [_plane(mesh)]
    centre = _centre(mesh)
    skin = _skin(mesh)
    nothing_inside = (mesh.facet_tags == OUTER).all()
    if nothing_inside or np.isin(mesh.facet_tags, SYMMETRY).any():
        return [skin]
    opened = _Part(_outside_octant(skin.surface, centre), _outside_octant(skin.lines, centre), skin.ambient)
    return [opened, _cuts(mesh, centre)]


def _draw(plotter: pv.Plotter, part: _Part, grain_colours: Array) -> None:
    surface = part.surface.copy()
    if not surface.n_cells:
        return
    colours = _colours(np.asarray(surface.cell_data["region"]), grain_colours)
    if "shade" in surface.cell_data:
        colours = colours * np.asarray(surface.cell_data["shade"])[:, None]
        covered = _MEMBRANE_COVER * np.asarray(surface.cell_data["membrane"])[:, None]
        colours = colours * (1.0 - covered) + covered * np.array(_COATINGS["gold"])
    surface.cell_data["colour"] = (255.0 * colours).astype(np.uint8)
    plotter.add_mesh(surface, scalars="colour", rgb=True, ambient=part.ambient, diffuse=1.0 - part.ambient)
    if part.lines.n_cells:
        actor = plotter.add_mesh(part.lines, color="black", line_width=2.0)
        # Drawn a little nearer than the surface they lie on, which would hide parts of them.
        actor.mapper.SetResolveCoincidentTopologyToPolygonOffset()
        actor.mapper.SetRelativeCoincidentTopologyLineOffsetParameters(-2.0, -10.0)


def _look(plotter: pv.Plotter, mesh: ParticleMesh) -> None:
    """Point the camera so that the whole mesh fits, whatever its shape."""
    from_above = mesh.dimension == 2
    direction = np.array([0.0, 0.0, 1.0] if from_above else [0.62, -1.0, 0.62])
    up = np.array([0.0, 1.0, 0.0] if from_above else [0.0, 0.0, 1.0])
    across = np.cross(up, direction) / np.linalg.norm(np.cross(up, direction))
    axes = np.array([across, np.cross(direction, across) / np.linalg.norm(direction)])
    seen = mesh.points @ axes.T
    middle = 0.5 * (seen.min(axis=0) + seen.max(axis=0))
    focus = _centre(mesh) + (middle - axes @ _centre(mesh)) @ axes
    plotter.camera.position = tuple(focus + 10.0 * np.ptp(mesh.points, axis=0).max() * direction)
    plotter.camera.focal_point = tuple(focus)
    plotter.camera.up = tuple(up)
    plotter.enable_parallel_projection()  # type: ignore[call-arg]
    plotter.camera.parallel_scale = _MARGIN * float(np.ptp(seen, axis=0).max())


def _centre(mesh: ParticleMesh) -> Array:
    return 0.5 * (mesh.points.min(axis=0) + mesh.points.max(axis=0))


def _grain_colours(count: int) -> Array:
    """Colours that differ from one grain to the next, shape (N, 3)."""
    number = np.arange(count)
    hue, level = (number * _GOLDEN) % 1.0, (number * _GOLDEN**2) % 1.0
    return np.array([colorsys.hls_to_rgb(h, 0.55 + 0.25 * v, 0.5 + 0.25 * v) for h, v in zip(hue, level)])


def _colours(regions: NDArray[np.integer], grain_colours: Array) -> Array:
    """Colour of each region given, shape (n, 3)."""
    coatings = np.array(list(_COATINGS.values()))
    colours = grain_colours[np.where(regions <= MOST_GRAINS, regions, 1) - 1].copy()
    coated = (regions >= COATING) & (regions < MATRIX)
    colours[coated] = coatings[(regions[coated] - COATING) % len(coatings)]
    colours[regions == MATRIX] = _MATRIX
    colours[regions == INTERFACE] = _INTERFACE
    return colours


def _skin(mesh: ParticleMesh) -> _Part:
    """All facets against the outside, and the lines on them where regions meet."""
    regions = facet_grains(mesh)
    outer = regions[:, 1] == 0
    facets, region = mesh.facets[outer], regions[outer, 0]
    surface = _surface(mesh.points, facets)
    surface.cell_data["region"] = region
    surface.cell_data["membrane"] = np.isin(mesh.facet_tags[outer], MEMBRANE_SURFACE).astype(float)
    surface.cell_data["shade"] = np.where(np.isin(mesh.facet_tags[outer], PORE_WALLS), _IN_PORES, 1.0)
    edges = np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]]), axis=1)
    order = np.lexsort(edges.T)
    edges, beside = edges[order], np.tile(region, 3)[order]
    meets = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1) & (beside[1:] != beside[:-1]))
    return _Part(surface, _merged([_lines(mesh.points, edges[meets]), _sharp_edges(mesh, outer)]), 0.4)


def _sharp_edges(mesh: ParticleMesh, outer: NDArray[np.bool_]) -> pv.PolyData:
    """Edges of facets and corners of boxes; not on the walls of pores, which are not smooth."""
    smooth = outer & ~np.isin(mesh.facet_tags, PORE_WALLS)
    surface = _surface(mesh.points, mesh.facets[smooth])
    return surface.extract_feature_edges(_SHARP, boundary_edges=False, manifold_edges=False)


def _plane(mesh: ParticleMesh) -> _Part:
    """All triangles of a cross-section, and the lines where regions meet."""
    surface = _surface(mesh.points, mesh.cells)
    surface.cell_data["region"] = mesh.grain
    return _Part(surface, _lines(mesh.points, mesh.facets), 1.0)


def _cuts(mesh: ParticleMesh, centre: Array) -> _Part:
    """The three quarter planes that the octant leaves, and the lines on them where regions or pores meet."""
    types = np.full(len(mesh.cells), pv.CellType.TETRA)
    grid = pv.UnstructuredGrid(np.insert(mesh.cells, 0, 4, axis=1).ravel(), types, mesh.points)
    grid.cell_data["region"] = mesh.grain
    inside = (facet_grains(mesh)[:, 1] > 0) | np.isin(mesh.facet_tags, PORE_WALLS)
    boundaries = _surface(mesh.points, mesh.facets[inside])
    cuts, lines = [], []
    for axis, normal in enumerate(np.eye(3)):
        cuts.append(_quarter(grid.slice(normal, centre), centre, axis))
        if boundaries.n_cells:
            lines.append(_quarter(boundaries.slice(normal, centre), centre, axis))
    return _Part(_merged(cuts), _merged(lines), 0.6)


def _surface(points: Array, triangles: Indices) -> pv.PolyData:
    return pv.PolyData(points, np.insert(triangles, 0, 3, axis=1).ravel()) if len(triangles) else pv.PolyData()


def _lines(points: Array, edges: Indices) -> pv.PolyData:
    return pv.PolyData(points, lines=np.insert(edges, 0, 2, axis=1).ravel()) if len(edges) else pv.PolyData()


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
