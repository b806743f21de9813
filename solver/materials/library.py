"""The files of the library: found, read once, checked, kept.

Files are small YAML documents in `data/`. A material names its family, whose quantities fill in what the file leaves
out. Reading one material takes a few hundredths of a second (the C parser of ruamel.yaml where it is installed).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from solver.materials import checks
from solver.materials.errors import MaterialError
from solver.materials.records import BoundaryRecord, FamilyRecord, Groups, MaterialRecord, SourceRecord

FOLDER = Path(__file__).parent / "data"

_Record = TypeVar("_Record", bound=BaseModel)
_KIND = re.compile(r"^kind: (\w+)$", re.MULTILINE)


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    """Kind of every file, from its `kind:` line alone: listing names must not parse the whole library."""
    found = {path.stem: _KIND.search(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
    return {name: match.group(1) for name, match in found.items() if match}


def material_names() -> list[str]:
    """Names of the active materials a case may ask for."""
    return names_of_kind("active_material")


def names_of_kind(*kinds: str) -> list[str]:
    """Names of the files of some kinds, in alphabetical order."""
    return [name for name, kind in _kinds().items() if kind in kinds]


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that does not exist, with the nearest ones."""
    known = list(known)
    folded = {each.casefold(): each for each in known}
    near = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f'there is no {what} "{name[:60]}"; {hint}known: {", ".join(known)}'


@lru_cache(maxsize=64)
def record(name: str) -> MaterialRecord:
    """The checked record of one file (material, coating, electrolyte ...), family quantities filled in.

    Raises:
        MaterialError: When there is no such file or it contradicts itself; all problems at once.
    """
    kinds = _kinds()
    wanted = [each for each, kind in kinds.items() if kind not in ("family", "grain_boundary")]
    if name not in wanted:
        raise MaterialError(no_such("material", name, material_names()))
    found = read(FOLDER / f"{name}.yaml", MaterialRecord)
    if found.family is not None:
        shared = read(FOLDER / f"{found.family}.yaml", FamilyRecord).quantities
        found = found.model_copy(update={"quantities": merged(shared, found.quantities)})
    if problems := checks.material_problems(found, set(sources().sources)):
        raise MaterialError(f"{name}.yaml: {problem}" for problem in problems)
    return found


@lru_cache(maxsize=1)
def grain_boundaries() -> BoundaryRecord:
    """The checked grain-boundary file."""
    found = read(FOLDER / "grain_boundary.yaml", BoundaryRecord)
    if problems := checks.boundary_problems(found, set(sources().sources)):
        raise MaterialError(f"grain_boundary.yaml: {problem}" for problem in problems)
    return found


@lru_cache(maxsize=1)
def sources() -> SourceRecord:
    """Confidence words and sources."""
    return read(FOLDER / "sources.yaml", SourceRecord)


def merged(shared: Groups, own: Groups) -> Groups:
    """Quantities of a family with those of a material laid over them, group by group; the material's groups first."""
    return {group: {**own.get(group, {}), **shared.get(group, {}), **own.get(group, {})} for group in {**own, **shared}}


@lru_cache(maxsize=64)
def read(path: Path, kind: type[_Record]) -> _Record:
    """One file as a record.

    Raises:
        MaterialError: When the file is no YAML or not of the expected shape; all problems at once.
    """
    try:
        data: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return kind.model_validate(data)
    except YAMLError as error:
        raise MaterialError(f"{path.name}: not a YAML file: {error}") from error
    except ValidationError as error:
        raise MaterialError(
            f"{path.name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        ) from error
