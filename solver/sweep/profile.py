"""How a sweep is handed to Slurm on one cluster: resources and site settings in a small YAML file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from meshes.description import Description
from meshes.quantities import TIME, Dimension, quantity
from solver.case.checks import Finding
from solver.case.document import Problem, UnreadableError, read_document
from solver.case.load import check_sections, problem_line, read_text, refuse
from solver.case.problems import accept_variants, describe
from solver.errors import CaseError

MEMORY = Dimension("memory", "MB", "8 GB")
_REQUIRED = {"time": "time: 4 h"}


def _name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.,:@+-]+", text) is None:
        raise ValueError(f'"{text}" is no name that Slurm takes; write letters, digits and . _ -')
    return text


def _line(text: str) -> str:
    if not text.strip() or any(sign in text for sign in "\r\n"):
        raise ValueError("is not one line; write one command per entry of the list")
    return text


def _option(text: str) -> str:
    if not _line(text).startswith("-"):
        raise ValueError(f'"{text}" is no option of sbatch; write for example --constraint=milan')
    return text


Name = Annotated[str, Field(max_length=200), AfterValidator(_name)]
Line = Annotated[str, Field(max_length=2000), AfterValidator(_line)]
Option = Annotated[str, Field(max_length=500), AfterValidator(_option)]


class Profile(Description):
    """One cluster, or one queue of it."""

    time: quantity(TIME, "1 min", "90 d") = Field(  # type: ignore[valid-type]
        description="time limit of one run; with a checkpoint kept, a longer run goes on in the next turn"
    )
    partition: Name | None = Field(default=None, description="partition; without it the cluster's default")
    account: Name | None = Field(default=None, description="account that is charged")
    memory: quantity(MEMORY, "100 MB", "20 TB") | None = Field(  # type: ignore[valid-type]
        default=None, description="memory of one run, all ranks together; without it 1.5 times the estimate"
    )
    cores_per_rank: int = Field(default=1, ge=1, le=1024, description="cores that each rank gets")
    at_once: int | None = Field(default=None, ge=1, le=100_000, description="most runs at the same time")
    array_size: int = Field(
        default=1000, ge=1, le=1_000_000, description="most runs in one array: MaxArraySize of the cluster, less one"
    )
    extra: Annotated[list[Option], Field(max_length=100)] = Field(
        default=[], description="further options of sbatch, such as --constraint=milan"
    )
    environment: Annotated[list[Line], Field(max_length=100)] = Field(
        default=[], description="shell lines before the run, such as module load gcc"
    )
    command: Line | None = Field(
        default=None, description="how vegard is called on a node; without it scripts/vegard of this checkout"
    )
    scratch: Line | None = Field(
        default=None, description="folder on the node's own disk for compiled kernels, such as $TMPDIR"
    )
    notice: quantity(TIME, "10 s", "2 h") = Field(  # type: ignore[valid-type]
        default="2 min", description="how long before the time limit a run is asked to keep a checkpoint"
    )
    requeues: int = Field(default=20, ge=0, le=10_000, description="how often a run goes back to the queue to go on")


def load_profile(path: Path) -> Profile:
    """Read and check a profile.

    Args:
        path: A YAML file.

    Raises:
        CaseError: With one line `file:line: key: what is wrong; what to write` per problem.
    """
    text = read_text(path)
    try:
        document = read_document(text)
    except UnreadableError as error:
        raise CaseError([problem_line(path, error.problem)]) from error
    profile, findings = _check(document.value)
    problems = [Problem(document.line(found.path), found.path, found.text) for found in findings]
    refuse(path, document.problems + problems)
    assert profile is not None
    return profile


def _check(data: Any) -> tuple[Profile | None, list[Finding]]:
    """The profile, unless something is wrong with it."""
    if not isinstance(data, dict):
        return None, [Finding((), f'the file holds {describe(data)}; write at least "{_REQUIRED["time"]}"')]
    _, findings = check_sections(Profile, data, _REQUIRED)
    if findings:
        return None, findings
    profile = Profile(**{key: accept_variants(Profile.model_fields[key], value) for key, value in data.items()})
    if profile.notice >= profile.time:
        return None, [Finding(("notice" if "notice" in data else "time",), "time must be longer than notice")]
    return profile, []
