"""Lithium at grain boundaries with known answers (chapter 12 of the theory), as functions that return numbers.

All particles are two blocks of equal or different height that meet in a plane y = const.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discs
import numpy as np
from boxes import ball, box, domain_of
from convergence import Convergence
from numpy.typing import NDArray
from runs import adaptive, run_lithium
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import KDTree

from solver.solve.boundary_transport import BoundaryLaw, BoundaryTransport
from solver.solve.diffusion import Diffusion, Medium
from solver.solve.domain import Domain
from solver.solve.phases import Phases
from solver.solve.segments import Segment
from solver.solve.step_solver import even_flux, fast_reaction
from solver.solve.transport import SurfaceChoice, Transport

Array = NDArray[np.float64]

PERFECT = BoundaryLaw()
LENGTH = 1.3
HEIGHT = 0.5
# Along x and y in the blocks that settle; both c axes point along y.
ALONG, ACROSS = 0.4, 1.0
END = 0.2
# Transfer, and path: each alone and both at once. The numbers make boundary and bulk matter alike.
LAWS = {
    "across": BoundaryLaw(transfer=1.5),
    "along": BoundaryLaw(path=0.8),
    "both": BoundaryLaw(transfer=1.5, path=0.8),
}


def two_blocks(dimension: int, cells: int, heights: tuple[float, float], axes: list[list[float]]) -> Domain:
    """Blocks of length `LENGTH` above one another, `cells` in every direction of each, across the section fewer."""

    def grain_of(centroids: Array) -> NDArray[np.int32]:
        return np.where(centroids[:, 1] < 0.5 * sum(heights), 1, 2).astype(np.int32)

    total = sum(heights)
    if dimension == 2:
        mesh = discs.rectangle((cells, 2 * cells), (LENGTH, total), grain_of)
    else:
        mesh = box((cells, 2 * cells, 2), (LENGTH, total, 0.3), grain_of)
    # The interface lies at half the height until now.
    y, middle = mesh.points[:, 1], 0.5 * total
    mesh.points[:, 1] = np.where(
        y < middle, y * heights[0] / middle, heights[0] + (y - middle) * heights[1] / (total - middle)
    )
    return domain_of(mesh, axes)


def _corners(domain: Domain) -> Array:
    """(cells, corners, 3) places of the cells' corners."""
    return np.asarray(domain.mesh.geometry.x)[domain.cell_vertices]


@dataclass(frozen=True)
class SteadyBar:
    """Two blocks whose ends are held at 1 and 0 (eq. 12.6).

    Attributes:
        profile: Largest error of x at any degree of freedom.
        flux: Relative error of the flux through either end.
        balance: What enters at one end less what leaves at the other, over either.
    """

    profile: float
    flux: float
    balance: float


def steady_bar(dimension: int) -> SteadyBar:
    """Unequal blocks of unequal diffusivity with a resistance between them; the P1 solution is exact."""
    heights, diffusivity, transfer = (0.4, 0.9), (0.7, 2.0), 1.7
    domain = two_blocks(dimension, 4, heights, [[0, 1, 0], [1, 0, 0]])
    boundaries = BoundaryTransport.by_angle(domain, BoundaryLaw(transfer=transfer), PERFECT, np.radians(15))
    values = np.where(domain.grain == 1, *diffusivity)
    medium = Medium(domain, values, values, boundaries=boundaries)
    space = medium.space()
    operator = Diffusion(medium, space, Phases())
    rows, columns, entries = operator.stiffness.getValuesCSR()
    stiffness = csr_array((entries, columns, rows))
    y = space.tabulate_dof_coordinates()[:, 1]
    low, high = y < 1e-9, y > sum(heights) - 1e-9
    x, free = np.where(low, 1.0, 0.0), ~(low | high)
    x[free] = spsolve(stiffness[free][:, free].tocsc(), -(stiffness[free] @ x))
    flux = 1.0 / (heights[0] / diffusivity[0] + 1.0 / transfer + heights[1] / diffusivity[1])
    exact = np.zeros_like(x)
    corners = _corners(domain)[..., 1]
    below, above = 1.0 - flux * corners / diffusivity[0], flux * (sum(heights) - corners) / diffusivity[1]
    exact[space.dofmap.list] = np.where(domain.grain[:, None] == 1, below, above)
    through = stiffness @ x
    entering, leaving = through[low].sum(), -through[high].sum()
    area = LENGTH * (1.0 if dimension == 2 else 0.3)
    return SteadyBar(
        profile=float(np.abs(x - exact).max()),
        flux=max(abs(entering / (flux * area) - 1), abs(leaving / (flux * area) - 1)),
        balance=abs(entering - leaving) / abs(entering),
    )


def decay(law: BoundaryLaw, wave: float, is_odd: bool) -> float:
    """β of eqs. 12.7 and 12.8, and of both at once; `is_odd`: opposite lithium in the two blocks."""
    transfer = 2.0 * (law.transfer or 0.0) if is_odd else 0.0
    strength = (transfer + 0.5 * law.path * wave**2) / ACROSS
    return float(brentq(lambda b: b * np.tan(b * HEIGHT) - strength, 1e-9, (np.pi / 2 - 1e-9) / HEIGHT))


def settling(name: str, cells: int, dimension: int = 2) -> float:
    """Error of the amplitude of an exact mode after a while, over its first amplitude."""
    law, is_odd, wave = LAWS[name], name != "along", 0.0 if name == "across" else np.pi / LENGTH
    domain = two_blocks(dimension, cells, (HEIGHT, HEIGHT), [[0, 1, 0], [0, 1, 0]])
    transport = Transport(
        domain,
        ALONG,
        ACROSS,
        initial=0.5,
        surface=even_flux,
        boundaries=BoundaryTransport.by_angle(domain, PERFECT, law, np.radians(15)),
        phases=Phases(),
    )
    beta = decay(law, wave, is_odd)
    corners = _corners(domain)
    sign = np.where(is_odd & (domain.grain[:, None] == 2), -1.0, 1.0)
    mode = sign * np.cos(wave * corners[..., 0]) * np.cos(beta * (HEIGHT - np.abs(corners[..., 1] - HEIGHT)))
    field = transport.stoichiometry
    shape = np.zeros_like(field.x.array)
    shape[field.function_space.dofmap.list] = mode
    field.x.array[:] = 0.5 + 0.3 * shape
    recorder = run_lithium(transport, [Segment(END, "rest", rate=0.0)], adaptive(1e-6, initial=1e-6))
    amplitude = shape @ (recorder.fields[-1] - 0.5) / (shape @ shape)  # least squares over the vertices
    return abs(float(amplitude) / 0.3 - float(np.exp(-(ACROSS * beta**2 + ALONG * wave**2) * END)))


def settling_rates(name: str, counts: Sequence[int]) -> Convergence:
    """The error against the number of cells."""
    return Convergence.of((count, settling(name, count)) for count in counts)


def core_and_shell(law: BoundaryLaw | None, surface: SurfaceChoice = fast_reaction) -> Transport:
    """Core and shell of different orientation and different lithium sites, layers ten times as fast."""
    domain = domain_of(ball(5, radius=5.0, core_levels=3), [[0, 0, 1], [1, 1, 0]])
    boundaries = None if law is None else BoundaryTransport.by_angle(domain, law, PERFECT, np.radians(15))
    sites = np.where(domain.grain == 1, 1.1, 0.9)
    return Transport(
        domain, 4e-3, 4e-4, sites=sites, initial=0.9, surface=surface, boundaries=boundaries, phases=Phases()
    )


def charged(law: BoundaryLaw | None) -> tuple[Array, Array, int]:
    """x at the end of ten minutes of charge, its places, and the largest number of iterations of a step."""
    transport = core_and_shell(law)
    recorder = run_lithium(transport, [Segment(600.0, "charge", rate=-0.5 / 3600)], adaptive(1e-3))
    places = transport.stoichiometry.function_space.tabulate_dof_coordinates()
    return recorder.fields[-1], places, max(step.iterations for step in recorder.steps)


@dataclass(frozen=True)
class WeakObstacle:
    """A transfer coefficient so large that boundaries hardly hinder.

    Attributes:
        difference: Largest difference of x at any place from the continuous field.
        iterations: Largest number of linear iterations of a step over that of the continuous field.
    """

    difference: float
    iterations: float


def weak_obstacle(transfer: float) -> WeakObstacle:
    """Core and shell against the same without a boundary law."""
    (ours, places, count), (theirs, there, usual) = charged(BoundaryLaw(transfer=transfer)), charged(None)
    nearest = KDTree(there).query(places)[1]
    return WeakObstacle(float(np.abs(ours - theirs[nearest]).max()), count / usual)


def balance(surface: SurfaceChoice) -> float:
    """Largest imbalance of eq. 4.9 while core and shell are charged, left alone and discharged."""
    transport = core_and_shell(BoundaryLaw(transfer=2e-3, path=1e-3), surface)
    segments = [
        Segment(600.0, "charge", rate=-1 / 3600),
        Segment(100.0, "rest", rate=0.0),
        Segment(300.0, "discharge", rate=0.5 / 3600),
    ]
    return max(run_lithium(transport, segments, adaptive(1e-3), [200.0, 400.0]).imbalances)


def sealed_core() -> tuple[float, float]:
    """Mean x of core and shell after a charge with next to no transfer."""
    transport = core_and_shell(BoundaryLaw(transfer=1e-9))
    run_lithium(transport, [Segment(600.0, "charge", rate=-0.5 / 3600)], adaptive(1e-3))
    domain, field = transport.medium.domain, transport.stoichiometry
    means = field.x.array[field.function_space.dofmap.list].mean(axis=1)
    core, shell = (
        float(np.average(means[domain.grain == grain], weights=domain.cell_volumes[domain.grain == grain]))
        for grain in (1, 2)
    )
    return core, shell
