"""Surface reaction against mathematics: local law, overpotential of an even surface, limits, ends, balance."""

from __future__ import annotations

import numpy as np
import pytest
from diffusion_cases import RADIUS
from reaction_cases import FULL, SITES, TEMPERATURE, kinetics, reacting, run, sphere, voltage
from runs import adaptive

from solver.materials.voltage import FARADAY
from solver.model.kinetics import GAS_CONSTANT, ButlerVolmer
from solver.solve.segments import End, Segment
from solver.solve.step_solver import even_flux, fast_reaction
from solver.solve.transport import SurfaceChoice

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
    # Galvanostatic, isotropic: U(x_s) + (2RT/F) asinh(i / 2 i0(x_s)) with the mean x at the surface; the mesh of the
    # sphere is not quite even, which is worth 1e-3 of the overpotential.
    reaction, rate = kinetics(), -2.0 / 3600.0
    transport = sphere(reacting(reaction))
    watch = run(transport, [Segment(200.0, "charge", rate=rate)])
    points = transport.stoichiometry.function_space.tabulate_dof_coordinates()
    surface = watch.fields[-1][np.linalg.norm(points, axis=1) > 0.999 * RADIUS]
    current = -rate * transport.volume / transport.area / reaction.velocity_per_current
    exchange = float(reaction.exchange_current(np.array([surface.mean()]))[0][0])
    overpotential = 2 * GAS_CONSTANT * TEMPERATURE / FARADAY * np.arcsinh(current / (2 * exchange))
    found = watch.states[-1].potential - float(reaction.equilibrium(surface.mean()))
    assert found == pytest.approx(overpotential, rel=5e-3)


@pytest.mark.parametrize(
    ("reaction", "limit", "other"),
    [(kinetics(exchange=1e5), fast_reaction, even_flux), (kinetics(film=1.0), even_flux, fast_reaction)],
    ids=["quick reaction", "thick film"],
)
def test_limits(reaction: ButlerVolmer, limit: SurfaceChoice, other: SurfaceChoice) -> None:
    # A quick reaction leaves one stoichiometry on the surface; a film that takes 2 V, against which differences of the
    # equilibrium voltage of 0.02 V are small, an even flux.
    segments = [Segment(60.0, "charge", rate=-1.0 / 3600.0)]
    surfaces = (reacting(reaction), limit, other)
    reacted, limited, opposite = (run(sphere(choice, axis_ratio=0.05), segments, adaptive(1e-5)) for choice in surfaces)
    close = np.abs(reacted.fields[-1] - limited.fields[-1]).max()
    apart = np.abs(reacted.fields[-1] - opposite.fields[-1]).max()
    assert close < 0.03 * apart


def test_charge_hold_rest_discharge() -> None:
    """Ends are met to their tolerances, lithium balances, and few Newton steps are needed."""
    third = 1.0 / 3600.0
    segments = [
        Segment(6000.0, "charge", rate=-third, ends=(End("potential", 4.2, True, "4.2 V"),), must_end=True),
        Segment(9000.0, "hold", potential=4.2, ends=(End("rate", third / 20, False, "C/20"),), must_end=True),
        Segment(600.0, "rest", rate=0.0),
        Segment(9000.0, "discharge", rate=third, ends=(End("potential", 3.4, False, "3.4 V"),), must_end=True),
    ]
    watch = run(sphere(reacting(kinetics()), axis_ratio=0.2), segments)
    charged, held, rested, discharged = watch.states[1:]
    assert [state.ended for state in (charged, held, rested, discharged)] == ["4.2 V", "C/20", "time", "3.4 V"]
    assert charged.potential == pytest.approx(4.2, abs=1.1e-4)
    assert held.potential == pytest.approx(4.2, abs=1e-12)
    assert abs(held.rate) == pytest.approx(third / 20, rel=1.1e-3)
    assert discharged.potential == pytest.approx(3.4, abs=1.1e-4)
    assert rested.potential < 4.2  # it relaxes from a charge
    # Newton stops when the sum of the residual is 1e-9 of the flow; most steps do much better.
    assert max(state.lithium_imbalance for state in watch.states) < 1e-10
    newton = [attempt.newton for attempt in watch.attempts if attempt.converged]
    assert np.mean(newton) <= 4.0


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
