"""Constraints of a sweep: comparisons over axes and keys of the case, read by a grammar that can do nothing else.

The text is parsed by Python and never run: the tree is walked here, and anything but names, numbers, quoted words and
quantities, + - * /, comparisons, `in`, `and`, `or` and `not` is refused. Quantities compare with their units.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from meshes.quantities import base_quantity
from solver.case.document import shorten

MAXIMUM_CHARACTERS = 500
MAXIMUM_NODES = 200

_ROUNDING = 1e-12

# What a name stands for; raises KeyError when it stands for nothing.
Lookup = Callable[[str], Any]

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISON: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda value, values: any(_comparable(value, other) and value == other for other in values),
    ast.NotIn: lambda value, values: not any(_comparable(value, other) and value == other for other in values),
}
_ALLOWED = 'write a comparison such as "radius >= 3 * mean_diameter" or "design != \'dense\'"'


@dataclass(frozen=True)
class Constraint:
    """A condition that a point of the sweep must fulfil.

    Attributes:
        text: As written.
        names: Every name in it.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr

    def holds(self, lookup: Lookup) -> bool:
        """Whether a point fulfils it.

        Args:
            lookup: The value a name stands for in this point.

        Raises:
            ValueError: When values cannot be compared, or a name stands for nothing, with what to write instead.
        """
        result = _evaluate(self._tree, lookup)
        if not isinstance(result, bool):
            raise ValueError(f"this is a value and no comparison; {_ALLOWED}")
        return result


def read_constraint(text: str) -> Constraint:
    """Read a constraint.

    Raises:
        ValueError: When it is anything but a comparison, with what to write instead.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise ValueError(f"{len(text)} characters are too many; {MAXIMUM_CHARACTERS} are allowed")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f'"{shorten(text)}" cannot be read; {_ALLOWED}') from error
    if sum(1 for _ in ast.walk(tree)) > MAXIMUM_NODES:
        raise ValueError("this is too long; write several constraints")
    names: set[str] = set()
    _check(tree, names)
    return Constraint(text, frozenset(names), tree)


def _check(node: ast.expr, names: set[str]) -> None:
    """Refuses everything that is not part of the grammar; collects names."""
    match node:
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                _check(part, names)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=inner):
            _check(inner, names)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            _check(left, names)
            _check(right, names)
        case ast.Compare(left=left, ops=signs, comparators=others) if all(type(sign) in _COMPARISON for sign in signs):
            for part in (left, *others):
                _check(part, names)
        case ast.Constant(value=bool() | int() | float() | str()):
            pass
        case ast.Name() | ast.Attribute():
            names.add(_dotted(node))
        case _:
            raise ValueError(f'"{shorten(ast.unparse(node))}" is not allowed here; {_ALLOWED}')


def _dotted(node: ast.expr) -> str:
    """The dotted name of a tree of attributes."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{_dotted(inner)}.{name}"
    raise ValueError(f'"{shorten(ast.unparse(node))}" is not allowed here; {_ALLOWED}')


def _evaluate(node: ast.expr, lookup: Lookup) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_truth(part, lookup) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_truth(part, lookup) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _truth(inner, lookup)
        case ast.UnaryOp(op=sign, operand=inner):
            value = _number(_evaluate(inner, lookup))
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left=left, op=sign, right=right):
            first, second = _evaluate(left, lookup), _evaluate(right, lookup)
            return _tried(_ARITHMETIC[type(sign)], _number(first), _number(second))
        case ast.Compare():
            return _compare(node, lookup)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_evaluate(part, lookup) for part in parts]
        case ast.Constant(value=value):
            return as_operand(value)
    name = _dotted(node)
    try:
        return as_operand(lookup(name))
    except KeyError as error:
        raise ValueError(str(error.args[0])) from error


def _truth(node: ast.expr, lookup: Lookup) -> bool:
    value = _evaluate(node, lookup)
    if not isinstance(value, bool):
        raise ValueError(f'"{shorten(ast.unparse(node))}" is a value and no comparison; {_ALLOWED}')
    return value


def _compare(node: ast.Compare, lookup: Lookup) -> bool:
    values = [_evaluate(part, lookup) for part in (node.left, *node.comparators)]
    for sign, first, second in zip(node.ops, values, values[1:]):
        if isinstance(sign, ast.In | ast.NotIn):
            if not isinstance(second, list):
                raise ValueError('after "in" stands a list; write for example "seed in [1, 2]"')
        elif not _comparable(first, second):
            raise ValueError(f"{_shown(first)} and {_shown(second)} cannot be compared; give both a unit of one kind")
        elif _close(first, second):
            second = first
        if not bool(_tried(_COMPARISON[type(sign)], first, second)):
            return False
    return True


def as_operand(value: Any) -> Any:
    """A value of a case as it takes part in comparisons: text with a unit becomes a quantity, other text stays."""
    try:
        return base_quantity(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _number(value: Any) -> Any:
    if isinstance(value, str | bool | list):
        raise ValueError(f"{_shown(value)} is no number; {_ALLOWED}")
    return value


def _comparable(first: Any, second: Any) -> bool:
    """Whether two values are of one kind: words, truth values, or numbers of the same dimension."""
    if isinstance(first, str | bool | list) or isinstance(second, str | bool | list):
        return type(first) is type(second)
    return bool(getattr(first, "dimensionality", {}) == getattr(second, "dimensionality", {}))


def _close(first: Any, second: Any) -> bool:
    """Whether two numbers differ by no more than converting and multiplying them leaves behind."""
    first, second = getattr(first, "magnitude", first), getattr(second, "magnitude", second)
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (first, second))
    return are_numbers and math.isclose(first, second, rel_tol=_ROUNDING)


def _tried(operation: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    try:
        result = operation(first, second)
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"{_shown(first)} and {_shown(second)}: {shorten(str(error), 200)}") from error
    return result


def _shown(value: Any) -> str:
    return f'"{shorten(value)}"' if isinstance(value, str) else shorten(str(value))
