"""Coefficients that change, with known answers: cooling, softening, strained diffusion; numbers for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from boxes import ball, box, domain_of
from closed_forms import CoreShell, laminate
from convergence import Convergence
from crystals import (
    CRYSTAL_CONSTANTS,
    STIFFNESS,
    growing_with_radius,
    isotropic_crystal,
    linear_lattice,
    lithium,
    mechanics,
    polycrystal,
)
from elasticity_cases import LAMINATE_STRAINS, LAMINATES, Laminate, laminate_domain, laminate_outcome
from embedded import embedded_ball
from numpy.typing import NDArray
from region_cases import CORE, SHELL, layer
from region_meshes import coated_ball, filmed_ball, octant
from runs import Recorder, fixed
from scipy.integrate import solve_bvp
from sphere_cases import compare
from two_way_cases import bicrystal
from voigt import voigt_stress

from meshes.particle_mesh import COATING, INTERFACE, MATRIX
from solver.materials import LatticeStrain, TransverseStiffness, load_layer
from solver.model.interface import InterfaceLaw
from solver.solve.coupling import OneWay
from solver.solve.grainwise import grainwise_space
from solver.solve.interface_layer import InterfaceLayer, columns_of
from solver.solve.load_path import LoadPath
from solver.solve.mechanics import Mechanics
from solver.solve.membrane import Film
from solver.solve.phases import Phases
from solver.solve.pressure import StackPressure
from solver.solve.segments import Segment
from solver.solve.site_strain import SiteStrain
from solver.solve.solids import Crystal
from solver.solve.step_solver import fast_reaction
from solver.solve.stepping import TimeLoop, at_times
from solver.solve.strained_diffusion import StrainedDiffusion, StrainedDiffusivity
from solver.solve.transport import Transport

Array = NDArray[np.float64]

NOTHING = linear_lattice(0.0, 0.0)
# NMC811 cooled by 700 K: within and across the layers.
COOLED = (-700 * (1.3e-5 - 5e-6 / 3), -700 * (1.3e-5 + 2 * 5e-6 / 3))


def cooled_crystal_residue(tolerance: float) -> float:
    """Largest stress of a free crystal that has cooled, over that of the clamped one and over the tolerance."""
    domain = domain_of(ball(5, 5.0), [[1, 2, 2]])
    model = mechanics(domain, [Crystal(STIFFNESS, NOTHING, COOLED)], tolerance=tolerance)
    assert model.solve(lithium(domain, 0.0)).converged
    clamped = np.abs(voigt_stress(CRYSTAL_CONSTANTS, [0, 0, 1], np.diag([COOLED[0], COOLED[0], COOLED[1]]))).max()
    largest = float(np.abs(model.stress().stress).max())
    model.destroy()
    return largest / clamped / tolerance


def cooled_laminate(kind: str) -> Laminate:
    """V10 with the strains of the laminate from cooling instead of lithium."""
    plate = LAMINATES[kind]
    domain = laminate_domain(plate)
    model = mechanics(domain, [Crystal(TransverseStiffness(*plate.constants), NOTHING, LAMINATE_STRAINS)])
    assert model.solve(lithium(domain, 0.0)).converged
    expected = np.array(laminate(plate.axes, plate.constants, LAMINATE_STRAINS))
    return laminate_outcome(domain, model, expected)


def cooled_core_shell(levels: int) -> float:
    """V5: relative error of the pressure in a core that shrinks by 1 % more than its shell as both cool."""
    form = CoreShell(core=CORE, shell=SHELL, misfit=-0.01, ratio=0.9)
    crystals = [_isotropic(*CORE, thermal=-0.015), _isotropic(*SHELL, thermal=-0.005)]
    return _pressure_error(form, crystals, levels, 0.0)


def softened_core_shell(levels: int) -> float:
    """V5 at x = 0.4: core and shell have softened by 0.2 and by 0.4."""
    young = (0.8 * CORE[0], 0.6 * SHELL[0])
    form = CoreShell(core=(young[0], CORE[1]), shell=(young[1], SHELL[1]), misfit=-0.01, ratio=0.9)
    crystals = [
        _isotropic(*CORE, thermal=-0.01, softening=0.2 / 0.6),
        _isotropic(*SHELL, thermal=0.0, softening=0.4 / 0.6),
    ]
    return _pressure_error(form, crystals, levels, 0.4)


def _isotropic(young: float, poisson: float, thermal: float = 0.0, softening: float = 0.0) -> Crystal:
    return Crystal(TransverseStiffness.isotropic(young, poisson), NOTHING, (thermal, thermal), softening)


def _pressure_error(form: CoreShell, crystals: Sequence[Crystal], levels: int, stoichiometry: float) -> float:
    domain = domain_of(octant(ball(levels, 1.0, core_levels=round(0.9 * levels))), [[0, 0, 1], [0, 0, 1]])
    model = mechanics(domain, crystals, np.array([0, 1]))
    assert model.solve(lithium(domain, stoichiometry)).converged
    sample = model.stress()
    model.destroy()
    core = domain.grain == 1
    weights = sample.weights[core][..., None]
    mean = (weights * sample.stress[core]).sum(axis=(0, 1)) / weights.sum()
    return float(np.abs(mean + np.repeat([form.pressure, 0.0], 3)).max() / abs(form.pressure))


def cooled_coating_residue(resolved: bool) -> float:
    """Largest stress over the clamped one, over the tolerance, where grain and coating cool alike."""
    shrinkage, tolerance = -0.01, 1e-8
    crystal, coating = _isotropic(*CORE, thermal=shrinkage), layer(*CORE, misfit=shrinkage)
    if resolved:
        domain = domain_of(coated_ball(6, 5), [[0, 0, 1]])
        model = mechanics(domain, [crystal], layers={COATING: coating}, tolerance=tolerance)
    else:
        domain = domain_of(filmed_ball(5), [[0, 0, 1]])
        model = mechanics(domain, [crystal], films=[Film(coating, 0.05)], tolerance=tolerance)
    assert model.solve(lithium(domain, 0.0)).converged
    sample = model.stress()
    model.destroy()
    hoop = 0.0 if sample.coating is None else float(np.abs(sample.coating.hoop).max())
    largest = max(float(np.abs(sample.stress).max()), hoop)
    return largest / (abs(shrinkage) * CORE[0] / (1 - 2 * CORE[1])) / tolerance


def cooled_matrix_residue() -> tuple[float, float]:
    """A grain and the matrix it was given after it had cooled: largest stress, and traction of their bond [MPa]."""
    shrinkage, electrolyte = -0.01, load_layer("LPSCl")
    mesh = embedded_ball(2, 1.0, 1.6, elements=2, gap=0.01)
    domain, matrix = domain_of(mesh, [[0, 0, 1]]), replace(electrolyte, misfit=shrinkage)
    interface = InterfaceLayer(domain, columns_of(mesh), InterfaceLaw(matrix.stiffness, 50.0, shrinkage))
    crystal = _isotropic(*CORE, thermal=shrinkage)
    layers = {MATRIX: matrix, INTERFACE: matrix}
    model = mechanics(domain, [crystal], layers=layers, terms=[interface])
    path = LoadPath(
        domain, model, rest=1.0, tolerance=1e-8, plastic=None, interface=interface, pressure=None, phases=Phases()
    )
    path.solve(lithium(domain, 0.5))
    stress, bond = float(np.abs(path.stress().stress).max()), path.surroundings().bond
    path.destroy()
    assert bond is not None
    return stress, float(np.hypot(bond.normal_traction, bond.shear_traction).max())


CURVED = LatticeStrain(
    np.array([0.1, 0.3, 0.5, 1.0]), np.array([-0.018, -0.017, -0.013, 0.0]), np.array([-0.03, 0.008, 0.014, 0.0])
)
SOFT = 0.37


def mismatch_error() -> tuple[float, float]:
    """Eq. 14.6: scaled unit solution against a solve at uniform x; change of the actual stress by asking for it."""
    domain = polycrystal()
    model = mechanics(domain, [Crystal(STIFFNESS, CURVED, COOLED, SOFT)], rest=1.0)
    model.solve(lithium(domain, growing_with_radius))
    before = model.stress().stress.copy()
    mismatch = model.mismatch(0.37)
    model.mismatch(0.5)
    largest = np.abs(before).max()
    changed = float(np.abs(model.stress().stress - before).max() / largest)
    model.solve(lithium(domain, 0.37))
    uniform = model.stress().stress
    model.destroy()
    return float(np.abs(mismatch.stress - uniform).max() / np.abs(uniform).max()), changed


def softened_polycrystal(x: float) -> float:
    """Stress at a uniform x over that of the constant stiffness, less what eq. 2.6 says; largest deviation anywhere."""
    domain, stresses = polycrystal(), []
    for softening in (0.0, SOFT):
        model = mechanics(domain, [Crystal(STIFFNESS, CURVED, softening=softening)], rest=1.0)
        model.solve(lithium(domain, 0.9))
        model.solve(lithium(domain, x))
        stresses.append(model.stress().stress)
        model.destroy()
    constant, softened = stresses
    return float(np.abs(softened - (1 - SOFT * (1 - x)) * constant).max() / np.abs(constant).max())


def way_dependence() -> float:
    """Stress after a way from full to nearly empty and back against that of a fresh solver, over the largest."""
    domain, stresses = polycrystal(), []
    for way in ((0.95, 0.5, 0.15, 0.6), (0.6,)):
        model = mechanics(domain, [Crystal(STIFFNESS, CURVED, softening=SOFT)], rest=1.0)
        for mean in way:
            field = lithium(domain, growing_with_radius)
            field.x.array[:] = mean + 0.1 * (field.x.array - 0.5)
            assert model.solve(field).converged
        stresses.append(model.stress().stress)
        model.destroy()
    return float(np.abs(stresses[0] - stresses[1]).max() / np.abs(stresses[1]).max())


YOUNG, POISSON, SWELL = 140e3, 0.3, 0.02
GRADED = 0.5  # softening over the radius, for x = (r/R)²


def graded_sphere(counts: Sequence[int]) -> Convergence:
    """Stress of a sphere softer in its core than at its rim, x = (r/R)², against the radial equation: RMS errors."""
    radial = _radial_solution()
    scale = float(np.abs(radial(np.linspace(1e-3, 1.0, 200))).max())
    crystal = Crystal(TransverseStiffness.isotropic(YOUNG, POISSON), linear_lattice(SWELL, SWELL), softening=GRADED)

    def exact(r: Array) -> tuple[Array, Array]:
        stress = radial(r.ravel()) / scale
        return stress[0].reshape(r.shape), stress[1].reshape(r.shape)

    errors = []
    for count in counts:
        domain = domain_of(ball(count, 1.0), [[0, 0, 1]])
        model = mechanics(domain, [crystal])
        assert model.solve(lithium(domain, lambda x: (x**2).sum(axis=0))).converged
        errors.append(compare(model, exact, 1.0, scale).rms)
        model.destroy()
    return Convergence(tuple(counts), tuple(errors))


def _radial_solution() -> Callable[[Array], Array]:
    """σ_r and σ_θ (2, n) of the graded sphere at radii (n,), by collocation of the radial equilibrium."""

    def moduli(r: Array) -> tuple[Array, Array]:
        young = YOUNG * (1 - GRADED * (1 - r**2))
        return young * POISSON / ((1 + POISSON) * (1 - 2 * POISSON)), young / (2 * (1 + POISSON))

    def stretch(r: Array, y: Array) -> Array:
        lame, shear = moduli(r)
        return (y[1] + (3 * lame + 2 * shear) * SWELL * r**2 - 2 * lame * y[0] / r) / (lame + 2 * shear)

    def hoop(r: Array, y: Array) -> Array:
        lame, shear = moduli(r)
        own = (3 * lame + 2 * shear) * SWELL * r**2
        return lame * stretch(r, y) + 2 * (lame + shear) * y[0] / r - own

    def slope(r: Array, y: Array) -> Array:
        return np.stack([stretch(r, y), -2 * (y[1] - hoop(r, y)) / r])

    inner = 1e-3  # below it the stress is that at the centre, but for the square of it

    def ends(low: Array, high: Array) -> Array:
        return np.array([low[1] - float(hoop(np.array([inner]), low[:, None])[0]), high[1]])

    r = np.geomspace(inner, 1.0, 400)
    solved = solve_bvp(slope, ends, r, np.stack([SWELL * r / 2, np.zeros_like(r)]), tol=1e-7, max_nodes=100_000)
    assert solved.success

    def stress(places: Array) -> Array:
        at = np.maximum(places, inner)
        y = solved.sol(at)
        return np.stack([y[1], hoop(at, y)])

    return stress


LAW = StrainedDiffusivity(2.3, 0.69, 10.0)
D_AB, D_C = 1e-2, 1e-3


def _pressed_crystal(pressure: float) -> tuple[Transport, Mechanics, Array]:
    """A single crystal under pressure that lithium does not strain; and its exact elastic strain along a, c."""
    domain = domain_of(ball(4), [[0, 0, 1]])
    transport = Transport(domain, D_AB, D_C, initial=0.9, surface=fast_reaction, phases=Phases())
    terms = [StackPressure(domain, pressure)]
    model = mechanics(domain, [Crystal(STIFFNESS, NOTHING)], terms=terms, tolerance=1e-12)
    strain = -pressure * np.linalg.solve(STIFFNESS.voigt(), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    return transport, model, strain[[0, 2]]


def pressed_factor(pressure: float, law: StrainedDiffusivity = LAW) -> tuple[float, float]:
    """Factor of the diffusivity of a crystal under pressure (negative: pulled): found, and by hand."""
    transport, model, (along_a, along_c) = _pressed_crystal(pressure)
    StrainedDiffusion(OneWay(transport, model), law).attempt(1.0)
    factors = np.concatenate([transport.medium.along.x.array / D_AB, transport.medium.across.x.array / D_C])
    model.destroy()
    exponent = 100 * (law.per_percent_c * along_c + 2 * law.per_percent_ab * along_a)
    limit = np.log(law.largest_factor)
    return float(factors[np.abs(factors - factors.mean()).argmax()]), float(np.exp(np.clip(exponent, -limit, limit)))


def pressed_charge() -> float:
    """Lithium of a charge under pressure with eq. 14.3 against one whose diffusivities are scaled by hand."""
    transport, model, (along_a, along_c) = _pressed_crystal(2e3)
    factor = float(np.exp(100 * (LAW.per_percent_c * along_c + 2 * LAW.per_percent_ab * along_a)))
    found = _charged(StrainedDiffusion(OneWay(transport, model), LAW)).fields[-1]
    domain = transport.medium.domain
    by_hand = Transport(domain, factor * D_AB, factor * D_C, initial=0.9, surface=fast_reaction, phases=Phases())
    wanted = _charged(OneWay(by_hand, model)).fields[-1]
    model.destroy()
    return float(np.abs(found - wanted).max() / np.ptp(wanted))


def _charged(coupling: OneWay | StrainedDiffusion, steps: int = 8) -> Recorder:
    recorder, duration = Recorder(), 8.0
    segment = Segment(duration, "charge", rate=-0.3 / duration)
    TimeLoop(coupling, [segment], fixed(duration / steps), [recorder]).run(at_times([]))
    return recorder


def answers_to_a_held_surface() -> tuple[float, float]:
    """Largest stress before a surface is held at another stoichiometry and after, without a step between [MPa]."""
    domain = domain_of(ball(3), [[0, 0, 1]])
    transport = Transport(domain, D_AB, D_AB, initial=0.9, surface=fast_reaction, phases=Phases())
    model = mechanics(domain, [isotropic_crystal(YOUNG, POISSON, 0.05)], rest=0.9)
    coupling = StrainedDiffusion(OneWay(transport, model), LAW)
    stresses = []
    for hold in (False, True):
        if hold:
            transport.hold(0.5)
        sample = coupling.response().stress
        stresses.append(0.0 if sample is None else float(np.abs(sample.stress).max()))
    model.destroy()
    return stresses[0], stresses[1]


def strained_fields(law: StrainedDiffusivity | None, steps: int = 8, levels: int = 4) -> Array:
    """Lithium at the end of a charge of a sphere whose core is pressed and whose rim is pulled; None: no such law."""
    domain = domain_of(ball(levels), [[0, 0, 1]])
    transport = Transport(domain, D_AB, D_AB, initial=0.9, surface=fast_reaction, phases=Phases())
    model = mechanics(domain, [isotropic_crystal(YOUNG, POISSON, 0.05)], rest=0.9, tolerance=1e-11)
    coupling = OneWay(transport, model)
    recorder = _charged(coupling if law is None else StrainedDiffusion(coupling, law), steps)
    model.destroy()
    return recorder.fields[-1]


def strained_two_way(law: StrainedDiffusivity | None) -> Array:
    """Lithium of two grains that stress each other, and their lithium in turn, after a charge."""
    inner = bicrystal([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]).couple(1e-6)
    coupling = inner if law is None else StrainedDiffusion(inner, law)
    segment = Segment(80.0, "charge", rate=-0.05 / 80.0)
    TimeLoop(coupling, [segment], fixed(20.0), []).run(at_times([]))
    return inner.transport.stoichiometry.x.array.copy()


def lag_in_time(counts: Sequence[int]) -> Convergence:
    """Change of that charge's lithium when the steps are halved, largest anywhere: it falls as the error does."""
    law = StrainedDiffusivity(2.3, 2.3, 100.0)
    steps = sorted({*counts, *(2 * count for count in counts)})
    fields = {count: strained_fields(law, count, levels=3) for count in steps}
    return Convergence.of((count, float(np.abs(fields[2 * count] - fields[count]).max())) for count in counts)


def sheared_site() -> tuple[Array, Array]:
    """The three numbers of the sites of a soft crystal under an even strain: found, and by tensors."""
    domain = domain_of(box((2, 2, 2)), [[1, 2, -2]])
    gradient = np.array([[1.0, 2.0, -0.5], [0.3, -1.5, 0.7], [-0.2, 0.4, 0.9]]) * 1e-2
    model = mechanics(domain, [Crystal(STIFFNESS, NOTHING)])
    model.displacement.interpolate(lambda points: gradient @ points)
    found = SiteStrain(domain, model, grainwise_space(domain, 1), softens=STIFFNESS)()
    model.destroy()
    axis, strain = np.array([1.0, 2.0, -2.0]) / 3, (gradient + gradient.T) / 2
    along = float(axis @ strain @ axis)
    across = float(np.trace(strain)) - along
    other = strain - along * np.outer(axis, axis) - across / 2 * (np.eye(3) - np.outer(axis, axis))
    energy = 0.5 * float((voigt_stress(CRYSTAL_CONSTANTS, [1, 2, -2], other) * other).sum())
    return found, np.array([along, across, energy / STIFFNESS.C11])
