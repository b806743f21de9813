"""Diffusion of lithium in space: stiffness and lumped mass, on any P1 space that is broken where it must be.

Lithium lives in the grains. Degrees of freedom that touch none have no lithium sites.
"""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike
from petsc4py import PETSc

from solver import compat
from solver.model.transport import diffusivity_tensor
from solver.solve.boundary_transport import BoundaryTransport
from solver.solve.domain import Domain
from solver.solve.phases import Phases

# Under this name a stiffness on a broken space keeps the matrix from vertices to the degrees of freedom there.
VERTICES = "vegard_vertices"


class Medium:
    """What lithium diffuses in: the grains, cell by cell, and their boundaries.

    Args:
        domain: The particle.
        diffusivity_ab: Diffusivity within the layers [µm²/s]: one number, or one per local and ghost cell.
        diffusivity_c: Diffusivity across them [µm²/s], likewise.
        sites: Lithium sites per volume over their mean in the grains [-], likewise.
        boundaries: Grain boundaries that hinder lithium or carry it; None where they are like the grains.

    Attributes:
        domain: The particle.
        along: Diffusivity within the layers, one value per cell, zero outside the grains.
        across: Diffusivity across them, likewise.
        sites: Lithium sites, likewise.
        boundaries: As given.
    """

    def __init__(
        self,
        domain: Domain,
        diffusivity_ab: ArrayLike,
        diffusivity_c: ArrayLike,
        sites: ArrayLike = 1.0,
        boundaries: BoundaryTransport | None = None,
    ) -> None:
        self.domain, self.boundaries = domain, boundaries
        self.along, self.across, self.sites = (
            _in_grains(domain, field) for field in (diffusivity_ab, diffusivity_c, sites)
        )
        self._first_along, self._first_across = self.along.x.array.copy(), self.across.x.array.copy()

    def rescale(self, factors: ArrayLike) -> None:
        """Multiplies the first diffusivities of the cells by factors, one per local and ghost cell."""
        rows = self.along.function_space.dofmap.list[:, 0]
        for field, first in ((self.along, self._first_along), (self.across, self._first_across)):
            field.x.array[rows] = first[rows] * factors

    def space(self) -> fem.FunctionSpace:
        """P1 space in which lithium jumps only where a boundary hinders it; collective."""
        if self.boundaries is None:
            return fem.functionspace(self.domain.mesh, ("Lagrange", 1))
        return self.boundaries.space()


class Diffusion:
    """Stiffness and lumped mass of a medium (eqs. 3.1-3.3, 12.2-12.4).

    Args:
        medium: Where lithium diffuses.
        space: P1 space, broken at least where boundaries hinder lithium.
        phases: Stopwatch.

    Attributes:
        medium: As given.
        space: As given.
        stiffness: K, in which rows sum up to zero [µm³/s].
        mass: Diagonal of the lumped mass M [µm³]; zero at degrees of freedom outside the grains.
    """

    def __init__(self, medium: Medium, space: fem.FunctionSpace, phases: Phases) -> None:
        self.medium, self.space = medium, space
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        tensor = diffusivity_tensor(medium.along, medium.across, medium.domain.cell_axis)
        cells = ufl.dx(medium.domain.mesh, metadata={"quadrature_degree": 1})
        form = medium.sites * ufl.inner(tensor * ufl.grad(trial), ufl.grad(test)) * cells
        at_boundaries = medium.boundaries.form(trial, test, medium.sites) if medium.boundaries is not None else None
        with phases.measure("compile forms"):
            self._form = compat.form(form if at_boundaries is None else form + at_boundaries)
            mass_form = compat.form(medium.sites * test * cells)
        self.stiffness: PETSc.Mat = compat.create_matrix(self._form, "aij")
        continuous = fem.functionspace(medium.domain.mesh, ("Lagrange", 1))
        if continuous.dofmap.index_map.size_global < space.dofmap.index_map.size_global:
            self.stiffness.compose(VERTICES, compat.interpolation_matrix(continuous, space))
        self.mass: PETSc.Vec = compat.create_vector(mass_form)
        # The integral of a P1 test function is its row of the lumped mass matrix.
        compat.assemble_vector(self.mass, mass_form)
        self.reassemble()

    def reassemble(self) -> None:
        """Takes up diffusivities that have changed."""
        compat.assemble_matrix(self.stiffness, self._form)


def _in_grains(domain: Domain, values: ArrayLike) -> fem.Function:
    """Piecewise constant field of one number or one per cell; zero outside the grains."""
    space = fem.functionspace(domain.mesh, ("DG", 0))
    field = fem.Function(space)
    field.x.array[space.dofmap.list[:, 0]] = np.where(domain.is_grain, values, 0.0)
    return field
