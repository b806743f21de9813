"""Cases of two-way coupling with known answers, as functions that return numbers: the tests judge them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from boxes import ball, domain_of
from crystals import isotropic_crystal, lithium, mechanics
from numpy.typing import NDArray

from solver.solve.grainwise import grainwise_space
from solver.solve.site_strain import SiteStrain

Array = NDArray[np.float64]

RADIUS = 5.0


@dataclass(frozen=True)
class SphereStrain:
    """Error of the volume strain at the sites of a sphere, over its range: at the surface, and anywhere."""

    surface: float
    largest: float


def strain_of_sphere(levels: int) -> SphereStrain:
    """c = (r/R)²: the trace of the strain is 3 ε* + (1 − 2ν)(3 − 5 r²/R²) A/E (eq. 6.5)."""
    young, poisson, swell = 140e3, 0.3, 0.02
    domain = domain_of(ball(levels, RADIUS), [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(young, poisson, swell)], tolerance=1e-8)
    assert model.solve(lithium(domain, lambda points: (points**2).sum(axis=0) / RADIUS**2)).converged
    sites = grainwise_space(domain, 1)
    trace = SiteStrain(domain, model, sites)().sum(axis=1)
    model.destroy()
    places = np.zeros((len(trace), 3))
    places[sites.dofmap.list] = domain.mesh.geometry.x[domain.cell_vertices]
    square = (places**2).sum(axis=1) / RADIUS**2
    amplitude = 2.0 * swell / (5.0 * (1.0 - poisson))
    exact = 3.0 * swell * square + (1.0 - 2.0 * poisson) * amplitude * (3.0 - 5.0 * square)
    error = np.abs(trace - exact) / np.ptp(exact)
    return SphereStrain(float(error[square > 1.0 - 1e-9].mean()), float(error.max()))
