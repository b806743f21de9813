"""Elastic energy, and how much of it sits close to grain boundaries (eq. 4.6)."""

from __future__ import annotations

from solver.indicators.definition import Definition
from solver.indicators.settings import IndicatorSettings
from solver.indicators.statistics import total
from solver.indicators.view import StateView


class Energy:
    """Energy that cracking could release."""

    name = "energy"
    needs_stress = True
    needs_mismatch = False

    def definitions(self, settings: IndicatorSettings) -> tuple[Definition, ...]:
        """See `Indicator`."""
        zone = f"the zone within {settings.length:g} um of a grain boundary"
        return (
            Definition("elastic_energy", "pJ", "elastic energy of the grains", "4.6"),
            Definition("elastic_energy_density", "MJ/m^3", "elastic energy over the volume of the grains", "4.6"),
            Definition("energy_near_boundaries", "-", f"share of the elastic energy in {zone}", "4.6"),
            Definition("volume_near_boundaries", "-", f"share of the volume in {zone}, to compare with", "4.6"),
        )

    def evaluate(self, view: StateView, settings: IndicatorSettings) -> dict[str, float]:
        """See `Indicator`."""
        near, weights, comm = (
            view.layout.cells.near_boundary,
            view.sample.weights[view.layout.cells.index],
            view.comm,
        )
        energy, volume = total(view.energy, comm), total(view.layout.cells.volume, comm)
        energy_near, volume_near = total(view.point_energy[near], comm), total(weights[near], comm)
        return {
            "elastic_energy": energy,
            "elastic_energy_density": energy / volume,
            "energy_near_boundaries": energy_near / energy if energy > 0.0 else float("nan"),
            "volume_near_boundaries": volume_near / volume,
        }
