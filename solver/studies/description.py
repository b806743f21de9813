"""What a study is: designs (cases with changes), claims about their order, figures; read from `study.yaml`.

A claim is an order of designs, least risk first. It says nothing about its outcome: the verdict is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from meshes.description import Description
from solver.case.document import UnreadableError, read_document
from solver.errors import CaseError

FILE_NAME = "study.yaml"
WORST, MEAN, END, LAST = "worst", "mean", "end", "last"
_PLACE = "{place}"


def _moment(text: str) -> str:
    """A moment to read an indicator at: a state of charge, or a word."""
    if text not in (WORST, MEAN, END, LAST):
        state_of_charge(text)
    return text


def state_of_charge(text: str) -> float:
    """The number in "50 % SoC" as a fraction.

    Raises:
        ValueError: When the text is no state of charge.
    """
    number, unit, word = (*text.split(), "", "", "")[:3]
    if (unit, word) != ("%", "SoC"):
        raise ValueError(f'"{text}" is no moment; write "50 % SoC", {END}, {LAST}, {WORST} or {MEAN}')
    return float(number) / 100.0


Moment = Annotated[str, AfterValidator(_moment)]


class Design(Description):
    """A case of the study's folder with changes; `each` makes one design per value, written {each} in the changes."""

    case: str = Field(description="case file in the folder of the study")
    each: list[float | int | str] = Field(default_factory=list, description="values of a series of designs")
    seeds: int | None = Field(default=None, ge=1, description="fewer seeds than those of the study")
    change: dict[str, Any] = Field(default_factory=dict, description="dotted key of the case → value; {seed} is known")


class Side(Description):
    """One side of a claim about places: a design, and what {place} means in the names of indicators."""

    design: str
    place: str


class Claim(Description):
    """An order, least risk first, and the indicators it is judged by."""

    claim: str = Field(description="the sentence that is tested")
    order: list[str | Side] = Field(min_length=2, description="designs, least risk first")
    at: list[Moment] = Field(min_length=1, description="when the indicators are read")
    peak: list[str] = Field(default_factory=list, description="indicators of the worst places")
    extent: list[str] = Field(default_factory=list, description="indicators of how much is affected")
    per_capacity: bool = Field(default=False, description="whether indicators are divided by the charge passed")
    remark: str = Field(default="", description="what to know about the outcome")

    @model_validator(mode="after")
    def _judged(self) -> Claim:
        if not self.peak or not self.extent:
            raise ValueError(f'"{self.claim}": name at least one peak and one extent indicator')
        places = any(isinstance(side, Side) for side in self.order)
        if places != all(_PLACE in name for name in (*self.peak, *self.extent)):
            raise ValueError(f'"{self.claim}": indicators of places are written with {_PLACE}, all of them or none')
        return self


class Crossover(Description):
    """The value of a series at which the larger of two places changes."""

    series: str = Field(description="a design with `each`, numbers rising")
    from_place: str
    to_place: str
    at: list[Moment]
    indicators: list[str] = Field(description="names with {place}")


class Figure(Description):
    """One figure of the page.

    `series`: an indicator against the values of series of designs; `course`: against the state of charge.
    """

    name: str
    kind: Literal["series", "course"]
    caption: str
    designs: list[str]
    indicators: list[str]
    at: Moment = END
    label: str = "C-rate"


class ThreeDimensions(Description):
    """The spot check in three dimensions: some designs, changed further, with fewer seeds."""

    seeds: int = Field(ge=1)
    designs: list[str]
    change: dict[str, Any]


class Study(Description):
    """One question to the model.

    Attributes:
        folder: Where it was read from (set by `load_study`).
    """

    title: str
    ordering: str = Field(description="what experiments state, in one line")
    question: str
    seeds: int = Field(ge=1)
    designs: dict[str, Design]
    claims: list[Claim]
    crossovers: list[Crossover] = Field(default_factory=list)
    three_dimensions: ThreeDimensions | None = None
    figures: list[Figure] = Field(default_factory=list)
    answer: str = Field(description="the outcome in a sentence or two")
    meaning: str = Field(description="what the outcome means physically")
    folder: Path = Path()

    @model_validator(mode="after")
    def _known_designs(self) -> Study:
        names = set(self.expanded())
        asked = {side if isinstance(side, str) else side.design for claim in self.claims for side in claim.order}
        if self.three_dimensions:
            asked |= set(self.three_dimensions.designs)
        if unknown := sorted(asked - names):
            raise ValueError(f"unknown designs {', '.join(unknown)}; known are {', '.join(sorted(names))}")
        return self

    def expanded(self) -> dict[str, tuple[Design, float | int | str | None]]:
        """Every design by name, series written out; with the value of `each`."""
        found: dict[str, tuple[Design, float | int | str | None]] = {}
        for name, design in self.designs.items():
            values: list[float | int | str | None] = [*design.each] or [None]
            for value in values:
                found[name.replace("{each}", str(value))] = (design, value)
        return found


def load_study(folder: Path) -> Study:
    """Reads the description of a study.

    Raises:
        CaseError: When it cannot be read or is wrong, with a line per problem.
    """
    path = folder / FILE_NAME
    try:
        data = read_document(path.read_text(encoding="utf-8")).value
        return Study.model_validate({**data, "folder": folder})
    except OSError as error:
        raise CaseError([f"{path}: cannot be read ({error})"]) from error
    except UnreadableError as error:
        raise CaseError([f"{path}:{error.problem.line}: {error.problem.text}"]) from error
    except ValidationError as error:
        raise CaseError(
            [f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        ) from error
