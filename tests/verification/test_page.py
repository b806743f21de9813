"""docs/verification.md is the page that `scripts/verification` would write now, but for the numbers in it."""

from __future__ import annotations

import re
from pathlib import Path

import bars
import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PLACE = re.compile(r"\{\{(\w+)\}\}")
TEMPLATE = (HERE / "page.md").read_text(encoding="utf-8")
PAGE = (DOCS / "verification.md").read_text(encoding="utf-8")


def test_page_follows_template_and_limits():
    """Text, limits and test names are the present ones; run scripts/verification when this fails."""
    pieces = []
    for number, piece in enumerate(PLACE.split(TEMPLATE)):
        if number % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in bars.ALL:
            row = bars.ALL[piece].row("\0").split("\0")
            pieces.append(re.escape(row[0]) + r"(?P<" + piece + r">[-+.e\d]+)" + re.escape(row[1]))
        else:
            pieces.append("(?s:.+?)")
    found = re.fullmatch("".join(pieces), PAGE)
    assert found
    for name, item in bars.ALL.items():
        item.check(float(found[name]))


def test_every_bar_is_on_the_page_once():
    places = PLACE.findall(TEMPLATE)
    assert len(places) == len(set(places))
    assert set(bars.ALL) <= set(places)


@pytest.mark.parametrize("name", bars.ALL)
def test_the_test_a_bar_names_checks_it(name):
    file, function = bars.ALL[name].test.split("::")
    source = (HERE / file).read_text(encoding="utf-8")
    body = re.search(rf"^def {function}\(.*?(?=^\S|\Z)", source, flags=re.DOTALL | re.MULTILINE)
    assert body
    assert f"bars.{name}.check(" in body[0] or name.endswith("RANKS")


def test_figures_are_there_small_and_all_shown():
    shown = set(re.findall(r"!\[[^\]]+\]\(figures/([\w-]+\.png)\)", PAGE))
    there = {path.name: path.stat().st_size for path in (DOCS / "figures").glob("verification-*.png")}
    assert shown == set(there)
    assert max(there.values()) < 120_000
