"""Material that changes from the centre outwards: what a case may say, and the material it stands for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from meshes.description import Description
from meshes.quantities import FRACTION, quantity
from solver.materials import MaterialChoice, load_material
from solver.materials.radial import RadialMaterial

if TYPE_CHECKING:
    from solver.case.schema import Case


class Shell(Description):
    """A material from a radius outwards."""

    from_radius: Annotated[float, Field(gt=0, lt=1, description="r/R at which it begins", examples=[0.7])]
    material: Annotated[str, Field(min_length=1, max_length=200)] | MaterialChoice = Field(
        description="name from `vegard materials`, or `{base: name, …}`", examples=["NMC111"]
    )


class Composition(Description):
    """Core-shell particles and concentration gradients: other materials towards the surface."""

    shells: Annotated[list[Shell], Field(min_length=1, max_length=20)] = Field(
        description="materials outside that of the case, from the inside outwards"
    )
    transition: Literal["sharp", "smooth"] = Field(
        default="sharp",
        description="`smooth`: one material changes into the next over `width`, in linear proportion",
    )
    width: quantity(FRACTION, "1 %", "100 %") = Field(  # type: ignore[valid-type]
        default="10 %", description="with `transition: smooth`: distance over the particle's radius"
    )

    @model_validator(mode="after")
    def _rising(self) -> Composition:
        radii = [shell.from_radius for shell in self.shells]
        if any(outer <= inner for inner, outer in pairwise(radii)):
            raise ValueError("from_radius must rise from shell to shell")
        if self.transition == "smooth":
            narrow = min((outer - inner for inner, outer in pairwise(radii)), default=1.0)
            if narrow < float(self.width):
                raise ValueError(f"transitions of {self.width:g} R overlap; write a width of at most {narrow:.3g}")
        return self


def radial_material(case: Case) -> RadialMaterial:
    """The active material of a case.

    Raises:
        MaterialError: When one of its materials cannot be used.
    """
    composition = case.composition
    core = load_material(case.material)
    if composition is None:
        return RadialMaterial((core,))
    return RadialMaterial(
        materials=(core, *(load_material(shell.material) for shell in composition.shells)),
        radii=tuple(shell.from_radius for shell in composition.shells),
        width=float(composition.width) if composition.transition == "smooth" else 0.0,
        dimension=case.particle.dimension,
    )
