"""Two-way coupling: stress drives lithium through its chemical potential (`coupling: two-way`; eqs. 13.6-13.11).

A step alternates between lithium at a held *total strain* and the strain of the new lithium, until both agree. With the
stress held instead, the iteration diverges where the lattice strain is steep; with the strain held, every place feels
at once how its own lithium relaxes the stress (docs/numerics.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from solver.errors import SolveError
from solver.model.chemical_potential import ChemicalLaw
from solver.solve.anderson import Anderson
from solver.solve.coupling import Response
from solver.solve.energy_balance import EnergyBalance, EnergyState
from solver.solve.mechanics import Mechanics
from solver.solve.memory import Memory, at_corners, from_corners
from solver.solve.potential_step import PotentialStepSolver
from solver.solve.site_strain import SiteStrain
from solver.solve.stress_shift import StressPotential
from solver.solve.transport import Attempt, Transport

Array = NDArray[np.float64]

MOST_ITERATIONS = 12
_NO_AGREEMENT = f"lithium and stress did not agree in {MOST_ITERATIONS} iterations"
_REMEMBERED = 3
# Share of the slope of the chemical part that damping leaves to the whole, and the change of x it looks ahead.
_LEAST_SHARE = 0.2
_REACH = np.linspace(-0.03, 0.03, 7)
# Time [s] by which lithium lags behind what stress wants of it.
_LAG = 0.1

# Makes the balance of energy from the state it begins with.
Balance = Callable[[EnergyState], EnergyBalance]


class TwoWay:
    """Lithium and stress agree at the end of every step (eq. 13.9).

    Args:
        transport: Lithium.
        solver: Its step solver, which takes the stress potential.
        mechanics: Displacement.
        chemical: Chemical part of the potential.
        law: Stress part at the owned sites.
        strain: Takes the strain of the displacement to the sites.
        tolerance: Change of x anywhere that the last disagreement of the strains may still cause [-].
        balance: Makes the balance of energy; None where not all of the energy is known.

    Raises:
        SolveError: When there is no elastic solution at the start.
        ValueError: When the solver has no sites of its own in every grain.
    """

    def __init__(
        self,
        transport: Transport,
        solver: PotentialStepSolver,
        mechanics: Mechanics,
        chemical: ChemicalLaw,
        law: StressPotential,
        strain: SiteStrain,
        *,
        tolerance: float,
        balance: Balance | None = None,
    ) -> None:
        self.transport, self._solver, self._mechanics = transport, solver, mechanics
        self._chemical, self._law, self._strain, self._tolerance = chemical, law, strain, tolerance
        if solver.sites.field is None:
            raise ValueError("two-way coupling needs sites of lithium in every grain")
        self._field = solver.sites.field
        self._lithium = fem.Function(self._field.function_space, name="stoichiometry")  # accepted
        self._comm: MPI.Comm = transport.medium.domain.comm
        self._mixer = Anderson(self._comm, np.repeat(solver.sites.masses, strain.count))
        transport.potential()  # puts the first state at the sites
        self._x = self._shown()  # accepted
        self._damping = np.zeros_like(self._x)
        if not self._solve_mechanics():
            raise SolveError("the elastic solve of the first state failed; see the quality lines of `vegard mesh`")
        # Steps [s] and the strains at their ends; the last is the accepted one.
        self._past: deque[tuple[float, Array]] = deque([(0.0, self._found)], maxlen=_REMEMBERED)
        self._held, self._step = self._found, 0.0
        solver.shift = self._shift
        self._balance = balance(self._energy_state()) if balance is not None else None

    def _shift(self, x: Array) -> tuple[Array, Array]:
        """Stress part of the potential and its slope, damped where x must not jump (eq. 13.10)."""
        shift, slope = self._law(x, self._held)
        return shift + self._damping * (x - self._x), slope + self._damping

    def attempt(self, step: float) -> Attempt:
        """Tries a step of `step` seconds; at its end lithium and stress agree, or it has not converged."""
        self._set_damping(step)
        if not self.transport.has_history:
            self._settle()
        self._mixer.forget()
        self._step, self._held = step, self._past[-1][1]
        self.transport.begin_step(step)  # extrapolates the accepted state, under its own strain
        self._held = self._extrapolated(step)
        newton = iterations = 0
        for outer in range(1, MOST_ITERATIONS + 1):
            attempt = self.transport.try_step()
            newton, iterations = newton + attempt.newton, iterations + attempt.iterations
            attempt = replace(attempt, newton=newton, iterations=iterations, outer=outer)
            if not attempt.converged or not np.isfinite(attempt.error):
                return attempt
            if not self._solve_mechanics():
                return replace(attempt, converged=False, problem="the elastic solve failed")
            if self._disagreement() <= self._tolerance:
                return attempt
            self._mix()
        return replace(attempt, converged=False, problem=_NO_AGREEMENT)

    def commit(self) -> None:
        """Accepts the latest attempt."""
        self._x = self._shown()
        if self._balance is not None:
            self._balance.add(self._step, self._energy_state())
        self.transport.commit()
        self._past.append((self._step, self._held))

    def response(self) -> Response:
        """Displacement, stress and lithium at the sites of the accepted state.

        Raises:
            SolveError: When the elastic solve fails.
        """
        self._lithium.x.array[: len(self._x)] = self._x
        self._lithium.x.scatter_forward()
        self._held, mechanics = self._past[-1][1], self._mechanics
        if not mechanics.solve(self._lithium).converged:
            raise SolveError("the elastic solve of an accepted state failed; see the quality lines of `vegard mesh`")
        mean = self.transport.lithium() / self.transport.volume
        return Response(
            mechanics.displacement,
            mechanics.stress(),
            mechanics.mismatch(mean),
            stoichiometry=self._lithium,
            energy_imbalance=float("nan") if self._balance is None else self._balance.imbalance,
        )

    def memory(self) -> Memory:
        """That of the lithium, lithium at the sites, strains of the last states, and the balance of energy so far."""
        space, numbers = self._field.function_space, {"strains": float(len(self._past))}
        corners = {"site_stoichiometry": at_corners(space, self._x)}
        for number, (step, strain) in enumerate(self._past):
            numbers[f"strain_step_{number}"] = step
            for part in range(self._strain.count):
                corners[f"strain_{number}_{part}"] = at_corners(space, np.ascontiguousarray(strain[:, part]))
        if self._balance is not None:
            numbers |= self._balance.memory()
        return self.transport.memory().joined(Memory(numbers, corners))

    def recall(self, memory: Memory) -> None:
        """Goes back to a remembered state, under the present drive.

        Raises:
            SolveError: When its elastic solve fails.
        """
        space, owned = self._field.function_space, len(self._x)
        self._past.clear()
        for number in range(int(memory.numbers["strains"])):
            names = [f"strain_{number}_{part}" for part in range(self._strain.count)]
            strain = np.stack([from_corners(space, memory.corners[name])[:owned] for name in names], axis=1)
            self._past.append((memory.numbers[f"strain_step_{number}"], strain))
        self._held = self._past[-1][1]
        self._x = from_corners(space, memory.corners["site_stoichiometry"])[:owned]
        self._damping[:] = 0.0
        self.transport.recall(memory)
        self._field.x.array[:owned] = self._x
        self._field.x.scatter_forward()
        if not self._solve_mechanics():
            raise SolveError("the elastic solve of a state that was kept failed")
        if self._balance is not None:
            self._balance.recall(memory.numbers, self._energy_state())

    def _settle(self) -> None:
        """Brings the accepted lithium and its stress together after a new drive has moved what is on the surface.

        Raises:
            SolveError: When they do not agree.
        """
        self._mixer.forget()
        self._held = self._past[-1][1]
        for _ in range(MOST_ITERATIONS):
            self.transport.settle()
            if self._solve_mechanics() and self._disagreement() <= self._tolerance:
                self._past.clear()
                self._past.append((0.0, self._held))
                self._x = self._shown()
                if self._balance is not None:
                    self._balance.begin_at(self._energy_state())
                return
            self._mix()
        raise SolveError(f"at the start of a step of the protocol {_NO_AGREEMENT}")

    def _set_damping(self, step: float) -> None:
        """Damps sites at which the potential falls with x under a stress that stays, by as much as it falls.

        What stress adds to a slope is held back by a lag as well (eq. 13.10), so that nothing moves in a step that is
        short enough: lithium that shares a surface would else be free to jump from one site to another in no time.
        """
        strain, least, most = self._past[-1][1], np.full_like(self._x, np.inf), np.zeros_like(self._x)
        for move in _REACH:
            chemical = self._chemical.slope(self._x + move)
            slope = chemical + self._law.dead_slope(self._x + move, self._x, strain)
            least = np.minimum(least, slope - _LEAST_SHARE * chemical)
            most = np.maximum(most, np.abs(self._law(self._x + move, strain)[1]))
        self._damping = np.maximum(-least, 0.0) + _LAG / step * most

    def _mix(self) -> None:
        """Holds another strain, by what the last ones led to."""
        self._held = self._mixer.next(self._held.ravel(), self._found.ravel()).reshape(self._held.shape)

    def _shown(self) -> Array:
        """X at the owned sites as the solver shows it."""
        values: Array = self._field.x.array[: len(self._law.strength)].copy()
        return values

    def _solve_mechanics(self) -> bool:
        """Finds the strain of the lithium that the sites show; returns whether it is there."""
        report = self._mechanics.solve(self._field)
        self._found = self._strain()[: len(self._law.strength)]
        return report.converged

    def _disagreement(self) -> float:
        """Largest change of x at any site if it followed at once what the strain found would shift its potential by."""
        x = self._shown()
        held, slope = self._law(x, self._held)
        found, _ = self._law(x, self._found)
        chemical = self._chemical.slope(x)
        moves = (found - held) / np.maximum(chemical + slope + self._damping, _LEAST_SHARE * chemical)
        return self._comm.allreduce(float(np.abs(moves).max(initial=0.0)), op=MPI.MAX)

    def _extrapolated(self, step: float) -> Array:
        """The strain after a step, by the polynomial through those remembered."""
        steps, strains = zip(*self._past, strict=True)
        times = np.concatenate([np.cumsum(steps[:0:-1])[::-1], [0.0]])  # before now
        result = np.zeros_like(strains[-1])
        for number, strain in enumerate(strains):
            others = np.delete(times, number)
            result += strain * float(np.prod((step + others) / (others - times[number])))
        return result

    def _energy_state(self) -> EnergyState:
        """What the lithium shown, at the strain held, and the latest displacement mean for energy; collective."""
        x = self._shown()
        sample = self._mechanics.stress()
        owned = slice(0, sample.owned)
        double = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
        density = sample.stress[owned] * sample.elastic_strain[owned] @ double
        elastic = self._comm.allreduce(0.5 * float((density * sample.weights[owned]).sum()))
        potential = self._chemical(x) + self._law(x, self._held)[0]
        return EnergyState(x, potential, self._solver.diffusing(), elastic)
