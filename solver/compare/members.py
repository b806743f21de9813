"""The runs of a comparison: each design with each seed is an ordinary run in a folder of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from solver.case.load import LoadedCase, load_case, load_text
from solver.errors import CaseError, OutputError, VegardError

log = logging.getLogger(__name__)

Runner = Callable[[LoadedCase, Path], object]


@dataclass(frozen=True)
class Member:
    """One run of a comparison.

    Attributes:
        design: Name of the design.
        seed: Seed of its grains.
        folder: Run folder.
        case: What to run; None when the folder was given as a finished run.
    """

    design: str
    seed: int
    folder: Path
    case: LoadedCase | None


def plan_members(designs: Sequence[Path], seeds: int, output: Path) -> list[Member]:
    """The runs of a comparison.

    Args:
        designs: Case files and folders of finished runs.
        seeds: Runs per case file, with the seed of the file and the numbers after it.
        output: Folder for the runs of case files.

    Raises:
        CaseError: With the problems of all case files, or when two designs have the same name.
        OutputError: When a folder is no finished run.
    """
    members: list[Member] = []
    problems: list[str] = []
    for path in designs:
        try:
            members += [_finished(path)] if path.is_dir() else _seeded(path, seeds, output)
        except CaseError as error:
            problems += error.problems
    names = [path.stem for path in designs if not path.is_dir()]
    problems += [
        f"{name}: two case files have this name; rename one" for name in {n for n in names if names.count(n) > 1}
    ]
    if problems:
        raise CaseError(problems)
    return members


def _finished(folder: Path) -> Member:
    try:
        status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
        case = json.loads((folder / "case.resolved.json").read_text(encoding="utf-8"))
        seed = int(case["particle"]["grains"]["seed"])
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(f"{folder}: not the folder of a run ({error})") from error
    if status.get("state") != "finished":
        raise OutputError(f"{folder}: the run is not finished (it is {status.get('state')})")
    return Member(str(case.get("name") or folder.name), seed, folder, None)


def _seeded(path: Path, seeds: int, output: Path) -> list[Member]:
    loaded = load_case(path)
    first = loaded.case.particle.grains.seed
    return [
        Member(path.stem, seed, output / path.stem / f"seed-{seed}", _with_seed(loaded, seed))
        for seed in range(first, first + seeds)
    ]


def _with_seed(loaded: LoadedCase, seed: int) -> LoadedCase:
    """The same case with another seed of the grains, as if it had been written so."""
    if seed == loaded.case.particle.grains.seed:
        return loaded
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(loaded.text)
    particle = document.setdefault("particle", {})
    grains = particle.setdefault("grains", {"count": loaded.case.particle.grains.count})
    grains["seed"] = seed
    stream = StringIO()
    yaml.dump(document, stream)
    return load_text(stream.getvalue(), loaded.path)


def run_members(members: Sequence[Member], run: Runner, tell: Callable[[str], None]) -> list[str]:
    """Runs what has not been run; a run that fails does not stop the others.

    Args:
        members: The runs.
        run: Solves a case into a folder; collective.
        tell: Is told what is being done.

    Returns:
        One line per run that failed.
    """
    failures: list[str] = []
    for number, member in enumerate(members, start=1):
        if member.case is None:
            continue
        title = f"run {number} of {len(members)}: {member.design}, seed {member.seed}"
        if is_done(member):
            tell(f"{title}: done before, in {member.folder}")
            continue
        tell(title)
        try:
            run(member.case, member.folder)
        except VegardError as error:
            log.warning("%s failed: %s", title, error)
            failures += [f"{member.design}, seed {member.seed}: {problem}" for problem in error.problems]
    return failures


def is_done(member: Member) -> bool:
    """Whether a member's folder holds the finished run of the same case."""
    if member.case is None:
        return True
    try:
        status = json.loads((member.folder / "status.json").read_text(encoding="utf-8"))
        record = json.loads((member.folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return status.get("state") == "finished" and record.get("case", {}).get("digest") == member.case.digest
