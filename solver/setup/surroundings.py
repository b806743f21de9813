"""What surrounds a particle of a case, as the solver needs it: pressure, a matrix that flows, a bond that opens."""

from __future__ import annotations

from dataclasses import dataclass

from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from solver.case.schema import Case
from solver.materials import Layer
from solver.model.interface import InterfaceLaw
from solver.model.plasticity import PlasticLaw
from solver.solve.domain import Domain
from solver.solve.elastic_term import ElasticTerm
from solver.solve.interface_layer import Columns, InterfaceLayer, columns_of
from solver.solve.plastic_matrix import PlasticMatrix
from solver.solve.pressure import StackPressure


@dataclass(frozen=True)
class Surroundings:
    """What a case puts around its particle.

    Attributes:
        pressure: The stack pressure, or None.
        plastic: The matrix if it may flow, or None.
        interface: The bond between particle and matrix if it may open, or None.
    """

    pressure: StackPressure | None
    plastic: PlasticMatrix | None
    interface: InterfaceLayer | None

    @property
    def have_memory(self) -> bool:
        """Whether the way to a state matters."""
        return self.plastic is not None or self.interface is not None

    @property
    def terms(self) -> list[ElasticTerm]:
        """What they add to the elasticity of the cells."""
        terms: list[ElasticTerm | None] = [self.pressure, self.plastic, self.interface]
        return [term for term in terms if term is not None]


def limited_columns(particle: Particle, mesh: ParticleMesh) -> Columns | None:
    """Columns of the interface layer of a mesh; None when particle and matrix stay bonded.

    Raises:
        MeshError: When the cells of the layer are not in order.
    """
    limited = particle.matrix is not None and particle.matrix.interface == "limited"
    return columns_of(mesh) if limited else None


def surroundings_of(case: Case, domain: Domain, columns: Columns | None, layer: Layer | None) -> Surroundings:
    """The surroundings a case asks for, at rest.

    Args:
        case: The case.
        domain: The distributed particle.
        columns: Columns of its interface layer, the same on every rank, or None.
        layer: The matrix, with the strain it has from cooling, or None.
    """
    matrix, pressure = case.particle.matrix, float(case.mechanics.stack_pressure)
    plastic = interface = None
    if matrix is not None and layer is not None and matrix.plastic:
        plastic = PlasticMatrix(domain, _plastic_law(layer))
    if layer is not None and columns is not None:
        interface = InterfaceLayer(domain, columns, _interface_law(layer))
    return Surroundings(StackPressure(domain, pressure) if pressure > 0.0 else None, plastic, interface)


def _plastic_law(layer: Layer) -> PlasticLaw:
    if layer.yield_strength is None:
        raise ValueError(f"{layer.name} has no yield strength; the checks of a case see to that")
    return PlasticLaw(layer.stiffness.C44, layer.yield_strength, layer.hardening_modulus)


def _interface_law(layer: Layer) -> InterfaceLaw:
    if layer.adhesion is None:
        raise ValueError(f"{layer.name} has no adhesion; the checks of a case see to that")
    return InterfaceLaw(layer.stiffness, layer.adhesion, layer.misfit)
