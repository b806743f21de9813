"""The gallery shows every design that is shipped, with a picture that a repository can hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solver.gallery import words

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
CASES = sorted((ROOT / "cases" / "designs").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_design_has_its_part(case: Path) -> None:
    assert f"](../cases/designs/{case.name})" in PAGE
    for paragraph in words(case.read_text(encoding="utf-8")):
        assert paragraph in PAGE, "run scripts/gallery"
    assert 5_000 < (ROOT / "docs" / "pictures" / f"{case.stem}.png").stat().st_size < 200_000


def test_nothing_is_shown_that_is_gone() -> None:
    shown = set(re.findall(r"\]\(pictures/([\w-]+)\.png\)", PAGE))
    assert shown == {case.stem for case in CASES}
    assert {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")} == shown


def test_words_are_the_comment_at_the_head_of_a_case() -> None:
    text = "# yaml-language-server: x\n#\n# One line\n# and another.\n#\n# A second part.\n\nname: x  # not this\n"
    assert words(text) == ["One line and another.", "A second part."]
