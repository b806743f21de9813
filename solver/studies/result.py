"""The outcome of a study: its runs, in sections and in three dimensions, and the verdict on every claim."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solver.compare.members import Member, Runner, is_done, run_members
from solver.errors import OutputError
from solver.studies.claims import Comparison, agreement, judge
from solver.studies.crossover import Crossing, crossings
from solver.studies.description import Claim, Crossover, Study
from solver.studies.members import plan
from solver.studies.values import Runs

SECTIONS, SPACE = "2D", "3D"


@dataclass(frozen=True)
class Outcome:
    """What one set of runs says about a study.

    Attributes:
        label: "2D" or "3D".
        runs: The runs.
        claims: Comparisons of every claim whose designs were all run, by its sentence.
        agreement: Kendall's τ between peak and extent rankings of these claims, mean over the moments.
        crossings: Crossovers, in the order of the study.
    """

    label: str
    runs: Runs
    claims: Mapping[str, Sequence[Comparison]]
    agreement: Mapping[str, float]
    crossings: Sequence[tuple[Crossover, Sequence[Crossing]]]


@dataclass(frozen=True)
class StudyResult:
    """A study and what came out, in sections and (where asked for) in three dimensions."""

    study: Study
    outcomes: Sequence[Outcome]
    failures: Sequence[str]


def outcome(study: Study, members: Sequence[Member], label: str) -> Outcome:
    """Reads finished runs and judges every claim they can judge.

    Raises:
        OutputError: When a history cannot be read.
    """
    runs = Runs(members)
    judged = [claim for claim in study.claims if _designs(claim) <= set(runs.designs)]
    return Outcome(
        label,
        runs,
        {claim.claim: judge(claim, runs) for claim in judged},
        {claim.claim: _mean([agreement(claim, runs, moment) for moment in claim.at]) for claim in judged},
        [(described, crossings(study, described, runs)) for described in study.crossovers],
    )


def _designs(claim: Claim) -> set[str]:
    return {side if isinstance(side, str) else side.design for side in claim.order}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def run_study(
    study: Study,
    output: Path,
    run: Runner,
    tell: Callable[[str], None],
    *,
    seeds: int | None = None,
    change: Mapping[str, Any] | None = None,
    three_dimensions: bool = True,
) -> StudyResult:
    """Runs what has not been run and judges the claims.

    Args:
        study: The study.
        output: Folder for the runs.
        run: Solves a case into a folder; collective.
        tell: Is told what is being done.
        seeds: Number of seeds instead of the study's.
        change: Further changes of all cases, by dotted key.
        three_dimensions: Whether the spot check in three dimensions is run.

    Raises:
        CaseError: When a case of the study is wrong.
        OutputError: When no run succeeded.
    """
    plans = {SECTIONS: plan(study, output / SECTIONS, range(1, (seeds or study.seeds) + 1), change=change)}
    spot = study.three_dimensions
    if spot and three_dimensions:
        changes = {**spot.change, **(change or {})}
        plans[SPACE] = plan(study, output / SPACE, range(1, (seeds or spot.seeds) + 1), spot.designs, changes)
    outcomes, failures = [], []
    for label, members in plans.items():
        failures += run_members(members, run, tell)
        done = [member for member in members if is_done(member)]
        if not done:
            raise OutputError([f"{study.title}, {label}: no run succeeded", *failures])
        outcomes.append(outcome(study, done, label))
    return StudyResult(study, outcomes, failures)
