"""Sections against closed forms and against what must vanish (eqs. 7.1-7.5)."""

from __future__ import annotations

import bars
import pytest
from convergence import Convergence
from elasticity_cases import LAMINATES
from section_cases import (
    WAYS,
    askew_residue,
    driven_disc,
    falling,
    held_disc,
    manufactured_errors,
    mean_stress,
    mismatch_error,
    ring_error,
    section_laminate,
)


@pytest.mark.parametrize("disc", [held_disc, driven_disc])
def test_lithium_in_a_disc(disc):
    """V1 and V2 of a section: a held rim, and a constant flux through it."""
    results = {levels: disc(levels) for levels in (10, 20)}
    bars.DISC_RATE.check(Convergence.of((levels, item.error) for levels, item in results.items()).fitted)
    bars.DISC_PROFILE.check(results[20].error)


@pytest.mark.parametrize("way", WAYS)
def test_stress_of_a_disc(way):
    """A strain that grows with r², in all directions: σ_r, σ_θ and σ_z."""
    convergence, finest = falling((5, 10, 20), WAYS[way])
    bars.DISC_STRESS_RATE.check(convergence.fitted)
    bars.DISC_STRESS.check(finest.largest)
    # The mean of 0.02 r² over the disc is 0.01; the polygon of 160 sides has 2.6e-4 less area.
    assert finest.axial_strain == pytest.approx(0.01 if WAYS[way] else 0.0, rel=2e-3)


@pytest.mark.parametrize("way", WAYS)
def test_film_on_a_disc(way):
    """The film's tension acts around the rim and along the normal, so it takes part in the stretch."""
    bars.DISC_FILM.check(ring_error(WAYS[way]))


@pytest.mark.parametrize("kind", LAMINATES)
def test_laminate_across_the_section(kind):
    """Layers along y that share their strain along x and z, the shear xz included: isotropic, anisotropic, oblique."""
    result = section_laminate(LAMINATES[kind])
    bars.SECTION_LAMINATE.check(result.in_plane_error, result.out_of_plane)


def test_displacement_of_a_section_converges_at_third_order():
    displacement, strains = manufactured_errors((4, 8, 16))
    bars.SECTION_RATE.check(displacement.rates[-1])
    bars.SECTION_STRAIN_RATE.check(strains.rates[-1])


def test_what_is_free_is_free_of_stress():
    """A free crystal takes its lattice strain in all six components, whatever its c axis."""
    bars.SECTION_CRYSTAL.check(askew_residue(may_differ=False))
    bars.SECTION_ISOTROPIC.check(askew_residue(may_differ=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_free_section_carries_no_force(way):
    bars.SECTION_FORCE.check(mean_stress(WAYS[way]))


@pytest.mark.parametrize("way", WAYS)
def test_mismatch_of_a_section(way):
    """Scaled unit solution where the section may stretch, a solve of its own where it may not."""
    bars.SECTION_MISMATCH.check(mismatch_error(WAYS[way]))
