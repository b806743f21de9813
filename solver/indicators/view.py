"""One accepted state as the indicators and writers look at it: derived fields, computed when first asked for, once.

The cell stress is the volume mean of the tensor over the cell, and invariants are taken of that mean, never averaged
themselves: averaging first is what makes a number independent of the mesh. Tractions on a grain boundary are facet
means from both sides (eq. 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from solver.indicators import tensors
from solver.indicators.layout import Layout
from solver.solve.state import State
from solver.solve.stress import GAUSS, StressSample

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Traction:
    """Tractions on the owned grain-boundary facets.

    Attributes:
        vector: (k, 3) mean of both sides [MPa], on the normal that points out of side 0.
        normal: (k,) its component along the normal, tension positive [MPa].
        shear: (k,) length of the rest [MPa].
        jump: (k,) length of the difference between the sides [MPa]: exact equilibrium would make it zero, so it
            measures the accuracy of the stress.
    """

    vector: Array
    normal: Array
    shear: Array
    jump: Array


class StressView:
    """Derived fields of one stress field.

    Args:
        cell_stress: (cells, 6) volume mean of the tensor over each owned cell in grains [MPa].
        side_tractions: (2, k, 3) facet means of the traction on the owned grain-boundary facets, from either side and
            on the normal out of side 0 [MPa].
        layout: The particle's geometry.
    """

    def __init__(self, cell_stress: Array, side_tractions: Array, layout: Layout) -> None:
        self.cell_stress, self._sides, self._layout = cell_stress, side_tractions, layout

    @classmethod
    def of(cls, sample: StressSample, layout: Layout) -> StressView:
        """View of a sample at the Gauss points of owned and ghost cells."""
        facets, rule = layout.facets, GAUSS[layout.domain.dimension]
        sides = np.zeros((2, len(facets.area), 3))
        for side in range(2):
            extrapolation = rule.facet_extrapolation[facets.local[:, side]]
            on_facet = np.einsum("kq,kqi->ki", extrapolation, sample.stress[facets.cells[:, side]])
            sides[side] = tensors.traction(on_facet, facets.normal)
        return cls(cell_means(sample, layout.cells.index), sides, layout)

    def __sub__(self, other: StressView) -> StressView:
        """View of the difference of two fields; both means are linear in the stress."""
        return StressView(self.cell_stress - other.cell_stress, self._sides - other._sides, self._layout)

    @cached_property
    def first_principal(self) -> Array:
        """(cells,) first principal value of the cell stress [MPa]."""
        return tensors.first_principal(self.cell_stress)

    @cached_property
    def hydrostatic(self) -> Array:
        """(cells,) hydrostatic part of the cell stress [MPa]."""
        return tensors.hydrostatic(self.cell_stress)

    @cached_property
    def von_mises(self) -> Array:
        """(cells,) von Mises equivalent of the cell stress [MPa]."""
        return tensors.von_mises(self.cell_stress)

    @cached_property
    def traction(self) -> Traction:
        """Facet means on the owned grain-boundary facets."""
        vector = self._sides.mean(axis=0)
        normal, shear = tensors.normal_and_shear(vector, self._layout.facets.normal)
        return Traction(vector, normal, shear, np.linalg.norm(self._sides[1] - self._sides[0], axis=1))


def cell_means(sample: StressSample, cells: NDArray[np.intp]) -> Array:
    """Volume means of the stress over cells [MPa], (cells, 6)."""
    weights = sample.weights[cells]
    return np.asarray(np.einsum("cq,cqi->ci", weights, sample.stress[cells]) / weights.sum(axis=1)[:, None])


def point_energies(sample: StressSample, cells: NDArray[np.intp]) -> Array:
    """Elastic energy that the Gauss points of cells stand for [pJ], (cells, points)."""
    density = 0.5 * tensors.double_contraction(sample.stress[cells], sample.elastic_strain[cells])
    return np.asarray(density * sample.deformed_weights[cells])


class StateView:
    """An accepted state with what the indicators derive from it.

    Args:
        state: The accepted state.
        layout: The particle's geometry.
    """

    def __init__(self, state: State, layout: Layout) -> None:
        self.state, self.layout = state, layout

    @property
    def comm(self) -> MPI.Comm:
        """Communicator of the particle."""
        return self.layout.domain.comm

    @property
    def sample(self) -> StressSample:
        """Stress sample of the actual lithium field.

        Raises:
            ValueError: When the state was computed without mechanics.
        """
        if self.state.stress is None:
            raise ValueError("this state has no stress: the case was solved without mechanics")
        return self.state.stress

    @cached_property
    def stress(self) -> StressView:
        """Derived fields of the total stress."""
        return StressView.of(self.sample, self.layout)

    @cached_property
    def mismatch(self) -> StressView:
        """Derived fields of the mismatch part: the stress at uniform x = mean (eq. 2.7).

        Raises:
            ValueError: When the state was computed without that part.
        """
        if self.state.mismatch is None:
            raise ValueError("this state was computed without the mismatch part")
        return StressView.of(self.state.mismatch, self.layout)

    @cached_property
    def gradient(self) -> StressView:
        """Derived fields of the gradient part: total minus mismatch (eq. 2.7)."""
        return self.stress - self.mismatch

    @cached_property
    def point_energy(self) -> Array:
        """(cells, points) share of each Gauss point in the elastic energy of the grains [pJ] (MPa µm³), eq. 4.6."""
        return point_energies(self.sample, self.layout.cells.index)

    @cached_property
    def energy(self) -> Array:
        """(cells,) elastic energy of each owned cell in grains [pJ]."""
        return np.asarray(self.point_energy.sum(axis=1))

    @cached_property
    def site_stoichiometry(self) -> Array:
        """(local and ghost degrees of freedom of x,) stoichiometry [-]; NaN where there is no grain."""
        function, domain = self.state.stoichiometry, self.layout.domain
        in_grains = function.function_space.dofmap.list[domain.is_grain]
        values = np.full(len(function.x.array), np.nan)
        values[in_grains] = function.x.array[in_grains]
        return values

    @cached_property
    def corner_stoichiometry(self) -> Array:
        """(local and ghost cells, corners) stoichiometry at the corners of all cells, each as its cell sees it [-]."""
        return self.site_stoichiometry[self.state.stoichiometry.function_space.dofmap.list]

    @cached_property
    def cell_stoichiometry(self) -> Array:
        """(cells,) volume mean of x over each owned cell in grains [-]."""
        return np.asarray(self.corner_stoichiometry[self.layout.cells.index].mean(axis=1))

    @cached_property
    def stoichiometry_jump(self) -> Array:
        """(k,) facet mean of x on side 1 less that on side 0 of the owned grain-boundary facets [-] (eq. 12.5)."""
        facets = self.layout.facets
        corners = self.corner_stoichiometry[facets.cells]
        # Facet i of a simplex is opposite to its corner i.
        opposite = np.take_along_axis(corners, facets.local[..., None].astype(np.intp), axis=2)[..., 0]
        sides = (corners.sum(axis=2) - opposite) / self.layout.domain.dimension
        return np.asarray(sides[:, 1] - sides[:, 0])

    @cached_property
    def vertex_displacement(self) -> Array:
        """(rows of `mesh.geometry.x`, 3) displacement at the mesh vertices [µm]; zeros without mechanics."""
        function, domain = self.state.displacement, self.layout.domain
        values = np.zeros((len(domain.mesh.geometry.x), 3))
        if function is not None:
            # The first degrees of freedom of a P2 cell sit at its vertices.
            corners = function.function_space.dofmap.list[:, : domain.dimension + 1]
            values[domain.cell_vertices] = function.x.array.reshape(-1, 3)[corners]
        return values
