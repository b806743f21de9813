"""The particle, or its grain boundaries, in three dimensions with one eighth cut away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyvista as pv

from meshes.display import ensure_display
from solver.output.files import replace_with
from solver.report.run_data import RunData, grains_of
from solver.report.saved import SavedGrid
from solver.report.style import OUTLINE, STOICHIOMETRY_MAP, STRESS_MAP, stress_scale

_SIZE = (1400, 1400)
# The eighth of space that is taken away; the camera looks into it.
_OPEN = np.array([1.0, -1.0, 1.0])


def draw_cutaway(run: RunData, state: int, path: Path) -> Path:
    """Draws the particle with an eighth removed, so that core and surface are seen together.

    Args:
        run: The run.
        state: Position of the state.
        path: PNG to write.

    Raises:
        VegardError: When there is nothing to draw on (no X server, no off-screen rendering).
    """
    whole = run.fields.volume(state)
    grains = grains_of(whole)
    name, title, colours, limits = _quantity(run, grains)
    # What is around the grains holds no lithium.
    shown = whole if run.has_stress else grains
    surface = _opened(_as_vtk(shown, pv.CellType.TETRA), run).extract_surface()
    scene = _Scene(run, shown)
    scene.add(surface, name, title, colours, limits, "%.0f" if run.has_stress else "%.3f")
    outlines = _grain_outlines(surface)
    if outlines.n_lines:
        scene.plotter.add_mesh(outlines.tube(radius=0.005 * scene.reach, n_sides=8), color=OUTLINE, lighting=False)
    return scene.save(f"{run.name}: {run.label(state)}", path)


def draw_boundaries(run: RunData, state: int, path: Path) -> Path | None:
    """Draws the grain boundaries with an eighth removed, coloured by normal traction; None where there are none.

    Raises:
        VegardError: When there is nothing to draw on.
    """
    grid = run.fields.boundary(state)
    if grid is None or "normal_traction" not in grid.cell_data:
        return None
    norm, _ = stress_scale(grid.cell_data["normal_traction"].astype(np.float64))
    scene = _Scene(run, grid)
    surface = _opened(_as_vtk(grid, pv.CellType.TRIANGLE), run).extract_surface()
    limits = (float(norm.vmin or 0.0), float(norm.vmax or 0.0))
    scene.add(surface, "normal_traction", "normal traction on grain boundaries [MPa]", STRESS_MAP, limits, "%.0f")
    return scene.save(f"{run.name}: {run.label(state)}", path)


class _Scene:
    """A picture that looks into the open eighth.

    Attributes:
        plotter: PyVista's.
        reach: Distance of the farthest point shown from the centre [µm].
    """

    def __init__(self, run: RunData, shown: SavedGrid) -> None:
        ensure_display()
        self._centre = run.centre
        self.reach = float(np.linalg.norm(shown.points[shown.cells.ravel()] - run.centre, axis=1).max())
        self.plotter = pv.Plotter(off_screen=True, window_size=list(_SIZE))
        self.plotter.background_color = "white"

    def add(
        self, surface: pv.PolyData, name: str, title: str, colours: str, limits: tuple[float, float], digits: str
    ) -> None:
        """Adds a surface coloured by an array, with its colour bar."""
        bar = {"title": title, "color": "black", "title_font_size": 28, "label_font_size": 24, "fmt": digits}
        place = {"position_x": 0.2, "position_y": 0.01, "width": 0.6, "height": 0.07}
        look = {"ambient": 0.64, "diffuse": 0.38, "specular": 0.0}
        self.plotter.add_mesh(surface, scalars=name, cmap=colours, clim=limits, scalar_bar_args=bar | place, **look)

    def save(self, title: str, path: Path) -> Path:
        """Writes the picture and frees it."""
        plotter, centre = self.plotter, self._centre
        plotter.add_text(title, position="upper_left", font_size=12, color="black")
        # Looking a little below the centre leaves room for the colour bar.
        aim = centre - np.array([0.0, 0.0, 0.12 * self.reach])
        plotter.camera_position = [tuple(centre + 3.4 * self.reach * _OPEN), tuple(aim), (0.0, 0.0, 1.0)]
        plotter.camera.zoom(1.3)
        plotter.enable_anti_aliasing("ssaa")
        try:
            replace_with(path, lambda temporary: plotter.screenshot(temporary))
        finally:
            plotter.close()
        return path


def _quantity(run: RunData, grid: SavedGrid) -> tuple[str, str, str, tuple[float, float]]:
    """Array to colour by, its title, colour map and limits."""
    if run.has_stress:
        norm, _ = stress_scale(grid.cell_data["first_principal_stress"])
        limits = (float(norm.vmin or 0.0), float(norm.vmax or 0.0))
        return "first_principal_stress", "first principal stress [MPa]", STRESS_MAP, limits
    values = grid.point_data["stoichiometry"][grid.cells]
    return "stoichiometry", "stoichiometry x [-]", STOICHIOMETRY_MAP, (float(values.min()), float(values.max()))


def _as_vtk(grid: SavedGrid, shape: pv.CellType) -> pv.UnstructuredGrid:
    body = pv.UnstructuredGrid({shape: grid.cells}, grid.points)
    body.point_data.update(grid.point_data)
    body.cell_data.update(grid.cell_data)
    return body


def _opened(body: pv.UnstructuredGrid, run: RunData) -> pv.UnstructuredGrid:
    """The body without the eighth towards `_OPEN`."""
    far = run.centre + 10.0 * run.radius * _OPEN
    low, high = np.minimum(run.centre, far), np.maximum(run.centre, far)
    box = [value for pair in zip(low, high) for value in pair]
    return body.clip_box(box, invert=True)


def _grain_outlines(surface: pv.PolyData) -> pv.PolyData:
    """Lines on a surface where the grain changes."""
    triangulated = surface.triangulate()
    # Points that several ranks wrote, or that the cut made twice, are one point here.
    points, number = np.unique(np.round(triangulated.points, 5), axis=0, return_inverse=True)
    triangles = number.ravel()[triangulated.faces.reshape(-1, 4)[:, 1:]]
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    grain = np.repeat(triangulated.cell_data["grain"], 3)
    lines, inverse = np.unique(sides, axis=0, return_inverse=True)
    lowest, highest = np.full(len(lines), 2**31 - 1), np.zeros(len(lines), dtype=np.int64)
    np.minimum.at(lowest, inverse.ravel(), grain)
    np.maximum.at(highest, inverse.ravel(), grain)
    changing = lines[(lowest != highest) & (lines[:, 0] != lines[:, 1])]
    return pv.PolyData(points, lines=np.column_stack([np.full(len(changing), 2), changing]).ravel())
