"""The runs of a study: every design with every seed is an ordinary run in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from solver.case.load import LoadedCase, load_text
from solver.compare.members import Member
from solver.studies.description import Design, Study


def plan(
    study: Study,
    output: Path,
    seeds: Iterable[int],
    designs: Sequence[str] | None = None,
    change: Mapping[str, Any] | None = None,
) -> list[Member]:
    """The runs of a study.

    Args:
        study: The study.
        output: Folder for the runs.
        seeds: Seeds of the grains; the same for every design, so that designs are compared seed by seed.
        designs: Names of designs; by default all.
        change: Further changes of every case, by dotted key.

    Raises:
        CaseError: When a changed case is wrong.
    """
    known = study.expanded()
    return [
        Member(name, seed, output / _folder_name(name) / f"seed-{seed}", case)
        for name in (designs or list(known))
        for seed in seeds
        if seed <= (known[name][0].seeds or seed)
        for case in [changed_case(study, *known[name], seed, change)]
    ]


def _folder_name(design: str) -> str:
    return design.replace("/", "-").replace(" ", "-")


def changed_case(
    study: Study, design: Design, value: float | int | str | None, seed: int, change: Mapping[str, Any] | None = None
) -> LoadedCase:
    """The case of a design as if it had been written with its changes, comments kept."""
    path = study.folder / design.case
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(path.read_text(encoding="utf-8"))
    words = {"{each}": value, "{seed}": seed}
    for key, entry in {"particle.grains.seed": seed, **design.change, **(change or {})}.items():
        _set(document, key.split("."), _filled(entry, words))
    stream = StringIO()
    yaml.dump(document, stream)
    return load_text(stream.getvalue(), path)


def _set(document: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        document = document.setdefault(key, {})
    document[keys[-1]] = value


def _filled(entry: Any, words: Mapping[str, float | int | str | None]) -> Any:
    """An entry with {each} and {seed} filled in; a text that is nothing but one of them becomes its value."""
    if isinstance(entry, str):
        for word, value in words.items():
            if entry == word:
                return value
            entry = entry.replace(word, str(value))
        return entry
    if isinstance(entry, list):
        return [_filled(each, words) for each in entry]
    if isinstance(entry, dict):
        return {key: _filled(each, words) for key, each in entry.items()}
    return entry
