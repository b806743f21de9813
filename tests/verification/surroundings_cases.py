"""Particles in a matrix against closed forms (eqs. 9.9, 9.10) and against what a bond may and may not do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from boxes import domain_of
from closed_forms import HollowSphere, lame_pressure, misfit_pressure
from crystals import isotropic_crystal, lithium, mechanics
from embedded import embedded_ball, hollow_ball
from numpy.typing import NDArray
from voigt import tensors

from meshes.particle_mesh import COATING_OUTER, CONTACT, INTERFACE, MATRIX, ParticleMesh
from solver.materials import load_layer
from solver.model.interface import InterfaceLaw
from solver.model.plasticity import PlasticLaw
from solver.solve.interface_layer import InterfaceLayer, columns_of
from solver.solve.load_path import LoadPath
from solver.solve.phases import Phases
from solver.solve.plastic_matrix import PlasticMatrix
from solver.solve.pressure import StackPressure
from solver.solve.surroundings_state import Bond

Array = NDArray[np.float64]

ELECTROLYTE = load_layer("LPSCl")
ELASTIC = (ELECTROLYTE.youngs_modulus, ELECTROLYTE.poisson_ratio)
CORE = (140e3, 0.25)
RADII = (1.0, 1.6)
PRESSURE = 100.0
HOLLOW = HollowSphere(yield_strength=300.0, ratio=2.0, reach=1.4)
REST, SWELL, GAP = 0.5, 0.01, 0.01


def path_of(
    mesh: ParticleMesh,
    core: tuple[float, float],
    *,
    pressure: float = 0.0,
    plastic: PlasticLaw | None = None,
    adhesion: float | None = None,
    tolerance: float = 1e-8,
) -> LoadPath:
    """A grain that swells by `SWELL` times x − `REST`, in the electrolyte."""
    domain = domain_of(mesh, [[0, 0, 1]])
    law = None if adhesion is None else InterfaceLaw(ELECTROLYTE.stiffness, adhesion)
    interface = None if law is None else InterfaceLayer(domain, columns_of(mesh), law)
    flow = None if plastic is None else PlasticMatrix(domain, plastic)
    press = StackPressure(domain, pressure)
    body = mechanics(
        domain,
        [isotropic_crystal(*core, SWELL)],
        layers={MATRIX: ELECTROLYTE, INTERFACE: ELECTROLYTE},
        terms=[term for term in (press, flow, interface) if term is not None],
        rest=REST,
        tolerance=tolerance,
    )
    return LoadPath(
        domain,
        body,
        rest=REST,
        tolerance=tolerance,
        plastic=flow,
        interface=interface,
        pressure=press,
        phases=Phases(),
    )


def goto(path: LoadPath, stoichiometry: float) -> None:
    """Moves to a uniform lithium content."""
    path.solve(lithium(path.domain, stoichiometry))


def core_stress(path: LoadPath) -> Array:
    """Mean stress of the grain, six components [MPa]."""
    sample, core = path.stress(), path.domain.is_grain
    weights = sample.weights[core][..., None]
    return (weights * sample.stress[core]).sum(axis=(0, 1)) / weights.sum()


def pressed_core(levels: int) -> float:
    """Lamé: largest deviation of the mean stress of a core from the pressure it should be under, over that."""
    path = path_of(embedded_ball(levels, *RADII, elements=levels), CORE, pressure=PRESSURE)
    goto(path, REST)
    exact = lame_pressure(CORE, ELASTIC, RADII[0] / RADII[1], PRESSURE)
    stress = core_stress(path)
    path.destroy()
    return float(np.abs(stress + exact * np.array([1, 1, 1, 0, 0, 0])).max() / exact)


def pressed_evenly() -> float:
    """A shell of the same stuff as the matrix around it: largest deviation from an even pressure, over that."""
    mesh = embedded_ball(2, *RADII, elements=2)
    mesh = replace(mesh, facet_tags=np.where(mesh.facet_tags == CONTACT, COATING_OUTER, mesh.facet_tags))
    path = path_of(mesh, ELASTIC, pressure=PRESSURE)
    goto(path, REST)
    stress = path.stress().stress
    path.destroy()
    return float(np.abs(stress + PRESSURE * np.array([1, 1, 1, 0, 0, 0])).max() / PRESSURE)


def mean_stress_error() -> float:
    """∫σ dV of a core in a matrix under pressure against the moment of the pressure, over that."""
    path = path_of(embedded_ball(2, *RADII, elements=2), CORE, pressure=PRESSURE)
    goto(path, REST + 0.3)
    moment = StackPressure(path.domain, PRESSURE).moment()
    sample = path.stress()
    path.destroy()
    return float(np.abs(np.einsum("cq,cqi->i", sample.weights, sample.stress) / moment[0] - moment / moment[0]).max())


@dataclass(frozen=True)
class CollapsingSphere:
    """A hollow sphere under external pressure, beyond yield.

    Attributes:
        rms: Root-mean-square error of the radial stress over the yield strength.
        reach: Radius of the plastic zone over the exact one.
        excess: Largest von Mises stress in the matrix over the yield strength.
        rounds: Rounds of Newton's method.
    """

    rms: float
    reach: float
    excess: float
    rounds: int


def collapsing_sphere(levels: int, elements: int) -> CollapsingSphere:
    """Hill: perfectly plastic, with an elastic rim that the plastic zone does not reach."""
    law = PlasticLaw(ELECTROLYTE.stiffness.C44, HOLLOW.yield_strength, 0.0)
    mesh = hollow_ball(levels, HOLLOW.ratio, elements, elastic=2)
    path = path_of(mesh, ELASTIC, pressure=HOLLOW.pressure, plastic=law, tolerance=1e-7)
    rounds = path.solve(lithium(path.domain, REST)).iterations
    flow, sample = path.surroundings().flow, path.stress()
    assert flow is not None
    path.destroy()
    stress, points = tensors(sample.stress[flow.cells]), sample.points[flow.cells]
    r = np.linalg.norm(points, axis=-1)
    radial = np.einsum("cqi,cqij,cqj->cq", points, stress, points) / r**2
    error = (radial - HOLLOW.radial_stress(r)) / HOLLOW.yield_strength
    volume = float((flow.weights * (flow.equivalent > 0.0)).sum())
    sound = float(flow.weights.sum() / (4 / 3 * np.pi * ((HOLLOW.ratio - 2 / elements) ** 3 - 1)))
    reach = (1 + volume / sound / (4 / 3 * np.pi)) ** (1 / 3)
    shear = stress - np.trace(stress, axis1=2, axis2=3)[..., None, None] * np.eye(3) / 3
    mises = np.sqrt(1.5 * (shear**2).sum(axis=(2, 3)))
    return CollapsingSphere(
        rms=float(np.sqrt((flow.weights * error**2).sum() / flow.weights.sum())),
        reach=reach / HOLLOW.reach,
        excess=float(mises.max() / HOLLOW.yield_strength),
        rounds=rounds,
    )


@dataclass(frozen=True)
class PulledBond:
    """A shrinking core in a matrix: last state of the bond before, and first after it has come off; pressed again.

    Attributes:
        held: Bond at 97 % of the shrinkage that its adhesion allows.
        traction_error: Its mean traction over that of the closed form, deviation from 1.
        opened: Bond at 103 %.
        opening_error: Its mean opening over the free shrinkage of the core, deviation from 1.
        left: Stress left in the core over the adhesion.
        closed: Bond when the core has swollen again.
        pressure_error: Stress of the core then over that of a bonded one, deviation from 1.
    """

    held: Bond
    traction_error: float
    opened: Bond
    opening_error: float
    left: float
    closed: Bond
    pressure_error: float


def pulled_bond(levels: int) -> PulledBond:
    """Pull to the adhesion limit, opening, and closure under pressure, all of them uniform around a sphere."""
    adhesion = 50.0
    per_strain = misfit_pressure(CORE, ELASTIC, RADII[0] / RADII[1])
    limit = adhesion / per_strain / SWELL
    # The tractions of a polyhedral core scatter by a few percent about that of a sphere.
    path = path_of(embedded_ball(levels, *RADII, elements=2, gap=GAP), CORE, adhesion=adhesion, tolerance=1e-7)
    bonds, stresses = [], []
    for shift in (-0.9 * limit, -1.2 * limit, 0.5 * limit):
        goto(path, REST + shift)
        bond = path.surroundings().bond
        assert bond is not None
        bonds.append(bond)
        stresses.append(float(core_stress(path)[:3].mean()))
    path.destroy()
    held, opened, closed = bonds
    area = held.area / held.area.sum()
    return PulledBond(
        held=held,
        traction_error=abs(float(area @ held.normal_traction) / (0.9 * adhesion) - 1),
        opened=opened,
        opening_error=abs(float(area @ opened.opening) / (1.2 * limit * SWELL * RADII[0]) - 1),
        left=abs(stresses[1]) / adhesion,
        closed=closed,
        pressure_error=abs(stresses[2] / (-0.5 * adhesion) - 1),
    )
