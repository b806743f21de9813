"""Diffusion cases with known answers, as functions that return numbers: the tests judge them, the report shows them.

Boxes with a decaying mode, spheres V1 and V2, and a particle of two grains under a changing current (eqs. 3.1-3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from boxes import ball, box, domain_of
from closed_forms import constant_flux, held_surface, held_uptake
from convergence import Convergence
from numpy.typing import NDArray
from runs import Recorder, adaptive, fixed, run_lithium

from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.step_solver import even_flux, fast_reaction
from solver.solve.transport import Transport

Array = NDArray[np.float64]

IN_PLANE, ACROSS = 1.0, 0.1
DECAY = np.pi**2 * (IN_PLANE + ACROSS)
END = 0.05


def mode(points: Array) -> Array:
    """cos(πx) cos(πz): with c along z it decays as exp(−π²(D_ab + D_c) t) in an insulated unit cube."""
    return np.cos(np.pi * points[0]) * np.cos(np.pi * points[2])


def box_transport(count: int) -> Transport:
    """The mode, 0.3 high, in a box of `count` cubes along x and z."""
    domain = domain_of(box((count, 2, count)), [[0, 0, 1]])
    transport = Transport(domain, IN_PLANE, ACROSS, initial=0.5, surface=even_flux, phases=Phases())
    transport.stoichiometry.interpolate(lambda points: 0.5 + 0.3 * mode(points))
    return transport


def decay_in_space(counts: Sequence[int]) -> Convergence:
    """Error of the mode's amplitude against the number of cells along an edge, at steps too small to matter."""

    def error(count: int) -> float:
        transport = box_transport(count)
        recorder = run_lithium(transport, [Segment(END, "rest", rate=0.0)], adaptive(1e-6, initial=1e-6))
        shape = mode(transport.stoichiometry.function_space.tabulate_dof_coordinates().T)
        amplitude = shape @ (recorder.fields[-1] - 0.5) / (shape @ shape)  # least squares over the vertices
        return abs(float(amplitude) - 0.3 * float(np.exp(-DECAY * END)))

    return Convergence.of((count, error(count)) for count in counts)


def decay_in_time(counts: Sequence[int]) -> Convergence:
    """Largest error of x against the number of even steps, on one mesh, against a run with tiny steps."""
    segments = [Segment(END, "rest", rate=0.0)]
    reference = run_lithium(box_transport(6), segments, adaptive(1e-6, initial=1e-7)).fields[-1]

    def error(steps: int) -> float:
        recorder = run_lithium(box_transport(6), segments, fixed(END / steps))
        assert len(recorder.steps) == steps
        return float(np.abs(recorder.fields[-1] - reference).max())

    return Convergence.of((steps, error(steps)) for steps in counts)


RADIUS, DIFFUSIVITY = 5.0, 1e-2
TAU = 0.05
FULL, HELD_AT = 0.9, 0.4
UNIT_TIME = RADIUS**2 / DIFFUSIVITY


def sphere_transport(levels: int) -> Transport:
    """An isotropic sphere with `levels` cells along its radius and one potential on its surface."""
    domain = domain_of(ball(levels, RADIUS), [[0, 0, 1]])
    return Transport(domain, DIFFUSIVITY, DIFFUSIVITY, initial=FULL, surface=fast_reaction, phases=Phases())


def radii(transport: Transport) -> Array:
    """r/R of the vertices."""
    return np.linalg.norm(transport.stoichiometry.function_space.tabulate_dof_coordinates(), axis=1) / RADIUS


@dataclass(frozen=True)
class Profile:
    """Lithium in a sphere at τ = 0.05, scaled as its closed form.

    Attributes:
        levels: Cells along the radius.
        radius: (vertices,) r/R.
        values: (vertices,) computed profile.
        exact: (vertices,) closed form.
        uptake_error: Relative error of the lithium that entered.
        surface_spread: Difference between the largest and the smallest value on the surface.
    """

    levels: int
    radius: Array
    values: Array
    exact: Array
    uptake_error: float
    surface_spread: float

    @property
    def error(self) -> float:
        """Largest error at any vertex over the range of the profile."""
        return float(np.abs(self.values - self.exact).max() / np.ptp(self.exact))


def held_sphere(levels: int) -> Profile:
    """V1: the surface jumps from 0.9 to 0.4 and stays there."""
    transport = sphere_transport(levels)
    segment = Segment(TAU * UNIT_TIME, "hold", surface=HELD_AT)
    recorder = run_lithium(transport, [segment], adaptive(1e-4, initial=1e-3))
    r = radii(transport)
    values = (recorder.fields[-1] - FULL) / (HELD_AT - FULL)
    uptake = (recorder.means[-1] - FULL) / (HELD_AT - FULL)
    spread = float(np.ptp(values[r > 1 - 1e-9]))
    return Profile(levels, r, values, held_surface(r, TAU), abs(uptake / held_uptake(TAU) - 1), spread)


def driven_sphere(levels: int) -> Profile:
    """V2: lithium leaves at a constant rate."""
    transport = sphere_transport(levels)
    rate = -0.5 / 3600
    segment = Segment(TAU * UNIT_TIME, "charge", rate=rate)
    recorder = run_lithium(transport, [segment], adaptive(1e-4, initial=1e-2))
    flux = rate * transport.volume / transport.area
    r = radii(transport)
    values = (recorder.fields[-1] - FULL) * DIFFUSIVITY / (flux * RADIUS)
    uptake = (recorder.means[-1] - FULL) / (rate * TAU * UNIT_TIME)
    spread = float(np.ptp(values[r > 1 - 1e-9]))
    return Profile(levels, r, values, constant_flux(r, TAU), abs(uptake - 1), spread)


def lead_of_surface(levels: int, taus: Sequence[float]) -> Array:
    """(c_s − mean c) D/(J R) at rising times τ under constant flux."""
    transport = sphere_transport(levels)
    rate = -0.2 / 3600
    times = [tau * UNIT_TIME for tau in taus]
    segment = Segment(times[-1], "charge", rate=rate)
    recorder = run_lithium(transport, [segment], adaptive(1e-4, initial=0.1), times[:-1])
    flux = rate * transport.volume / transport.area
    surface = radii(transport) > 1 - 1e-9
    leads = [field[surface].mean() - mean for field, mean in zip(recorder.fields, recorder.means, strict=True)]
    return np.array(leads[1:]) * DIFFUSIVITY / (flux * RADIUS)


def two_grains(equipotential: bool) -> Transport:
    """Core and shell of different orientation, D_ab ten times D_c."""
    domain = domain_of(ball(5, radius=5.0, core_levels=3), [[0, 0, 1], [1, 1, 0]])
    return Transport(
        domain, 4e-3, 4e-4, initial=0.9, surface=fast_reaction if equipotential else even_flux, phases=Phases()
    )


TIMES = (0.0, 150.0, 600.0, 900.0)


def charge_and_rest(equipotential: bool, tolerance: float, initial: float) -> Recorder:
    """The two grains charged for 600 s and left alone for 300 s; fields at `TIMES`."""
    segments = [Segment(600.0, "charge", rate=-0.5 / 3600), Segment(300.0, "rest", rate=0.0)]
    return run_lithium(two_grains(equipotential), segments, adaptive(tolerance, initial), [150.0])


@cache
def _nearly_exact(equipotential: bool) -> Recorder:
    return charge_and_rest(equipotential, 1e-6, 0.01)


@dataclass(frozen=True)
class ToleranceOutcome:
    """Largest error of x at any vertex and any of `TIMES`, and what it took.

    Attributes:
        asked: Tolerance of x that was asked for.
        error: Error reached.
        accepted: Number of accepted steps.
        rejected: Number of rejected ones.
    """

    asked: float
    error: float
    accepted: int
    rejected: int

    @property
    def share(self) -> float:
        """Error over tolerance."""
        return self.error / self.asked


def outcome_of_tolerance(equipotential: bool, tolerance: float) -> ToleranceOutcome:
    """Charges and rests with a tolerance; compares with a run at a tolerance of 1e-6 on the same mesh."""
    ours, exact = charge_and_rest(equipotential, tolerance, 1.0), _nearly_exact(equipotential)
    assert tuple(ours.times) == tuple(exact.times) == TIMES
    error = max(float(np.abs(a - b).max()) for a, b in zip(ours.fields, exact.fields, strict=True))
    accepted = sum(step.accepted for step in ours.steps)
    return ToleranceOutcome(tolerance, error, accepted, len(ours.steps) - accepted)


@dataclass(frozen=True)
class Balance:
    """Lithium kept: the largest imbalance of eq. 4.9 at any state, and the error of the final mean x."""

    imbalance: float
    mean_error: float


def lithium_balance(equipotential: bool) -> Balance:
    """Charges and discharges the two grains."""
    transport = two_grains(equipotential)
    segments = [Segment(600.0, "charge", rate=-1 / 3600), Segment(300.0, "discharge", rate=0.5 / 3600)]
    recorder = run_lithium(transport, segments, adaptive(1e-3), [200.0, 400.0])
    expected = 0.9 - 600 / 3600 + 300 * 0.5 / 3600
    return Balance(max(recorder.imbalances), abs(transport.lithium() / transport.volume - expected))
