"""The cases of a sweep: every point merged into the base case and checked before anything runs.

A problem is told once, at the line of the value that causes it, in the sweep file or in the base case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from solver.case.checks import Finding
from solver.case.document import Path as KeyPath
from solver.case.document import Problem, read_document, shorten
from solver.case.load import LoadedCase, build_case, check_case, problem_line
from solver.case.problems import MAXIMUM_PROBLEMS
from solver.errors import CaseError
from solver.sweep.axes import Choice, overlap
from solver.sweep.design import Point
from solver.sweep.load import LoadedSweep
from solver.sweep.places import key_path, value_at, with_value

_LONGEST_TITLE = 200


@dataclass(frozen=True)
class SweepCase:
    """One run to be: its values, its data, and the case they make."""

    point: Point
    data: dict[str, Any]
    loaded: LoadedCase

    @property
    def inputs(self) -> dict[str, str | float | int | bool]:
        """Value of every axis."""
        return {choice.label: choice.value for choice in self.point}


@dataclass
class CheckedCases:
    """The cases of a sweep.

    Attributes:
        cases: One per point that fulfils the constraints.
        left_out: How many points do not.
        warnings: Lines for the user, each once.
    """

    cases: list[SweepCase] = field(default_factory=list)
    left_out: int = 0
    warnings: list[str] = field(default_factory=list)


def check_cases(sweep: LoadedSweep) -> CheckedCases:
    """Merge and check the cases of all points.

    Raises:
        CaseError: With one line per problem, each at the value that causes it.
    """
    checked = CheckedCases()
    kept, data = _merged_points(sweep, checked)
    found: list[tuple[Point, list[Finding]]] = []
    for point, merged in zip(kept, data):
        sections, findings = check_case(merged, sweep.base.path.parent)
        found.append((point, findings))
        if all(entry.is_warning for entry in findings):
            loaded = build_case(sections, sweep.base.path, case_text(merged))
            checked.cases.append(SweepCase(point, merged, loaded))
    problems = _attributed(sweep, found, lambda entry: not entry.is_warning)
    if problems:
        raise CaseError(problems)
    checked.warnings = _attributed(sweep, found, lambda entry: entry.is_warning)
    return checked


def case_text(data: dict[str, Any]) -> str:
    """YAML of a case that reads back to the same data."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.allow_unicode = True
    yaml.representer.sort_base_mapping_type_on_output = False  # type: ignore[union-attr]
    yaml.representer.ignore_aliases = lambda _: True  # type: ignore[union-attr, method-assign, assignment]
    stream = StringIO()
    yaml.dump(data, stream)
    text = stream.getvalue()
    if read_document(text).value != data:
        raise CaseError("the merged case cannot be written as YAML that reads back the same; write plainer values")
    return text


def _merged_points(sweep: LoadedSweep, checked: CheckedCases) -> tuple[list[Point], list[dict[str, Any]]]:
    """Points that fulfil the constraints, and the data of their cases."""
    kept: list[Point] = []
    data: list[dict[str, Any]] = []
    problems: dict[KeyPath, str] = {}
    for point in sweep.points:
        merged = _merge(sweep, point, problems)
        if all(_holds(sweep, number, point, merged, problems) for number in range(len(sweep.constraints))):
            kept.append(point)
            data.append(merged)
        else:
            checked.left_out += 1
    if not problems and not kept:
        problems[("where",)] = f"none of {len(sweep.points)} points fulfils the constraints; loosen one"
    if problems:
        line = sweep.file.document.line
        raise CaseError([problem_line(sweep.file.path, Problem(line(at), at, text)) for at, text in problems.items()])
    return kept, data


def _merge(sweep: LoadedSweep, point: Point, problems: dict[KeyPath, str]) -> dict[str, Any]:
    """The base case with the values of a point; sections first, so that single keys refine them."""
    merged: dict[str, Any] = sweep.base.document.value
    for choice in sorted(point, key=lambda choice: "sections" not in choice.place):
        for path, value in choice.changes:
            try:
                merged = with_value(merged, path, value)
            except IndexError:
                text = f"the base case has no entry {_dotted(path)}; its lists end before"
                problems.setdefault(choice.place, text)
    title = ", ".join(f"{choice.label} = {choice.text}" for choice in point)
    name = str(merged.get("name") or sweep.base.path.stem)
    return {"name": shorten(f"{name}: {title}" if title else name, _LONGEST_TITLE)} | {
        key: value for key, value in merged.items() if key != "name"
    }


def _holds(sweep: LoadedSweep, number: int, point: Point, merged: dict[str, Any], problems: dict[KeyPath, str]) -> bool:
    values = {name: choice.value for choice in point for name in _names(sweep, choice)}

    def lookup(name: str) -> Any:
        path = key_path(name)
        value = values.get(name, value_at(merged, path) if path is not None else None)
        if value is None:
            raise KeyError(f'"{name}" is no axis and stands in no case; write one of {", ".join(values)}')
        return value

    try:
        return sweep.constraints[number].holds(lookup)
    except ValueError as error:
        problems.setdefault(("where", number), str(error))
        return True


def _names(sweep: LoadedSweep, choice: Choice) -> tuple[str, ...]:
    return choice.label, *(axis.name for axis in sweep.axes if axis.label == choice.label)


@dataclass(frozen=True)
class _Cause:
    """Where a problem is told: at a value of the sweep file, or at a key of the base case."""

    file: Path
    line: int
    place: KeyPath
    key: KeyPath
    value: str = ""
    choice: Choice | None = field(default=None, compare=False)


def _attributed(
    sweep: LoadedSweep, found: Sequence[tuple[Point, list[Finding]]], wanted: Callable[[Finding], bool]
) -> list[str]:
    """One line per cause and key, with the values that must come together for it."""
    texts: dict[_Cause, str] = {}
    points: dict[_Cause, list[Point]] = {}
    for point, findings in found:
        for entry in filter(wanted, findings):
            cause = _cause(sweep, point, entry.path)
            texts.setdefault(cause, entry.text)
            points.setdefault(cause, []).append(point)
    lines = []
    everyone = [point for point, _ in found]
    for cause, text in sorted(texts.items(), key=lambda item: (str(item[0].file), item[0].line))[:MAXIMUM_PROBLEMS]:
        among = [point for point in everyone if cause.choice is None or cause.choice in point]
        with_ = _circumstances(points[cause], among)
        key = f"{_dotted(cause.key)}: " if cause.choice is not None and cause.key != _key_of(cause.place) else ""
        lines.append(problem_line(cause.file, Problem(cause.line, cause.place, f"{key}{text}{with_}")))
    return lines


def _cause(sweep: LoadedSweep, point: Point, path: KeyPath) -> _Cause:
    for choice in reversed(point):
        if any(overlap(changed, path) for changed, _ in choice.changes) and path:
            line = sweep.file.document.line(choice.place)
            return _Cause(sweep.file.path, line, choice.place, path, choice.text, choice)
    return _Cause(sweep.base.path, sweep.base.document.line(path), path, path)


def _circumstances(failing: Sequence[Point], among: Sequence[Point]) -> str:
    """In which of the runs it happens, unless in all of them."""
    if len(failing) >= len(among):
        return ""
    shared = [choice for choice in failing[0] if all(choice in point for point in failing)]
    telling = [choice for choice in shared if not all(choice in point for point in among)]
    if telling:
        return f" (with {', '.join(_worded(choice) for choice in telling)})"
    first = ", ".join(_worded(choice) for choice in failing[0])
    return f" (in {len(failing)} of {len(among)} runs, first with {first})"


def _worded(choice: Choice) -> str:
    return f"{choice.label} = {choice.text}"


def _key_of(place: KeyPath) -> KeyPath | None:
    """The key that an axis stands for when its name is one."""
    return key_path(str(place[1])) if len(place) > 1 and place[0] == "axes" else None


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
