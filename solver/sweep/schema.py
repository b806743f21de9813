"""What a sweep file may say; docs/sweep-keys.md and the JSON schema for editors are printed from the descriptions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from meshes.description import Description

MAXIMUM_RUNS = 100_000
MAXIMUM_AXES = 40

Endpoint = Annotated[str, Field(max_length=80)] | int | float
Values = Annotated[list[Any], Field(min_length=1, max_length=10_000)]
SectionsByName = Annotated[dict[str, dict[str, Any] | None], Field(min_length=1, max_length=1000)]
Kind = Literal["grid", "zip", "latin-hypercube", "sobol"]
SAMPLED: tuple[Kind, ...] = ("latin-hypercube", "sobol")

# "from" is a word of Python, so a class body cannot have it.
_FROM: Any = {"from": (Endpoint | None, Field(default=None, examples=["1 um"], description="first value of a range"))}
_WithFrom: Any = create_model("_WithFrom", __base__=Description, **_FROM)


class Axis(_WithFrom):  # type: ignore[misc]
    """One thing that is varied: values, a range, or sections by name. A plain list stands for `values`."""

    to: Endpoint | None = Field(default=None, examples=["5 um"], description="last value of a range")
    steps: Annotated[int, Field(ge=2, le=10_000)] | None = Field(
        default=None, examples=[5], description="how many values a range has; sampled designs need none"
    )
    scale: Literal["linear", "log"] = Field(default="linear", description="how the values of a range are spaced")
    values: Values | dict[str, Any] | None = Field(
        default=None, examples=[["3 um", "5 um"]], description="values, or a block of values by name"
    )
    key: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        examples=["electrochemistry.protocol"],
        description="key of the case that is set; by default the name of the axis is the key",
    )
    write: Any = Field(
        default=None,
        examples=[["Charge at {value}C until 70 % SoC"]],
        description="what is written, with `{value}` in place of the value; without `key` a block of the case",
    )
    sections: SectionsByName | None = Field(
        default=None,
        examples=[{"dense": {}}],
        description="sections by name, each merged into the case; a key without a value goes back to its default",
    )

    @property
    def first(self) -> Any:
        """The key `from`."""
        return getattr(self, "from")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Axis:
        is_range = self.first is not None or self.to is not None
        ways = [
            name
            for name, given in (
                ("values", self.values is not None),
                ("from … to", is_range),
                ("sections", self.sections is not None),
            )
            if given
        ]
        if not ways:
            raise ValueError('says no values; write a list, "from" and "to", or "sections"')
        if len(ways) > 1:
            raise ValueError(f"says its values twice, by {' and by '.join(ways)}; keep one")
        if is_range and (self.first is None or self.to is None):
            raise ValueError('a range needs both ends; write "from" and "to"')
        if not is_range and (self.steps is not None or self.scale != "linear"):
            raise ValueError('"steps" and "scale" belong to a range; write "from" and "to", or leave them out')
        if self.sections is not None and (self.key is not None or self.write is not None):
            raise ValueError('sections say where they belong; leave "key" and "write" out')
        return self


class Sweep(Description):
    """Many cases from one: what varies, and how the values are combined."""

    base: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="case file that every run starts from, relative to the sweep file", examples=["../quickstart.yaml"]
    )
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="title; by default the name of the file"
    )
    axes: Annotated[dict[str, Values | Axis], Field(max_length=MAXIMUM_AXES)] = Field(
        default={},
        examples=[{"particle.radius": ["3 um", "5 um"]}],
        description="what varies: a key of the case, dotted, with its values; or a name of your own with `key` inside",
    )
    groups: Annotated[dict[str, list[str]], Field(max_length=MAXIMUM_AXES)] = Field(
        default={},
        examples=[{"size": ["particle.radius", "particle.mesh.size"]}],
        description="names of axes that move together, first with first, second with second",
    )
    seeds: Annotated[int, Field(ge=1, le=10_000)] | Annotated[list[int], Field(min_length=1, max_length=10_000)] = (
        Field(
            default=1,
            description="particles per point: how many seeds, from that of the base case on, or which seeds",
        )
    )
    design: Kind = Field(
        default="grid",
        description="`grid`: every combination; `zip`: first with first, second with second; "
        "`latin-hypercube`, `sobol`: samples that fill the space",
    )
    samples: Annotated[int, Field(ge=1, le=MAXIMUM_RUNS)] | None = Field(
        default=None, examples=[32], description="points of a sampled design; a power of two for `sobol`"
    )
    sampling_seed: int = Field(default=1, ge=0, le=2**31, description="another number gives other samples")
    where: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=100)] = Field(
        default=[],
        examples=[["particle.grains.mean_diameter < particle.radius / 3"]],
        description="comparisons that a point must fulfil, others are left out",
    )
    ranks: int = Field(default=1, ge=1, le=100_000, description="processes of each run")

    @model_validator(mode="after")
    def _samples_fit(self) -> Sweep:
        problem = samples_problem(self.design, self.samples)
        if problem is not None:
            raise ValueError(problem)
        return self


def samples_problem(design: Kind, samples: int | None) -> str | None:
    """Why a number of samples does not go with a design, or None."""
    if design in SAMPLED and samples is None:
        return f'"{design}" needs samples; write for example "samples: 32"'
    if design not in SAMPLED and samples is not None:
        return f'a {design} has no samples; leave "samples" out, or write "design: latin-hypercube"'
    if design == "sobol" and samples is not None and samples & (samples - 1):
        below = 2 ** (samples.bit_length() - 1)
        return f"{samples} is no power of two, which Sobol's sequence needs; write {below} or {2 * below}"
    return None
