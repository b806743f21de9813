"""Numbers that must vanish in an exact solution; they say how far the others can be trusted (eq. 4.9)."""

from __future__ import annotations

import numpy as np

from meshes.particle_mesh import SYMMETRY
from solver.indicators import tensors
from solver.indicators.definition import Definition
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import total, totals
from solver.indicators.view import StateView
from solver.solve.facet_forms import facets_tagged

# The shears among the components of a stress: the first component of each, and its two directions.
_SHEARS = ((3, 1, 2), (4, 0, 2), (5, 0, 1))


class LithiumBalance:
    """Lithium in the particle against what went through its surface."""

    name = "lithium balance"
    needs_stress = False
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        meaning = "lithium in the particle minus that expected from the current, over the initial content, as a size"
        return (Definition("lithium_imbalance", "-", meaning, "4.9", "below 1e-8"),)

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        return {"lithium_imbalance": view.state.lithium_imbalance}


class StressBalance:
    """Volume integral of the stress, zero in every particle without traction on its surface."""

    name = "stress balance"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        meaning = "largest component of ∫σ dV, membranes included, over ∫|σ| dV, as a size; in a section without σ_zz, "
        meaning += "in an eighth without the shears, which its mirror images balance"
        return (Definition("stress_imbalance", "-", meaning, "4.9", "below 1e-4"),)

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        owned, sample = view.layout.domain.owned, view.sample
        stress, weights = sample.stress[:owned], sample.deformed_weights[:owned]
        tension = np.zeros(6) if sample.coating is None else sample.coating.tension
        pressed = np.zeros(6) if sample.moment is None else sample.moment
        integral = totals(sample.moments[:owned].sum(axis=(0, 1)) + tension - pressed, view.comm)
        if view.layout.domain.dimension == 2:  # zero by construction, or the reaction of what may not stretch (eq. 7.2)
            integral[2] = 0.0
        integral[_balanced_by_mirrors(view)] = 0.0
        size = total(weights * tensors.frobenius(stress), view.comm)
        return {"stress_imbalance": float(np.abs(integral).max()) / size if size > 0.0 else 0.0}


def _balanced_by_mirrors(view: StateView) -> list[int]:
    """Shears between two planes of symmetry: zero in the whole particle, not in the sector."""
    domain = view.layout.domain
    planes = [total(np.array([len(facets_tagged(domain, [tag]))]), view.comm) > 0.0 for tag in SYMMETRY]
    return [component for component, one, two in _SHEARS if planes[one] and planes[two]]
