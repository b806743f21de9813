"""Currents that vary in time, with known answers: a sinusoid in a sphere (eq. 11.8), charge, order in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from convergence import Convergence
from diffusion_cases import DIFFUSIVITY, RADIUS, UNIT_TIME, radii, sphere_transport
from numpy.typing import NDArray
from runs import Recorder, adaptive, fixed, run_lithium

from solver.case.course import Course
from solver.solve.segments import Segment
from solver.solve.stepping import StepSettings

Array = NDArray[np.float64]

# The surface oscillates in a layer of about half the radius: neither even nor thin.
FREQUENCY = 10.0 / UNIT_TIME
PERIOD = 2.0 * np.pi / FREQUENCY
_SWING = 0.1  # of the mean x
_START = 0.9
_ROWS = 4000
PERIODS = 2


def sinusoid(rows: int = _ROWS) -> Course:
    """Two periods of −sin; straight lines between so many rows."""
    times = np.linspace(0.0, PERIODS * PERIOD, rows + 1)
    return Course(times, -_SWING * FREQUENCY * np.sin(FREQUENCY * times))


def surface_in_closed_form(time: Array) -> Array:
    """Eq. 11.8: x at the surface once the start has died away."""
    flux = -_SWING * FREQUENCY * RADIUS / 3.0
    root = np.sqrt(1j * FREQUENCY / DIFFUSIVITY) * RADIUS
    response = flux * RADIUS / DIFFUSIVITY / (root / np.tanh(root) - 1.0)
    return np.asarray(_START - _SWING + (response * np.exp(1j * FREQUENCY * time)).imag)


@dataclass(frozen=True)
class Oscillation:
    """Surface of a sphere in the last period.

    Attributes:
        times: (n,) [s].
        values: (n,) x at the surface.
        exact: (n,) the same in closed form.
        imbalance: Largest lithium imbalance (eq. 4.9).
    """

    times: Array
    values: Array
    exact: Array
    imbalance: float

    @property
    def error(self) -> float:
        """Largest error over the amplitude."""
        return float(2.0 * np.abs(self.values - self.exact).max() / np.ptp(self.exact))


@cache
def oscillating_sphere(levels: int) -> Oscillation:
    """The last of two periods, at steps too small to matter."""
    transport = sphere_transport(levels)
    times = (PERIODS - 1 + np.arange(1, 17) / 16) * PERIOD
    segment = Segment(PERIODS * PERIOD, "follow", course=sinusoid())
    recorder = run_lithium(transport, [segment], adaptive(1e-4), [*times[:-1]])
    surface = radii(transport) > 1 - 1e-9
    values = np.array([field[surface].mean() for field in recorder.fields[1:]])
    return Oscillation(times, values, surface_in_closed_form(times), max(recorder.imbalances))


def oscillation_in_time(counts: Sequence[int]) -> Convergence:
    """Largest error of x at the end of two periods against the number of even steps, on one mesh."""
    reference = _sinusoidal_run(adaptive(1e-6, initial=0.01)).fields[-1]

    def error(steps: int) -> float:
        recorder = _sinusoidal_run(fixed(PERIODS * PERIOD / steps))
        assert len(recorder.steps) == steps
        return float(np.abs(recorder.fields[-1] - reference).max())

    return Convergence.of((steps, error(steps)) for steps in counts)


def _sinusoidal_run(settings: StepSettings) -> Recorder:
    return run_lithium(sphere_transport(5), [Segment(PERIODS * PERIOD, "follow", course=sinusoid())], settings)


def ragged(seed: int = 3, rows: int = 200) -> Course:
    """A drive without any smoothness: random currents at random times, with jumps."""
    random = np.random.default_rng(seed)
    times = np.append(0.0, np.cumsum(random.uniform(0.5, 20.0, rows)))
    times[20::40] = times[19::40]  # two rows at one time
    return Course(times, random.uniform(-3.0, 2.0, rows + 1) / 3600.0)


def charge_of_a_ragged_table(settings: StepSettings) -> tuple[float, float]:
    """Lithium imbalance and error of the final mean x after a ragged table."""
    transport, course = sphere_transport(4), ragged()
    recorder = run_lithium(transport, [Segment(course.duration, "follow", course=course)], settings)
    expected = _START + np.trapezoid(course.rates, course.times)
    return max(recorder.imbalances), abs(recorder.means[-1] - float(expected))
