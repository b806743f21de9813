"""Stack pressure, plastic matrix and limited bond against closed forms (eqs. 9.1-9.10)."""

from __future__ import annotations

from dataclasses import replace

import bars
import numpy as np
import pytest
from embedded import embedded_ball
from surroundings_cases import collapsing_sphere, mean_stress_error, pressed_core, pressed_evenly, pulled_bond

from meshes.particle_mesh import BLOCKED, CONTACT
from solver.solve.interface_layer import columns_of


def test_core_in_a_pressed_matrix():
    """Lamé: the stack pressure reaches the core through a softer matrix, larger than outside."""
    bars.PRESSED_CORE.check(pressed_core(3))


def test_pressure_acts_on_the_outermost_surface_alone():
    """The outside of a shell lies within the matrix and carries no load of its own."""
    # The solve stops at 1e-8 of the load; room for the conditioning.
    assert pressed_evenly() < 1e-6


def test_mean_stress_is_that_of_the_pressure():
    """Whatever the misfit inside: ∫σ dV = −p ∫ X ⊗ ν dA."""
    # The solve stops at 1e-8 of the load; room for the conditioning.
    assert mean_stress_error() < 1e-6


def test_hollow_sphere_beyond_yield():
    """Hill: plastic zone and stress of a perfectly plastic sphere; nowhere does it carry more than it can."""
    sphere = collapsing_sphere(3, 6)
    bars.HILL_STRESS.check(sphere.rms)
    bars.HILL_REACH.check(abs(sphere.reach - 1))
    # The return ends on the yield surface to rounding; what is left is the last step of Newton's method.
    assert sphere.excess == pytest.approx(1.0, abs=1e-6)
    # Newton's method with the right tangent: a wrong one takes tens of rounds.
    assert sphere.rounds <= 10


def test_bond_comes_off_and_closes():
    """A core that shrinks pulls until the adhesion is reached, comes off, and presses again when it swells."""
    result = pulled_bond(2)
    assert result.held.bonded.all()
    bars.BOND_TRACTION.check(result.traction_error)
    assert result.opened.apart.all()
    bars.BOND_OPENING.check(result.opening_error)
    bars.BOND_LEFT.check(result.left)
    # Once off, for ever: pressure closes the gap, nothing glues it.
    assert not result.closed.bonded.any()
    assert not result.closed.apart.any()
    assert np.abs(result.closed.shear_traction).max() < 0.1
    assert result.closed.normal_traction.max() < 0.0
    bars.CONTACT_PRESSURE.check(result.pressure_error)


def test_bare_facets_have_no_bond():
    """What no lithium passes was never in contact."""
    mesh = embedded_ball(2, 1.0, 1.6, 1, gap=0.01)
    contact = np.flatnonzero(mesh.facet_tags == CONTACT)
    tags = mesh.facet_tags.copy()
    tags[contact[::3]] = BLOCKED
    columns = columns_of(replace(mesh, facet_tags=tags))
    assert len(columns.touches) == len(contact)
    assert (~columns.touches).sum() == len(contact[::3])
    assert columns_of(mesh).touches.all()
