"""Sections with known answers (chapter 7 of the theory), as functions that return numbers: tests judge, the page shows.

Lithium in a disc, stress of a disc with a radial strain, a laminate, a manufactured displacement, and what must vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import closed_forms as exact
import discs
import numpy as np
import ufl
from boxes import domain_of
from convergence import Convergence
from crystals import CRYSTAL_CONSTANTS, STIFFNESS, isotropic_crystal, linear_lattice, lithium
from diffusion_cases import DIFFUSIVITY, FULL, HELD_AT, RADIUS, TAU, UNIT_TIME, Profile, radii
from dolfinx import fem
from elasticity_cases import LAMINATE_STRAINS, Laminate, Plate
from numpy.typing import NDArray
from runs import adaptive, run_lithium
from voigt import voigt_stress

from meshes.particle_mesh import COATED_SURFACE, OUTER
from solver import compat
from solver.materials import Layer, TransverseStiffness
from solver.model.elasticity import StiffnessFields, strain, stress
from solver.solve.domain import Domain
from solver.solve.elastic_solver import ElasticSolver
from solver.solve.mechanics import Mechanics
from solver.solve.membrane import Film, Membrane, curvature_factor
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.solids import Crystal, Solids
from solver.solve.step_solver import fast_reaction
from solver.solve.transport import Transport

Array = NDArray[np.float64]

YOUNG, POISSON, SWELL = 140e3, 0.3, 0.02
UNIT = YOUNG * SWELL / (1 - POISSON)
WAYS = {"generalised": True, "plane strain": False}


def section_mechanics(domain: Domain, crystal: Crystal, may_stretch: bool, tolerance: float = 1e-10) -> Mechanics:
    """Mechanics of a section of one crystal, free of stress at x = 0."""
    solids = Solids(domain, [crystal], rest=0.0)
    return Mechanics(domain, solids, tolerance=tolerance, phases=Phases(), may_stretch=may_stretch)


def disc_transport(levels: int) -> Transport:
    """An isotropic disc with `levels` cells along its radius and one potential on its rim."""
    domain = domain_of(discs.disc(levels, RADIUS), [[0, 0, 1]])
    return Transport(domain, DIFFUSIVITY, DIFFUSIVITY, initial=FULL, surface=fast_reaction, phases=Phases())


def held_disc(levels: int) -> Profile:
    """Eq. 7.3: the rim jumps from 0.9 to 0.4 and stays there."""
    transport = disc_transport(levels)
    recorder = run_lithium(transport, [Segment(TAU * UNIT_TIME, "hold", surface=HELD_AT)], adaptive(1e-4, initial=1e-3))
    r = radii(transport)
    values = (recorder.fields[-1] - FULL) / (HELD_AT - FULL)
    uptake = (recorder.means[-1] - FULL) / (HELD_AT - FULL)
    wanted = exact.held_disc_uptake(TAU)
    return Profile(levels, r, values, exact.held_disc(r, TAU), abs(uptake / wanted - 1), float("nan"))


def driven_disc(levels: int) -> Profile:
    """Eq. 7.4: lithium leaves at a constant rate."""
    transport, rate = disc_transport(levels), -0.5 / 3600
    recorder = run_lithium(transport, [Segment(TAU * UNIT_TIME, "charge", rate=rate)], adaptive(1e-4, initial=1e-2))
    flux = rate * transport.volume / transport.area
    r = radii(transport)
    values = (recorder.fields[-1] - FULL) * DIFFUSIVITY / (flux * RADIUS)
    gone = (recorder.means[-1] - FULL) / (rate * TAU * UNIT_TIME)
    return Profile(levels, r, values, exact.driven_disc(r, TAU), abs(gone - 1), float(np.ptp(values[r > 1 - 1e-9])))


@dataclass(frozen=True)
class DiscStress:
    """Stress of a disc with the strain SWELL (r/R)², over E SWELL / (1 − ν).

    Attributes:
        rms: (3,) root of the mean squared error of σ_r, σ_θ and σ_z.
        largest: Largest error at any Gauss point.
        axial_force: |∫σ_zz dA| over ∫|σ_zz| dA.
        axial_strain: ε_z.
    """

    rms: Array
    largest: float
    axial_force: float
    axial_strain: float


def disc_stress(levels: int, may_stretch: bool) -> DiscStress:
    """Eq. 7.5 on a disc of rings."""
    domain = domain_of(discs.disc(levels), [[0, 0, 1]])
    model = section_mechanics(domain, isotropic_crystal(YOUNG, POISSON, SWELL), may_stretch)
    assert model.solve(lithium(domain, lambda points: (points**2).sum(axis=0))).converged
    sample, axial_strain = model.stress(), model.axial_strain
    model.destroy()
    r = np.linalg.norm(sample.points, axis=-1)
    x, y = sample.points[..., 0] / r, sample.points[..., 1] / r
    xx, yy, zz, _, _, xy = np.moveaxis(sample.stress, -1, 0)
    found = np.stack([xx * x**2 + yy * y**2 + 2 * xy * x * y, xx * y**2 + yy * x**2 - 2 * xy * x * y, zz])
    gap = found / UNIT - exact.disc_stress(r, POISSON, may_stretch)
    weights = sample.weights / sample.weights.sum()
    force = (weights * zz).sum() / (weights * np.abs(zz)).sum()
    return DiscStress(
        np.sqrt((weights * gap**2).sum(axis=(1, 2))), float(np.abs(gap).max()), abs(float(force)), axial_strain
    )


def ring_error(may_stretch: bool) -> float:
    """Eq. 7.6: mean stress of a disc under a film, largest deviation over the largest exact component."""
    thickness, swell, misfit = 0.01, 0.01, 0.004
    mesh = discs.disc(20)
    domain = domain_of(
        replace(mesh, facet_tags=np.where(mesh.facet_tags == OUTER, COATED_SURFACE, mesh.facet_tags)), [[0, 0, 1]]
    )
    layer = Layer("film", 200e3, 0.25, None, 0.0, misfit, None, 0.0, None, None)
    solids = Solids(domain, [isotropic_crystal(YOUNG, POISSON, swell)], rest=0.0)
    film = Membrane(domain, Film(layer, thickness), solids)
    model = Mechanics(domain, solids, tolerance=1e-10, phases=Phases(), may_stretch=may_stretch, terms=[film])
    assert model.solve(lithium(domain, 1.0)).converged
    sample = model.stress()
    model.destroy()
    stiff = thickness * curvature_factor(thickness / domain.radius, layer.poisson_ratio, 2) * layer.plane_strain_modulus
    radial, axial = exact.ringed_disc(
        (YOUNG, POISSON, swell), (stiff, layer.poisson_ratio, misfit), domain.radius, may_stretch
    )
    mean = np.einsum("cq,cqi->i", sample.weights, sample.stress) / sample.weights.sum()
    gap = np.abs(mean - [radial, radial, axial, 0.0, 0.0, 0.0]).max()
    return float(gap / max(abs(radial), abs(axial)))


def falling(levels: Sequence[int], may_stretch: bool) -> tuple[Convergence, DiscStress]:
    """Largest root-mean-square errors against the number of cells along the radius, and the finest result."""
    results = {count: disc_stress(count, may_stretch) for count in levels}
    return Convergence.of((count, float(item.rms.max())) for count, item in results.items()), results[levels[-1]]


def section_laminate(plate: Plate) -> Laminate:
    """A strip of layers 1-2-1 along y, ten times as wide as thick, that may stretch along z.

    Laminate theory holds in its middle with x and z as the directions within the layers: the closed form is that of a
    plate stacked along z, with y and z exchanged.
    """
    mesh = discs.rectangle((80, 16), (10.0, 1.0), lambda x: np.where(np.abs(x[:, 1] - 0.5) < 0.25, 2, 1))
    domain = domain_of(mesh, list(plate.axes))
    crystal = Crystal(TransverseStiffness(*plate.constants), linear_lattice(*LAMINATE_STRAINS))
    model = section_mechanics(domain, crystal, may_stretch=True)
    assert model.solve(lithium(domain, 1.0)).converged
    sample = model.stress()
    model.destroy()
    swapped = [[axis[0], axis[2], axis[1]] for axis in plate.axes]
    expected = np.array(exact.laminate(swapped, plate.constants, LAMINATE_STRAINS))
    scale = np.abs(expected).max()
    middle = np.abs(sample.points[..., 0] - 5.0) < 1.0
    found, errors, others = [], [], []
    for number, layer in enumerate(expected, start=1):
        inside = sample.stress[middle & (domain.grain == number)[:, None]]
        found.append(inside[:, [0, 2, 4]].mean(axis=0))  # xx, zz, xz
        errors.append(np.abs(inside[:, [0, 2, 4]] - layer).max() / scale)
        others.append(np.abs(inside[:, [1, 3, 5]]).max() / scale)
    return Laminate(expected, np.array(found), float(max(errors)), float(max(others)))


def askew_residue(may_differ: bool, tolerance: float = 1e-10) -> float:
    """Largest stress of what should be free, over that of the clamped crystal and over the tolerance.

    Either a single crystal with an oblique c axis at uniform x, or (`may_differ`) many grains that strain alike in all
    directions.
    """
    strains = (-0.02, -0.02) if may_differ else (-0.0185, -0.031)
    domain = discs.polycrystal() if may_differ else domain_of(discs.disc(8), [[1, 2, 2]])
    model = section_mechanics(domain, Crystal(STIFFNESS, linear_lattice(*strains)), True, tolerance)
    assert model.solve(lithium(domain, 1.0)).converged
    largest = float(np.abs(model.stress().stress).max())
    model.destroy()
    clamped = np.abs(voigt_stress(CRYSTAL_CONSTANTS, [0, 0, 1], np.diag([strains[0], strains[0], strains[1]]))).max()
    return largest / float(clamped) / tolerance


def mean_stress(may_stretch: bool) -> float:
    """Largest component of ∫σ dA of a free polycrystal over ∫|σ| dA; without σ_zz where it may not stretch."""
    domain = discs.polycrystal()
    model = section_mechanics(domain, Crystal(STIFFNESS, linear_lattice(-0.02, 0.03)), may_stretch)
    assert model.solve(lithium(domain, lambda points: 0.3 + 0.1 * (points**2).sum(axis=0))).converged
    sample = model.stress()
    model.destroy()
    total = np.abs(np.einsum("cq,cqi->i", sample.weights, sample.stress))
    size = np.einsum("cq,cqi->i", sample.weights, np.abs(sample.stress)).max()
    kept = [0, 1, 2, 3, 4, 5] if may_stretch else [0, 1, 3, 4, 5]
    return float(total[kept].max() / size)


def mismatch_error(may_stretch: bool) -> float:
    """Eq. 2.7: the mismatch part against a solve at uniform x, over the largest stress; the solution is left alone."""
    domain = discs.polycrystal()
    model = section_mechanics(domain, Crystal(STIFFNESS, linear_lattice(-0.02, 0.03)), may_stretch)
    model.solve(lithium(domain, lambda points: 0.3 + 0.1 * (points**2).sum(axis=0)))
    before, stretch = model.stress().stress.copy(), model.axial_strain
    mismatch = model.mismatch(0.37).stress
    assert np.array_equal(model.stress().stress, before)
    assert model.axial_strain == stretch
    model.solve(lithium(domain, 0.37))
    uniform = model.stress().stress
    model.destroy()
    return float(np.abs(mismatch - uniform).max() / np.abs(uniform).max())


def manufactured_errors(counts: Sequence[int]) -> tuple[Convergence, Convergence]:
    """L² errors of a displacement in three directions (up to a rigid motion) and of its strain, oblique crystal."""
    pairs = [_manufactured_error(count) for count in counts]
    displacements, strains = zip(*pairs, strict=True)
    return Convergence(tuple(counts), displacements), Convergence(tuple(counts), strains)


def _manufactured_error(count: int) -> tuple[float, float]:
    domain = domain_of(discs.rectangle((count, count), (1.0, 1.0)), [[1, 2, 2]])
    fields = StiffnessFields.of_cells(domain.mesh, np.tile(CRYSTAL_CONSTANTS, (len(domain.grain), 1)))
    solver = ElasticSolver(domain, fields, 1e-11, Phases())
    x, y, _ = ufl.SpatialCoordinate(domain.mesh)
    wanted = ufl.as_vector([ufl.sin(2 * x + y), ufl.cos(x) * ufl.sin(2 * y), ufl.sin(x * y) + ufl.cos(2 * x)])
    test = ufl.TestFunction(solver.space)
    measure = ufl.dx(domain.mesh, metadata={"quadrature_degree": 8})
    load_form = compat.form(ufl.inner(stress(strain(wanted), domain.cell_axis, fields), strain(test)) * measure)
    load = compat.create_vector(load_form)
    compat.assemble_vector(load, load_form)
    found, error = fem.Function(solver.space), fem.Function(solver.space)
    assert solver.solve(load, found).converged
    error.interpolate(
        lambda p: np.stack(
            [np.sin(2 * p[0] + p[1]), np.cos(p[0]) * np.sin(2 * p[1]), np.sin(p[0] * p[1]) + np.cos(2 * p[0])]
        )
    )
    nodal = error.x.petsc_vec
    nodal.axpy(-1.0, found.x.petsc_vec)
    solver.null_space.remove(nodal)
    gap = strain(wanted) - strain(found)
    squares = [compat.assemble_scalar(compat.form(ufl.inner(item, item) * measure)) for item in (error, gap)]
    solver.destroy()
    return float(np.sqrt(squares[0])), float(np.sqrt(squares[1]))
