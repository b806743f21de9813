"""The gallery of designs, docs/gallery.md: `scripts/gallery`.

Every case of cases/designs in its own words, with a picture of its mesh and the main lines of the mesh report.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from meshes.orientation import c_axes
from meshes.particle_mesh import grain_centroids
from meshes.picture import picture
from meshes.statistics import MeshReport
from meshes.store import load, obtain
from solver.case.load import LoadedCase, load_case
from solver.errors import VegardError

_ROOT = Path(__file__).resolve().parent.parent
_CASES = _ROOT / "cases" / "designs"
_PAGE = _ROOT / "docs" / "gallery.md"
_PICTURES = _ROOT / "docs" / "pictures"
_WIDTH = 1200
_COLOURS = 256  # a palette keeps the files small
_HEAD = """# Gallery of designs

Written by `scripts/gallery` from the cases in [cases/designs](../cases/designs). In each picture the left half is
coloured by grain, the right half by the direction of the c axis (red along x, green along y, blue along z), and an
octant is cut out of what has an inside. `vegard mesh CASE --picture FILE.png` draws the same of your own case.
"""


def words(text: str) -> list[str]:
    """Paragraphs of the comment at the head of a case, without the line for editors."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append("" if line.startswith("# yaml-language-server") else line.lstrip("#").strip())
    return [" ".join(part.split("\n")) for part in "\n".join(lines).strip().split("\n\n")]


def entry(path: Path, loaded: LoadedCase, report: MeshReport) -> str:
    """The part of the page about one case."""
    cells = "triangles" if loaded.case.particle.dimension == 2 else "tetrahedra"
    count = f"{report.cells:,}".replace(",", " ")
    figures = [f"{report.grains} grain{'s' * (report.grains > 1)}, {count} {cells}"]
    figures += [
        f"{section.title}: {name} {built}" + (f" (asked {asked})" if asked else "")
        for section in report.sections
        for name, built, asked in section.rows[:3]
        if built
    ]
    paragraphs = "\n\n".join(words(path.read_text(encoding="utf-8")))
    listed = "\n".join(f"- {figure}" for figure in figures)
    title = f"## {loaded.case.name}\n\n[{path.name}](../cases/designs/{path.name})"
    return f"{title}\n\n{paragraphs}\n\n![{loaded.case.name}](pictures/{path.stem}.png)\n\n{listed}\n"


def draw(loaded: LoadedCase, target: Path) -> MeshReport:
    """Make (or find) the mesh of a case and draw it, small enough for a repository.

    Raises:
        VegardError: If there is no mesh, or the picture cannot be written.
    """
    particle = loaded.case.particle
    stored = obtain(particle, loaded.folder, progress=typer.echo)
    mesh = load(stored.path)
    with tempfile.TemporaryDirectory(prefix="vegard-gallery-") as folder:
        large = Path(folder) / "large.png"
        picture(mesh, c_axes(particle, grain_centroids(mesh), loaded.folder), large)
        with Image.open(large) as image:
            small = image.convert("RGB").resize(
                (_WIDTH, _WIDTH * image.height // image.width), Image.Resampling.LANCZOS
            )
            small.quantize(_COLOURS, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
    return stored.report


def main(
    only: Annotated[str, typer.Option(help="Draw only cases whose name contains this; the page stays.")] = "",
) -> None:
    """Mesh and draw every case of cases/designs and write docs/gallery.md."""
    _PICTURES.mkdir(exist_ok=True)
    parts = []
    for path in sorted(_CASES.glob(f"*{only}*.yaml")):
        typer.echo(path.name)
        try:
            loaded = load_case(path)
            parts.append(entry(path, loaded, draw(loaded, _PICTURES / f"{path.stem}.png")))
        except VegardError as error:
            typer.echo("\n".join(error.problems), err=True)
            raise typer.Exit(error.exit_code) from error
    if not only:
        _PAGE.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
