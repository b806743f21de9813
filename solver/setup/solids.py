"""What the cells of a particle are made of, mechanically, as a case asks for it: lattice, cooling, softening."""

from __future__ import annotations

from collections.abc import Mapping

from solver.case.schema import Case
from solver.materials import Layer, Material
from solver.materials.radial import RadialMaterial
from solver.setup.layers import cooling_of
from solver.solve.domain import Domain
from solver.solve.solids import Crystal, Solids


def solids_of(case: Case, material: RadialMaterial, domain: Domain, layers: Mapping[int, Layer]) -> Solids:
    """Stiffness and free strain of all cells.

    Args:
        case: The case.
        material: The active material.
        domain: The distributed particle.
        layers: What the other regions are made of, with the strains they have from cooling.

    Raises:
        MaterialError: When a thermal expansion is not known.
    """
    cooling, softens = cooling_of(case, material), case.mechanics.softening

    def crystal(of: Material) -> Crystal:
        softening = of.stiffness_softening if softens else 0.0
        return Crystal(of.stiffness, of.lattice, cooling.grain_strain(of), softening)

    return Solids(
        domain,
        [crystal(each) for each in material.materials],
        lambda points, grain: material.shares(domain.relative_radius(points)),
        layers=layers,
        rest=case.mechanics.stress_free_stoichiometry,
    )
