"""Formulas of the library, such as U(s), read as arithmetic and nothing else: no names but one, no calls but four.

The text is parsed once with `ast` and turned into a chain of NumPy operations; whatever is not a number, the
variable, + - * / **, a sign, or exp, log, sqrt, tanh of such a thing is refused, so no file can run code.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solver.materials.errors import MaterialError

Formula = Callable[[ArrayLike], NDArray[np.float64]]
_Node = Callable[[Any], Any]

_MAXIMUM_LENGTH = 1000
_MAXIMUM_DEPTH = 60
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_SIGN: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh}


def formula(text: str, variable: str) -> Formula:
    """Vectorised function of one variable.

    Args:
        text: Arithmetic such as "4.5 - 0.8*s + 0.1*tanh(3*s)".
        variable: The one name the text may use.

    Returns:
        Function from an array to an array of the same shape.

    Raises:
        MaterialError: When the text is anything but such arithmetic.
    """
    if len(text) > _MAXIMUM_LENGTH:
        raise MaterialError(f"a formula of {len(text)} characters is too long (limit {_MAXIMUM_LENGTH})")
    try:
        tree = ast.parse(text, mode="eval")
        evaluate = _translate(tree.body, variable, _MAXIMUM_DEPTH)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise MaterialError(f'"{text}" is not a formula: {error}') from error

    def function(value: ArrayLike) -> NDArray[np.float64]:
        array = np.asarray(value, dtype=float)
        return np.broadcast_to(np.asarray(evaluate(array), dtype=float), array.shape).copy()

    return function


def _translate(node: ast.expr, variable: str, depth: int) -> _Node:
    """The function of one syntax node; ValueError names the part that is no arithmetic."""
    if depth == 0:
        raise ValueError("too deeply nested")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            value = np.float64(number)
            if not math.isfinite(value):
                raise ValueError("a number is not finite")
            return lambda _: value
        case ast.Name(id=name) if name == variable:
            return lambda argument: argument
        case ast.UnaryOp(op=sign, operand=inner) if type(sign) in _SIGN:
            apply, operand = _SIGN[type(sign)], _translate(inner, variable, depth - 1)
            return lambda argument: apply(operand(argument))
        case ast.BinOp(left=left, op=symbol, right=right) if type(symbol) in _BINARY:
            combine = _BINARY[type(symbol)]
            first, second = _translate(left, variable, depth - 1), _translate(right, variable, depth - 1)
            return lambda argument: combine(first(argument), second(argument))
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
            call, operand = _FUNCTIONS[name], _translate(inner, variable, depth - 1)
            return lambda argument: call(operand(argument))
    raise ValueError(
        f'"{ast.unparse(node)}" is not allowed here; only {variable}, numbers, + - * / ** and {", ".join(_FUNCTIONS)}'
    )
