"""What a case says about its material: a name of the library, and what it wants to be different."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from meshes.description import Description
from meshes.quantities import (
    CONCENTRATION,
    DIFFUSIVITY,
    EXPANSION,
    MOLAR_ENERGY,
    MOLAR_VOLUME,
    SPECIFIC_CAPACITY,
    STRESS,
    TEMPERATURE,
    quantity,
)
from solver.materials import library
from solver.materials.curves import table_problems
from solver.materials.stiffness import TransverseStiffness


def _known_name(name: str) -> str:
    if name not in library.material_names():
        raise ValueError(library.no_such("material", name, library.material_names()))
    return name


MaterialName = Annotated[str, AfterValidator(_known_name), Field(description="name in the material library")]

_Stiffness = quantity(STRESS, "-2000 GPa", "5000 GPa")
_Modulus = quantity(STRESS, "1 kPa", "5000 GPa")
_Diffusivity = quantity(DIFFUSIVITY, "1e-30 m^2/s", "1e-6 m^2/s")
_Stoichiometry = Annotated[float, Field(ge=0, le=1)]
_Strain = Annotated[float, Field(gt=-0.5, lt=0.5)]


class LatticeTable(Description):
    """Lattice strains of one's own, relative to the crystal at the highest x; constant outside the table."""

    x: Annotated[list[_Stoichiometry], Field(min_length=2, max_length=500, description="stoichiometry, rising")]
    strain_a: Annotated[list[_Strain], Field(description="strain in the basal plane [-]")]
    strain_c: Annotated[list[_Strain], Field(description="strain along c [-]")]

    @model_validator(mode="after")
    def _usable(self) -> LatticeTable:
        if problems := table_problems(self.x, strain_a=self.strain_a, strain_c=self.strain_c):
            raise ValueError("; ".join(problems))
        return self


class DiffusivityTable(Description):
    """A diffusivity in the basal plane that depends on lithium content; its logarithm is a monotone cubic."""

    x: Annotated[list[_Stoichiometry], Field(min_length=2, max_length=500, description="stoichiometry, rising")]
    diffusivity: Annotated[list[_Diffusivity], Field(description="in the basal plane, at the reference temperature")]  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _usable(self) -> DiffusivityTable:
        if problems := table_problems(self.x, diffusivity=self.diffusivity):
            raise ValueError("; ".join(problems))
        return self


class MaterialChoice(Description):
    """A material of the library with some of its numbers replaced; only numbers that a result depends on are here."""

    base: MaterialName
    strain_table: str | None = Field(
        default=None, examples=["from_pristine"], description="name of another strain table of this material"
    )
    diffusivity: str | None = Field(
        default=None, examples=["single_crystal"], description="name of another diffusivity of this material"
    )
    lattice: LatticeTable | None = Field(default=None, description="lattice strains of your own")
    partial_molar_volume: quantity(MOLAR_VOLUME, "-1e-4 m^3/mol", "1e-4 m^3/mol") | None = Field(  # type: ignore[valid-type]
        default=None, description="isotropic linear strain Ω c_max (x - 1)/3 instead of a table"
    )
    youngs_modulus: _Modulus | None = Field(default=None, description="isotropic grains, with poisson_ratio")  # type: ignore[valid-type]
    poisson_ratio: Annotated[float, Field(gt=-1, lt=0.5)] | None = Field(
        default=None, description="isotropic grains, with youngs_modulus"
    )
    C11: _Stiffness | None = Field(default=None, description="stiffness in the basal plane")  # type: ignore[valid-type]
    C12: _Stiffness | None = Field(default=None, description="coupling within the basal plane")  # type: ignore[valid-type]
    C13: _Stiffness | None = Field(default=None, description="coupling of plane and c axis")  # type: ignore[valid-type]
    C33: _Stiffness | None = Field(default=None, description="stiffness along c")  # type: ignore[valid-type]
    C44: _Stiffness | None = Field(default=None, description="shear between the layers")  # type: ignore[valid-type]
    softening: Annotated[float, Field(ge=0, le=0.95)] | None = Field(
        default=None, description="k_E: how much of the stiffness goes with all lithium, for `mechanics.softening`"
    )
    diffusivity_ab: _Diffusivity | None = Field(default=None, description="in the basal plane")  # type: ignore[valid-type]
    diffusivity_table: DiffusivityTable | None = Field(
        default=None,
        examples=[{"x": [0.2, 0.5, 1.0], "diffusivity": ["2e-15 m^2/s", "8e-15 m^2/s", "1e-15 m^2/s"]}],
        description="diffusivity of your own that depends on lithium content; constant outside the table",
    )
    diffusivity_c: _Diffusivity | None = Field(default=None, description="along c")  # type: ignore[valid-type]
    diffusivity_ratio: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None, description="D_c / D_ab; 1 is isotropic"
    )
    diffusion_activation_energy: quantity(MOLAR_ENERGY, "0 J/mol", "300 kJ/mol") | None = Field(  # type: ignore[valid-type]
        default=None, description="of the Arrhenius law of both diffusivities"
    )
    reference_temperature: quantity(TEMPERATURE, "100 K", "1000 K") | None = Field(  # type: ignore[valid-type]
        default=None, description="temperature the diffusivities are given at"
    )
    thermal_expansion: quantity(EXPANSION, "-1e-3 1/K", "1e-3 1/K") | None = Field(  # type: ignore[valid-type]
        default=None, description="linear expansion per kelvin α, mean of the three directions"
    )
    thermal_anisotropy: quantity(EXPANSION, "-1e-3 1/K", "1e-3 1/K") | None = Field(  # type: ignore[valid-type]
        default=None, description="α_c − α_a: expansion across the layers less that within them"
    )
    maximum_concentration: quantity(CONCENTRATION, "1 mol/m^3", "1e6 mol/m^3") | None = Field(  # type: ignore[valid-type]
        default=None, description="c_max of `partial_molar_volume`: lithium sites per volume at x = 1"
    )
    theoretical_capacity: quantity(SPECIFIC_CAPACITY, "1 mAh/g", "5000 mAh/g") | None = Field(  # type: ignore[valid-type]
        default=None, description="charge per gram for x from 1 to 0"
    )

    @model_validator(mode="after")
    def _consistent(self) -> MaterialChoice:
        problems = [*self._name_problems(), *self._exclusive_problems(), *self._stiffness_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _name_problems(self) -> list[str]:
        """Names of strain tables and diffusivities that the base material does not have."""
        record = library.record(self.base)
        offered = {"strain_table": record.strain, "diffusivity": record.diffusivity}
        return [
            library.no_such(f"{key} of {self.base} called", name, choices.choices if choices else [])
            for key, choices in offered.items()
            if (name := getattr(self, key)) is not None and not (choices and name in choices.choices)
        ]

    def _exclusive_problems(self) -> list[str]:
        """Things said twice, or said by half."""
        stiffness = [f"C{name}" for name in ("11", "12", "13", "33", "44") if getattr(self, f"C{name}") is not None]
        strains = [key for key in ("strain_table", "lattice", "partial_molar_volume") if getattr(self, key) is not None]
        along_c = [key for key in ("diffusivity_c", "diffusivity_ratio") if getattr(self, key) is not None]
        ways = ("diffusivity", "diffusivity_ab", "diffusivity_table")
        in_plane = [key for key in ways if getattr(self, key) is not None]
        problems = [
            f"give one of {' and '.join(keys)}, not all" for keys in (strains, along_c, in_plane) if len(keys) > 1
        ]
        if (self.youngs_modulus is None) != (self.poisson_ratio is None):
            problems.append("youngs_modulus and poisson_ratio go together")
        if self.youngs_modulus is not None and stiffness:
            problems.append(f"give either youngs_modulus and poisson_ratio or {', '.join(stiffness)}, not both")
        return problems

    def _stiffness_problems(self) -> list[str]:
        """Constants that together with those of the base material describe no stable solid."""
        names = ("C11", "C12", "C13", "C33", "C44")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if not given:
            return []
        known = library.record(self.base).quantities["elasticity"]
        missing = [name for name in names if name not in given and name not in known]
        if missing:
            return [f"{self.base} has no single-crystal constants; give {', '.join(missing)} as well"]
        values = [given[name] if name in given else known[name].value * 1e3 for name in names]
        problem = TransverseStiffness.stability_problem(*values)
        return [problem] if problem else []
