"""Shipped cases with protocols, lithium alone in a small particle: the way from text to time loop."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from boxes import ball, domain_of
from reaction_cases import Watch, WatchedCoupling

from solver.case.composition import radial_material
from solver.case.load import load_case
from solver.setup.electrochemistry import plan_courses, plan_segments, step_settings
from solver.setup.operators import build_transport, mean_sites
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.stepping import TimeLoop, at_times

CASES = Path(__file__).parents[2] / "cases"


@cache
def shipped(name: str, most: int) -> tuple[list[Segment], Watch]:
    """The first segments of a shipped case, and how they go in a ball of one grain, 3 µm."""
    loaded = load_case(CASES / f"{name}.yaml")
    case, material = loaded.case, radial_material(loaded.case)
    domain = domain_of(ball(3, 3.0), [[0, 0, 1]])
    transport = build_transport(case, material, domain, Phases())
    courses = plan_courses(case, loaded.tables, material, transport, mean_sites(material, domain))
    segments, watch = plan_segments(case, material, courses)[:most], Watch()
    TimeLoop(WatchedCoupling(transport, watch), segments, step_settings(case), [watch]).run(at_times([]))
    return segments, watch
