"""What may be added to a particle of grains: pores, a void, coatings, a rough surface, a surrounding matrix.

Data only, each a section of `particle` in a case. Materials are named here but known only to the solver: they never
influence a mesh.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from meshes.description import Description
from meshes.pore_law import Basis, law_of
from meshes.quantities import (
    DIFFUSIVITY,
    EXPANSION,
    FRACTION,
    FRACTURE_ENERGY,
    LENGTH,
    STRESS,
    TEMPERATURE,
    VOLUME,
    quantity,
)

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Modulus = quantity(STRESS, "1 kPa", "5000 GPa")
_Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
_Strength = quantity(STRESS, "1 kPa", "100 GPa")

# Presets of the porosity law: the profile and the sizes are in `meshes.pore_law`.
PoreLaw = Literal["gp-ncm", "p-ncm", "gp-ni96", "p-ni96"]


class LayerMaterial(Description):
    """A coating or a surrounding: a material of the library with some of its numbers replaced."""

    base: Annotated[str, Field(min_length=1, max_length=200, description="name from `vegard materials`")]
    youngs_modulus: _Modulus | None = Field(default=None, description="stiffness")  # type: ignore[valid-type]
    poisson_ratio: Annotated[float, Field(gt=-1, lt=0.5)] | None = Field(default=None, description="Poisson's ratio")
    diffusivity: quantity(DIFFUSIVITY, "1e-30 m^2/s", "1e-6 m^2/s") | None = Field(  # type: ignore[valid-type]
        default=None, description="of lithium through the layer; the layer's resistance is thickness / diffusivity"
    )
    host_strain_share: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="share of the strain of the grains below that the layer takes by itself; 0 is inert"
    )
    misfit: Annotated[float, Field(gt=-0.2, lt=0.2)] | None = Field(
        default=None, description="further strain the layer would take when free, equal in all directions"
    )
    thermal_expansion: quantity(EXPANSION, "-1e-3 1/K", "1e-3 1/K") | None = Field(  # type: ignore[valid-type]
        default=None, description="linear expansion per kelvin, equal in all directions"
    )
    stress_free_temperature: quantity(TEMPERATURE, "-40 degC", "1200 degC") | None = Field(  # type: ignore[valid-type]
        default=None,
        description="temperature at which the layer was put on without stress; by default that of the polycrystal "
        "(`mechanics.stress_free_temperature`) for a coating, that of the experiment for a matrix",
    )
    yield_strength: _Strength | None = Field(default=None, description="start of plastic flow")  # type: ignore[valid-type]
    hardening_modulus: quantity(STRESS, "0 MPa", "1000 GPa") | None = Field(  # type: ignore[valid-type]
        default=None, description="isotropic hardening: rise of the yield strength per plastic strain"
    )
    adhesion: _Strength | None = Field(default=None, description="strength of its bond to the particle")  # type: ignore[valid-type]
    toughness: quantity(FRACTURE_ENERGY, "1e-4 J/m^2", "1e4 J/m^2") | None = Field(  # type: ignore[valid-type]
        default=None, description="energy that separates it from the particle"
    )


class Roughness(Description):
    """A surface that is not smooth: seeded bumps of a given height and width."""

    amplitude: quantity(FRACTION, "0.1 %", "20 %") = Field(  # type: ignore[valid-type]
        description="standard deviation of the height over the radius"
    )
    wavelength: quantity(FRACTION, "10 %", "200 %") = Field(  # type: ignore[valid-type]
        default="60 %", description="typical distance between bumps over the radius"
    )
    seed: Seed = Field(default=1, description="another number gives other bumps of the same kind")


class Pores(Description):
    """Pores between the grains: how much of the volume at which radius, in which sizes, and how many are wet."""

    law: PoreLaw | None = Field(
        default=None, description="measured porosity and sizes: gradient (gp) or pristine (p) NCM83 or Ni96 particles"
    )
    profile: Annotated[list[_Pair], Field(min_length=1, max_length=50)] | None = Field(
        default=None,
        examples=[[[0.5, 0.1311], [1.0, 0.0811]]],
        description="instead of `law`: pairs of r/R, rising to 1, and porosity",
    )
    basis: Basis = Field(
        default="cumulative",
        description="porosity of the disc within r/R on a section through the centre (`cumulative`), of the ball "
        "within r/R (`cumulative-volume`), or between this r/R and the one before (`local`)",
    )
    giant: bool | None = Field(
        default=None,
        description="the two giant pores of the centre (3.779 and 1.123 um^3, smaller in small particles); by default "
        "as in `law`, not beside a void",
    )
    detail: quantity(FRACTION, "0.5 %", "100 %") = Field(  # type: ignore[valid-type]
        default="15 %",
        description="number of pores made over the real number: fewer are larger, at the same porosity "
        "(a cross-section has all of them)",
    )
    smallest: quantity(VOLUME, "1e-6 um^3", "10 um^3") = Field(  # type: ignore[valid-type]
        default="0.002 um^3", description="smallest pore of the size law, before `detail` enlarges it"
    )
    wetted: Literal["none", "connected", "all"] | quantity(FRACTION, "0 %", "100 %") = Field(  # type: ignore[valid-type]
        default="connected",
        description="pore walls that lithium passes: of no pore, of those open to the surface, of all, or of a share",
    )
    seed: Seed | None = Field(default=None, description="other pores between the same grains; by default the grains'")

    @model_validator(mode="after")
    def _law_or_profile(self) -> Pores:
        if (self.law is None) == (self.profile is None):
            raise ValueError('write either "law: gp-ncm" or a "profile", not both and not neither')
        if self.profile is None:
            return self
        for (inner, _), (outer, _) in zip([(0.0, 0.0), *self.profile], self.profile):
            if not inner < outer:
                raise ValueError("the radii of the profile must rise, starting above 0")
        if abs(self.profile[-1][0] - 1.0) > 1e-9:
            raise ValueError("the last radius of the profile must be 1, the surface")
        law_of(self.profile, self.basis, giants=False)
        return self


class Void(Description):
    """A hollow at the centre, as a Kirkendall void is; open ones have a channel to the surface."""

    radius: quantity(LENGTH, "0.02 um", "40 um") = Field(description="radius of the void")  # type: ignore[valid-type]
    open: bool = Field(default=False, description="whether a channel along z connects it with the surface")
    channel_radius: quantity(LENGTH, "0.01 um", "10 um") | None = Field(  # type: ignore[valid-type]
        default=None, description="radius of the channel; by default a quarter of the void's"
    )
    wetted: bool | None = Field(default=None, description="whether lithium passes its wall; by default when it is open")


class Coating(Description):
    """One layer on the outer surface."""

    material: str | LayerMaterial = Field(description="name of a coating in the library, or `{base: name, …}`")
    thickness: quantity(LENGTH, "0.0005 um", "5 um") = Field(description="thickness")  # type: ignore[valid-type]
    model: Literal["auto", "membrane", "shell"] = Field(
        default="auto",
        description="`shell`: tetrahedra of its own; `membrane`: elasticity of the surface, no thickness; `auto` is a "
        "membrane below 2 % of the radius. All layers of a list are of one model",
    )
    elements: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2, description="layers of tetrahedra through the thickness of a shell"
    )
    coverage: quantity(FRACTION, "1 %", "100 %") = Field(  # type: ignore[valid-type]
        default="100 %", description="share of the surface that is covered, in islands (membranes only)"
    )
    island_size: quantity(FRACTION, "5 %", "100 %") = Field(  # type: ignore[valid-type]
        default="30 %", description="typical size of islands over the radius"
    )
    seed: Seed = Field(default=1, description="another number gives other islands")


class Matrix(Description):
    """What the particle is embedded in: a solid electrolyte."""

    material: str | LayerMaterial = Field(description="name of a solid electrolyte in the library, or `{base: …}`")
    shape: Literal["sphere", "box"] = Field(default="sphere", description="outer shape of the matrix")
    volume_fraction: quantity(FRACTION, "5 %", "90 %") = Field(  # type: ignore[valid-type]
        default="50 %",
        description="particle (coatings and pores included) over particle and matrix, by volume; by area when "
        "`dimension` is 2. At most 45 % in a box (65 % in two dimensions), less if the particle is not a ball",
    )
    interface: Literal["bonded", "limited"] = Field(
        default="bonded",
        description="`limited`: the bond opens where its traction exceeds the adhesion, and closes under pressure",
    )
    plastic: bool = Field(default=False, description="plastic flow above the yield strength of the material")
    coverage: quantity(FRACTION, "5 %", "100 %") = Field(  # type: ignore[valid-type]
        default="100 %",
        description="share of the surface in contact, in seeded patches; the whole current passes there",
    )
    island_size: quantity(FRACTION, "5 %", "100 %") = Field(  # type: ignore[valid-type]
        default="30 %", description="typical size of the contacts over the radius"
    )
    seed: Seed = Field(default=1, description="another number gives other contacts")
