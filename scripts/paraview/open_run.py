"""Opens a run in ParaView with four linked views, or draws them as pictures.

    paraview --script=scripts/paraview/open_run.py            asks for nothing: opens the run in the current folder
    pvpython scripts/paraview/open_run.py results/quickstart --pictures pictures
    pvpython scripts/paraview/open_run.py results/quickstart --pictures pictures --state 5 --warp 3

In ParaView itself it also works as a macro (Macros, Import new macro): start ParaView in the folder of the run.
Views: lithium, first principal stress and hydrostatic stress, all three on the half behind a cut, deformed, with the
outlines of the grains, and the normal traction on the grain boundaries. The time slider moves all of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from paraview import simple

# The largest numbers of the regions that are grains; coatings and surroundings come above.
_LAST_GRAIN = 20000
_BACKGROUND = (1.0, 1.0, 1.0)
_INK = (0.1, 0.1, 0.1)
_PERCENT = 1.0  # of the values at both ends that colour scales leave out
_SIZE = (1800, 1500)


def main(arguments: list[str]) -> None:
    """Opens the run named on the command line, or the one in the current folder."""
    parser = argparse.ArgumentParser(description="Open a run of Vegard in ParaView.")
    parser.add_argument("folder", nargs="?", default=".", type=Path, help="results folder of a run")
    parser.add_argument("--pictures", type=Path, help="write PNG pictures to this folder")
    parser.add_argument("--state", type=int, default=-1, help="output state to show; the last by default")
    parser.add_argument("--warp", type=float, default=1.0, help="factor of the displacement")
    chosen = parser.parse_args(arguments)
    views = open_run(chosen.folder, chosen.state, chosen.warp)
    if chosen.pictures is not None:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
        layout = simple.GetLayout(views[0])
        simple.SaveScreenshot(str(chosen.pictures / "views.png"), layout, ImageResolution=_SIZE)


def open_run(folder: Path, state: int, warp: float) -> list:
    """Makes the views of a run; returns them."""
    volume, boundaries = (_source(folder, name) for name in ("fields", "grain_boundaries"))
    if volume is None:
        sys.exit(f"{folder}: no fields.vtkhdf and no fields.pvd there; give the results folder of a run")
    times = list(volume.TimestepValues)
    simple.GetAnimationScene().AnimationTime = times[state] if times else 0.0
    grains = simple.Threshold(Input=volume, Scalars=["CELLS", "grain"], UpperThreshold=_LAST_GRAIN, LowerThreshold=0)
    grains.ThresholdMethod = "Between"
    simple.UpdatePipeline(times[state] if times else 0.0, grains)
    has_stress = grains.CellData.GetArray("first_principal_stress") is not None
    half = _half(grains, warp if has_stress else 0.0)
    lines = _lines(boundaries, grains, warp if has_stress else 0.0) if boundaries is not None else None
    shown = [("POINTS", "stoichiometry", "lithium x [-]", "Cividis", False)]
    if has_stress:
        shown.append(("CELLS", "first_principal_stress", "first principal stress [MPa]", "Cool to Warm", True))
        shown.append(("CELLS", "hydrostatic_stress", "hydrostatic stress [MPa]", "Cool to Warm", True))
    views = _views(len(shown) + (boundaries is not None and has_stress))
    for view, entry in zip(views, shown):
        _colour(half, view, *entry)
        if lines is not None:
            _draw_lines(lines, view)
    if len(views) > len(shown):
        name = "normal_traction"
        _colour(boundaries, views[-1], "CELLS", name, "normal traction on grain boundaries [MPa]", "Cool to Warm", True)
    camera = views[0]
    for view in views[1:]:
        simple.AddCameraLink(camera, view, f"vegard{id(view)}")
    _look(camera, grains)
    simple.RenderAllViews()
    return views


def _source(folder: Path, stem: str):
    """The reader of a series, whichever format it was written in; None when it is not there."""
    for suffix in (".vtkhdf", ".pvd"):
        path = folder / f"{stem}{suffix}"
        if path.exists():
            return simple.OpenDataFile(str(path.resolve()))
    return None


def _half(grains, warp: float):
    """The half behind a plane through the centre, in its deformed shape; a section is shown as it is."""
    if _is_flat(grains):
        return _deformed(grains, warp)
    clip = simple.Clip(Input=_deformed(grains, warp), ClipType="Plane", Crinkleclip=0)
    clip.ClipType.Origin = _centre(grains)
    clip.ClipType.Normal = [0.0, -1.0, 0.0]
    return clip


def _lines(boundaries, grains, warp: float):
    """Lines where the deformed grain boundaries meet the cut."""
    moved = boundaries
    if warp:  # the boundaries have no displacement of their own
        moved = simple.ResampleWithDataset(SourceDataArrays=grains, DestinationMesh=boundaries)
    if _is_flat(grains):
        return _deformed(moved, warp)
    cut = simple.Slice(Input=_deformed(moved, warp), SliceType="Plane")
    cut.SliceType.Origin = _centre(grains)
    cut.SliceType.Normal = [0.0, -1.0, 0.0]
    return cut


def _is_flat(grains) -> bool:
    bounds = grains.GetDataInformation().GetBounds()
    return bounds[5] - bounds[4] < 1e-6 * (bounds[1] - bounds[0])


def _deformed(source, warp: float):
    return simple.WarpByVector(Input=source, Vectors=["POINTS", "displacement"], ScaleFactor=warp) if warp else source


def _centre(source) -> list[float]:
    bounds = source.GetDataInformation().GetBounds()
    return [0.5 * (bounds[2 * axis] + bounds[2 * axis + 1]) for axis in range(3)]


def _views(count: int) -> list:
    """So many views in one layout."""
    first = simple.GetActiveViewOrCreate("RenderView")
    layout = simple.GetLayout(first) or simple.CreateLayout("Vegard")
    views, places = [first], [0]
    if count > 1:
        right = layout.SplitHorizontal(0, 0.5)
        views.append(_view_in(layout, right))
        places = [1, 2]
    for place in places[: max(0, count - 2)]:
        below = layout.SplitVertical(place, 0.5)
        views.append(_view_in(layout, below))
    for view in views:
        view.Background, view.UseColorPaletteForBackground, view.OrientationAxesVisibility = _BACKGROUND, 0, 0
    return views


def _view_in(layout, place: int):
    view = simple.CreateView("RenderView")
    simple.AssignViewToLayout(view=view, layout=layout, hint=place)
    return view


def _colour(source, view, association: str, name: str, title: str, colours: str, symmetric: bool) -> None:
    """Shows a source coloured by an array, on a scale without the extremes."""
    display = simple.Show(source, view)
    simple.ColorBy(display, (association, name), separate=True)
    table = simple.GetColorTransferFunction(name, display, separate=True)
    table.ApplyPreset(colours, True)
    low, high = _limits(source, association, name)
    if symmetric:
        low, high = -max(-low, high), max(-low, high)
    table.RescaleTransferFunction(low, high)
    display.Ambient, display.Diffuse, display.LineWidth = 0.45, 0.6, 4.0
    display.SetScalarBarVisibility(view, True)
    bar = simple.GetScalarBar(table, view)
    bar.Title, bar.ComponentTitle = title, ""
    bar.TitleColor = bar.LabelColor = _INK
    bar.Orientation, bar.WindowLocation = "Horizontal", "Lower Center"
    bar.TitleFontSize, bar.LabelFontSize, bar.ScalarBarLength = 9, 8, 0.5
    bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.4g", "%.3g"


def _limits(source, association: str, name: str) -> tuple[float, float]:
    """Bounds of an array at the time shown, without the first and last hundredth."""
    from paraview import servermanager  # noqa: PLC0415
    from vtkmodules.util.numpy_support import vtk_to_numpy  # noqa: PLC0415

    data = servermanager.Fetch(source)
    arrays = data.GetCellData() if association == "CELLS" else data.GetPointData()
    values = sorted(value for value in vtk_to_numpy(arrays.GetArray(name)).ravel().tolist() if value == value)
    cut = int(len(values) * _PERCENT / 100.0)
    low, high = values[cut], values[-1 - cut]
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _draw_lines(lines, view) -> None:
    display = simple.Show(lines, view)
    display.ColorArrayName = [None, ""]
    display.AmbientColor = display.DiffuseColor = _INK
    display.LineWidth = 2.0


def _look(view, grains) -> None:
    """Looks at the cut from the side that was taken away, or down on a section."""
    centre, bounds = _centre(grains), grains.GetDataInformation().GetBounds()
    size = max(bounds[2 * axis + 1] - bounds[2 * axis] for axis in range(3))
    up, towards = ((0.0, 1.0, 0.0), (0.0, 0.0, 2.7)) if _is_flat(grains) else ((0.0, 0.0, 1.0), (0.55, -2.6, 0.55))
    aim = [place - 0.16 * size * axis for place, axis in zip(centre, up)]  # room for the colour bar
    view.CameraFocalPoint = aim
    view.CameraPosition = [place + size * along for place, along in zip(aim, towards)]
    view.CameraViewUp = list(up)
    view.CameraViewAngle = 34.0


main([] if sys.argv[0].endswith("paraview") else sys.argv[1:])
