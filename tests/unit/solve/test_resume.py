"""A time loop that goes on from a place in the middle arrives where one arrives that was never stopped."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from solver.case.composition import radial_material
from solver.case.load import load_text
from solver.setup.electrochemistry import plan_segments, step_settings
from solver.setup.operators import build_coupling
from solver.setup.particle import prepare_particle
from solver.solve.phases import Phases
from solver.solve.stepping import TimeLoop, every

CASE = """\
particle: {{dimension: 2, radius: 2 um, grains: {{count: 8, seed: 4}}, mesh: {{size: {size}}}}}
material: NMC811
grain_boundaries: {boundaries}
electrochemistry:
  kinetics: {kinetics}
  initial_stoichiometry: 0.9
  strained_diffusion: {strained}
  protocol: [Charge at 2C for 4 min, Rest for 1 min, Discharge at 2C until 15 % SoC]
mechanics: {{coupling: {coupling}}}
numerics: {{displacement_tolerance: 1.0e-10}}
"""
PLAIN = {"size": "0.4 um", "boundaries": "{}", "kinetics": "fast", "strained": "null", "coupling": "none"}
KINDS = {
    "lithium only": {},
    "reaction": {"kinetics": "butler-volmer"},
    "boundaries that hinder": {"boundaries": "{high_angle: {transfer: 1e-9 m/s}}"},
    "one-way": {"coupling": "one-way"},
    "strained diffusion": {"coupling": "one-way", "strained": "{}"},
    "two-way": {"coupling": "two-way", "kinetics": "butler-volmer", "size": "1 um"},
}
SURROUNDED = """\
particle:
  dimension: 2
  radius: 2 um
  grains: {{count: 6, seed: 4}}
  mesh: {{size: 0.6 um}}
  matrix: {{material: {{base: LPSCl, yield_strength: 40 MPa, hardening_modulus: 5 GPa, adhesion: 2 MPa}}, {matrix}}}
material: NMC811
electrochemistry: {{initial_stoichiometry: 0.9, protocol: [Charge at 2C for 4 min, Discharge at 2C for 3 min]}}
mechanics: {{stack_pressure: 5 MPa}}
numerics: {{displacement_tolerance: 1.0e-10}}
"""
# Solves stop at 1e-10; what is summed up in another order differs by rounding.
SAME = 1e-7


class Keeper:
    """Keeps one of the places a loop passes by."""

    def __init__(self, coupling, wanted):
        self.coupling, self.wanted, self.passed, self.kept = coupling, wanted, 0, None

    def pass_by(self, place):
        self.passed += 1
        if self.passed == self.wanted:
            self.kept = place, self.coupling.memory()


class Last:
    """Observer of the latest state and of the number of steps."""

    def __init__(self):
        self.states, self.steps, self.stresses, self.surroundings = [], 0, [], []

    def on_state(self, state):
        size = state.stoichiometry.function_space.dofmap.index_map.size_local
        self.states.append((state.time, state.stoichiometry.x.array[:size].copy(), state.lithium_imbalance))
        if state.surroundings is not None:
            self.stresses.append(state.stress.stress.copy())
            self.surroundings.append(deepcopy(state.surroundings))

    def on_step(self, result):
        self.steps += 1


def loop(text, wanted=0):
    loaded = load_text(text, Path("case.yaml"))
    phases, material = Phases(), radial_material(loaded.case)
    particle = prepare_particle(loaded, MPI.COMM_SELF, phases, lambda line: None)
    coupling = build_coupling(loaded.case, material, particle, phases)
    keeper, last = Keeper(coupling, wanted), Last()
    segments = plan_segments(loaded.case, material)
    return TimeLoop(coupling, segments, step_settings(loaded.case), [last], keeper), keeper, last


@pytest.mark.parametrize(
    ("kind", "share"), [("lithium only", 0.1), ("reaction", 0.9), *((kind, 0.55) for kind in KINDS)]
)
def test_going_on_is_like_never_having_stopped(kind, share):
    text = CASE.format(**PLAIN | KINDS[kind])
    outputs = every(70.0)
    whole, counting, straight = loop(text)
    whole.run(outputs)
    stopped, keeper, _ = loop(text, wanted=max(2, int(share * counting.passed)))
    stopped.run(outputs)
    going_on, _, rest = loop(text)
    going_on.run(outputs, keeper.kept)
    # The same states are shown after the place, and only they.
    place = keeper.kept[0]
    assert [state[0] for state in rest.states] == pytest.approx([state[0] for state in straight.states[place.states :]])
    for (_, ours, imbalance), (_, theirs, _) in zip(rest.states, straight.states[place.states :], strict=True):
        assert np.abs(ours - theirs).max() < SAME
        assert imbalance < 1e-8
    assert rest.steps < straight.steps


@pytest.mark.parametrize("matrix", ["plastic: true", "interface: limited"])
def test_surroundings_go_on_with_what_they_went_through(matrix):
    text = SURROUNDED.format(matrix=matrix)
    outputs = every(70.0)
    stopped, keeper, straight = loop(text, wanted=20)
    stopped.run(outputs)
    going_on, _, rest = loop(text)
    going_on.run(outputs, keeper.kept)
    behind = keeper.kept[0].states
    assert 1 < behind < len(straight.stresses)
    for ours, theirs in zip(rest.stresses, straight.stresses[behind:], strict=True):
        assert np.abs(ours - theirs).max() < SAME * np.abs(theirs).max()
    for ours, theirs in zip(rest.surroundings, straight.surroundings[behind:], strict=True):
        if theirs.flow is not None:
            assert theirs.flow.equivalent.max() > 1e-4
            assert np.abs(ours.flow.equivalent - theirs.flow.equivalent).max() < SAME * theirs.flow.equivalent.max()
        if theirs.bond is not None:
            assert not theirs.bond.bonded.all()
            assert (ours.bond.bonded == theirs.bond.bonded).all()
            assert (ours.bond.apart == theirs.bond.apart).all()
