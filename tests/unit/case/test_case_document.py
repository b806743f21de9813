"""YAML text to data with lines: YAML 1.2 rules, limits, and words for what the parser stumbles over."""

from __future__ import annotations

import math

import pytest

from solver.case.document import MAXIMUM_CHARACTERS, MAXIMUM_VALUES, UnreadableError, read_document, shorten


def test_values_follow_yaml_1_2():
    text = "a: no\nb: 1:30\nc: 1e-14\nd: 0x1F\ne: ~\nf: true\ng: 007\nh: '5'\ni: 2026-11-20\nj: -.INF\nk: .5\nl: 1_000"
    value = read_document(text).value
    assert value == {
        "a": "no",
        "b": "1:30",
        "c": 1e-14,
        "d": "0x1F",
        "e": None,
        "f": True,
        "g": 7,
        "h": "5",
        "i": "2026-11-20",
        "j": -math.inf,
        "k": 0.5,
        "l": "1_000",
    }


def test_json_escapes_are_joined():
    assert read_document('{"a": "\\ud83d\\ude00 5 \\u00b5m"}').value == {"a": "😀 5 µm"}


def test_every_entry_knows_its_line():
    document = read_document("a: 1\nb:\n  c:\n    - x\n    - y\n  d: {e: 2}\n")
    assert document.line(("a",)) == 1
    assert document.line(("b", "c", 1)) == 5
    assert document.line(("b", "d", "e")) == 6
    # What is not written has the line of the block it would stand in.
    assert document.line(("b", "d", "missing", 3)) == 6


def test_alias_repeats_its_anchor():
    document = read_document("a: &size {h: 1}\nb: *size\n")
    assert document.value == {"a": {"h": 1}, "b": {"h": 1}}
    assert document.line(("b",)) == 2
    assert document.line(("b", "h")) == 1


def test_key_written_twice_names_both_lines():
    [problem] = read_document("a: 1\nb: 2\na: 3\n").problems
    assert (problem.line, problem.path) == (3, ("a",))
    assert problem.text == "is written twice, first in line 1; keep one"


@pytest.mark.parametrize("number", ["99999999999999999999", "-" + "9" * 5000])
def test_huge_integer_is_a_problem_not_a_crash(number):
    [problem] = read_document(f"a: {number}\n").problems
    assert "is too large" in problem.text
    assert len(problem.text) < 120


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n\tb: 2", 2, "indent with blanks"),
        ("a:\n\t- 1", 2, "indent with blanks"),
        ("a: b: c", 1, "put the text in quotes"),
        ("a: @x", 1, "put the value in quotes"),
        ("a: %x", 1, "put the value in quotes"),
        ("a: 'x", 1, "never closed"),
        ("x: [1, 2", 1, "bracket"),
        ("a: 1\nb", 2, 'not "key: value"'),
        ("a:\n  - 1\n b: 2", 3, "indent keys of one block alike"),
        ('a: "\\q"', 1, "single quotes"),
        ("a: 1\n---\nb: 2", 2, "one case per file"),
        ("a: !!python/object/apply:os.system ['true']", 1, "the plain value"),
        ("a: !foo 1", 1, "the plain value"),
        ("<<: {a: 1}", 1, "write the keys out"),
        ("? [a]\n: 1", 1, "a key must be one word"),
        ("[a]: 1", 1, "a key must be one word"),
        ("*a : 1", 1, "write the key itself"),
        ("a: *b", 1, "refers to nothing above"),
        ("a: &a [*a]", 1, "refers to nothing above"),
        ("a: 1\nb: \x00", 2, "U+0000"),
        ("a: \x1b[31m", 1, "U+001B"),
        ('a: "\\Uffffffff"', 0, "not YAML"),
        ('a: 1\nb: "\\ud800"', 2, "half a character"),
        ('"\\udc00": 1', 1, "half a character"),
        ("%YAML 9.9\n---\na: 1", 1, "not YAML"),
        ("[" * 3000, 1, "blocks inside each other"),
        ("a: &a 1\n" + "".join(f"b{i}: &b{i} 1\n" for i in range(200)), 101, "anchors"),
    ],
)
def test_what_is_no_case_is_explained(text, line, words):
    with pytest.raises(UnreadableError) as caught:
        read_document(text)
    assert words in caught.value.problem.text
    assert caught.value.problem.line == line


def test_alias_bomb_is_refused():
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    with pytest.raises(UnreadableError, match=f"more than {MAXIMUM_VALUES} values"):
        read_document("l0: &l0 [a, a, a, a, a, a, a, a, a]\n" + levels)


def test_long_text_and_many_values_are_refused():
    with pytest.raises(UnreadableError, match="characters are too many"):
        read_document("#" * (MAXIMUM_CHARACTERS + 1))
    with pytest.raises(UnreadableError, match="values"):
        read_document("[" + "1," * MAXIMUM_VALUES + "1]")


def test_byte_order_and_line_ends_do_not_matter():
    assert read_document("a: 1\r\nb: 2\r\n").value == {"a": 1, "b": 2}
    assert read_document("").value is None


def test_shown_text_is_one_safe_line():
    assert shorten("a\nb\x1b[31m\u202e\ud800") == "a\\nb\\x1b[31m\\u202e\\ud800"
    assert len(shorten("x" * 1000)) == 60
