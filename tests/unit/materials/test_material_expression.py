"""Formulas are arithmetic and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.materials import MaterialError
from solver.materials.expression import formula

_S = np.linspace(0.1, 0.9, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", np.full(9, 2.0)),
        ("s", _S),
        ("-s + 3*s**2/4 - 1e-3", -_S + 3 * _S**2 / 4 - 1e-3),
        ("2.7*10**(-13.96 - exp(-(s - 0.3)**2/0.002))", 2.7 * 10 ** (-13.96 - np.exp(-((_S - 0.3) ** 2) / 0.002))),
        ("tanh(15.9*(s - 0.312)) + sqrt(s) - log(+s)", np.tanh(15.9 * (_S - 0.312)) + np.sqrt(_S) - np.log(_S)),
        ("-s**2", -(_S**2)),
    ],
)
def test_arithmetic(text, expected):
    assert formula(text, "s")(_S) == pytest.approx(expected, rel=1e-14)


def test_shape_is_kept_and_the_argument_is_not_returned_itself():
    x = np.full((3, 2), 0.5)
    assert formula("4", "s")(x).shape == (3, 2)
    same = formula("s", "s")(x)
    same[:] = 0.0
    assert (x == 0.5).all()
    assert formula("s", "s")(0.5).shape == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s +",
        "t",
        "__import__('os')",
        "s.real",
        "s[0]",
        "exp(s, s)",
        "exp(x=s)",
        "exp(*s)",
        "abs(s)",
        "lambda: 1",
        "[s]",
        "s < 1",
        "1 if s else 2",
        "'a'",
        "True",
        "1j",
        "s // 2",
        "s % 2",
        "~s",
        "1e999",
        "(s := 1)",
        "(" * 500 + "s" + ")" * 500,
        "-" * 200 + "s",
        "s+" * 400 + "s",
        "s" * 2000,
        "s\x00",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(MaterialError):
        formula(text, "s")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="s0123456789.+-*/() explogtanhsqr_[]\"'=:,", max_size=60))
def test_any_text_gives_numbers_or_a_material_error(text):
    try:
        function = formula(text, "s")
    except MaterialError:
        return
    with np.errstate(all="ignore"):
        assert function(_S).shape == _S.shape
