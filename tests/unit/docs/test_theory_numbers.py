"""The theory page: its equation numbers are complete and in order, and every citation in the code exists there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
TAGS = re.findall(r"\\tag\{(\d+\.\d+)\}", TEXT)
CITATION = re.compile(r"\b(?:eqs?\.|equations?)\s+((?:\d+\.\d+)(?:(?:\s*[-–,]\s*|\s+and\s+)\d+\.\d+)*)", re.IGNORECASE)
LAST = {
    "1": 3,
    "2": 7,
    "3": 8,
    "4": 9,
    "5": 3,
    "6": 11,
    "7": 6,
    "8": 13,
    "9": 10,
    "10": 4,
    "11": 8,
    "12": 8,
    "13": 12,
    "14": 7,
    "15": 10,
}


def test_numbers_are_complete_and_in_order():
    expected = [f"{chapter}.{number}" for chapter, last in LAST.items() for number in range(1, last + 1)]
    assert expected == TAGS


def test_every_equation_is_in_a_math_block():
    blocks = re.findall(r"^```math\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == len(TAGS)
    assert all(block.count(r"\tag{") == 1 for block in blocks)
    for block in blocks:
        assert block.count("{") == block.count("}")
        assert block.count(r"\left") == block.count(r"\right") + block.count(r"\leftarrow")
        assert block.count(r"\begin") == block.count(r"\end")


def cited_in(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        for group in CITATION.findall(path.read_text(encoding="utf-8")):
            for number in re.findall(r"\d+\.\d+", group):
                yield path.relative_to(ROOT), number


@pytest.mark.parametrize("folder", ["meshes", "solver", "tests"])
def test_cited_equations_exist(folder):
    missing = [(str(path), number) for path, number in cited_in(folder) if number not in TAGS]
    assert not missing


def test_there_are_citations_to_check():
    assert len(list(cited_in("solver"))) > 30
