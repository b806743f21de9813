"""`vegard mesh`: make (or find) the mesh of a case, report on it, draw it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver.cli.console import note, say

NAME = "mesh"
EXAMPLES = (
    "vegard mesh my-case.yaml",
    "vegard mesh my-case.yaml --picture grains.png",
    "vegard mesh my-case.yaml --output particle.msh",
)


def command(
    case: Annotated[Path, typer.Argument(help="Case file.")],
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw the grains in a cut view (PNG).")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Copy the mesh (.msh) to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Make the mesh of a case.

    A mesh made before from the same description is used again. A report tells quality and grain sizes.
    """
    from solver.case.load import load_case
    from solver.cli.files import copy_file, refuse_existing

    loaded = load_case(case)
    for target in (picture, output):
        refuse_existing(target, force)
    from meshes.store import load, obtain

    stored = obtain(loaded.case.particle, loaded.folder, progress=note)
    say(f"{'found' if stored.reused else 'made'} {stored.path}")
    say(stored.report.text())
    if output is not None:
        copy_file(stored.path, output)
        say(f"wrote {output}")
    if picture is not None:
        from meshes.orientation import c_axes
        from meshes.particle_mesh import grain_centroids
        from meshes.picture import picture as draw

        mesh = load(stored.path)
        draw(mesh, c_axes(loaded.case.particle, grain_centroids(mesh), loaded.folder), picture)
        say(f"wrote {picture}")
