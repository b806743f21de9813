"""Lithium across and along grain boundaries against closed forms (eqs. 12.2-12.8)."""

from __future__ import annotations

import bars
import pytest
from boundary_cases import LAWS, balance, sealed_core, settling, settling_rates, steady_bar, weak_obstacle
from reaction_cases import kinetics, reacting

from solver.solve.step_solver import even_flux, fast_reaction

SURFACES = {"fast": fast_reaction, "even": even_flux, "reaction": reacting(kinetics())}


@pytest.mark.parametrize("dimension", [2, 3])
def test_steady_bar_across_a_boundary(dimension):
    found = steady_bar(dimension)
    bars.BOUNDARY_STEADY.check(found.profile, found.flux, found.balance)


@pytest.mark.parametrize("name", LAWS)
def test_settling_is_of_second_order(name):
    found = settling_rates(name, (6, 12, 24))
    bars.BOUNDARY_RATE.check(*found.rates)
    bars.BOUNDARY_SETTLED.check(found.errors[-1])


def test_settling_of_blocks_of_tetrahedra():
    """As in the section: the error at six cells is that of six squares, 0.36 %, or less."""
    assert settling("both", 6, dimension=3) < 0.004


def test_a_weak_obstacle_is_none():
    weak, weaker = weak_obstacle(1.0), weak_obstacle(100.0)
    bars.BOUNDARY_WEAK.check(weaker.difference)
    assert weak.difference / weaker.difference == pytest.approx(100.0, rel=0.05)
    # Conjugate gradients must not feel how tightly the two sides of a boundary are tied.
    assert weak_obstacle(1e6).iterations < 2.0


def test_no_transfer_seals_the_core():
    core, shell = sealed_core()
    assert core == pytest.approx(0.9, abs=1e-6)
    assert shell < 0.82


@pytest.mark.parametrize("surface", SURFACES)
def test_lithium_is_conserved_across_boundaries(surface):
    bars.BOUNDARY_BALANCE.check(balance(SURFACES[surface]))
