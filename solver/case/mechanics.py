"""The sections `mechanics` and `grain_boundaries` of a case: strain and stress, and what grain boundaries do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from meshes.description import Description
from meshes.quantities import ANGLE, DIFFUSIVITY, LENGTH, STRESS, TEMPERATURE, VELOCITY, quantity
from solver.case.electrochemistry import Stoichiometry

Pressure = quantity(STRESS, "0 MPa", "10 GPa")
SynthesisTemperature = quantity(TEMPERATURE, "-40 degC", "1200 degC")


def _plain_coupling(value: object) -> object:
    return "-".join(value.lower().split()) if isinstance(value, str) else value


class Mechanics(Description):
    """How the lattice strain of the grains becomes stress."""

    coupling: Annotated[Literal["none", "one-way", "two-way"], BeforeValidator(_plain_coupling)] = Field(
        default="one-way",
        description="`one-way`: lithium strains the grains, stress does not act back; `two-way`: stress also drives "
        "lithium, through its chemical potential; `none`: lithium transport only",
    )
    strain: Literal["small", "finite"] = Field(
        default="small",
        description="`finite`: large strains and rotations, with the deformation split into an elastic and a lattice "
        "part; for particles without coatings and surroundings",
    )
    softening: bool = Field(
        default=False, description="whether the stiffness falls as lithium leaves, by the number of the material"
    )
    stress_free_stoichiometry: Stoichiometry = Field(  # type: ignore[valid-type]
        default=1.0, examples=[1.0], description="lithium content at which the polycrystal is free of stress"
    )
    stress_free_temperature: SynthesisTemperature | None = Field(  # type: ignore[valid-type]
        default=None,
        examples=["750 degC"],
        description="temperature at which the polycrystal is free of stress, for residual stress from cooling after "
        "synthesis; by default the temperature of the experiment",
    )
    stack_pressure: Pressure = Field(  # type: ignore[valid-type]
        default="0 MPa", description="pressure on the outside of the particle, or of the matrix around it"
    )
    out_of_plane: Literal["generalised", "plane-strain"] = Field(
        default="generalised",
        description="with `particle.dimension: 2`: the cross-section may stretch evenly across its plane until it "
        "carries no axial force (`generalised`), or not at all (`plane-strain`)",
    )


class BoundaryTransport(Description):
    """Lithium at one kind of grain boundary."""

    transfer: quantity(VELOCITY, "1e-16 m/s", "1 m/s") | None = Field(  # type: ignore[valid-type]
        default=None,
        examples=["1e-9 m/s"],
        description="lithium that crosses, j = k (c⁻ − c⁺); by default the boundary is no obstacle",
    )
    diffusivity: quantity(DIFFUSIVITY, "1e-30 m^2/s", "1e-6 m^2/s") | None = Field(  # type: ignore[valid-type]
        default=None,
        examples=["1e-12 m^2/s"],
        description="diffusivity along the boundary; by default it is no path of its own",
    )
    width: quantity(LENGTH, "0.1 nm", "100 nm") = Field(  # type: ignore[valid-type]
        default="1 nm", description="width of the path along the boundary"
    )


class GrainBoundaries(Description):
    """What grain boundaries do besides joining grains."""

    high_angle: BoundaryTransport = Field(
        default=BoundaryTransport(), description="boundaries whose c axes differ by more than `low_angle_below`"
    )
    low_angle: BoundaryTransport = Field(default=BoundaryTransport(), description="all other boundaries")
    low_angle_below: quantity(ANGLE, "0 deg", "90 deg") = Field(  # type: ignore[valid-type]
        default="15 deg", description="angle between the c axes of two grains up to which a boundary is a low-angle one"
    )
