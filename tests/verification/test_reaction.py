"""Surface reaction against mathematics: local law, overpotential of an even surface, limits, ends, balance."""

from __future__ import annotations

import bars
import numpy as np
import pytest
from reaction_cases import (
    FULL,
    LIMITS,
    SITES,
    TEMPERATURE,
    charge_hold_rest_discharge,
    distance_to_limit,
    even_surface_error,
    kinetics,
    reacting,
    run,
    sphere,
    voltage,
)

from solver.materials.voltage import FARADAY
from solver.model.kinetics import GAS_CONSTANT
from solver.solve.segments import Segment

# Away from the ends of the table, 0.05 and 0.98, where the slope of the voltage jumps.
X = np.array([0.0005, 0.02, 0.06, 0.3, 0.6, 0.9, 0.985, 0.9995])


@pytest.mark.parametrize("film", [0.0, 0.02])
@pytest.mark.parametrize("transfer", [0.5, 0.3])
@pytest.mark.parametrize("potential", [3.2, 3.9, 4.6])
def test_outflow_derivatives_are_those_of_the_law(film: float, transfer: float, potential: float) -> None:
    # Central differences: their error is the square of 1e-6 over the scale of x (1e-3 at the ends), so 1e-5 is safe.
    reaction, step = kinetics(film=film, transfer=transfer), 1e-6
    found = reaction.outflow(X, potential)
    by_x = (reaction.outflow(X + step, potential).value - reaction.outflow(X - step, potential).value) / (2 * step)
    higher, lower = reaction.outflow(X, potential + step).value, reaction.outflow(X, potential - step).value
    scale = np.abs(found.by_potential).max()
    assert found.by_stoichiometry == pytest.approx(by_x, rel=1e-4, abs=1e-5 * np.abs(by_x).max())
    assert found.by_potential == pytest.approx((higher - lower) / (2 * step), rel=1e-4, abs=1e-6 * scale)


def test_film_takes_its_share_of_the_drive() -> None:
    reaction = kinetics(film=0.02)
    current = reaction.outflow(X, 4.2).value / reaction.velocity_per_current
    overpotential = 4.2 - reaction.equilibrium(X) - 0.02 * current
    scale = FARADAY / (2 * GAS_CONSTANT * TEMPERATURE)
    exchange, _ = reaction.exchange_current(X)
    # The same current from the overpotential behind the film, to the tolerance of the local iteration.
    assert current == pytest.approx(2 * exchange * np.sinh(scale * overpotential), rel=1e-9)


def test_voltage_goes_on_smoothly_in_value_and_inverts() -> None:
    curve = voltage()
    for edge in (curve.low, curve.high):
        assert curve(edge - 1e-9) == pytest.approx(float(curve(edge + 1e-9)), abs=1e-7)
    x = np.linspace(-0.02, 1.02, 2001)
    assert (np.diff(curve(x)) < 0.0).all()
    for value in (0.01, 0.3, 0.99):
        assert curve.stoichiometry(float(curve(value))) == pytest.approx(value, abs=1e-12)


def test_even_surface_has_the_overpotential_of_the_law() -> None:
    bars.REACTION_EVEN.check(even_surface_error())


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name: str) -> None:
    bars.REACTION_LIMITS.check(distance_to_limit(name))


def test_charge_hold_rest_discharge() -> None:
    """Ends are met to their tolerances, lithium balances, and few Newton steps are needed."""
    outcome = charge_hold_rest_discharge()
    charged, held, rested, discharged = outcome.watch.states[1:]
    assert [state.ended for state in (charged, held, rested, discharged)] == ["4.2 V", "C/20", "time", "3.4 V"]
    assert held.potential == pytest.approx(4.2, abs=1e-12)
    assert rested.potential < 4.2  # it relaxes from a charge
    bars.END_VOLTAGE.check(outcome.voltage_miss)
    bars.END_CURRENT.check(outcome.current_miss)
    bars.REACTION_BALANCE.check(outcome.imbalance)
    bars.NEWTON.check(outcome.newton)


@pytest.mark.parametrize("rate", [0.05, 10.0])
def test_slow_and_quick_starts_from_rest(rate: float) -> None:
    watch = run(sphere(reacting(kinetics(film=0.005))), [Segment(20.0 / rate, "charge", rate=-rate / 3600.0)])
    assert all(attempt.converged for attempt in watch.attempts)
    assert watch.states[-1].state_of_charge == pytest.approx(1.0 - FULL + 20.0 / 3600.0, rel=1e-9)


@pytest.mark.parametrize("rate", [0.05, 10.0])
@pytest.mark.parametrize(("start", "direction"), [(0.99, -1), (0.97, 1), (0.97, -1), (0.06, -1), (0.06, 1), (0.02, 1)])
def test_currents_near_and_beyond_the_ends_of_the_table(start: float, direction: int, rate: float) -> None:
    """The table covers 0.05 to 0.98; the logarithm beyond keeps lithium between empty and full."""
    reaction, moved = kinetics(film=0.005), 0.004
    segment = Segment(3600.0 * moved / rate, "current", rate=direction * rate / 3600.0)
    watch = run(sphere(reacting(reaction), initial=start), [segment])
    assert all(attempt.converged for attempt in watch.attempts)
    assert watch.states[-1].mean_stoichiometry == pytest.approx(start + direction * moved, abs=1e-10)
    assert watch.states[-1].lithium_imbalance < 1e-10
    assert watch.fields[-1].min() > 0.0
    assert watch.fields[-1].max() < 1.0
    # Charging is above the equilibrium of the mean, discharging below.
    assert direction * (watch.states[-1].potential - float(reaction.equilibrium(start + direction * moved))) < 0.0


@pytest.mark.parametrize(
    ("start", "held"), [(0.99, 4.3), (0.97, 4.45), (0.5, 4.6), (0.5, 3.2), (0.06, 3.4), (0.02, 3.2)]
)
def test_held_voltages_far_from_equilibrium(start: float, held: float) -> None:
    reaction = kinetics(film=0.005)
    watch = run(sphere(reacting(reaction), initial=start), [Segment(300.0, "hold", potential=held)])
    assert all(attempt.converged for attempt in watch.attempts)
    assert watch.states[-1].potential == held
    assert watch.fields[-1].min() > 0.0
    assert watch.fields[-1].max() < 1.0
    rates = np.array([attempt.inflow for attempt in watch.attempts])
    towards = np.sign(float(reaction.equilibrium.stoichiometry(held)) - start)
    assert (towards * rates > 0.0).all()
    assert abs(rates[-1]) < abs(rates[1])  # the current falls


def test_velocity_per_current_is_faradays() -> None:
    # 1 A/m² for one second moves 1/F mol per m², which fills 1/(F c_max) m of sites.
    assert kinetics().velocity_per_current == pytest.approx(1e6 / (96485.33212 * SITES))
