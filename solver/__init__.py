"""From a case and a mesh to stress fields and crack-risk numbers, on DOLFINx and PETSc.

In scripts and notebooks: `from solver import load_case, run_case, open_run`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["load_case", "open_run", "run_case"]


def __getattr__(name: str) -> Any:
    """The names above, loaded when first used: a command that only checks a case must not load DOLFINx."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from solver import api  # noqa: PLC0415

    return getattr(api, name)
