"""The estimate of size and cost: unknowns as meshes have them, and what makes a case dearer."""

from __future__ import annotations

from pathlib import Path

import pytest

from solver.case.estimate import FIGURES, CaseEstimate, CostFigures, estimate_case
from solver.case.load import load_text

SECTIONS = {
    "material": "NMC811",
    "electrochemistry": "{protocol: [Charge at C/2 until 60 % SoC, Rest for 10 min]}",
    "particle": "{radius: 3 um, grains: {count: 40}}",
}


def estimate(figures: CostFigures = FIGURES, **sections: str) -> CaseEstimate:
    text = "".join(f"{key}: {value}\n" for key, value in {**SECTIONS, **sections}.items())
    return estimate_case(load_text(text, Path("c.yaml")), figures)


def test_unknowns_are_those_of_linear_and_quadratic_elements():
    found = estimate()
    assert found.lithium_unknowns == found.mesh.nodes
    assert found.displacement_unknowns == 3 * (found.mesh.nodes + found.mesh.edges)
    assert estimate(mechanics="{coupling: none}").displacement_unknowns == 0


def test_states_and_protocol():
    found = estimate(output="{fields: 5}")
    assert found.states == 1 + 5 + 2
    assert [step.duration for step in found.steps] == pytest.approx([0.55 * 7200, 600.0])
    capacity = "{protocol: Charge at C/2 until 60 % SoC, one_c_capacity: 137.75 mAh/g}"
    # 1C at half the theoretical capacity (275.5 mAh/g) takes twice as long.
    assert estimate(electrochemistry=capacity).steps[0].duration == pytest.approx(0.55 * 14400, rel=1e-3)


def test_memory_and_time_follow_the_figures():
    figures = CostFigures(base_memory=1e8, memory=1000.0, start=0.0, transport=0.0, setup=0.0, state=0.0)
    found = estimate(figures)
    assert found.memory == pytest.approx(1e8 + 1000.0 * found.displacement_unknowns)
    solves = figures.cold_iterations + figures.warm_iterations * found.states
    assert found.seconds == pytest.approx(found.displacement_unknowns * figures.iteration * solves)


def test_finer_meshes_and_more_states_cost_more():
    plain = estimate()
    finer = estimate(particle="{radius: 3 um, grains: {count: 40}, mesh: {size: 0.2 um}}")
    assert finer.mesh.cells > 3 * plain.mesh.cells
    assert finer.memory > plain.memory
    assert finer.seconds > plain.seconds
    assert estimate(output="{fields: 100}").seconds > plain.seconds
    assert estimate(mechanics="{strain: finite}").seconds > plain.seconds
