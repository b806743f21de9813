"""Porosity over the radius, sizes of pores, and what a description may ask of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from meshes.combinations import refuse_misfits
from meshes.designs import Pores
from meshes.errors import MeshError
from meshes.particle import Particle
from meshes.pore_law import GIANT_VOLUMES, PoreSizes, giant_volumes, law_of, preset_law
from meshes.pore_options import law_asked
from meshes.pore_shells import shells_of, without_left_out


def porous(**pores: Any) -> Particle:
    return Particle.model_validate({"grains": {"count": 10}, "pores": pores})


def test_measured_discs_become_rings() -> None:
    # (0.0811 - 0.1311 / 4) / (3 / 4): what the disc of half the radius leaves to the ring around it.
    law = preset_law("gp-ncm")
    np.testing.assert_allclose(law.local, [0.1311, 0.06443], atol=5e-6)
    assert law.on_central_disc(0.5) == pytest.approx(0.1311, abs=1e-12)
    assert law.on_central_disc(1.0) == pytest.approx(0.0811, abs=1e-12)
    assert law.total == pytest.approx(0.1311 / 8 + 0.064433 * 7 / 8, abs=1e-6)


@pytest.mark.parametrize(("name", "whole"), [("p-ncm", 0.0196), ("gp-ni96", 0.0692), ("p-ni96", 0.0225)])
def test_presets_have_the_measured_porosity_on_a_central_section(name: str, whole: float) -> None:
    assert preset_law(name).on_central_disc(1.0) == pytest.approx(whole, abs=1e-12)


def test_bases_of_a_profile() -> None:
    profile = [(0.5, 0.10), (1.0, 0.05)]
    np.testing.assert_allclose(law_of(profile, "local", giants=False).local, [0.10, 0.05])
    np.testing.assert_allclose(law_of(profile, "cumulative", giants=False).local, [0.10, 0.1 / 3], atol=1e-12)
    by_volume = law_of(profile, "cumulative-volume", giants=False)
    assert by_volume.total == pytest.approx(0.05)
    np.testing.assert_allclose(by_volume.between(np.array([0.0, 0.5])), [0.10])


def test_a_profile_that_falls_too_fast_is_refused() -> None:
    with pytest.raises(ValueError, match=r"between r/R = 0.5 and 1 the profile makes a porosity of -13.3 %"):
        law_of([(0.5, 0.4), (1.0, 0.0)], "cumulative", giants=False)


def test_pores_have_the_measured_sizes() -> None:
    volumes = PoreSizes(0.002, detail=1.0).volumes(1000, np.random.default_rng(0))
    assert np.mean(volumes < 0.010) == pytest.approx(0.80, abs=0.002)
    assert np.mean(volumes < 0.030) == pytest.approx(0.96, abs=0.002)
    assert volumes.min() >= 0.002
    # Full particles have 3700 to 3800 pores of 0.010 µm³ on average; one per quantile leaves little to chance.
    assert volumes.mean() == pytest.approx(PoreSizes(0.002, detail=1.0).mean, rel=0.01)
    assert volumes.mean() == pytest.approx(0.010, rel=0.03)


def test_detail_makes_fewer_larger_pores() -> None:
    fine, coarse = PoreSizes(0.002, detail=1.0), PoreSizes(0.002, detail=0.1)
    assert coarse.mean == pytest.approx(10.0 * fine.mean)


def test_what_is_left_out_is_known() -> None:
    sizes = PoreSizes(0.010, detail=1.0)
    assert sizes.left_out_number == pytest.approx(0.80)
    assert sizes.left_out_volume == pytest.approx(0.40, abs=0.01)
    assert sizes.volumes(200, np.random.default_rng(0)).min() >= 0.010
    shells = shells_of(preset_law("gp-ncm"), 0.0)
    giants, particle = sum(GIANT_VOLUMES), 4.0 / 3.0 * np.pi * 125.0
    kept = without_left_out(shells, giants, particle, sizes.left_out_volume)
    np.testing.assert_allclose(kept.porosity[1:], shells.porosity[1:] * (1.0 - sizes.left_out_volume))
    # The giants are made whatever is left out.
    within = particle / 8.0
    assert kept.porosity[0] * within == pytest.approx(
        giants + (0.1311 * within - giants) * (1.0 - sizes.left_out_volume)
    )


def test_giants_keep_their_volume_until_the_law_binds() -> None:
    law = preset_law("gp-ncm")
    np.testing.assert_allclose(giant_volumes(law, 5.0), GIANT_VOLUMES)
    small = giant_volumes(law, 3.0)
    assert small.sum() == pytest.approx(0.575 * 0.1311 * 4.0 / 3.0 * np.pi * 1.5**3)
    assert small[0] / small[1] == pytest.approx(GIANT_VOLUMES[0] / GIANT_VOLUMES[1])
    assert len(giant_volumes(preset_law("p-ncm"), 5.0)) == 0


def test_five_shells_and_none_inside_the_giants() -> None:
    np.testing.assert_allclose(shells_of(preset_law("gp-ncm"), 0.0).edges, [0.0, 0.5, 0.625, 0.75, 0.875, 1.0])
    fine = law_of([(0.2, 0.3), (0.5, 0.12), (1.0, 0.05)], "local", giants=True)
    shells = shells_of(fine, 0.0)
    assert shells.edges[1] == 0.5
    assert shells.porosity[0] == pytest.approx((0.3 * 0.2**3 + 0.12 * (0.5**3 - 0.2**3)) / 0.5**3)
    assert shells_of(preset_law("p-ncm"), 0.4).edges[0] == 0.4


def test_no_giants_beside_a_void() -> None:
    described = {"pores": {"law": "gp-ncm"}, "grains": {"count": 10}, "void": {"radius": "1 um"}}
    assert not law_asked(Particle.model_validate(described)).giants
    assert law_asked(porous(law="gp-ncm")).giants
    described["pores"] = {"law": "gp-ncm", "giant": True}
    with pytest.raises(MeshError, match=r"particle\.pores\.giant: the giant pores lie where the void is"):
        refuse_misfits(Particle.model_validate(described))


@pytest.mark.parametrize(
    ("radius", "pores", "message"),
    [
        ("5 um", {"law": "gp-ncm", "smallest": "0.2 um^3"}, r"pores\.smallest: no pore of the size law is as large"),
        ("5 um", {"profile": [[1.0, 0.0]]}, r"pores\.profile: it asks for no porosity"),
        ("20 um", {"law": "gp-ncm", "detail": "100 %"}, r"pores\.detail: \d+ pores are more than 20000; write at most"),
        ("1 um", {"law": "gp-ncm"}, r"pores\.detail: pores of 0\.0658 um\^3 are too large .* at least \"30 %\""),
        (
            "1.6 um",
            {"profile": [[1.0, 0.002]]},
            r"pores\.detail: .* less than one pore of 0\.0658 um\^3",
        ),
    ],
)
def test_pores_that_cannot_be_made_are_refused_by_name(radius: str, pores: dict[str, Any], message: str) -> None:
    particle = Particle.model_validate({"radius": radius, "grains": {"count": 10}, "pores": pores})
    with pytest.raises(MeshError, match=message):
        refuse_misfits(particle)


@pytest.mark.parametrize(
    "pores",
    [
        {},
        {"law": "gp-ncm", "profile": [[1.0, 0.1]]},
        {"profile": [[0.5, 0.1]]},
        {"profile": [[0.5, 0.1], [0.4, 0.1], [1.0, 0.1]]},
        {"profile": [[0.5, 0.4], [1.0, 0.05]]},
        {"law": "gp-ncm", "wetted": "some"},
    ],
)
def test_impossible_pores_are_no_description(pores: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pores.model_validate(pores)
