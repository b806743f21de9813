"""Mangled case files: whatever the text, the answer is a case or lines for a person, soon, and nothing else.

The default number of examples keeps this within about a minute; VEGARD_FUZZ_EXAMPLES=20000 searches longer, with new
random examples each time.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver.case.document import read_document
from solver.case.load import LoadedCase, load_case, load_text
from solver.case.schema import Case
from solver.case.shapes import model_paths
from solver.case.starter import starter_text
from solver.errors import CaseError

ROOT = Path(__file__).parents[3]
TEXTS = [
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "cases").rglob("*.yaml")) if path.name != "study.yaml"
]
TEXTS.append(starter_text(Path("c.yaml")))
TEXTS.append("""\
particle: {from_file: {path: nope.msh, length_unit: 1 nm, grain_data: g}, aspect_ratio: 1.2}
material:
  base: NMC811
  lattice: {x: [0, 0.5, 1], strain_a: [-0.01, -0.005, 0], strain_c: [-0.03, 0.01, 0]}
  youngs_modulus: 150 GPa
  poisson_ratio: 0.3
electrochemistry: {protocol: [Rest for 1 s], one_c_capacity: 200 mAh/g}
indicators: {boundary_thresholds: [1 MPa], weibull_volume: 1 um^3}
numerics: {initial_step: 2 s, maximum_step: 1 min}
""")
KEYS = sorted({path[-1] for path in model_paths(Case)})

# A case is read in milliseconds; ten seconds on a busy machine means that some text makes it crawl.
COMMON = settings(deadline=10_000, suppress_health_check=list(HealthCheck), database=None)
MORE = int(os.environ.get("VEGARD_FUZZ_EXAMPLES", "0"))
EXAMPLES = settings(COMMON, max_examples=MORE or 700, derandomize=not MORE)

NASTY = st.sampled_from(
    [
        "", " ", "\n", "\t", ":", "- ", "? ", "{", "}", "[", "]", ",", "#", "&a ", "*a", "!!int ", "!x ", "|", ">", "'",
        '"', "%", "@", "`", "---", "...", "<<: ", "~", "null", "true", "no", ".nan", "-.inf", "1e999", "1e-999", "-0",
        "0x10", "1_0", "9" * 400, "0." + "0" * 400 + "1", "-1", "0", "1e5000", "5 um", "5um", "5 parsec", "5 um um",
        "100 %", "1e300 um", "-5 um", "um", "°C", "µ", "\u202e", "\ufeff", "\x00", "\x1b", "\ud7ff", "😀", "é" * 50,
        '"\\ud800"', '"\\0"', '"\\n"', "a" * 3000, "Charge", "Charge at 1e9C until 5 % SoC", "Charge at 1C until 4.3 V",
        "Rest for 1e999 s", "Rest for -5 s", "Charge at C/0 for 1 s", "../" * 30, "/dev/zero", "~root", "C:\\x", "con",
        "[[[[[[[[[[[[[[[[[[[[[[[[", "*" * 100, "{a: " * 30, "&a [*a]", "=", "!!binary aGk=", "!!timestamp 2001-01-01",
    ]
)  # fmt: skip


def check(text: str) -> None:
    try:
        assert isinstance(load_text(text, Path("/nowhere/c.yaml")), LoadedCase)
    except CaseError as error:
        assert_readable(error)


def assert_readable(error: CaseError) -> None:
    assert error.problems
    for line in error.problems:
        assert line.startswith("/nowhere/c.yaml") or "/c.yaml" in line
        assert line.isprintable(), repr(line)
        assert len(line) < 1500
        line.encode()  # no lone surrogates


@st.composite
def mangled(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        pieces = re.split(r"(\s+|[:,{}\[\]])", text)
        at = draw(st.integers(0, len(pieces) - 1))
        other = draw(st.integers(0, len(pieces) - 1))
        action = draw(
            st.sampled_from(["delete", "repeat", "replace", "insert", "swap", "cut", "unicode", "key", "indent"])
        )
        if action == "delete":
            del pieces[at : at + draw(st.integers(1, 5))]
        elif action == "repeat":
            pieces[at:at] = pieces[at : at + draw(st.integers(1, 30))]
        elif action == "replace":
            pieces[at] = draw(NASTY)
        elif action == "insert":
            pieces.insert(at, draw(NASTY))
        elif action == "swap":
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif action == "cut":
            del pieces[at:]
        elif action == "unicode":
            pieces.insert(at, draw(st.text(min_size=1, max_size=8)))
        elif action == "key":
            pieces[at] = draw(st.sampled_from(KEYS))
        else:
            pieces[at] = pieces[at].replace("\n", "\n" + " " * draw(st.integers(0, 9)))
        text = "".join(pieces)
    return text


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=30),
    NASTY.filter(str.isprintable),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), inner, max_size=5)
    ),
    max_leaves=12,
)


@st.composite
def wrongly_typed(draw: st.DrawFn) -> str:
    """A shipped case with some of its values replaced by values of any type."""
    data = read_document(draw(st.sampled_from(TEXTS))).value
    for _ in range(draw(st.integers(1, 4))):
        block = data
        while True:
            keys = list(block) if isinstance(block, dict) else list(range(len(block)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(block[key], dict | list) and block[key] and draw(st.booleans()):
                block = block[key]
                continue
            block[key] = draw(values)
            break
    # NaN and Infinity are not JSON; in YAML they have a dot in front.
    return re.sub(r"(?<![\w.\"])(-?)(NaN|Infinity)", lambda m: f"{m[1]}.{m[2].lower()[:3]}", json.dumps(data))


@EXAMPLES
@given(mangled())
def test_mangled_text_of_real_cases(text):
    check(text)


@EXAMPLES
@given(wrongly_typed())
def test_values_of_any_type_anywhere(text):
    check(text)


@EXAMPLES
@given(values)
def test_any_data(data):
    check(json.dumps(data))


@settings(EXAMPLES, max_examples=(MORE or 700) // 2)
@given(st.text(max_size=200) | st.text("ab:-[]{}#&*!|>'\"%@`,? \n\t", max_size=200))
def test_any_text(text):
    check(text)


@settings(EXAMPLES, max_examples=(MORE or 700) // 4)
@given(st.binary(max_size=200), st.sampled_from(TEXTS))
def test_any_bytes_in_a_file(tmp_path_factory, junk, text):
    path = tmp_path_factory.getbasetemp() / "c.yaml"
    for content in (junk, text.encode()[:100] + junk + text.encode()[100:]):
        path.write_bytes(content)
        try:
            load_case(path)
        except CaseError as error:
            assert_readable(error)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a, *a]\n" for n in range(90)),
        "material: &m {base: *m}",
        "x: &x {y: *x, z: *x}",
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 90_000,
        "? " * 50_000,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(600)),
        "&a " * 60_000,
        "!" * 100_000,
        '"' + "\\x41" * 45_000,
        "a: " + "9" * 190_000,
        "a: " + "-" * 190_000,
        "a: |\n" + " x\n" * 60_000,
        "#" + "\n#" * 90_000,
        "\n" * 190_000,
        "%TAG ! tag:x,2000:\n" * 9000,
        "a, " * 60_000,
        "material: " + "NMC" * 60_000,
        "name: " + "x" * 190_000,
        "{" + ", ".join(f"k{n}: {n}" for n in range(9000)) + "}",
        "\n".join(f"materia{n}: 1" for n in range(9000)),
        "electrochemistry: {protocol: [" + "Rest for 1 s, " * 9000 + "]}",
        "electrochemistry: {protocol: [" + "Charge at 1C until 4.3 V, " * 7000 + "]}",
        "electrochemistry: {protocol: Charge at " + "1" * 180_000 + "C}",
        "electrochemistry: {protocol: " + "Charge " * 25_000 + "}",
        "electrochemistry: {temperature: " + "1" * 180_000 + " K}",
        "electrochemistry: {temperature: 1 " + "K " * 60_000 + "}",
    ],
    ids=lambda bomb: bomb[:18],
)
@pytest.mark.timeout(60)
def test_bombs(bomb):
    check(bomb)
