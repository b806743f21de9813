"""From a path to a checked case; every problem of the file is reported at once, with its line.

The digest names what influences a result: the sections (defaults filled in) and the content of the files they refer
to, so two cases that differ only in title, comments or pictures have the same digest.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import operator
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from solver.case.checks import CHECKS, Finding, Sections, find_material, referenced_files
from solver.case.coefficient_checks import COEFFICIENT_CHECKS
from solver.case.composition import radial_material
from solver.case.current_table import Tables, read_table
from solver.case.design_checks import DESIGN_CHECKS, layer_choices
from solver.case.document import MAXIMUM_CHARACTERS, Problem, UnreadableError, read_document, shorten
from solver.case.document import Path as KeyPath
from solver.case.problems import (
    MAXIMUM_PROBLEMS,
    accept_variants,
    describe,
    missing_but_misspelt,
    translate,
    unknown_key,
)
from solver.case.schema import Case
from solver.case.shapes import field_shapes
from solver.errors import CaseError
from solver.materials import load_layer


@dataclass(frozen=True)
class LoadedCase:
    """A case and where it came from.

    Attributes:
        case: The sections, defaults filled in, in the micro system.
        path: The file as named by the user.
        folder: Folder that file names in the case are relative to.
        text: The file as written.
        digest: SHA-256 of everything that influences a result.
        warnings: Lines for the user about what is allowed but doubtful.
        tables: Current tables that the protocol follows.
    """

    case: Case
    path: Path
    folder: Path
    text: str
    digest: str
    warnings: tuple[str, ...] = field(default=())
    tables: Tables = field(default_factory=dict)


def load_case(path: Path) -> LoadedCase:
    """Read, validate and cross-check a case file.

    Args:
        path: A YAML file.

    Returns:
        The case.

    Raises:
        CaseError: With one line `file:line: key: what is wrong; what to write` per problem.
    """
    path = Path(path)
    text = read_text(path)
    return load_text(text, path)


def load_text(text: str, path: Path) -> LoadedCase:
    """Like `load_case` for a text already read; `path` is used in messages and for relative file names."""
    try:
        document = read_document(text)
    except UnreadableError as error:
        raise CaseError([problem_line(path, error.problem)]) from error
    folder = path.parent
    sections, findings = check_case(document.value, folder)
    # A value that stands for one that could not be read says nothing more about the file.
    written_wrong = {problem.path for problem in document.problems}
    problems = [
        Problem(document.line(found.path), found.path, found.text)
        for found in findings
        if not found.is_warning and found.path not in written_wrong
    ]
    refuse(path, document.problems + problems)
    warnings = [Problem(document.line(found.path), found.path, found.text) for found in findings]
    return build_case(sections, path, text, tuple(problem_line(path, found) for found in warnings))


def build_case(sections: Mapping[str, Any], path: Path, text: str, warnings: tuple[str, ...] = ()) -> LoadedCase:
    """The case of sections in which `check_case` found nothing wrong."""
    case = Case(**{**sections, "name": sections["name"] or shorten(path.stem, 100) or "case"})
    tables = {choice: read_table(path.parent, choice) for choice in case.electrochemistry.tables}
    return LoadedCase(case, path, path.parent, text, _digest(case, path.parent), warnings, tables)


def refuse(path: Path, problems: Sequence[Problem]) -> None:
    """Stop when a file has problems.

    Raises:
        CaseError: With a line for each of them, in the order of the file.
    """
    ordered = sorted(problems, key=lambda problem: problem.line)
    lines = [problem_line(path, problem) for problem in ordered[:MAXIMUM_PROBLEMS]]
    more = [f"{shorten(str(path), 300)}: and more problems; mend these first"] if len(ordered) > len(lines) else []
    if lines:
        raise CaseError(lines + more)


def read_text(path: Path) -> str:
    """Text of a case file; raises CaseError when there is no such text."""
    shown = shorten(str(path), 300)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CaseError(f"{shown}: this is a folder; write the name of a case file in it")
        if not stat.S_ISREG(mode):
            raise CaseError(f"{shown}: this is not an ordinary file; write the name of a case file")
        with path.open("rb") as file:
            data = file.read(4 * MAXIMUM_CHARACTERS + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise CaseError(f"{shown}: there is no such file; {_nearby(path)}") from error
    except OSError as error:
        raise CaseError(f"{shown}: cannot be read ({error.strerror}); check its name and permissions") from error
    if len(data) > 4 * MAXIMUM_CHARACTERS:
        raise CaseError(f"{shown}: a file of more than {4 * MAXIMUM_CHARACTERS} bytes is no case; check the name")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CaseError(f"{shown}:{line}: this is not UTF-8 text; save the file as UTF-8") from error


def _nearby(path: Path) -> str:
    """Names of case files that the user may have meant."""
    try:
        names = sorted(entry.name for entry in path.parent.glob("*.y*ml"))[:1000]
    except (OSError, ValueError):
        names = []
    near = difflib.get_close_matches(path.name, names, 1, 0.5)
    return f"did you mean {path.parent / near[0]}?" if near else 'write a starter with "vegard new my-case.yaml"'


def check_case(data: Any, folder: Path) -> tuple[dict[str, Any], list[Finding]]:
    """Valid sections of a case by name, and everything found, warnings included.

    Args:
        data: What a case file holds, as plain data.
        folder: Folder that file names in it are relative to.
    """
    if data is None:
        return {}, [Finding((), 'the file is empty; write a starter with "vegard new my-case.yaml"')]
    if not isinstance(data, dict):
        return {}, [Finding((), f'the file holds {describe(data)}; write keys with values, such as "material: NMC811"')]
    sections, findings = check_sections(Case, data, _REQUIRED)
    return sections, findings + _cross_check(sections, folder)


def check_sections(
    model: type[BaseModel], data: Mapping[str, Any], required: Mapping[str, str], base: KeyPath = ()
) -> tuple[dict[str, Any], list[Finding]]:
    """Check the keys of a block one by one, so that the others are checked even when one is wrong.

    Args:
        model: What the block may hold.
        data: What it holds.
        required: How a required key looks at its shortest.
        base: Path of the block in the file.

    Returns:
        Valid values by key, and what is wrong with the others.
    """
    values: dict[str, Any] = {}
    unknown = [key for key in data if key not in model.model_fields][: MAXIMUM_PROBLEMS + 1]
    findings = [Finding((*base, key), unknown_key(key, base, model)) for key in unknown]
    for key, entry in model.model_fields.items():
        if key in data:
            findings += _check_section(model, key, accept_variants(entry, data[key]), values, base)
        elif entry.is_required():
            findings.append(Finding((*base, key), f"is missing; write {required[key]}"))
        else:
            values[key] = entry.default
    misspelt = missing_but_misspelt((found.path, found.text) for found in findings)
    return values, [
        found for found in findings if found.path not in misspelt or not found.text.startswith("is missing")
    ]


# How a required section looks at its shortest.
_REQUIRED = {
    "material": "material: NMC811",
    "electrochemistry": 'electrochemistry: {protocol: ["Charge at 1C until 70 % SoC"]}',
}


def _check_section(
    model: type[BaseModel], key: str, value: Any, values: dict[str, Any], base: KeyPath
) -> list[Finding]:
    try:
        values[key] = _adapter(model, key).validate_python(value)
    except ValidationError as error:
        shapes = field_shapes(model.model_fields[key])
        return [Finding(path, text) for path, text in translate(error, shapes, value, (*base, key), model)]
    return []


@cache
def _adapter(model: type[BaseModel], key: str) -> TypeAdapter[Any]:
    """Validator of one key by itself."""
    return TypeAdapter(model.model_fields[key].rebuild_annotation())


def _cross_check(sections: dict[str, Any], folder: Path) -> list[Finding]:
    material, findings = find_material(sections["material"]) if "material" in sections else (None, [])
    known = Sections(sections, folder, material)
    for needed, check in (*CHECKS, *DESIGN_CHECKS, *COEFFICIENT_CHECKS):
        if needed <= sections.keys():
            findings += check(known)
    return findings


def problem_line(path: Path, problem: Problem) -> str:
    """`file:line: key: what is wrong; what to write`."""
    place = shorten(str(path), 300) + (f":{problem.line}" if problem.line else "")
    key = ""
    for step in problem.path:
        key += f"[{step + 1}]" if isinstance(step, int) else f".{shorten(step)}" if key else shorten(step)
    return f"{place}: {key}: {problem.text}" if key else f"{place}: {problem.text}"


def _digest(case: Case, folder: Path) -> str:
    influences, content = case.influences(), {}
    for key, name in referenced_files(case.particle):
        # What a file holds counts, not where it lies.
        content[".".join(map(str, key))] = _file_digest(folder / name)
        block: Any = reduce(operator.getitem, key[:-1], influences)  # type: ignore[arg-type]
        del block[key[-1]]
    content |= {table.file: _file_digest(folder / table.file) for table in case.electrochemistry.tables}
    # The numbers of the material, not its name: a corrected library entry is another case.
    layers = [load_layer(choice).numbers() for _, choice in layer_choices(case.particle)]
    influences |= {"material": radial_material(case).digest, "files": content}
    influences |= {"layers": layers} if layers else {}
    canonical = json.dumps(influences, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
