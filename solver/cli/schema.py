"""`vegard schema`: the JSON schema of case files, or their reference page."""

from __future__ import annotations

from typing import Annotated

import typer

from solver.cli.console import say

NAME = "schema"
EXAMPLES = (
    "vegard schema > case.schema.json",
    "vegard schema --markdown > docs/cases.md",
)


def command(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """Print the JSON schema of case files.

    Editors use it for completion: save it beside a case, and name it in the first line of the case, as
    "# yaml-language-server: $schema=case.schema.json".
    """
    if markdown:
        from solver.case.reference import reference_text

        say(reference_text().rstrip("\n"))
        return
    from solver.case.json_schema import schema_text

    say(schema_text().rstrip("\n"))
