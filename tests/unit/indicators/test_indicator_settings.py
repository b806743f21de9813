"""Settings as a case gives them."""

from __future__ import annotations

from solver.case.schema import Indicators
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings


def test_a_case_without_the_section_has_the_documented_settings():
    settings = IndicatorSettings.of(Indicators())
    assert settings == IndicatorSettings()


def test_thresholds_are_ordered_and_each_has_one_column():
    case = Indicators(boundary_thresholds=["0.3 GPa", "100 MPa", "100.00001 MPa", "300 MPa"])
    settings = IndicatorSettings.of(case)
    assert settings.boundary_thresholds == (100.0, 300.0)
    keys = [definition.key for definition in definitions(settings)]
    assert len(keys) == len(set(keys))
    assert "boundary_area_above_300MPa" in keys
