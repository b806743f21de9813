"""What a run says it leaves out follows the options of its case."""

from __future__ import annotations

import pytest

from solver.case.load import load_case
from solver.output.left_out import OF_SECTIONS, left_out

CASE = """
particle: {{dimension: {dimension}, grains: {{count: 5}}}}
material: NMC811
electrochemistry: {{protocol: [Charge at 1C until 50 % SoC]}}
mechanics: {mechanics}
grain_boundaries: {boundaries}
"""


def phrases(tmp_path, dimension=3, mechanics="{}", boundaries="{}"):
    path = tmp_path / "case.yaml"
    path.write_text(CASE.format(dimension=dimension, mechanics=mechanics, boundaries=boundaries), encoding="utf-8")
    return "; ".join(left_out(load_case(path).case))


@pytest.mark.parametrize(
    ("phrase", "options"),
    [
        ("small strains", {"mechanics": "{strain: finite}"}),
        ("stiffness independent", {"mechanics": "{softening: true}"}),
        ("one-way", {"mechanics": "{coupling: two-way}"}),
        ("no lithium is held up", {"boundaries": "{high_angle: {transfer: 1e-9 m/s}}"}),
    ],
)
def test_an_option_lifts_its_limit(tmp_path, phrase, options):
    assert phrase in phrases(tmp_path)
    assert phrase not in phrases(tmp_path, **options)


def test_sections_and_runs_without_mechanics_say_what_concerns_them(tmp_path):
    assert OF_SECTIONS in phrases(tmp_path, dimension=2)
    assert OF_SECTIONS not in phrases(tmp_path)
    assert "strain" not in phrases(tmp_path, mechanics="{coupling: none}")
