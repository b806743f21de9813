"""Stress that drives lithium against mathematics (eqs. 13.6-13.12)."""

from __future__ import annotations

from two_way_cases import strain_of_sphere


def test_strain_at_sites_is_second_order_at_the_surface_too():
    """A lumped projection is off by 9 % of the range at the surface of six levels, and falls with the first power."""
    coarse, fine = strain_of_sphere(4), strain_of_sphere(6)
    assert fine.surface < 0.006
    assert fine.largest < 0.012
    assert fine.surface < coarse.surface / 1.5**1.6  # between first and second power, on coarse meshes
    assert fine.largest < coarse.largest / 1.5**1.2
