"""Elastic cases with known answers, as functions that return numbers: the tests judge them, the report shows them.

A manufactured displacement, the laminate V10, and what must vanish or stay as it is (V13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import ufl
from boxes import ball, box, domain_of
from closed_forms import laminate
from convergence import Convergence
from crystals import (
    CRYSTAL_CONSTANTS,
    STIFFNESS,
    growing_with_radius,
    linear_lattice,
    lithium,
    mechanics,
    polycrystal,
)
from dolfinx import fem
from numpy.typing import NDArray
from runs import adaptive
from scipy.spatial.transform import Rotation
from voigt import tensors, voigt_stress

from solver import compat
from solver.materials import LatticeStrain, TransverseStiffness
from solver.model.elasticity import StiffnessFields, strain, stress
from solver.solve.coupling import OneWay
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.solids import Crystal
from solver.solve.state import State, StepResult
from solver.solve.step_solver import fast_reaction
from solver.solve.stepping import TimeLoop, at_times
from solver.solve.transport import Transport

Array = NDArray[np.float64]


def manufactured(points: Any, module: ModuleType) -> list[Any]:
    """A smooth displacement, by `module`'s sin and cos."""
    x, y, z = points[0], points[1], points[2]
    return [
        module.sin(2 * x + y) * module.cos(z),
        module.cos(x) * module.sin(y + 2 * z),
        module.sin(x * y) + module.cos(z + x),
    ]


def manufactured_errors(counts: Sequence[int]) -> tuple[Convergence, Convergence]:
    """L² errors of displacement (up to a rigid motion) and of strain in a unit cube of an anisotropic crystal."""
    pairs = [_manufactured_error(count) for count in counts]
    displacements, strains = zip(*pairs, strict=True)
    return Convergence(tuple(counts), displacements), Convergence(tuple(counts), strains)


def _manufactured_error(count: int) -> tuple[float, float]:
    domain = domain_of(box((count,) * 3), [[1, 2, 2]])
    fields = StiffnessFields.of_cells(domain.mesh, np.tile(CRYSTAL_CONSTANTS, (len(domain.grain), 1)))
    solver = ElasticSolver(domain, fields, 1e-11, Phases())
    exact = ufl.as_vector(manufactured(ufl.SpatialCoordinate(domain.mesh), ufl))
    test = ufl.TestFunction(solver.space)
    measure = ufl.dx(domain.mesh, metadata={"quadrature_degree": 8})
    load_form = compat.form(ufl.inner(stress(strain(exact), domain.cell_axis, fields), strain(test)) * measure)
    load = compat.create_vector(load_form)
    compat.assemble_vector(load, load_form)
    found = fem.Function(solver.space)
    assert solver.solve(load, found).converged
    # Compare up to the rigid motion that the free body leaves open.
    error = fem.Function(solver.space)
    error.interpolate(lambda points: np.array(manufactured(points, np)))
    nodal = error.x.petsc_vec
    nodal.axpy(-1.0, found.x.petsc_vec)
    solver.null_space.remove(nodal)
    gap = strain(exact) - strain(found)
    squares = [fem.assemble_scalar(compat.form(ufl.inner(item, item) * measure)) for item in (error, gap)]
    solver.destroy()
    return float(np.sqrt(squares[0])), float(np.sqrt(squares[1]))


Axis = list[float]

LAMINATE_STRAINS = (-0.01, 0.02)
LAMINATE_YOUNG, LAMINATE_POISSON = 140e3, 0.25
LAMINATE_ISOTROPIC = (168e3, 56e3, 56e3, 168e3, 56e3)  # E 140 GPa, ν 0.25


@dataclass(frozen=True)
class Plate:
    """c axes of the two orientations of a laminate, and C11, C12, C13, C33, C44 [MPa]."""

    axes: tuple[Axis, Axis]
    constants: tuple[float, ...]


LAMINATES = {
    "isotropic": Plate(([1.0, 0.0, 0.0], [0.0, 0.3, 1.0]), LAMINATE_ISOTROPIC),
    "anisotropic": Plate(([1.0, 0.0, 0.0], [0.0, 0.3, 1.0]), CRYSTAL_CONSTANTS),
    "anisotropic, askew": Plate(([1.0, 0.4, 0.2], [-0.3, 1.0, 0.6]), CRYSTAL_CONSTANTS),
}


@dataclass(frozen=True)
class Laminate:
    """V10: stress in the middle of a wide plate of layers 1-2-1.

    Attributes:
        expected: (2, 3) xx, yy, xy of each orientation by laminate theory [MPa].
        found: (2, 3) their means in the middle [MPa].
        in_plane_error: Largest deviation at any Gauss point there, over the largest expected stress.
        out_of_plane: Largest of the components that should vanish, over the same.
    """

    expected: Array
    found: Array
    in_plane_error: float
    out_of_plane: float


def laminate_domain(plate: Plate) -> Domain:
    """A plate 10 × 10 × 1 of two orientations."""
    return domain_of(
        box((20, 20, 4), (10.0, 10.0, 1.0), lambda x: np.where(np.abs(x[:, 2] - 0.5) < 0.25, 2, 1)),
        list(plate.axes),
    )


def laminate_stress(plate: Plate) -> Laminate:
    """A plate 10 × 10 × 1 of two orientations, free on all sides."""
    domain = laminate_domain(plate)
    model = mechanics(domain, [Crystal(TransverseStiffness(*plate.constants), linear_lattice(*LAMINATE_STRAINS))])
    assert model.solve(lithium(domain, 1.0)).converged
    expected = np.array(laminate(plate.axes, plate.constants, LAMINATE_STRAINS))
    return laminate_outcome(domain, model, expected)


def laminate_outcome(domain: Domain, model: Mechanics, expected: Array) -> Laminate:
    """The stress of a solved laminate against what is expected of each orientation, (2, 3); ends the model."""
    sample = model.stress()
    model.destroy()
    scale = np.abs(expected).max()
    middle = np.abs(sample.points[..., :2] - 5.0).max(axis=-1) < 1.0
    found, errors, others = [], [], []
    for number, layer in enumerate(expected, start=1):
        inside = sample.stress[middle & (domain.grain == number)[:, None]]
        found.append(inside[:, [0, 1, 5]].mean(axis=0))
        errors.append(np.abs(inside[:, [0, 1, 5]] - layer).max() / scale)
        others.append(np.abs(inside[:, [2, 3, 4]]).max() / scale)
    return Laminate(expected, np.array(found), float(max(errors)), float(max(others)))


def free_crystal_residue(tolerance: float) -> float:
    """V13: largest stress of a free crystal at uniform x, over that of the clamped one and over the tolerance."""
    domain = domain_of(ball(5, 5.0), [[1, 2, 2]])
    strains = (-0.0185, -0.031)
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(*strains))], tolerance=tolerance)
    model.solve(lithium(domain, 1.0))
    clamped = np.abs(voigt_stress(CRYSTAL_CONSTANTS, [0, 0, 1], np.diag([strains[0], strains[0], strains[1]]))).max()
    return float(np.abs(model.stress().stress).max() / clamped / tolerance)


ISOTROPIC_TOLERANCE = 1e-10


def isotropic_strain_residue() -> float:
    """V13: largest stress of two anisotropic grains that strain alike, over C11 e and over the tolerance."""
    domain = domain_of(ball(5, 5.0, core_levels=3), [[0, 0, 1], [1, 1, 0]])
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, -0.02))], tolerance=ISOTROPIC_TOLERANCE)
    model.solve(lithium(domain, 1.0))
    return float(np.abs(model.stress().stress).max() / (CRYSTAL_CONSTANTS[0] * 0.02) / ISOTROPIC_TOLERANCE)


def turning_error() -> float:
    """V13: turned stress against the stress of the turned polycrystal (cell means), over the largest."""
    turn = Rotation.from_euler("xyz", [0.3, -0.7, 1.1]).as_matrix()
    straight, turned = (_cell_stress(matrix) for matrix in (None, turn))
    expected = turn @ straight @ turn.T
    return float(np.abs(turned - expected).max() / np.abs(expected).max())


def _cell_stress(turn: Array | None) -> Array:
    """(cells, 3, 3) in the order of the mesh file."""
    domain = polycrystal(turn)
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, 0.03))])
    model.solve(lithium(domain, growing_with_radius))
    return tensors(model.stress().stress[np.argsort(domain.input_cells)].mean(axis=1))


def mean_stress() -> float:
    """V13: largest component of ∫σ dV of a free polycrystal over the largest ∫|σ_ij| dV."""
    domain = polycrystal()
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, 0.03))])
    model.solve(lithium(domain, growing_with_radius))
    sample = model.stress()
    total = np.einsum("cq,cqi->i", sample.weights, sample.stress)
    size = np.einsum("cq,cqi->i", sample.weights, np.abs(sample.stress))
    return float(np.abs(total).max() / size.max())


def mismatch_error() -> float:
    """Eq. 2.7: scaled unit solution against a solve at uniform x, over the largest stress."""
    lattice = LatticeStrain(
        np.array([0.1, 0.3, 0.5, 1.0]), np.array([-0.018, -0.017, -0.013, 0.0]), np.array([-0.03, 0.008, 0.014, 0.0])
    )
    domain = polycrystal()
    model = mechanics(domain, [Crystal(STIFFNESS, lattice)], rest=1.0)
    model.solve(lithium(domain, growing_with_radius))
    before = model.stress().stress.copy()
    mismatch = model.mismatch(0.37)
    assert np.array_equal(model.stress().stress, before), "the actual solution is left alone"
    model.solve(lithium(domain, 0.37))
    uniform = model.stress().stress
    return float(np.abs(mismatch.stress - uniform).max() / np.abs(uniform).max())


class _LastFields:
    """Observer that keeps lithium and the largest stress of the last state."""

    def on_step(self, result: StepResult) -> None:
        pass

    def on_state(self, state: State) -> None:
        self.lithium = state.stoichiometry.x.array.copy()
        self.stress = float(np.abs(state.stress.stress).max()) if state.stress else 0.0


def stiffness_on_lithium() -> tuple[float, float]:
    """V13, one-way: difference of lithium between stiffnesses 1 and 10, and the ratio of their stresses."""
    kept = []
    for factor in (1.0, 10.0):
        domain = polycrystal()
        transport = Transport(domain, 4e-3, 4e-4, initial=0.9, surface=fast_reaction, phases=Phases())
        stiffness = TransverseStiffness(*(factor * constant for constant in CRYSTAL_CONSTANTS))
        model = mechanics(domain, [Crystal(stiffness, linear_lattice(-0.02, 0.03))], rest=0.9)
        last = _LastFields()
        segment = Segment(300.0, "charge", rate=-0.5 / 3600)
        TimeLoop(OneWay(transport, model), [segment], adaptive(1e-3), [last]).run(at_times([]))
        kept.append(last)
    soft, hard = kept
    return float(np.abs(soft.lithium - hard.lithium).max()), hard.stress / soft.stress
