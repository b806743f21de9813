"""`vegard materials`: what the library holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solver.cli.console import say

NAME = "materials"
EXAMPLES = (
    "vegard materials",
    "vegard materials NMC811",
    "vegard materials NMC811 --plot nmc811.png",
)


def command(
    name: Annotated[str | None, typer.Argument(help="Material; all are listed without it.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw its curves against stoichiometry (PNG).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the picture when it is there.")] = False,
) -> None:
    """List or show materials of the library.

    One material is shown with the range and the source of every number.
    """
    from solver.cli.console import show
    from solver.cli.files import refuse_existing
    from solver.materials.show import list_layers, list_materials, material_table

    if name is None and plot is not None:
        raise typer.BadParameter("say which material to draw, such as: vegard materials NMC811 --plot nmc811.png")
    refuse_existing(plot, force)
    if name is None:
        show([list_materials(), list_layers()])
        return
    show(material_table(name))
    if plot is not None:
        from solver.materials.plot import plot_material

        plot_material(name, plot)
        say(f"wrote {plot}")
