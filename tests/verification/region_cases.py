"""Cases of coatings, films, pores, sectors and compositions with known answers, as functions that return numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from boxes import domain_of
from closed_forms import CoreShell, film_surface
from crystals import STIFFNESS, isotropic_crystal, linear_lattice, lithium, mechanics
from numpy.typing import NDArray
from region_meshes import coated_ball, filmed_ball, hollow_ball, octant, porous_ball
from runs import adaptive, run_lithium
from voigt import tensors

from meshes.particle_mesh import COATED_SURFACE, COATING, OUTER, ParticleMesh
from solver import compat
from solver.materials import Layer
from solver.solve.domain import Domain
from solver.solve.facet_forms import over_facets
from solver.solve.membrane import Film
from solver.solve.phases import Phases
from solver.solve.pressure import StackPressure
from solver.solve.segments import Segment
from solver.solve.solids import Crystal
from solver.solve.step_solver import fast_reaction
from solver.solve.stress import GAUSS, StressSample
from solver.solve.transport import Transport

Array = NDArray[np.float64]

CORE, SHELL, MISFIT = (140e3, 0.25), (200e3, 0.3), -0.01
THICKNESSES = (0.004, 0.01, 0.02)


def layer(young: float, poisson: float, share: float = 0.0, misfit: float = 0.0) -> Layer:
    """A layer with an adhesion of 1 GPa, through which lithium diffuses with 1 µm²/s."""
    return Layer("layer", young, poisson, 1.0, share, misfit, None, 0.0, 1000.0, 1.0)


def mean_stress(sample: StressSample, cells: NDArray[np.bool_] | slice = slice(None)) -> Array:
    """(6,) volume mean over cells [MPa]."""
    weights = sample.weights[cells][..., None]
    return (weights * sample.stress[cells]).sum(axis=(0, 1)) / weights.sum()


def resolved_shell(levels: int) -> float:
    """V5: relative error of the pressure in a core in a coating of a tenth of the radius whose misfit strains it."""
    form = CoreShell(core=CORE, shell=SHELL, misfit=-0.01, ratio=0.9)
    domain = domain_of(octant(coated_ball(levels, round(0.9 * levels))), [[0, 0, 1]])
    coating = layer(*SHELL, misfit=0.01)
    model = mechanics(domain, [isotropic_crystal(*CORE, 0.0)], layers={COATING: coating})
    assert model.solve(lithium(domain, 1.0)).converged
    stress = mean_stress(model.stress(), domain.is_grain)
    model.destroy()
    return float(np.abs(stress + np.repeat([form.pressure, 0.0], 3)).max() / abs(form.pressure))


@dataclass(frozen=True)
class MembraneOutcome:
    """A membrane on a shrinking ball against the exact shell of finite thickness: relative errors.

    Attributes:
        core: Mean stress of the core.
        hoop: Hoop stress of the coating.
        release: Energy release rate.
        normal: Normal traction below the coating.
    """

    core: float
    hoop: float
    release: float
    normal: float


def membrane(thickness: float, levels: int = 5) -> MembraneOutcome:
    """A membrane of thickness t/R on a ball that shrinks by 1 %."""
    form = CoreShell(core=CORE, shell=SHELL, misfit=MISFIT, ratio=1.0 / (1.0 + thickness))
    hoop = float(form.stress(np.array([form.ratio]))[1][0])  # where the shell sits on the core
    domain = domain_of(filmed_ball(levels), [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(*CORE, MISFIT)], films=[Film(layer(*SHELL), thickness)])
    assert model.solve(lithium(domain, 1.0)).converged
    sample = model.stress()
    model.destroy()
    coating, core = sample.coating, mean_stress(sample)
    assert coating is not None
    release = hoop**2 * thickness * (1 - SHELL[1] ** 2) / SHELL[0]
    return MembraneOutcome(
        core=float(abs(core[:3].mean() / -form.pressure - 1)),
        hoop=abs(float(np.average(coating.hoop, weights=coating.weights)) / hoop - 1),
        release=abs(float(np.average(coating.energy_release, weights=coating.weights)) / release - 1),
        normal=abs(float(np.average(coating.normal, weights=coating.areas)) / -form.pressure - 1),
    )


def following(resolved: bool) -> float:
    """Stress over clamped stress, over the tolerance, in a coating that strains as the grain below, which is isotropic.

    The coating has the grain's stiffness, too, so that nothing disagrees, whatever the lithium does; x is uniform.
    """
    crystal, tolerance = isotropic_crystal(*CORE, -0.02), 1e-8
    coating = layer(*CORE, share=1.0)
    if resolved:
        domain = domain_of(coated_ball(6, 5), [[0, 0, 1]])
        model = mechanics(domain, [crystal], layers={COATING: coating}, tolerance=tolerance)
    else:
        domain = domain_of(filmed_ball(5), [[0, 0, 1]])
        model = mechanics(domain, [crystal], films=[Film(coating, 0.05)], tolerance=tolerance)
    assert model.solve(lithium(domain, 1.0)).converged
    clamped = 0.02 * CORE[0] / (1 - 2 * CORE[1])
    largest = float(np.abs(model.stress().stress).max())
    model.destroy()
    return largest / clamped / tolerance


RADIUS, DIFFUSIVITY, RESISTANCE = 5.0, 1e-2, 125.0  # L = R/(D ϱ) = 4
UNIT_TIME = RADIUS**2 / DIFFUSIVITY
TAU = 0.05
COVERS = (-np.inf, 0.0)  # film on the whole surface, or on its upper half


def filmed_transport(above: float = -np.inf, levels: int = 14) -> Transport:
    """A ball whose surface is under a film (above a height)."""
    domain = domain_of(filmed_ball(levels, RADIUS, above), [[0, 0, 1]])
    return Transport(
        domain,
        DIFFUSIVITY,
        DIFFUSIVITY,
        initial=0.9,
        surface=fast_reaction,
        resistances={COATED_SURFACE: RESISTANCE},
        phases=Phases(),
    )


def _radii(transport: Transport) -> Array:
    return np.linalg.norm(transport.stoichiometry.function_space.tabulate_dof_coordinates(), axis=1) / RADIUS


def film_held() -> float:
    """Largest error at any vertex over the jump of the outside, which is held from τ = 0 (eq. 8.11)."""
    transport = filmed_transport()
    recorder = run_lithium(transport, [Segment(TAU * UNIT_TIME, "hold", surface=0.4)], adaptive(1e-4, initial=1e-3))
    values = (recorder.fields[-1] - 0.9) / (0.4 - 0.9)
    exact = film_surface(_radii(transport), TAU, RADIUS / (DIFFUSIVITY * RESISTANCE))
    return float(np.abs(values - exact).max())


@dataclass(frozen=True)
class FilmDrop:
    """A given current through films.

    Attributes:
        drop: Relative error of the drop across the film, J ϱ.
        imbalance: Largest lithium imbalance.
        bare_gap: Largest difference of the outside and the bare surface, where there is one.
    """

    drop: float
    imbalance: float
    bare_gap: float


def film_drop(above: float = -np.inf) -> FilmDrop:
    """Lithium leaves at a constant rate through a film that covers all or a part of the surface."""
    transport = filmed_transport(above, levels=8)
    rate = -0.2 / 3600
    recorder = run_lithium(transport, [Segment(TAU * UNIT_TIME, "charge", rate=rate)], adaptive(1e-4, initial=1e-2))
    surface = recorder.fields[-1][_radii(transport) > 1 - 1e-9]
    drop = rate * transport.volume / transport.area * RESISTANCE
    gaps = np.abs(surface - transport.outside)
    return FilmDrop(abs((transport.outside - surface.mean()) / drop - 1), max(recorder.imbalances), float(gaps.min()))


class Pull:
    """Uniaxial tension S of the outer surface along z (`ElasticTerm`)."""

    def __init__(self, domain: Domain, tension: float) -> None:
        self._domain, self._tension = domain, tension

    def energy(self, first: ufl.core.expr.Expr, second: ufl.core.expr.Expr) -> None:
        return None

    def load(self, displacement: ufl.core.expr.Expr, strain: ufl.core.expr.Expr) -> ufl.Form | None:
        normal = ufl.FacetNormal(self._domain.mesh)
        return over_facets(self._domain, [OUTER], lambda on: self._tension * on(normal)[2] * on(displacement)[2])

    def eigenstrain(self) -> None:
        return None

    def update(self, stoichiometry: Array) -> None:
        pass


@dataclass(frozen=True)
class Cavity:
    """V8: relative errors of the hoop stress along the meridian of a cavity under tension."""

    equator: float
    pole: float


def cavity(levels: int) -> Cavity:
    """V8 on an octant of a ball eight times as large as its cavity, finer towards it."""
    poisson = 0.3
    whole = hollow_ball(levels, levels // 2, 1.0, 8.0)
    domain = domain_of(octant(whole), [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(140e3, poisson, 0.0)], terms=[Pull(domain, 1.0)])
    assert model.solve(lithium(domain, 0.0)).converged
    latitude, hoop = _along_wall(domain, model.stress())
    model.destroy()
    # On the wall the stress along the meridian is a + b cos 2φ.
    terms = np.column_stack([np.ones_like(latitude), np.cos(2 * latitude)])
    mean, swing = np.linalg.lstsq(terms, hoop, rcond=None)[0]
    unit = 1 / (2 * (7 - 5 * poisson))
    equator, pole = unit * (27 - 15 * poisson), -unit * (3 + 15 * poisson)
    return Cavity(abs((mean + swing) / equator - 1), abs((mean - swing) / pole - 1))


def _along_wall(domain: Domain, sample: StressSample) -> tuple[Array, Array]:
    """Latitudes of the facets on a cavity of radius 1, and the stress along the meridian there."""
    corners = domain.mesh.geometry.x[domain.cell_vertices]
    on_wall = np.linalg.norm(corners, axis=2) < 1 + 1e-6
    cells = np.flatnonzero(on_wall.sum(axis=1) == 3)
    facet = np.argmin(on_wall[cells], axis=1)
    stress = np.einsum("fq,fqi->fi", GAUSS[3].facet_extrapolation[facet], sample.stress[cells])
    places = (corners[cells].sum(axis=1) - corners[cells, facet]) / 3.0
    out = places / np.linalg.norm(places, axis=1)[:, None]
    north = np.array([0.0, 0.0, 1.0]) - out[:, 2:] * out
    north /= np.linalg.norm(north, axis=1)[:, None]
    return np.arcsin(out[:, 2]), np.einsum("fi,fij,fj->f", north, tensors(stress), north)


def octant_difference() -> float:
    """Largest difference of the stress of an octant from that of the same cells of the whole ball, over the largest."""
    whole = hollow_ball(6, 1, 0.2, 1.0)
    part = octant(whole)

    def solve(mesh: ParticleMesh) -> tuple[Array, Array]:
        domain = domain_of(mesh, [[0, 0, 1]])
        model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, 0.03))], tolerance=1e-11)
        assert model.solve(lithium(domain, lambda points: 0.3 + 0.4 * (points**2).sum(axis=0))).converged
        sample = model.stress()
        model.destroy()
        return sample.points.mean(axis=1), sample.stress

    (places, stress), (others, reference) = solve(part), solve(whole)
    nearest = np.argmin(np.linalg.norm(places[:, None] - others[None], axis=2), axis=1)
    order = [np.lexsort(np.round(item, 9).T) for item in (places, others[nearest])]
    assert np.abs(places[order[0]] - others[nearest][order[1]]).max() < 1e-9
    gap = np.abs(stress.mean(axis=1) - reference[nearest].mean(axis=1)).max()
    return float(gap / np.abs(reference).max())


PORES = np.array([[0.45, 0.1, 0.2], [-0.4, 0.3, -0.2], [0.1, -0.5, 0.3], [-0.1, 0.2, 0.6], [0.3, 0.35, -0.45]])


def porous_null() -> float:
    """Stress over clamped stress, over the tolerance, in a porous polycrystal that strains alike in all directions."""
    tolerance = 1e-8
    axes = np.random.default_rng(3).normal(size=(8, 3)).tolist()
    domain = domain_of(porous_ball(6, PORES, 0.22), axes)
    model = mechanics(domain, [Crystal(STIFFNESS, linear_lattice(-0.02, -0.02))], tolerance=tolerance)
    assert model.solve(lithium(domain, 1.0)).converged
    clamped = 0.02 * (STIFFNESS.C11 + STIFFNESS.C12 + STIFFNESS.C13)
    largest = float(np.abs(model.stress().stress).max())
    model.destroy()
    return largest / clamped / tolerance


@dataclass(frozen=True)
class BulkModulus:
    """Bulk modulus of a porous ball under pressure over the Hashin-Shtrikman bound at its porosity."""

    porosity: float
    ratio: float


def bulk_modulus(mesh: ParticleMesh, share: float = 1.0) -> BulkModulus:
    """Pressure over the relative loss of the volume within the outer surface, of a `share` of an isotropic ball."""
    young, poisson = 140e3, 0.25
    domain = domain_of(mesh, [[0, 0, 1]] * int(mesh.grain.max()))
    model = mechanics(domain, [isotropic_crystal(young, poisson, 0.0)], terms=[StackPressure(domain, 100.0)])
    assert model.solve(lithium(domain, 0.0)).converged
    normal = ufl.FacetNormal(domain.mesh)
    shrinking = over_facets(domain, [OUTER], lambda on: -ufl.dot(on(model.displacement), on(normal)))
    assert shrinking is not None
    loss = compat.assemble_scalar(compat.form(shrinking))
    model.destroy()
    within = share * 4.0 / 3.0 * np.pi * domain.radius**3
    porosity = 1.0 - domain.volume / within
    bulk, shear = young / (3 * (1 - 2 * poisson)), young / (2 * (1 + poisson))
    bound = bulk + porosity / (-1 / bulk + 3 * (1 - porosity) / (3 * bulk + 4 * shear))
    return BulkModulus(porosity, 100.0 / (loss / within) / bound)


def hollow_bulk() -> BulkModulus:
    """A concentric hollow ball reaches the bound."""
    return bulk_modulus(octant(hollow_ball(8, 3, 0.4, 1.0)), 0.125)


def porous_bulk() -> BulkModulus:
    """Five pores stay below it."""
    return bulk_modulus(porous_ball(6, PORES, 0.22))


CORE_RADIUS, SITES, DIFFUSIVITIES = 0.7, (0.8, 1.2), (4e-3, 1e-2)


def composition_rise(levels: int = 10) -> tuple[float, float]:
    """Core and shell with other sites and diffusivities: error of the quasi-steady rise of x, and lithium imbalance."""
    domain = domain_of(filmed_ball(levels, RADIUS, np.inf), [[0, 0, 1]])
    inside = np.linalg.norm(domain.mesh.geometry.x[domain.cell_vertices].mean(axis=1), axis=1) < CORE_RADIUS * RADIUS
    sites, diffusivity = np.where(inside, *SITES), np.where(inside, *DIFFUSIVITIES)
    transport = Transport(
        domain, diffusivity, diffusivity, sites=sites, initial=0.9, surface=fast_reaction, phases=Phases()
    )
    rate = -0.1 / 3600
    recorder = run_lithium(transport, [Segment(1.2 * UNIT_TIME, "charge", rate=rate)], adaptive(1e-4, initial=0.1))
    r = _radii(transport)
    rise = float(recorder.fields[-1][r > 1 - 1e-9].mean() - recorder.fields[-1][r < 1e-9][0])
    return abs(rise / _rise(rate) - 1), max(recorder.imbalances)


def _rise(rate: float) -> float:
    """Quasi-steady x at the surface minus that in the centre: m D dx/dr = (ẋ/r²) ∫ m r² dr, with one ẋ everywhere."""
    edges = np.linspace(0.0, RADIUS, 20001)
    r = (edges[1:] + edges[:-1]) / 2
    inside = r < CORE_RADIUS * RADIUS
    sites, diffusivity = np.where(inside, *SITES), np.where(inside, *DIFFUSIVITIES)
    filled = np.cumsum(sites * np.diff(edges**3) / 3) - 0.5 * sites * np.diff(edges**3) / 3
    return float((rate * filled / (sites * diffusivity * r**2) * np.diff(edges)).sum())
