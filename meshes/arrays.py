"""Names of the array types that all modules use, and lists of plain numbers from arrays."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

# Floating-point numbers and integers. The element type is left open: what numpy's stubs infer for it differs from one
# version to the next.
Array = NDArray[Any]
Indices = NDArray[Any]


def as_ints(values: NDArray[Any]) -> list[int]:
    """Elements of a one-dimensional array as plain integers."""
    return [int(value) for value in values]
