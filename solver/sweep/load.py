"""From a path to a checked sweep file and the case it starts from; every problem at once, with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meshes.particle import Grains
from solver.case.checks import Finding
from solver.case.document import Document, Problem, UnreadableError, read_document
from solver.case.load import check_sections, problem_line, read_text, refuse
from solver.case.problems import describe
from solver.errors import CaseError
from solver.sweep.axes import Levels, compile_axes, seed_axis
from solver.sweep.constraints import Constraint, read_constraint
from solver.sweep.design import Factor, Point, design_points, make_factors
from solver.sweep.places import value_at
from solver.sweep.schema import Axis, Sweep, samples_problem

_REQUIRED = {"base": "base: my-case.yaml"}


@dataclass(frozen=True)
class Written:
    """A YAML file: where it is, its text, its data with lines."""

    path: Path
    text: str
    document: Document


@dataclass(frozen=True)
class LoadedSweep:
    """A sweep file that says something sensible; its cases are not checked yet.

    Attributes:
        sweep: What it says.
        file: The file.
        base: The case that every run starts from.
        axes: Axes in order, the seeds last.
        points: Values that are run together.
        constraints: What a point must fulfil.
    """

    sweep: Sweep
    file: Written
    base: Written
    axes: tuple[Levels, ...]
    points: tuple[Point, ...]
    constraints: tuple[Constraint, ...]

    @property
    def name(self) -> str:
        """Title."""
        return self.sweep.name or self.file.path.stem


def load_sweep(path: Path) -> LoadedSweep:
    """Read and check a sweep file and read its base case.

    Args:
        path: A YAML file.

    Returns:
        The sweep.

    Raises:
        CaseError: With one line `file:line: key: what is wrong; what to write` per problem.
    """
    file = _read(Path(path))
    sweep, findings = _check(file.document.value)
    axes, factors, constraints = _parts(sweep, findings) if sweep is not None else ([], [], [])
    base = _read_base(sweep, file, findings) if sweep is not None else None
    _stop(file, findings)
    assert sweep is not None
    assert base is not None
    seeds = seed_axis(sweep, _first_seed(base.document.value))
    try:
        points = design_points(sweep, factors, seeds)
    except ValueError as error:
        findings.append(Finding(("design",), str(error)))
        _stop(file, findings)
        raise
    return LoadedSweep(
        sweep, file, base, (*axes, *([seeds] if seeds is not None else [])), tuple(points), tuple(constraints)
    )


def _parts(sweep: Sweep, findings: list[Finding]) -> tuple[list[Levels], list[Factor], list[Constraint]]:
    axes, wrong = compile_axes(sweep)
    findings += wrong
    factors, wrong = make_factors(sweep, axes)
    findings += wrong
    constraints = []
    for number, text in enumerate(sweep.where):
        try:
            constraints.append(read_constraint(text))
        except ValueError as error:
            findings.append(Finding(("where", number), str(error)))
    return axes, factors, constraints


def _read(path: Path) -> Written:
    text = read_text(path)
    try:
        return Written(path, text, read_document(text))
    except UnreadableError as error:
        raise CaseError([problem_line(path, error.problem)]) from error


def _read_base(sweep: Sweep, file: Written, findings: list[Finding]) -> Written | None:
    try:
        base = _read(file.path.parent / sweep.base)
    except CaseError as error:
        findings += [Finding(("base",), problem) for problem in error.problems]
        return None
    refuse(base.path, base.document.problems)
    if not isinstance(base.document.value, dict):
        findings.append(Finding(("base",), f"{base.path} holds {describe(base.document.value)}; name a case file"))
    return base


def _check(data: Any) -> tuple[Sweep | None, list[Finding]]:
    """The sweep, unless something is wrong with it."""
    if not isinstance(data, dict):
        return None, [Finding((), f'the file holds {describe(data)}; write "base: my-case.yaml" and "axes:"')]
    axes, findings = _check_axes(data.get("axes"))
    plain = {key: value for key, value in data.items() if key != "axes"}
    values, wrong = check_sections(Sweep, plain, _REQUIRED)
    findings += wrong
    if not findings and (problem := samples_problem(values["design"], values["samples"])):
        findings.append(Finding(("samples",) if "samples" in data else ("design",), problem))
    return (None, findings) if findings else (Sweep(**{**values, "axes": axes}), [])


def _check_axes(data: Any) -> tuple[dict[str, Any], list[Finding]]:
    """Axes one by one, so that each is told what is wrong with it."""
    if data is None:
        return {}, []
    if not isinstance(data, dict):
        return {}, [Finding(("axes",), f"is {describe(data)}; write keys with values, such as particle.radius: [3 um]")]
    axes: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, value in data.items():
        found = _check_axis(name, value, axes)
        findings += found
    return axes, findings


def _check_axis(name: str, value: Any, axes: dict[str, Any]) -> list[Finding]:
    place = ("axes", name)
    if isinstance(value, list):
        axes[name] = value
        return [] if value else [Finding(place, "has no values; write some, such as [3 um, 5 um]")]
    if not isinstance(value, Mapping):
        return [Finding(place, f"is {describe(value)}; write a list such as [{value}], or a range {{from: …, to: …}}")]
    values, findings = check_sections(Axis, value, {}, place)
    if findings:
        return findings
    try:
        axes[name] = Axis(**values)
    except ValueError as error:
        return [Finding(place, _reason(error))]
    return []


def _reason(error: ValueError) -> str:
    """What a check over several keys of a block said."""
    if not isinstance(error, ValidationError):
        return str(error)
    detail = error.errors()[0]
    return str(detail.get("ctx", {}).get("error", detail["msg"]))


def _first_seed(base: Any) -> int:
    seed = value_at(base, ("particle", "grains", "seed"))
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else int(Grains.model_fields["seed"].default)


def _stop(file: Written, findings: list[Finding]) -> None:
    document = file.document
    found = [Problem(document.line(entry.path), entry.path, entry.text) for entry in findings]
    refuse(file.path, document.problems + found)
