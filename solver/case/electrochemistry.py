"""The section `electrochemistry` of a case: how lithium moves in the grains, and how it leaves and enters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from meshes.description import Description
from meshes.quantities import (
    AREA_RESISTANCE,
    CURRENT_DENSITY,
    FRACTION,
    SPECIFIC_CAPACITY,
    TEMPERATURE,
    quantity,
)
from solver.case.current_table import chosen_tables
from solver.case.protocol import ProtocolStep, TableChoice
from solver.case.protocol_text import parse_entry, parse_protocol

Stoichiometry = quantity(FRACTION, "0.1 %", "100 %")
Temperature = quantity(TEMPERATURE, "-40 degC", "100 degC")
Capacity = quantity(SPECIFIC_CAPACITY, "1 mAh/g", "1000 mAh/g")


def _one_step_is_a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _valid_step(text: str) -> str:
    parse_entry(text)
    return " ".join(text.split()).rstrip(".;")


Step = Annotated[str, BeforeValidator(lambda value: _valid_step(value) if isinstance(value, str) else value)]


class Reaction(Description):
    """The Butler-Volmer reaction at the surface; what is left out comes from the material."""

    exchange_current_density: quantity(CURRENT_DENSITY, "1e-6 A/m^2", "1e6 A/m^2") | None = Field(  # type: ignore[valid-type]
        default=None, description="i_ref of i0 = i_ref 2 √(x (1 − x)), at 1 mol/L of electrolyte"
    )
    transfer_coefficient: Annotated[float, Field(ge=0.1, le=0.9)] | None = Field(
        default=None, description="share α of the overpotential that helps lithium out"
    )
    film_resistance: quantity(AREA_RESISTANCE, "0 ohm*m^2", "10 ohm*m^2") = Field(  # type: ignore[valid-type]
        default="0 ohm*m^2", description="ohmic resistance of a film on the whole surface"
    )


class StrainedDiffusion(Description):
    """Diffusivity that grows where the crystal is stretched: D = D0 exp(Λ_c ε_cc + Λ_ab (ε_aa + ε_bb)), limited."""

    per_percent_c: Annotated[float, Field(ge=-20, le=20)] = Field(
        default=2.3, description="Λ_c: logarithm of the growth per 1 % of elastic strain along c"
    )
    per_percent_ab: Annotated[float, Field(ge=-20, le=20)] = Field(
        default=0.69, description="Λ_ab: the same per 1 % of elastic strain along a direction in the layers"
    )
    largest_factor: Annotated[float, Field(ge=1, le=1e4)] = Field(
        default=10.0, description="the diffusivity grows and shrinks by at most this factor"
    )


class Electrochemistry(Description):
    """How lithium leaves and enters the particle."""

    protocol: Annotated[list[Step], BeforeValidator(_one_step_is_a_list)] = Field(
        min_length=1,
        max_length=1000,
        description="steps in order: `Charge|Discharge at <C-rate> until <number> % SoC`, `… until <voltage>`, `… for "
        "<time>`, `Hold at <voltage> until <C-rate>`, `… for <time>`, `Rest for <time>`, `Follow <file>` for a "
        "table of currents; several ends are joined with `or`; `Repeat <n> times: <step>; <step>` repeats; "
        "SoC = 1 − mean stoichiometry",
        examples=[["Charge at 1C until 4.3 V", "Hold at 4.3 V until C/20 or for 1 h", "Rest for 10 min"]],
    )
    cycles: int = Field(default=1, ge=1, le=10000, description="how often the whole protocol is gone through")
    initial_stoichiometry: Stoichiometry = Field(  # type: ignore[valid-type]
        default=0.95, examples=[0.95], description="lithium per formula unit at the start, uniform; 1 is full"
    )
    kinetics: Literal["fast", "butler-volmer", "uniform-flux"] = Field(
        default="fast",
        description="`fast`: the surface reaction is quick, so the whole surface shares one stoichiometry and the "
        "current finds its own way; `butler-volmer`: a reaction with an exchange current, one potential for the whole "
        "particle; `uniform-flux`: every piece of surface carries the same flux (closed forms; it empties grains whose "
        "layers lie along the surface, and has no voltage)",
    )
    reaction: Reaction = Field(default=Reaction(), description="the surface reaction of `butler-volmer`")
    mobility: Literal["open-circuit", "lattice-gas", "dilute"] = Field(
        default="open-circuit",
        description="with `mechanics.coupling: two-way`: how strongly stress drives lithium, against diffusion at the "
        "same D. `open-circuit`: by the slope of the voltage curve; `lattice-gas`: by x (1 − x); `dilute`: by x",
    )
    strained_diffusion: StrainedDiffusion | None = Field(
        default=None, description="diffusivity that depends on elastic strain; by default it does not"
    )
    temperature: Temperature = Field(default="25 degC", description="temperature of the particle, constant")  # type: ignore[valid-type]
    one_c_capacity: Capacity | None = Field(  # type: ignore[valid-type]
        default=None,
        description="charge per gram that 1C moves in one hour; by default the theoretical capacity, so that 1C "
        "takes x from 1 to 0 in one hour",
    )

    @property
    def steps(self) -> tuple[ProtocolStep, ...]:
        """The protocol as data."""
        return parse_protocol(self.protocol) * self.cycles

    @property
    def tables(self) -> list[TableChoice]:
        """Current tables that the protocol follows, each once."""
        return chosen_tables(parse_protocol(self.protocol))
