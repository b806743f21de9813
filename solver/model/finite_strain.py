"""Elasticity of a grain at large strains and rotations; equations 15.1 to 15.7 of docs/theory.md. Returns UFL only.

The deformation is split into a lattice part, which lithium asks for and which costs nothing, and an elastic part. The
energy is quadratic in a strain of the elastic part that treats stretching and compressing alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import ufl
from ufl.core.expr import Expr

from solver.model.elasticity import StiffnessFields, stress


def deformation(displacement: Expr) -> Expr:
    """Deformation gradient F, shape (3, 3) [-] (eq. 15.1); of a section without its axial stretch."""
    return ufl.Identity(3) + ufl.grad(displacement)


@dataclass(frozen=True)
class FiniteCrystal:
    """A transversely isotropic crystal in one state of deformation (eqs. 15.1-15.7).

    Attributes:
        gradient: Deformation gradient F, shape (3, 3) [-].
        stretch_a: Lattice stretch λ_a within the layers, scalar [-].
        stretch_c: Lattice stretch λ_c along c, scalar [-].
        axis: Unit vector along c, shape (3,).
        stiffness: Elastic constants [MPa].
    """

    gradient: Expr
    stretch_a: Expr
    stretch_c: Expr
    axis: Expr
    stiffness: StiffnessFields

    @cached_property
    def _from_lattice(self) -> Expr:
        """Inverse of the lattice part F*."""
        along = ufl.outer(self.axis, self.axis)
        return (ufl.Identity(3) - along) / self.stretch_a + along / self.stretch_c

    @property
    def lattice_volume(self) -> Expr:
        """Volume the lattice asks for over that at rest, det F* [-]."""
        return self.stretch_a**2 * self.stretch_c

    @property
    def volume(self) -> Expr:
        """Volume over that at rest, det F [-]."""
        return ufl.det(self.gradient)

    @cached_property
    def _elastic_part(self) -> Expr:
        """F_e = F F*⁻¹."""
        return self.gradient * self._from_lattice

    @cached_property
    def right(self) -> Expr:
        """C = F_eᵀ F_e, shape (3, 3) [-]."""
        return self._elastic_part.T * self._elastic_part

    @cached_property
    def _right_inverse(self) -> Expr:
        inverse = ufl.inv(self._elastic_part)
        return inverse * inverse.T

    @cached_property
    def strain(self) -> Expr:
        """Elastic strain H in the axes of the lattice, shape (3, 3) [-] (eq. 15.2)."""
        return (self.right - self._right_inverse) / 4

    @cached_property
    def _driving(self) -> Expr:
        """Stress T that works in H [MPa]."""
        return stress(self.strain, self.axis, self.stiffness)

    @cached_property
    def second_piola(self) -> Expr:
        """Stress S that works in F_eᵀ δF_e, shape (3, 3), symmetric [MPa] (eq. 15.4)."""
        inverse = self._right_inverse
        return (self._driving + inverse * self._driving * inverse) / 2

    @property
    def energy(self) -> Expr:
        """Elastic energy over the volume at rest [MPa] (eq. 15.3)."""
        return self.lattice_volume * ufl.inner(self._driving, self.strain) / 2

    @property
    def cauchy(self) -> Expr:
        """Stress on areas as they are now, shape (3, 3), symmetric [MPa] (eq. 15.5)."""
        elastic = self._elastic_part
        return elastic * self.second_piola * elastic.T / ufl.det(elastic)

    def _stretching(self, change: Expr) -> Expr:
        """Change of C/2 with F."""
        return ufl.sym(self._elastic_part.T * change * self._from_lattice)

    def work(self, virtual: Expr) -> Expr:
        """Change of the energy in a change of F [MPa] (eq. 15.4).

        Args:
            virtual: The change, shape (3, 3) [-].
        """
        return self.lattice_volume * ufl.inner(self.second_piola, self._stretching(virtual))

    def tangent(self, change: Expr, virtual: Expr) -> Expr:
        """Change of `work` in another change of F [MPa]; symmetric in both (eq. 15.7)."""
        turned = ufl.sym((change * self._from_lattice).T * (virtual * self._from_lattice))
        return self.lattice_volume * (
            ufl.inner(self._stress_change(change), self._stretching(virtual)) + ufl.inner(self.second_piola, turned)
        )

    def _stress_change(self, change: Expr) -> Expr:
        """Change of S with F."""
        inverse, driving = self._right_inverse, self._driving
        half = self._stretching(change)
        pulled = inverse * half * inverse
        further = stress((half + pulled) / 2, self.axis, self.stiffness)
        return (further + inverse * further * inverse) / 2 - pulled * driving * inverse - inverse * driving * pulled
