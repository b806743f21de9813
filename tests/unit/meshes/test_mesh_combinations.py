"""Designs that exclude one another are refused at once, with the option to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshes.build import build_particle
from meshes.combinations import misfits
from meshes.errors import MeshError
from meshes.particle import Particle

FILE = {"from_file": {"path": "absent.msh"}}
VOID = {"void": {"radius": "1 um"}}
PORES = {"pores": {"law": "p-ncm"}}
ROUGH = {"roughness": {"amplitude": "1 %"}}


@pytest.mark.parametrize(
    ("described", "options"),
    [
        ({}, []),
        ({"sector": "eighth"}, []),
        ({"shape": "faceted"}, []),
        ({"shape": "faceted", "dimension": 2}, []),
        ({**FILE, **VOID}, ["void"]),
        ({**FILE, **PORES, **ROUGH}, ["pores", "roughness"]),
        ({**FILE, "shape": "faceted", "sector": "eighth", "dimension": 2}, ["shape", "sector", "dimension"]),
        ({"shape": "faceted", **VOID, **ROUGH, "sector": "eighth"}, ["void", "roughness", "sector"]),
        ({"shape": "faceted", "grains": {"count": 2}}, ["grains.count"]),
        ({"shape": "faceted", "grains": {"mean_diameter": "2 um"}}, ["grains.mean_diameter"]),
        ({"shape": "faceted", "aspect_ratio": 1.7}, ["aspect_ratio"]),
        ({"sector": "eighth", **PORES, "dimension": 2}, ["pores", "sector"]),
        ({"sector": "eighth", "grains": {"count": 5, "elongation": 2.0}}, ["grains.elongation"]),
        ({"grains": {"count": 5, "orientation_scatter": "5 deg"}}, ["grains.orientation_scatter"]),
        (
            {"grains": {"count": 5, "orientation": "tangential", "orientation_scatter": "45 deg"}},
            ["grains.orientation_scatter"],
        ),
        ({"grains": {"count": 5, "orientation": "radial", "orientation_scatter": "45 deg"}}, []),
    ],
)
def test_every_misfit_names_its_option(described: dict[str, Any], options: list[str]) -> None:
    particle = Particle.model_validate(described)
    found = list(misfits(particle))
    assert [".".join(misfit.option) for misfit in found] == options
    if options:
        with pytest.raises(MeshError) as caught:
            build_particle(particle, Path(), print)
        assert [problem.split(":")[0] for problem in caught.value.problems] == [f"particle.{name}" for name in options]
