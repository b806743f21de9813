"""The matrix as a plastic body: its history at the Gauss points, and what it takes off the stiffness (eqs. 9.2-9.5)."""

from __future__ import annotations

import basix.ufl
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.core.expr import Expr

from meshes.particle_mesh import MATRIX
from solver.model.plasticity import Flow, PlasticLaw, flow
from solver.solve.domain import Domain
from solver.solve.memory import Memory
from solver.solve.stress import GAUSS

Array = NDArray[np.float64]

_DEGREE = 2
# Rows and columns of the 3 × 3 tensor as components xx, yy, zz, yz, xz, xy.
_TENSOR = ((0, 5, 4), (5, 1, 3), (4, 3, 2))
_HISTORY = (*(f"plastic_strain_{entry}" for entry in ("xx", "yy", "zz", "yz", "xz", "xy")), "equivalent_plastic_strain")


class PlasticMatrix:
    """Plastic strain of the matrix, as an addition to the elasticity of the cells (`ElasticTerm`).

    A trial strain gives a trial state (`respond`), which becomes history when it is accepted (`commit`).

    Args:
        domain: The particle in its matrix.
        law: The matrix.

    Attributes:
        cells: Local and ghost cells of the matrix.
        equivalent: (cells, points) accepted equivalent plastic strain.
    """

    def __init__(self, domain: Domain, law: PlasticLaw) -> None:
        self._law, self._all_cells = law, len(domain.grain)
        self._corner = GAUSS[domain.dimension].nearest_corner
        self.cells = np.flatnonzero(domain.grain == MATRIX).astype(np.int32)
        cell = domain.mesh.basix_cell()
        scalars = fem.functionspace(domain.mesh, basix.ufl.quadrature_element(cell, degree=_DEGREE))
        tensors = fem.functionspace(domain.mesh, basix.ufl.quadrature_element(cell, value_shape=(6,), degree=_DEGREE))
        self._strain, self._lost_along = fem.Function(tensors), fem.Function(tensors)
        self._lost_shear = fem.Function(scalars)
        self._tensor_rows = tensors.dofmap.list[self.cells]
        self._scalar_rows = scalars.dofmap.list[self.cells]
        owned = self.cells[self.cells < domain.owned]
        marks = dolfinx.mesh.meshtags(domain.mesh, domain.dimension, owned, np.ones(len(owned), dtype=np.int32))
        self._measure = ufl.Measure(
            "dx", domain.mesh, subdomain_data=marks, subdomain_id=1, metadata={"quadrature_degree": _DEGREE}
        )
        self.equivalent: Array = np.zeros(self._scalar_rows.shape)
        self._plastic_strain = np.zeros((*self._scalar_rows.shape, 6))
        self._trial: Flow | None = None

    def energy(self, first: Expr, second: Expr) -> ufl.Form | None:
        """None: the matrix of the elastic solver stays elastic."""
        return None

    def load(self, displacement: Expr, strain: Expr) -> ufl.Form | None:
        """None: the plastic strain acts as an eigenstrain."""
        return None

    def eigenstrain(self) -> Expr | None:
        """The plastic strain of the latest trial."""
        return _as_tensor(self._strain)

    def update(self, stoichiometry: Array) -> None:
        """Nothing depends on lithium."""

    def lost_energy(self, first: Expr, second: Expr) -> ufl.Form:
        """What flow takes off the work of the stress that one strain causes in another (eq. 9.5)."""
        along = _as_tensor(self._lost_along)
        shear = self._lost_shear * ufl.inner(ufl.dev(first), ufl.dev(second))
        return (shear + ufl.inner(along, first) * ufl.inner(along, second)) * self._measure

    def respond(self, strain: Array) -> None:
        """Sets plastic strain and lost stiffness to what follows from the history.

        Args:
            strain: (cells, points, 6) total strain of the matrix.
        """
        trial = flow(strain, self._plastic_strain, self.equivalent, self._law)
        self._set(trial.plastic_strain, trial.lost_shear, trial.lost_along)
        self._trial = trial

    def commit(self) -> None:
        """Makes the latest trial history."""
        if self._trial is not None:
            self._plastic_strain, self.equivalent = self._trial.plastic_strain, self._trial.equivalent
            self._trial = None

    def revert(self) -> None:
        """Goes back to the accepted state."""
        self._trial = None
        self._set(self._plastic_strain, np.zeros(self.equivalent.shape), np.zeros(self._plastic_strain.shape))

    def memory(self) -> Memory:
        """The accepted history. The rule looks alike from all corners, so that each point is kept under its corner."""
        history = np.concatenate([self._plastic_strain, self.equivalent[..., None]], axis=-1)
        kept = np.zeros((history.shape[-1], self._all_cells, len(self._corner)))
        kept[:, self.cells[:, None], self._corner] = np.moveaxis(history, -1, 0)
        return Memory(corners=dict(zip(_HISTORY, kept, strict=True)))

    def recall(self, memory: Memory) -> None:
        """Goes back to a history that was remembered."""
        cells = self.cells[:, None]
        history = np.stack([memory.corners[name][cells, self._corner] for name in _HISTORY], axis=-1)
        self._plastic_strain, self.equivalent = history[..., :6], history[..., 6]
        self.revert()

    def _set(self, plastic_strain: Array, lost_shear: Array, lost_along: Array) -> None:
        self._strain.x.array.reshape(-1, 6)[self._tensor_rows] = plastic_strain
        self._lost_along.x.array.reshape(-1, 6)[self._tensor_rows] = lost_along
        self._lost_shear.x.array[self._scalar_rows] = lost_shear


def _as_tensor(components: fem.Function) -> Expr:
    return ufl.as_tensor([[components[index] for index in row] for row in _TENSOR])
