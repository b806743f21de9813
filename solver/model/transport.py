"""Lithium transport in a grain and the current that drives it; equations 3.1-3.5 of docs/theory.md."""

from __future__ import annotations

import ufl
from ufl.core.expr import Expr

SECONDS_PER_HOUR = 3600.0


def diffusivity_tensor(diffusivity_ab: Expr, diffusivity_c: Expr, c_axis: Expr) -> Expr:
    """Diffusion tensor of a layered crystal (eq. 3.2).

    Args:
        diffusivity_ab: Diffusivity within the layers [µm²/s].
        diffusivity_c: Diffusivity across the layers [µm²/s].
        c_axis: Layer normal, unit vector, shape (3,).

    Returns:
        Symmetric tensor [µm²/s], shape (3, 3).
    """
    along = ufl.outer(c_axis, c_axis)
    return diffusivity_ab * (ufl.Identity(3) - along) + diffusivity_c * along


def lithiation_rate(direction: int, c_rate: float, capacity_ratio: float) -> float:
    """Rate of the mean stoichiometry under a constant current (eq. 3.4).

    Args:
        direction: −1 for charge (lithium leaves), +1 for discharge, 0 for rest.
        c_rate: Current over the current called 1C [-].
        capacity_ratio: Capacity that 1C moves in one hour over the theoretical capacity [-].

    Returns:
        dx̄/dt [1/s].
    """
    return direction * c_rate * capacity_ratio / SECONDS_PER_HOUR
