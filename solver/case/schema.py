"""What a case file may say: frozen sections with defaults, limits and descriptions, in the micro system once read.

The descriptions below are the reference: docs/cases.md and the JSON schema for editors are printed from them. Reading
a file, and checks that need more than one section, live in `solver.case.load` and `solver.case.checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from meshes.description import Description
from meshes.particle import Particle
from meshes.quantities import (
    LENGTH,
    STRESS,
    TIME,
    VOLUME,
    quantity,
)
from solver.case.composition import Composition
from solver.case.electrochemistry import Electrochemistry
from solver.case.mechanics import GrainBoundaries, Mechanics
from solver.materials import MaterialChoice

IndicatorLength = quantity(LENGTH, "0.001 um", "10 um")
Strength = quantity(STRESS, "0.1 MPa", "100 GPa")
ReferenceVolume = quantity(VOLUME, "1e-6 um^3", "1e6 um^3")
StepTime = quantity(TIME, "1e-6 s", "24 h")
CheckpointTime = quantity(TIME, "0 s", "1000 h")


class Indicators(Description):
    """Lengths, thresholds and strengths of the crack-risk numbers; see docs/indicators.md."""

    length: IndicatorLength = Field(  # type: ignore[valid-type]
        default="0.15 um",
        description="length over which peak stress is averaged, and distance that counts as near a boundary",
    )
    boundary_thresholds: Annotated[list[Strength], Field(min_length=1, max_length=20)] = Field(  # type: ignore[valid-type]
        default=["100 MPa", "210 MPa", "425 MPa", "745 MPa"],
        examples=[["100 MPa", "425 MPa"]],
        description="normal tractions above which the share of grain-boundary area is reported",
    )
    normal_strength: Strength = Field(  # type: ignore[valid-type]
        default="300 MPa", description="strength σ_n of a grain boundary under tension, for the boundary risk"
    )
    shear_strength: Strength = Field(  # type: ignore[valid-type]
        default="300 MPa", description="strength τ_n of a grain boundary under shear, for the boundary risk"
    )
    weibull_modulus: float = Field(default=6.91, ge=0.5, le=100.0, description="Weibull modulus m")
    weibull_stress: Strength = Field(default="745 MPa", description="Weibull scale stress of the reference volume")  # type: ignore[valid-type]
    weibull_volume: ReferenceVolume = Field(  # type: ignore[valid-type]
        default="1 um^3", description="volume to which `weibull_stress` belongs"
    )


class Numerics(Description):
    """Tolerances and step sizes; the defaults suit every shipped case."""

    time_tolerance: float = Field(
        default=1e-3, ge=1e-6, le=0.1, description="error of the stoichiometry allowed at any time"
    )
    maximum_stoichiometry_step: float = Field(
        default=0.05, ge=1e-4, le=1.0, description="largest change of the stoichiometry anywhere in one time step"
    )
    initial_step: StepTime = Field(default="1 s", description="first time step of every protocol step")  # type: ignore[valid-type]
    # A jump of the voltage passes through the surface in some 1e-5 s.
    minimum_step: StepTime = Field(default="1e-6 s", description="time step below which the run gives up")  # type: ignore[valid-type]
    maximum_step: StepTime = Field(default="10 min", description="largest time step")  # type: ignore[valid-type]
    displacement_tolerance: float = Field(
        default=1e-6, ge=1e-14, le=1e-2, description="relative residual at which the elastic solve stops"
    )

    @model_validator(mode="after")
    def _steps_in_order(self) -> Numerics:
        steps: list[float] = [self.minimum_step, self.initial_step, self.maximum_step]  # type: ignore[list-item]
        if steps != sorted(steps):
            raise ValueError(
                "minimum_step {:g} s, initial_step {:g} s and maximum_step {:g} s are not in this order; "
                "write minimum_step ≤ initial_step ≤ maximum_step".format(*steps)
            )
        return self


class Output(Description):
    """What the run folder will hold."""

    fields: int = Field(
        default=12,
        ge=0,
        le=10000,
        description="states written as fields, evenly spaced in time, besides the start and the end of each step",
    )
    format: Literal["vtkhdf", "vtu"] = Field(
        default="vtkhdf", description="`vtkhdf` (ParaView 5.12 or newer, one file) or `vtu` (any ParaView, many files)"
    )
    pictures: bool = Field(default=True, description="draw figures at the end of the run")
    checkpoint: CheckpointTime = Field(  # type: ignore[valid-type]
        default="10 min",
        description="wall time between checkpoints, from which `vegard resume` goes on; `0 s` keeps every step",
    )


class Case(Description):
    """One simulation: a particle, its material, what is done to it, and what is wanted."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="", description="title for logs and figures; by default the name of the file", validate_default=False
    )
    particle: Particle = Field(default=Particle(), description="outer shape, grains and mesh")
    material: Annotated[str, Field(min_length=1, max_length=200)] | MaterialChoice = Field(
        description="name from `vegard materials`, or `{base: name, …}` with values to replace", examples=["NMC811"]
    )
    composition: Composition | None = Field(
        default=None, description="other materials towards the surface; `material` is then that of the centre"
    )
    grain_boundaries: GrainBoundaries = Field(default=GrainBoundaries(), description="what grain boundaries do")
    electrochemistry: Electrochemistry = Field(description="lithium transport and the charging protocol")
    mechanics: Mechanics = Field(default=Mechanics(), description="strain and stress")
    indicators: Indicators = Field(default=Indicators(), description="crack-risk numbers")
    numerics: Numerics = Field(default=Numerics(), description="tolerances and step sizes")
    output: Output = Field(default=Output(), description="files to write")

    def influences(self) -> dict[str, Any]:
        """Everything that changes a result, as plain data: all but the title, file formats, pictures and patience."""
        data = self.model_dump(mode="json", exclude={"name": True, "output": {"format", "pictures", "checkpoint"}})
        data["particle"]["mesh"].pop("time_limit", None)
        # "80 %" and "0.8 SoC" are the same protocol.
        data["electrochemistry"]["protocol"] = [
            [step.kind, step.c_rate, step.duration, step.voltage, [[end.kind, end.value] for end in step.ends]]
            for step in self.electrochemistry.steps
        ]
        return data
