"""Coatings, films, pores, octants and compositions against closed forms and nulls."""

from __future__ import annotations

import bars
import pytest
from region_cases import (
    COVERS,
    THICKNESSES,
    cavity,
    composition_rise,
    film_drop,
    film_held,
    following,
    hollow_bulk,
    membrane,
    octant_difference,
    porous_bulk,
    porous_null,
    resolved_shell,
)


def test_coating_as_a_shell_v5():
    """A region of its own whose misfit presses on the core."""
    bars.COATING_SHELL.check(resolved_shell(10))


@pytest.mark.parametrize("thickness", THICKNESSES)
def test_membrane_is_a_thin_shell(thickness):
    """Surface elasticity, hoop stress, energy release rate and traction of a membrane."""
    outcome = membrane(thickness)
    bars.MEMBRANE_CORE.check(outcome.core)
    bars.MEMBRANE_HOOP.check(outcome.hoop)
    bars.MEMBRANE_RELEASE.check(outcome.release)
    bars.MEMBRANE_NORMAL.check(outcome.normal)


@pytest.mark.parametrize("resolved", [True, False], ids=["shell", "membrane"])
def test_a_coating_like_its_grain_stresses_nothing(resolved):
    """The share of the host's strain reaches the coating, whatever describes it."""
    bars.FOLLOWING.check(following(resolved))


def test_film_between_a_held_outside_and_a_sphere():
    """Series resistance of film and sphere in time."""
    bars.FILM_HELD.check(film_held())


def test_current_through_films():
    """The whole current passes the film, and where half of the surface is bare, that is where the outside is."""
    whole, half = (film_drop(above) for above in COVERS)
    bars.FILM_DROP.check(whole.drop)
    bars.FILM_BALANCE.check(whole.imbalance, half.imbalance)
    assert half.bare_gap < 1e-12 < whole.bare_gap


def test_cavity_under_tension_v8():
    """Stress concentration at a round pore, on an octant with a graded mesh."""
    outcome = cavity(12)
    bars.CAVITY_EQUATOR.check(outcome.equator)
    bars.CAVITY_POLE.check(outcome.pole)


def test_an_octant_is_an_eighth_of_the_ball():
    """Planes of symmetry leave nothing to the rigid motions and change nothing."""
    bars.OCTANT.check(octant_difference())


def test_isotropic_strain_stresses_no_porous_particle():
    """Pores are free surfaces: what strains alike everywhere stays free of stress."""
    bars.POROUS_NULL.check(porous_null())


def test_bulk_modulus_of_porous_balls():
    """Exact for a concentric hole, below the bound for others."""
    bars.HOLLOW_BULK.check(abs(hollow_bulk().ratio - 1))
    ratio = porous_bulk().ratio
    bars.POROUS_BULK.check(ratio)
    bars.POROUS_STIFF.check(ratio)


def test_core_and_shell_of_other_sites_and_diffusivities():
    """Lithium is conserved in numbers, and flows by its sites."""
    rise, imbalance = composition_rise()
    bars.COMPOSITION_RISE.check(rise)
    bars.COMPOSITION_BALANCE.check(imbalance)
