"""One full charge, constant current and then constant voltage: how many steps it takes, and what they cost.

The adaptive second-order steps are compared with steps of backward Euler of one size at equal error; both run through
the same time loop, which locates the end of the constant current. Errors are those of x at common times, against steps
with a tolerance a hundred times tighter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from rich.table import Table

from meshes.estimate import estimate_cells
from meshes.particle import Particle as Description
from solver.case.composition import radial_material
from solver.case.load import load_text
from solver.setup.electrochemistry import plan_segments, step_settings
from solver.setup.operators import build_coupling
from solver.setup.particle import prepare_particle
from solver.solve.coupling import Coupling, Response
from solver.solve.memory import Memory
from solver.solve.phases import Phases
from solver.solve.state import State, StepResult
from solver.solve.stepping import StepSettings, TimeLoop, every
from solver.solve.transport import Attempt

_CASE = """\
particle: {{grains: {{count: {grains}, seed: 1}}, mesh: {{size: {size} um, time_limit: 3600}}}}
material: NMC811
electrochemistry:
  kinetics: butler-volmer
  initial_stoichiometry: 0.9
  protocol: [Charge at 1C until 4.3 V, Hold at 4.3 V until C/20]
mechanics: {{coupling: {coupling}}}
numerics: {{time_tolerance: {tolerance}}}
"""
_OUTPUT_EVERY = 300.0  # [s]
_TOLERANCE = 1e-3
_REFERENCE = 1e-5
# A controller that accepts every step, so that all of them are as long as allowed.
_ANY_ERROR = 1e6
_EULER_STEPS = (60.0, 30.0)  # [s]


@dataclass
class Charge:
    """What a charge took, and where it went.

    Attributes:
        attempts: Steps tried; each is one solve of the transport.
        newton: Newton steps of all attempts.
        seconds: Processor time.
        imbalance: Largest lithium balance error of all states [-].
        states: x at the output times, (times, owned degrees of freedom).
    """

    attempts: int = 0
    newton: int = 0
    seconds: float = 0.0
    imbalance: float = 0.0
    states: dict[float, NDArray[np.float64]] = field(default_factory=dict)

    def on_state(self, state: State) -> None:
        """Keeps x; see `Observer`."""
        function = state.stoichiometry
        size = function.function_space.dofmap.index_map.size_local
        self.states[state.time] = function.x.array[:size].copy()
        self.imbalance = max(self.imbalance, state.lithium_imbalance)

    def on_step(self, result: StepResult) -> None:
        """Nothing; attempts are counted where they are made."""

    def error(self, exact: Charge) -> float:
        """Largest difference of x from another charge at the times both have shown; collective."""
        common = self.states.keys() & exact.states.keys()
        gaps = [np.abs(self.states[moment] - exact.states[moment]).max(initial=0.0) for moment in common]
        return MPI.COMM_WORLD.allreduce(float(max(gaps)), op=MPI.MAX)


class _Watched:
    """A coupling whose attempts are counted.

    Args:
        coupling: The coupling.
        charge: Where they are counted.
        first_order: Forget the history after every step, which leaves backward Euler.
        responds: Ask for the stress after every step.
    """

    def __init__(self, coupling: Coupling, charge: Charge, first_order: bool, responds: bool) -> None:
        self.transport = coupling.transport
        self._coupling, self._charge, self._first_order, self._responds = coupling, charge, first_order, responds

    def attempt(self, step: float) -> Attempt:
        """Tries a step."""
        attempt = self._coupling.attempt(step)
        self._charge.attempts += 1
        self._charge.newton += attempt.newton
        return attempt

    def commit(self) -> None:
        """Accepts it."""
        self._coupling.commit()
        if self._first_order:
            self.transport.forget()
        if self._responds:
            self._coupling.response()

    def response(self) -> Response:
        """Nothing, or what was found in `commit` already."""
        return self._coupling.response() if self._responds else Response()

    def memory(self) -> Memory:
        """That of the coupling."""
        return self._coupling.memory()

    def recall(self, memory: Memory) -> None:
        """Goes back to a remembered state."""
        self._coupling.recall(memory)


class ChargeBenchmark:
    """Charges of one particle with several ways of stepping.

    Args:
        tetrahedra: Roughly how many are wanted.
        grains: Number of grains.
    """

    def __init__(self, tetrahedra: int, grains: int) -> None:
        shape = Description.model_validate({"grains": {"count": grains, "seed": 1}})
        estimate = estimate_cells(shape)
        self._values = {"grains": grains, "size": estimate.size * (estimate.cells / tetrahedra) ** (1.0 / 3.0)}

    def run(
        self,
        *,
        coupling: str = "none",
        tolerance: float = _TOLERANCE,
        change: Callable[[StepSettings], StepSettings] = lambda settings: settings,
        first_order: bool = False,
    ) -> Charge:
        """Charges once; collective.

        Args:
            coupling: As in a case; with mechanics, stress is evaluated after every step.
            tolerance: Time tolerance of the case.
            change: Other step settings.
            first_order: Backward Euler.
        """
        text = _CASE.format(**self._values, coupling=coupling, tolerance=tolerance)
        loaded = load_text(text, Path("benchmark.yaml"))
        phases, material = Phases(clock=time.process_time), radial_material(loaded.case)
        particle = prepare_particle(loaded, MPI.COMM_WORLD, phases, lambda line: None)
        built = build_coupling(loaded.case, material, particle, phases)
        charge = Charge()
        watched = _Watched(built, charge, first_order, responds=coupling != "none")
        segments = plan_segments(loaded.case, material)
        loop = TimeLoop(watched, segments, change(step_settings(loaded.case)), [charge])
        begin = time.process_time()
        loop.run(every(_OUTPUT_EVERY))
        charge.seconds = time.process_time() - begin
        return charge


def _steps_of(size: float) -> Callable[[StepSettings], StepSettings]:
    """Settings for steps of one size [s], whatever their error."""

    def change(settings: StepSettings) -> StepSettings:
        return StepSettings(_ANY_ERROR, _ANY_ERROR, size, settings.smallest, size)

    return change


def stepping_table(benchmark: ChargeBenchmark) -> Table:
    """Adaptive steps against backward Euler; collective."""
    exact = benchmark.run(tolerance=_REFERENCE)
    adaptive = benchmark.run()
    euler = [benchmark.run(change=_steps_of(size), first_order=True) for size in _EULER_STEPS]
    table = Table(title="A full charge, lithium only: error of x against the number of solves", show_lines=False)
    for heading in ("steps", "solves", "error of x", "Newton steps each [4]", "lithium balance [1e-10]", "time [s]"):
        table.add_column(heading, justify="right")
    names = [f"backward Euler, {size:g} s" for size in _EULER_STEPS]
    for name, charge in zip(["adaptive", *names], [adaptive, *euler], strict=True):
        table.add_row(
            name,
            f"{charge.attempts}",
            f"{charge.error(exact):.1e}",
            f"{charge.newton / charge.attempts:.1f}",
            f"{charge.imbalance:.0e}",
            f"{charge.seconds:.1f}",
        )
    # Errors of backward Euler fall like the step; the finest one measured tells how many would be needed.
    needed = euler[-1].attempts * euler[-1].error(exact) / adaptive.error(exact)
    table.caption = (
        f"backward Euler needs about {needed:.0f} solves for the error of the adaptive steps, "
        f"{needed / adaptive.attempts:.1f} times as many [5]; reference: {exact.attempts} solves at {_REFERENCE:g}"
    )
    return table


def coupling_table(benchmark: ChargeBenchmark) -> Table:
    """A charge with stress after every step, without and with its effect on lithium; collective."""
    one_way = benchmark.run(coupling="one-way")
    two_way = benchmark.run(coupling="two-way")
    table = Table(title="A full charge, stress after every step", show_lines=False)
    for heading in ("coupling", "steps tried", "time [s]", "over one-way [3]"):
        table.add_column(heading, justify="right")
    for name, charge in (("one-way", one_way), ("two-way", two_way)):
        table.add_row(name, f"{charge.attempts}", f"{charge.seconds:.1f}", f"{charge.seconds / one_way.seconds:.2f}")
    return table
