"""`vegard schema`: the JSON schema of case and sweep files, or their reference pages."""

from __future__ import annotations

from typing import Annotated

import typer

from solver.cli.console import say

NAME = "schema"
EXAMPLES = (
    "vegard schema > case.schema.json",
    "vegard schema --markdown > docs/cases.md",
    "vegard schema --sweep > sweep.schema.json",
)


def command(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
    sweep: Annotated[bool, typer.Option("--sweep", help="Of sweep files.")] = False,
) -> None:
    """Print the JSON schema of case files, or of sweep files.

    Editors use it for completion: save it beside a case, and name it in the first line of the case, as
    "# yaml-language-server: $schema=case.schema.json".
    """
    if sweep:
        from solver.sweep.reference import sweep_reference_text, sweep_schema_text

        say((sweep_reference_text if markdown else sweep_schema_text)().rstrip("\n"))
        return
    if markdown:
        from solver.case.reference import reference_text

        say(reference_text().rstrip("\n"))
        return
    from solver.case.json_schema import schema_text

    say(schema_text().rstrip("\n"))
