"""Stress of spheres with known answers (V3, V5), as functions that return numbers: tests judge, the report shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from boxes import ball, domain_of
from closed_forms import CoreShell, held_surface, parabola_stress, sphere_stress
from convergence import Convergence
from crystals import isotropic_crystal, lithium, mechanics
from numpy.typing import NDArray
from voigt import tensors

import meshes.store
from meshes.particle import Particle
from meshes.particle_mesh import ParticleMesh
from solver.solve.coupling import OneWay
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.state import State, StepResult
from solver.solve.step_solver import fast_reaction
from solver.solve.stepping import StepSettings, TimeLoop, at_times
from solver.solve.stress import StressSample
from solver.solve.transport import Transport

Array = NDArray[np.float64]

YOUNG, POISSON = 140e3, 0.3
RADIUS, SWELL = 5.0, 0.02
PARABOLA = 2 * YOUNG * SWELL / (5 * (1 - POISSON))  # A of eq. 6.5 for c = (r/R)² with linear strain Ωc/3 = SWELL c
AWAY_FROM_SURFACE = 0.95


@dataclass(frozen=True)
class SphereStress:
    """Computed and exact stress of a sphere at the Gauss points, both in units of the largest exact stress.

    Attributes:
        unknowns: Displacement unknowns.
        radius: (cells, 4) r/R.
        radial: (cells, 4) computed σ_r.
        hoop: (cells, 4) computed σ_θ, mean of both directions.
        gap: (cells, 4) largest component of computed minus exact stress.
        centre_gap: (cells,) the same at the centroids of the cells.
        weights: (cells, 4) quadrature weights.
    """

    unknowns: int
    radius: Array
    radial: Array
    hoop: Array
    gap: Array
    centre_gap: Array
    weights: Array

    @property
    def rms(self) -> float:
        """Root of the volume mean of the squared gap."""
        return float(np.sqrt((self.weights * self.gap**2).sum() / self.weights.sum()))

    @property
    def largest_inside(self) -> float:
        """Largest gap at a Gauss point below 0.95 R."""
        return float(self.gap[self.radius < AWAY_FROM_SURFACE].max())

    @property
    def largest_of_cells(self) -> float:
        """Largest gap at a cell's centroid, anywhere."""
        return float(self.centre_gap.max())


def compare(
    model: Mechanics, exact: Callable[[Array], tuple[Array, Array]], radius: float, unit: float
) -> SphereStress:
    """The model's stress against σ_r, σ_θ at r/R, which `exact` gives in units of `unit` [MPa]."""
    sample = model.stress()
    radial, hoop, gap = _gaps(sample.points, sample.stress / unit, exact, radius)
    # Stress is linear in a cell: the mean over its Gauss points is the value at its centroid.
    _, _, centre_gap = _gaps(sample.points.mean(axis=1), sample.stress.mean(axis=1) / unit, exact, radius)
    return SphereStress(
        unknowns=3 * model.solver.space.dofmap.index_map.size_global,
        radius=np.linalg.norm(sample.points, axis=-1) / radius,
        radial=radial,
        hoop=hoop,
        gap=gap,
        centre_gap=centre_gap,
        weights=sample.weights,
    )


def _gaps(
    points: Array, stress: Array, exact: Callable[[Array], tuple[Array, Array]], radius: float
) -> tuple[Array, Array, Array]:
    """σ_r, σ_θ and the largest component of the difference to the exact tensor, at points (…, 3)."""
    r = np.linalg.norm(points, axis=-1)
    radial, hoop = exact(r / radius)
    outer = _outer(points, r)
    full = tensors(stress)
    ours_radial, ours_hoop = _radial_and_hoop(full, outer)
    wanted = hoop[..., None, None] * np.eye(3) + (radial - hoop)[..., None, None] * outer
    return ours_radial, ours_hoop, np.abs(full - wanted).max(axis=(-1, -2))


def _outer(points: Array, r: Array) -> Array:
    normal = points / r[..., None]
    return normal[..., :, None] * normal[..., None, :]


def _radial_and_hoop(full: Array, outer: Array) -> tuple[Array, Array]:
    radial = (full * outer).sum(axis=(-1, -2))
    return radial, (np.trace(full, axis1=-2, axis2=-1) - radial) / 2


def parabola_on(mesh: ParticleMesh) -> SphereStress:
    """V3: the quasi-steady stress of a sphere of radius 5 given as a mesh, isotropic, c = (r/R)²."""
    domain = domain_of(mesh, [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(YOUNG, POISSON, SWELL)])
    assert model.solve(lithium(domain, lambda points: (points**2).sum(axis=0) / RADIUS**2)).converged
    result = compare(model, parabola_stress, RADIUS, PARABOLA)
    model.destroy()
    return result


def quasi_steady_sphere(levels: int) -> SphereStress:
    """V3 on a ball with `levels` cells along its radius."""
    return parabola_on(ball(levels, RADIUS))


def particle_mesh_sphere(size: float, store: Path | None = None) -> SphereStress:
    """V3 on the mesh that the mesher makes of a particle of one grain, with edges of `size` µm."""
    description = {"radius": f"{RADIUS} um", "grains": {"count": 1}, "mesh": {"size": f"{size} um"}}
    stored = meshes.store.obtain(Particle.model_validate(description), Path.cwd(), store=store)
    return parabola_on(meshes.store.load(stored.path))


def falling(results: Mapping[int, SphereStress]) -> Convergence:
    """Root-mean-square errors against the number of cells along the radius."""
    return Convergence.of((levels, result.rms) for levels, result in results.items())


PEAK_TIME, PEAK_STRESS = 0.05741, 0.38557  # eq. 6.6


def centre_stress(levels: int, taus: Sequence[float]) -> Array:
    """V3: stress at the centre of a held sphere at times τ, in units of E e/(1 − ν); lithium from its closed form."""
    swell = 0.01
    domain = domain_of(ball(levels), [[0, 0, 1]])
    model = mechanics(domain, [isotropic_crystal(YOUNG, POISSON, swell)])

    def centre(tau: float) -> float:
        """Mean normal stress at r = 0: the intercept of its fall with r²."""
        assert model.solve(lithium(domain, lambda x: held_surface(np.linalg.norm(x, axis=0), tau))).converged
        sample = model.stress()
        r = np.linalg.norm(sample.points, axis=-1)
        near = r < 0.25
        intercept = np.polynomial.polynomial.polyfit(r[near] ** 2, sample.stress[near][:, :3].mean(axis=-1), 2)[0]
        return float(intercept * (1 - POISSON) / (YOUNG * swell))

    stresses = np.array([centre(tau) for tau in taus])
    model.destroy()
    return stresses


class _Last:
    """Observer that keeps the last state."""

    def on_step(self, result: StepResult) -> None:
        pass

    def on_state(self, state: State) -> None:
        self.state = state


def held_sphere_stress(levels: int) -> SphereStress:
    """V1 and V3 in one run: lithium leaves a held sphere, the time loop couples, and stress peaks in the centre."""
    diffusivity, swell = 1e-2, 0.01
    domain = domain_of(ball(levels, RADIUS), [[0, 0, 1]])
    transport = Transport(domain, diffusivity, diffusivity, initial=0.9, surface=fast_reaction, phases=Phases())
    model = mechanics(domain, [isotropic_crystal(YOUNG, POISSON, swell)], rest=0.9)
    segment = Segment(PEAK_TIME * RADIUS**2 / diffusivity, "hold", surface=0.4)
    settings = StepSettings(1e-4, largest_change=1.0, initial=1e-3, smallest=1e-9, largest=1e9)
    last = _Last()
    TimeLoop(OneWay(transport, model), [segment], settings, [last]).run(at_times([]))
    unit = YOUNG * swell * (0.4 - 0.9) / (1 - POISSON)
    surface = sphere_stress(np.ones(1), lambda r: held_surface(r, PEAK_TIME))[1][0]  # largest in size, at the surface

    def exact(r: Array) -> tuple[Array, Array]:
        radial, hoop = sphere_stress(r, lambda places: held_surface(places, PEAK_TIME))
        return radial / abs(surface), hoop / abs(surface)

    result = compare(model, exact, RADIUS, unit * abs(surface))
    model.destroy()
    return result


CORE_SHELL = CoreShell(core=(140e3, 0.25), shell=(200e3, 0.3), misfit=-0.01, ratio=0.9)


@dataclass(frozen=True)
class CoreShellStress:
    """V5: computed stress of core and shell.

    Attributes:
        core_mean: (6,) volume mean of the stress in the core [MPa].
        radius: (cells, 4) radii of all Gauss points; outer radius 1.
        radial: (cells, 4) σ_r [MPa].
        hoop: (cells, 4) σ_θ [MPa].
        weights: (cells, 4) quadrature weights.
        shell: (cells,) whether a cell lies in the shell.
    """

    core_mean: Array
    radius: Array
    radial: Array
    hoop: Array
    weights: Array
    shell: NDArray[np.bool_]

    @property
    def pressure_error(self) -> float:
        """Largest deviation of the mean core stress from −p I, over p."""
        wanted = np.repeat([-CORE_SHELL.pressure, 0.0], 3)
        return float(np.abs(self.core_mean - wanted).max() / abs(CORE_SHELL.pressure))

    @property
    def mean_hoop_error(self) -> float:
        """Relative error of the volume mean of σ_θ in the shell."""
        weights, exact = self.weights[self.shell], self.exact_hoop
        return float(abs((weights * self.hoop[self.shell]).sum() / (weights * exact).sum() - 1))

    @property
    def share_within(self) -> float:
        """Share of the shell's Gauss points whose σ_θ is within 5 %."""
        gap = np.abs(self.hoop[self.shell] - self.exact_hoop)
        return float((gap < 0.05 * np.abs(self.exact_hoop)).mean())

    @property
    def exact_hoop(self) -> Array:
        """(shell cells, 4) closed form of σ_θ in the shell [MPa]."""
        return CORE_SHELL.stress(np.maximum(self.radius[self.shell], CORE_SHELL.ratio))[1]


def core_shell_stress(levels: int) -> CoreShellStress:
    """V5 on a ball of two grains; the core fills nine tenths of the levels."""
    domain = domain_of(ball(levels, 1.0, core_levels=round(0.9 * levels)), [[0, 0, 1], [0, 0, 1]])
    crystals = [isotropic_crystal(*CORE_SHELL.core, CORE_SHELL.misfit), isotropic_crystal(*CORE_SHELL.shell, 0.0)]
    model = mechanics(domain, crystals, np.array([0, 1]))
    assert model.solve(lithium(domain, 1.0)).converged
    sample = model.stress()
    model.destroy()
    r = np.linalg.norm(sample.points, axis=-1)
    radial, hoop = _radial_and_hoop(tensors(sample.stress), _outer(sample.points, r))
    shell = domain.grain == 2
    return CoreShellStress(_mean(sample, ~shell), r, radial, hoop, sample.weights, shell)


def _mean(sample: StressSample, cells: NDArray[np.bool_]) -> Array:
    weights = sample.weights[cells][..., None]
    return (weights * sample.stress[cells]).sum(axis=(0, 1)) / weights.sum()
