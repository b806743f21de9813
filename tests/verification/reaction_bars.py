"""What the verification asks of the surface reaction, of protocols and of currents from tables; see `bars`."""

from __future__ import annotations

from bar import SECOND_ORDER, Bar

_REACTION = "test_reaction.py::"
REACTION_EVEN = Bar(
    "overpotential of an even surface, relative error (5 cells)",
    5e-3,
    "a coarse sphere is not quite even",
    _REACTION + "test_even_surface_has_the_overpotential_of_the_law",
)
REACTION_LIMITS = Bar(
    "quick reaction against one stoichiometry, thick film against even flux: difference of x over that between the two",
    0.03,
    "the limits are at infinity",
    _REACTION + "test_limits",
)
_CYCLE = _REACTION + "test_charge_hold_rest_discharge"
END_VOLTAGE = Bar("end at a voltage, distance [V]", 1.1e-4, "0.1 mV is asked for", _CYCLE)
END_CURRENT = Bar("end at a current, relative distance", 1.1e-3, "0.1 % is asked for", _CYCLE)
REACTION_BALANCE = Bar("lithium imbalance", 1e-10, "each step balances to 1e-9 of what passes in it", _CYCLE)
NEWTON = Bar("mean number of Newton steps", 4.0, "quadratic from a good guess", _CYCLE)
_COURSE = "test_courses.py::"
_SINUSOID = _COURSE + "test_sinusoidal_current_in_a_sphere"
SINUSOID = Bar(
    "sinusoidal current: x at the surface, largest error over its amplitude (10 cells)", 0.01, "1 %", _SINUSOID
)
SINUSOID_RATE = Bar("its rate between 5 and 10 cells", 1.7, SECOND_ORDER, _SINUSOID, at_least=True)
COURSE_RATE = Bar(
    "the same current: rate in step size",
    1.8,
    "eq. 11.7 keeps the second order",
    _COURSE + "test_error_falls_with_the_square_of_the_step",
    at_least=True,
)
COURSE_CHARGE = Bar(
    "random table with jumps, followed closely and in steps over many rows: lithium that entered, error of mean x",
    1e-9,
    "solves stop at 1e-10",
    _COURSE + "test_charge_of_a_ragged_table_is_exact",
)
