"""Cooling from the temperature without stress: what a case says of it, as strains of grains and layers (eq. 14.5)."""

from __future__ import annotations

from dataclasses import dataclass

from solver.case.electrochemistry import Electrochemistry
from solver.case.mechanics import Mechanics
from solver.materials import Layer, Material, MaterialError


@dataclass(frozen=True)
class Cooling:
    """From the temperature at which the polycrystal was free of stress to that of the experiment.

    Attributes:
        temperature: Of the experiment [K].
        stress_free: Of the polycrystal without stress [K].
        surface: Material at the surface, around which layers were put.
    """

    temperature: float
    stress_free: float
    surface: Material

    @classmethod
    def of(cls, mechanics: Mechanics, electrochemistry: Electrochemistry, surface: Material) -> Cooling:
        """The cooling of a case."""
        temperature, stress_free = electrochemistry.temperature, mechanics.stress_free_temperature
        return cls(temperature, temperature if stress_free is None else stress_free, surface)

    def grain_strain(self, material: Material) -> tuple[float, float]:
        """Strains of a grain within and across its layers [-].

        Raises:
            MaterialError: When its expansion is not known.
        """
        change = self.temperature - self.stress_free
        if change == 0.0:
            return 0.0, 0.0
        along, across = _expansion_of(material)
        return change * along, change * across

    def coating_strain(self, layer: Layer) -> float:
        """Strain of a coating, which was put on when the polycrystal was free of stress [-].

        Raises:
            MaterialError: When an expansion is not known.
        """
        return self._layer_strain(layer, self.stress_free)

    def matrix_strain(self, layer: Layer) -> float:
        """Strain of a matrix, which was pressed around the particle at the temperature of the experiment [-].

        Raises:
            MaterialError: When an expansion is not known.
        """
        return self._layer_strain(layer, self.temperature)

    def _layer_strain(self, layer: Layer, usual: float) -> float:
        """Own expansion since a layer was put on, and what the particle had shrunk by then, in the mean."""
        put_on = usual if layer.stress_free_temperature is None else layer.stress_free_temperature
        strain = 0.0
        if put_on != self.temperature:
            if layer.thermal_expansion is None:
                raise MaterialError(_remedy(layer.name, "1e-5 1/K"))
            strain += layer.thermal_expansion * (self.temperature - put_on)
        if put_on != self.stress_free:
            along, across = _expansion_of(self.surface)
            strain += (2 * along + across) / 3 * (put_on - self.stress_free)
        return strain


def _expansion_of(material: Material) -> tuple[float, float]:
    if material.thermal_expansion is None:
        raise MaterialError(_remedy(material.name, "1.3e-5 1/K"))
    return material.thermal_expansion


def _remedy(name: str, example: str) -> str:
    return f"{name} has no thermal expansion; write `material: {{base: {name}, thermal_expansion: {example}}}`"
