"""The page of a study and the table of all verdicts, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from solver.studies.claims import Comparison, summary
from solver.studies.crossover import Crossing
from solver.studies.description import END, Claim, Crossover
from solver.studies.result import Outcome, StudyResult
from solver.studies.values import LITHIUM_DIFFERENCE
from solver.studies.words import effect_words, indicator_words, moment_words, number, unit, verdict_words

_READING = """Read the tables like this: an order *A ≺ B* says that A carries less risk than B. **yes**: Student's 95 %
interval of the paired effect lies on the claimed side; **no**: it lies on the other side; open: it does not tell.
Effects are the higher over the lower side as claimed, taken seed by seed, with how many seeds agree; differences stand
where one side vanishes. τ is Kendall's, between the rankings by peak and by extent indicators (1: the same order).
"""


def study_page(result: StudyResult, name: str, pictures: Sequence[tuple[str, str]]) -> str:
    """The page of one study.

    Args:
        result: The study and what came out.
        name: Its folder in cases/studies.
        pictures: File names and captions.
    """
    study = result.study
    parts = [
        f"# {study.title}",
        f"*Stated by experiments: {study.ordering}*",
        study.question.strip(),
        f"**{study.answer.strip()}**",
        "## Verdicts",
        "\n".join(_verdict_table(result)),
        *(f"**{claim.claim}** {claim.remark.strip()}" for claim in study.claims if claim.remark),
        *_crossover_parts(result),
        "## What it means",
        study.meaning.strip(),
        *(f"![{caption}]({file})\n\n*{caption}*" for file, caption in pictures),
        "## Numbers",
        _READING.strip(),
        *(part for claim in study.claims for part in _claim_parts(result, claim)),
        "## Runs",
        "\n".join(_runs_table(result)),
        f"Cases and description: [cases/studies/{name}](../../cases/studies/{name}). This page is written by "
        f"`scripts/studies {name}`; runs are kept in `results/studies/{name}` and used again.",
    ]
    if result.failures:
        parts.append("Runs that failed:\n\n" + "\n".join(f"- {line}" for line in result.failures))
    return "\n\n".join(parts) + "\n"


def _verdict_table(result: StudyResult) -> Iterator[str]:
    labels = [outcome.label for outcome in result.outcomes]
    heads = [f"{kind}, {label}" for label in labels for kind in ("peak", "extent")]
    yield "| claim | " + " | ".join(heads) + " | τ |"
    yield "| --- |" + " --- |" * (len(heads) + 1)
    for claim in result.study.claims:
        yield f"| {claim.claim} | " + " | ".join(_verdicts(result, claim)) + f" | {_tau(result, claim)} |"


def _verdicts(result: StudyResult, claim: Claim) -> Iterator[str]:
    for outcome in result.outcomes:
        comparisons = outcome.claims.get(claim.claim)
        for kind in ("peak", "extent"):
            yield verdict_words(summary(comparisons, kind)) if comparisons else "not run"


def _tau(result: StudyResult, claim: Claim) -> str:
    tau = result.outcomes[0].agreement.get(claim.claim, math.nan)
    return f"{tau:.2f}" if math.isfinite(tau) else "–"


def _claim_parts(result: StudyResult, claim: Claim) -> Iterator[str]:
    yield f"### {claim.claim}"
    judged = [outcome for outcome in result.outcomes if claim.claim in outcome.claims]
    heads = [f"{what}, {outcome.label}" for outcome in judged for what in ("effect", "verdict")]
    lines = [f"| order | at | indicator | values | {' | '.join(heads)} |", "| --- |" + " --- |" * (3 + len(heads))]
    for rows in zip(*(outcome.claims[claim.claim] for outcome in judged)):
        first = rows[0]
        cells = [cell for row in rows for cell in (effect_words(row), verdict_words(row.verdict))]
        lines.append(
            f"| {first.less} ≺ {first.more} | {moment_words(first.moment)} | {indicator_words(first.indicator)} "
            f"({first.kind}) | {_values(first, claim)} | " + " | ".join(cells) + " |"
        )
    yield "\n".join(lines)


def _values(comparison: Comparison, claim: Claim) -> str:
    dimension = unit(comparison.indicator)
    if claim.per_capacity:
        dimension = f"{dimension or '1'}/(mAh/g)"
    return f"{number(comparison.low)} → {number(comparison.high)} {dimension}".strip()


def _crossover_parts(result: StudyResult) -> Iterator[str]:
    if not result.study.crossovers:
        return
    yield "## Crossover"
    heads = " | ".join(f"C-rate, {outcome.label} | Δx there, {outcome.label}" for outcome in result.outcomes)
    lines = [f"| at | indicator | {heads} |", "| --- | --- |" + " --- | --- |" * len(result.outcomes)]
    groups = [list(_flat(outcome)) for outcome in result.outcomes]
    for row in zip_longest(*groups):
        first = row[0][1]
        cells = [cell for _, each in row for cell in (_crossing_words(each), number(each.lithium))]
        lines.append(
            f"| {moment_words(first.moment)} | {indicator_words(first.indicator)} | " + " | ".join(cells) + " |"
        )
    yield "\n".join(lines)
    yield (
        "Where the means over the seeds cross, with the 95 % interval of drawing the seeds again; *below* and *above*: "
        "outside of the rates that were run. Δx: lithium in the core less that in the rim."
    )


def _flat(outcome: Outcome) -> Iterator[tuple[Crossover, Crossing]]:
    for described, found in outcome.crossings:
        for each in found:
            yield described, each


def _crossing_words(found: Crossing) -> str:
    if not found.seeds:
        return "–"
    return f"{_rate_words(found.value)} ({_rate_words(found.low)} to {_rate_words(found.high)})"


def _rate_words(value: float) -> str:
    """A value of a series, or that it lies outside."""
    if value == 0.0:
        return "below"
    return "above" if math.isinf(value) else f"{value:.2g}"


def _runs_table(result: StudyResult) -> Iterator[str]:
    yield "| design | case | | seeds | SoC at the end | minutes | core − rim lithium at the end |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    known = result.study.expanded()
    for outcome in result.outcomes:
        for design in outcome.runs.designs:
            values = {
                key: outcome.runs.values(design, key, END) for key in ("state_of_charge", "time", LITHIUM_DIFFERENCE)
            }
            charge, time, lithium = (float(np.mean(each)) for each in values.values())
            case, seeds = known[design][0].case, len(values["time"])
            ends = f"{100 * charge:.0f} % | {time / 60.0:.3g} | {lithium:.3f}"
            yield f"| {design} | {case} | {outcome.label} | {seeds} | {ends} |"


def overview(results: Sequence[tuple[str, StudyResult]]) -> str:
    """The table of all verdicts, content of docs/studies/README.md."""
    rows = []
    for name, result in results:
        for claim in result.study.claims:
            cells = list(_verdicts(result, claim))
            cells += ["–"] * (4 - len(cells)) + [_tau(result, claim), _headline(result, claim)]
            seeds = " + ".join(str(len(outcome.runs.seeds)) for outcome in result.outcomes)
            rows.append(f"| [{result.study.title}]({name}.md) | {claim.claim} | {' | '.join(cells)} | {seeds} |")
    heads = "study | claim | peak, 2D | extent, 2D | peak, 3D | extent, 3D | τ | effect in sections | seeds, 2D + 3D"
    table = "\n".join([f"| {heads} |", "| --- |" + " --- |" * heads.count("|"), *rows])
    answers = "\n".join(
        f"- [{result.study.title}]({name}.md): *{result.study.ordering.strip()}* {result.study.answer.strip()}"
        for name, result in results
    )
    parts = (_HEAD, answers, "## All claims", _READING, table, _ORIGIN)
    return "\n\n".join(part.strip() for part in parts) + "\n"


_HEAD = """# Studies

Does the model say what experiments say? Each study puts one ordering that experiments report to the model, as ordinary
cases over paired seeds, and judges it by at least one peak and one extent indicator. Claims that do not come out are
listed with the same weight. `scripts/studies` runs them all and writes these pages; the tests in tests/studies repeat
the main claims at small size.
"""

_ORIGIN = """
The effect is that of the first extent indicator and the first pair of the claim. Sections (2D) carry the statistics,
three dimensions (3D) check the main claims with fewer seeds. A section exaggerates the lithium gradient: at the same
C-rate and radius the quasi-steady difference between mean and surface is R² ẋ/(8 D) in a disc and R² ẋ/(15 D) in a
ball, 15/8 times as much. In terms of that difference Δx the hoop stress at the surface is the same in both,
E ΔV Δx/(3 (1 − ν)) with ΔV the change of volume per lithium.
"""


def _headline(result: StudyResult, claim: Claim) -> str:
    first = next(each for each in result.outcomes[0].claims[claim.claim] if each.kind == "extent")
    where = f"{first.less} → {first.more}, {moment_words(first.moment)}"
    return f"{indicator_words(first.indicator)}, {where}: {effect_words(first)}"
