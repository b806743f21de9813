"""The section `grain_boundaries`: what is refused, what is warned of, and what changes a case."""

from __future__ import annotations

import pytest

from solver.case.load import load_case
from solver.errors import CaseError

CASE = """
particle: {{grains: {grains}}}
material: NMC811
grain_boundaries: {section}
electrochemistry: {{protocol: [Charge at 1C until 50 % SoC]}}
"""


def load(tmp_path, section, grains="{count: 5}"):
    path = tmp_path / "case.yaml"
    path.write_text(CASE.format(section=section, grains=grains), encoding="utf-8")
    return load_case(path)


def test_units_of_the_solver(tmp_path):
    section = "{high_angle: {transfer: 1e-9 m/s, diffusivity: 1e-12 m^2/s, width: 2 nm}, low_angle_below: 20 deg}"
    found = load(tmp_path, section).case.grain_boundaries
    assert (found.high_angle.transfer, found.high_angle.diffusivity) == pytest.approx((1e-3, 1.0))
    assert (found.high_angle.width, found.low_angle_below) == pytest.approx((2e-3, 20.0))
    assert found.low_angle.transfer is None


@pytest.mark.parametrize(
    ("section", "grains", "key", "words"),
    [
        ("{high_angle: {width: 2 nm}}", "{count: 5}", "high_angle.width", "needs its `diffusivity`"),
        ("{low_angle: {transfer: 1e-9 m/s}}", "{count: 1}", "low_angle", "single crystal"),
        ("{high_angle: {transfer: 1e-9 m/s}}", "{mean_diameter: 10 um}", "high_angle", "single crystal"),
        ("{high_angle: {transfer: 1e-9 m/s}, low_angle_below: 90 deg}", "{count: 5}", "low_angle_below", "no two axes"),
        ("{high_angle: {transfer: 0 m/s}}", "{count: 5}", "high_angle.transfer", "outside"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, section, grains, key, words):
    with pytest.raises(CaseError) as failure:
        load(tmp_path, section, grains)
    [line] = failure.value.problems
    assert f"grain_boundaries.{key}: " in line
    assert words in line


def test_an_angle_alone_is_warned_of(tmp_path):
    [warning] = load(tmp_path, "{low_angle_below: 20 deg}").warnings
    assert "has no effect" in warning


def test_boundaries_are_part_of_the_digest(tmp_path):
    sections = ("{}", "{high_angle: {transfer: 1e-9 m/s}}", "{low_angle: {transfer: 1e-9 m/s}}")
    assert len({load(tmp_path, section).digest for section in sections}) == 3
