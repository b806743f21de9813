"""What the cells are made of, mechanically: their stiffness, and the strain they would take if they were free.

Grains hold one or several crystals in shares that may change with the radius (eq. 8.1); they shrink as they cool
(eq. 14.5) and may soften as lithium leaves (eq. 2.6). A coating follows a share of the lattice strain of the grain
below (eq. 8.5); it and the matrix take their misfit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.particle_mesh import INTERFACE, MATRIX
from solver.errors import MeshError
from solver.materials import LatticeStrain, Layer, TransverseStiffness
from solver.model.elasticity import CONSTANTS, StiffnessFields
from solver.solve.domain import Domain
from solver.solve.grain_facets import GrainFacets, Hosts
from solver.solve.stress import GAUSS

Array = NDArray[np.float64]

# Shares (…, k) of k crystals at places (…, 3) in grains (…,).
Shares = Callable[[Array, NDArray[np.int32]], Array]


@dataclass(frozen=True)
class Crystal:
    """What a grain is made of, mechanically.

    Attributes:
        stiffness: Elastic constants at x = 1 [MPa].
        lattice: Lattice strain against lithium content.
        thermal_strain: Strain within and across the layers since the temperature without stress [-] (eq. 14.5).
        softening: k_E of eq. 2.6 [-]; 0 for a constant stiffness.
    """

    stiffness: TransverseStiffness
    lattice: LatticeStrain
    thermal_strain: tuple[float, float] = (0.0, 0.0)
    softening: float = 0.0


def by_grain(crystal_of_grain: NDArray[np.intp]) -> Shares:
    """Every grain of one crystal: `crystal_of_grain` (N,) is its number."""
    rows = np.eye(int(crystal_of_grain.max()) + 1)[crystal_of_grain]
    return lambda points, grain: rows[np.minimum(grain, len(rows)) - 1]


def one_crystal(points: Array, grain: NDArray[np.int32]) -> Array:
    """All grains alike."""
    return np.ones((*grain.shape, 1))


class Solids:
    """Stiffness and free strain of all cells.

    Args:
        domain: The particle.
        crystals: What grains are made of.
        shares: Where there is how much of each.
        layers: What the other regions are made of.
        rest: Uniform x at which nothing is strained [-].

    Attributes:
        stiffness: Elastic constants of each cell.
        has_one_crystal: Whether all cells are of one crystal.
        softens: Whether the stiffness depends on lithium.

    Raises:
        MeshError: When the mesh has a region nothing is said about.
    """

    def __init__(
        self,
        domain: Domain,
        crystals: Sequence[Crystal],
        shares: Shares = one_crystal,
        *,
        layers: Mapping[int, Layer] | None = None,
        rest: float,
    ) -> None:
        layers = layers or {}
        self._crystals, self._rest = crystals, rest
        self._barycentric = GAUSS[domain.dimension].barycentric
        regions = np.unique(np.concatenate(domain.comm.allgather(np.unique(domain.grain[~domain.is_grain]))))
        if unknown := [int(region) for region in regions if int(region) not in layers]:
            raise MeshError(f"the mesh has regions {unknown}, but the case says of no layer there; check the mesh file")
        self.has_one_crystal = len(crystals) == 1 and not len(regions)
        inside = domain.is_grain
        self._inside = np.flatnonzero(inside)
        self._comm = domain.comm
        corners = domain.mesh.geometry.x[domain.cell_vertices]
        places = np.einsum("qv,cvi->cqi", self._barycentric, corners)
        grain = np.repeat(domain.grain[:, None], places.shape[1], axis=1)
        # (cells, points, crystals); nothing outside the grains.
        self._shares = np.where(inside[:, None, None], shares(places, grain), 0.0)
        self._thermal = self._shares @ np.array([crystal.thermal_strain for crystal in crystals])
        self._softening = np.array([crystal.softening for crystal in crystals])
        self.softens = bool(self._softening.any())
        self._constants = np.array([_constants(crystal.stiffness) for crystal in crystals])
        constants = self._shares.mean(axis=1) @ self._constants
        for region, layer in layers.items():
            constants[domain.grain == region] = _constants(layer.stiffness)
        self.stiffness = StiffnessFields.of_cells(domain.mesh, constants, degree=int(self.softens))
        self._around = {
            region: np.flatnonzero(domain.grain == region) for region in layers if region in (MATRIX, INTERFACE)
        }
        self._misfits = {region: layers[region].misfit for region in self._around}
        self._hosts: Hosts | None = None
        self._follows: Array = np.zeros((0, 2))
        if regions.size and ((regions != MATRIX) & (regions != INTERFACE)).any():
            self._hosts = Hosts(domain)
            self._hosts.align(domain)
            coated = domain.grain[self._hosts.coated]
            chosen = {region: (layer.host_strain_share, layer.misfit) for region, layer in layers.items()}
            self._follows = np.array([chosen[int(region)] for region in coated]).reshape(-1, 2)

    def strains(self, stoichiometry: Array) -> Array:
        """Strain within and across the layers at the Gauss points of all cells, from all causes, (cells, points, 2).

        Args:
            stoichiometry: x at the corners, (cells, corners).
        """
        values = self._mixed(stoichiometry @ self._barycentric.T, self._shares) + self._thermal
        for region, cells in self._around.items():
            values[cells] = self._misfits[region]
        hosts = self._hosts
        if hosts is not None:
            below = hosts.spread(self.facet_strains(stoichiometry, hosts.facets))
            share, misfit = self._follows[:, :1], self._follows[:, 1:]
            values[hosts.coated] = (share * below + misfit)[:, None]
        return values

    def rest_strains(self) -> Array:
        """Strains of the tables at rest, which `strains` counts from, at the Gauss points, (cells, points, 2)."""
        return self._shares @ np.array([crystal.lattice.both(self._rest) for crystal in self._crystals])

    def thermal_strains(self, cells: NDArray[np.intp]) -> Array:
        """Strains of some cells of grains since the temperature without stress, (k, 2) (eq. 14.5)."""
        found: Array = self._thermal[cells].mean(axis=1)
        return found

    def facet_strains(self, stoichiometry: Array, facets: GrainFacets) -> Array:
        """ε_a and ε_c of grains at their facets, (facets, 2), from x at the corners of all cells, (cells, corners)."""
        at_corners = self.corner_strains(stoichiometry[facets.cells], facets.cells)
        return np.einsum("fv,fvi->fi", facets.weights, at_corners)

    def corner_strains(self, stoichiometry: Array, cells: NDArray[np.intp]) -> Array:
        """ε_a and ε_c at the corners of some cells of grains, (k, corners, 2), from x there, (k, corners)."""
        shares = np.repeat(self._shares[cells].mean(axis=1)[:, None], stoichiometry.shape[1], axis=1)
        return self._mixed(stoichiometry, shares)

    def mismatch_of(self, stoichiometry: float) -> float:
        """Strain across the layers less that within, of the only crystal at a uniform x [-] (eqs. 2.7, 14.6)."""
        strain_a, strain_c = self._mixed(np.array([stoichiometry]), np.ones((1, 1)))[0]
        thermal_a, thermal_c = self._crystals[0].thermal_strain
        return float(strain_c - strain_a + thermal_c - thermal_a)

    def stiffness_left(self, stoichiometry: float) -> float:
        """Stiffness of the only crystal at a uniform x over that at x = 1 [-] (eq. 2.6)."""
        return float(1.0 - self._softening[0] * (1.0 - stoichiometry))

    def soften(self, stoichiometry: Array) -> bool:
        """Sets the stiffness of the grains to that of their lithium (eq. 2.6); collective.

        Args:
            stoichiometry: x at the corners, (cells, corners).

        Returns:
            Whether it has changed anywhere.
        """
        if not self.softens:
            return False
        inside = self._inside
        left = 1.0 - self._softening * (1.0 - np.clip(stoichiometry[inside], 0.0, 1.0)[..., None])
        shares = self._shares[inside].mean(axis=1)[:, None]
        changed = self.stiffness.set(inside, (left * shares) @ self._constants)
        return bool(self._comm.allreduce(changed, op=MPI.LOR))

    def _mixed(self, x: Array, shares: Array) -> Array:
        """Strains (…, 2) at x (…,) with shares (…, crystals)."""
        mixed = np.zeros((*x.shape, 2))
        for number, crystal in enumerate(self._crystals):
            share = shares[..., number]
            used = slice(None) if len(self._crystals) == 1 and share.all() else share > 0.0
            mixed[used] += share[used][..., None] * (crystal.lattice.both(x[used]) - crystal.lattice.both(self._rest))
        return mixed


def _constants(stiffness: TransverseStiffness) -> list[float]:
    return [getattr(stiffness, name) for name in CONSTANTS]
