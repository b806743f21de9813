"""The case that `vegard new` writes: short, commented, ready to run."""

from __future__ import annotations

from pathlib import Path

from solver.errors import OutputError

STARTER = """\
# A charge of one polycrystalline cathode particle.
#
#   vegard check {file}     is everything right, and what will it cost?
#   vegard mesh {file}      only make the mesh
#   vegard run {file}       solve; results go to results/{stem}
#
# Lengths, times, stresses, … are text with a unit: 5 um, 10 min, 150 GPa.
# Keys that are left out have defaults; docs/cases.md lists them all.
# For completion in an editor: `vegard schema > case.schema.json`, then as the first line of this file
#   yaml-language-server: $schema=case.schema.json   (behind a #)

name: NMC811, 1C charge

particle:
  radius: 3 um
  grains:
    count: 40               # or mean_diameter: 1.2 um
    spread: 30 %            # of the grain diameters
    seed: 1                 # another number gives another particle of the same kind
    orientation: random     # or radial, or {{axis: [0, 0, 1]}}, or {{file: axes.txt}}
  # mesh:
  #   size: 0.4 um          # edge length of the tetrahedra; chosen from the grains when left out

material: NMC811            # "vegard materials" lists the library
# material: {{base: NMC811, diffusivity_ratio: 1.0}}    # the same with numbers replaced

electrochemistry:
  initial_stoichiometry: 0.95     # lithium per formula unit x; SoC = 1 - x
  temperature: 25 degC
  protocol:
    - Charge at 1C until 75 % SoC
  #  - Rest for 30 min
  #  - Discharge at C/2 until 10 % SoC

mechanics:
  coupling: one-way         # lithium strains the grains; "none" leaves stress out

output:
  fields: 12                # states written for ParaView
  pictures: true
"""


def starter_text(path: Path) -> str:
    """The starter case with the name of its file in the comments."""
    return STARTER.format(file=path.name, stem=path.stem)


def write_starter(path: Path, force: bool) -> None:
    """Write the starter case.

    Args:
        path: File to write; its folder must exist.
        force: Replace a file that is there.

    Raises:
        OutputError: When the file exists and `force` is not given, or cannot be written.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path}: is a folder; write the name of a file, such as {path / 'my-case.yaml'}")
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter_text(path))
    except FileExistsError as error:
        raise OutputError(f"{path}: is there already; choose another name, or add --force to replace it") from error
    except FileNotFoundError as error:
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}); choose another name") from error
