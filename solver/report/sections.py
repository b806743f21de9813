"""Plane sections through the particle: lithium, first principal stress, and tractions on the grain boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from meshes.particle_mesh import MOST_GRAINS
from solver.report.run_data import RunData
from solver.report.saved import SavedGrid
from solver.report.section import Section, cut, flat
from solver.report.style import OUTLINE, STOICHIOMETRY_MAP, STRESS_MAP, new_figure, round_up, save, stress_scale

_FRAME = np.eye(3)
_GREY = "#c4c4c4"
# Height of a triangle over the width of the picture.
_THINNEST = 1e-5
_PALE = "#e6e6e6"
_FRAME_RESOLUTION = 90


@dataclass(frozen=True)
class _Slice:
    """One state cut by the drawing plane.

    Attributes:
        volume: Grains and whatever is around them.
        section: All of it in the plane.
        grains: The part of `section` that is grains; only these hold lithium.
        boundary: Grain boundaries.
        lines: The same in the plane.
        outline: (lines, 2, 2) rims of the grains and of each layer around them.
    """

    volume: SavedGrid
    section: Section
    grains: Section
    boundary: SavedGrid | None
    lines: Section | None
    outline: NDArray[np.float64]


@dataclass(frozen=True)
class _Scales:
    """Colour scales of the panels; of a stress with the lower end worth showing."""

    stoichiometry: Normalize
    stress: tuple[Normalize, float] | None
    traction: tuple[Normalize, float] | None


def draw_sections(run: RunData, state: int, title: str, path: Path) -> Path:
    """Draws the section of a state through the particle's centre, normal to z; the whole of a two-dimensional run.

    Args:
        run: The run.
        state: Position of the state.
        title: Which state this is, in words.
        path: PNG to write.
    """
    cut_state = _slice(run, state)
    figure = _drawn(run, cut_state, _scales([cut_state]))
    where = "section through the centre" if run.dimension == 3 else "two-dimensional section"
    figure.suptitle(f"{run.name}: {title} ({run.label(state)}), {where}")
    return save(figure, path)


def draw_frames(run: RunData, states: Sequence[int], folder: Path) -> list[Path]:
    """Draws the sections of several states on the same colour scales, one PNG each."""
    slices = [_slice(run, state) for state in states]
    scales = _scales(slices)
    paths = []
    for state, cut_state in zip(states, slices, strict=True):
        figure = _drawn(run, cut_state, scales)
        figure.suptitle(run.label(state))
        paths.append(save(figure, folder / f"state_{state:04d}.png", resolution=_FRAME_RESOLUTION))
    return paths


def _drawn(run: RunData, cut_state: _Slice, scales: _Scales) -> Figure:
    panels = 1 + (scales.stress is not None) + (scales.traction is not None)
    figure = new_figure(4.1 * panels, 4.7)
    axes = np.atleast_1d(figure.subplots(1, panels))
    _stoichiometry(axes[0], cut_state, scales.stoichiometry)
    if scales.stress is not None:
        _principal_stress(axes[1], cut_state, *scales.stress)
    if scales.traction is not None:
        _boundary_traction(axes[-1], cut_state, *scales.traction)
    for panel in axes:
        _frame(panel, run.radius)
    return figure


def _scales(slices: Sequence[_Slice]) -> _Scales:
    """Scales that serve all of the slices."""
    lithium = np.concatenate([_lithium(each).ravel() for each in slices])
    low, high = float(lithium.min()), float(lithium.max())
    # A uniform field keeps a width on the colour scale instead of amplifying rounding.
    stoichiometry = Normalize(low, high) if high - low > 1e-4 else Normalize(low - 5e-3, high + 5e-3)
    stresses = [
        each.volume.cell_data["first_principal_stress"][each.grains.cells]
        for each in slices
        if "first_principal_stress" in each.volume.cell_data
    ]
    tractions = [
        each.boundary.cell_data["normal_traction"][each.lines.cells]
        for each in slices
        if each.boundary is not None and each.lines is not None and "normal_traction" in each.boundary.cell_data
    ]
    return _Scales(stoichiometry, *(_stress_scale(values) for values in (stresses, tractions)))


def _stress_scale(values: Sequence[NDArray[Any]]) -> tuple[Normalize, float] | None:
    return stress_scale(np.concatenate(values).astype(np.float64)) if values else None


def _lithium(state: _Slice) -> NDArray[np.float64]:
    """X at the corners of the polygons in grains."""
    return state.grains.interpolate(state.volume.point_data["stoichiometry"].astype(np.float64))


def _slice(run: RunData, state: int) -> _Slice:
    volume = run.fields.volume(state)
    boundary = run.fields.boundary(state)
    sliced = cut if run.dimension == 3 else flat
    section = sliced(volume, run.centre, _FRAME)
    lines = sliced(boundary, run.centre, _FRAME) if boundary is not None else None
    kind = volume.cell_data["grain"][section.cells]
    kind = np.where(kind <= MOST_GRAINS, 0, kind)
    places = np.unique(volume.points, axis=0, return_inverse=True)[1]
    return _Slice(volume, section, section.part(kind == 0), boundary, lines, _outline(section, kind, places.ravel()))


def _outline(section: Section, kind: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """(lines, 2, 2) sides of the polygons that no other polygon of the same kind, (m,), has: rims in the section.

    Args:
        section: The polygons.
        kind: (m,) what each is of.
        places: (points,) one number for all points at a place; several ranks and grains write their own.
    """
    following = np.roll(np.arange(section.edges.shape[1]), -1)
    # A side lies in the face of a tetrahedron: the three mesh points of its two corners' edges name it.
    edges = places[section.edges]
    points = np.sort(np.concatenate([edges, edges[:, following]], axis=2), axis=2).reshape(-1, 4)
    sides = np.stack([section.corners, section.corners[:, following]], axis=2).reshape(-1, 2, 2)
    real = np.any(sides[:, 0] != sides[:, 1], axis=1)
    repeated = np.diff(points, axis=1, prepend=-1) == 0
    faces = np.sort(np.where(repeated, -1, points), axis=1)
    keys = np.column_stack([faces, np.repeat(kind, section.corners.shape[1])])
    _, inverse, counts = np.unique(keys[real], axis=0, return_inverse=True, return_counts=True)
    return sides[real][counts[inverse.ravel()] == 1]


def _stoichiometry(axes: Axes, state: _Slice, norm: Normalize) -> None:
    section, values = state.grains, _lithium(state)
    count, corners = values.shape
    first = corners * np.arange(count)[:, None]
    triangles = np.concatenate([first + np.array([0, second, second + 1]) for second in range(1, corners - 1)])
    places = section.corners.reshape(-1, 2)
    # Triangles much thinner than a pixel would draw as streaks: those of polygons that repeat their last corner, and
    # those of cells that the plane only touches.
    edges = places[triangles[:, 1:]] - places[triangles[:, :1]]
    longest = np.linalg.norm(edges, axis=2).max(axis=1)
    triangles = triangles[np.abs(np.linalg.det(edges)) > _THINNEST * np.ptp(places) * longest]
    # Smooth shading leaves hair lines between triangles; flat polygons below give them the right colour.
    below = PolyCollection(list(section.corners), array=values.mean(axis=1), cmap=STOICHIOMETRY_MAP, norm=norm)
    below.set(edgecolor="face", linewidth=0.6)
    _backdrop(axes, state)
    axes.add_collection(below)
    drawn = axes.tripcolor(
        Triangulation(places[:, 0], places[:, 1], triangles),
        values.ravel(),
        shading="gouraud",
        cmap=STOICHIOMETRY_MAP,
        norm=norm,
    )
    _outlines(axes, state, width=0.7)
    _scale(axes, drawn, "stoichiometry x [-]")


def _principal_stress(axes: Axes, state: _Slice, norm: Normalize, low: float) -> None:
    values = state.volume.cell_data["first_principal_stress"][state.section.cells].astype(np.float64)
    # Neighbouring polygons of the same colour show hair lines between them unless their edges are painted too.
    drawn = PolyCollection(
        list(state.section.corners),
        array=values,
        cmap=STRESS_MAP,
        norm=norm,
        edgecolors="face",
        linewidths=0.2,
    )
    axes.add_collection(drawn)
    _outlines(axes, state, width=0.9)
    _scale(axes, drawn, "first principal stress [MPa]", low)


def _boundary_traction(axes: Axes, state: _Slice, norm: Normalize, low: float) -> None:
    if state.lines is None or state.boundary is None:
        return
    values = state.boundary.cell_data["normal_traction"][state.lines.cells].astype(np.float64)
    drawn = LineCollection(list(state.lines.corners), array=values, cmap=STRESS_MAP, norm=norm, linewidths=3.5)
    drawn.set_capstyle("round")
    _backdrop(axes, state)
    axes.add_collection(PolyCollection(list(state.grains.corners), facecolors=_GREY, edgecolors=_GREY))
    axes.add_collection(drawn)
    axes.add_collection(LineCollection(list(state.outline), colors=OUTLINE, linewidths=0.9))
    _scale(axes, drawn, "normal traction on grain boundaries [MPa]", low)


def _backdrop(axes: Axes, state: _Slice) -> None:
    """What is around the grains, in a pale grey."""
    axes.add_collection(PolyCollection(list(state.section.corners), facecolors=_PALE, edgecolors=_PALE))


def _outlines(axes: Axes, state: _Slice, width: float) -> None:
    lines = [state.outline] if state.lines is None else [state.outline, state.lines.corners]
    axes.add_collection(LineCollection(list(np.concatenate(lines)), colors=OUTLINE, linewidths=width))


def _scale(axes: Axes, drawn: Any, label: str, low: float | None = None) -> None:
    """Colour bar below a panel, from `low` on where that is given."""
    colorbar = axes.figure.colorbar(drawn, ax=axes, orientation="horizontal", shrink=0.85, pad=0.03)
    colorbar.ax.set_xlim(left=low)
    colorbar.locator = MaxNLocator(6)
    colorbar.update_ticks()
    colorbar.set_label(label)
    colorbar.ax.spines["outline"].set_visible(False)


def _frame(axes: Axes, radius: float) -> None:
    """Equal axes without ticks, and a bar for the scale."""
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()
    length = round_up(0.3 * radius)
    left, (bottom, top) = axes.get_xlim()[0], axes.get_ylim()
    bottom -= 0.08 * (top - bottom)
    axes.plot([left, left + length], [bottom, bottom], color=OUTLINE, linewidth=2.5, solid_capstyle="butt")
    axes.text(left + 0.5 * length, bottom + 0.03 * radius, f"{length:g} µm", ha="center", va="bottom", fontsize=9)
