"""Stress in coatings and on what holds them: hoop stress, and tractions between grains and coating (eqs. 8.8, 8.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from dolfinx import fem
from dolfinx.la import InsertMode
from numpy.typing import NDArray

from meshes.particle_mesh import MEMBRANE_SURFACE
from solver.solve.domain import Domain
from solver.solve.grain_facets import UNDER_COATING, Hosts, grain_facets
from solver.solve.membrane import Film
from solver.solve.solids import Solids
from solver.solve.stress import GAUSS, CoatingSample
from solver.solve.symmetry import Planes

Array = NDArray[np.float64]

# Rows and columns of the 3 × 3 tensor as components xx, yy, zz, yz, xz, xy, and the other way round.
_TENSOR = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
_ENTRIES = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])


class CoatingStress:
    """Finds the stress in coatings from that of the cells.

    Args:
        domain: The particle.
        solids: What its cells are made of.
        shells: Coatings that are regions, by region.
        films: Coatings that are membranes, innermost first.
    """

    def __init__(self, domain: Domain, solids: Solids, shells: Mapping[int, Film], films: Sequence[Film]) -> None:
        self._domain, self._solids, self._films = domain, solids, films
        self._rule = GAUSS[domain.dimension]
        self._facets = grain_facets(domain, MEMBRANE_SURFACE if films else UNDER_COATING)
        innermost = [*films, *shells.values()][0].layer
        self._adhesion = float("nan") if innermost.adhesion is None else innermost.adhesion
        hosts = Hosts(domain)
        owned = hosts.coated < domain.owned
        self._cells = hosts.coated[owned]
        self._cell_normals = hosts.spread(hosts.facets.normal)[owned]
        regions = domain.grain[self._cells]
        factors = {region: film.thickness / film.layer.plane_strain_modulus for region, film in shells.items()}
        self._cell_factors = np.array([factors[int(region)] for region in regions]).reshape(-1)
        self._space = fem.functionspace(domain.mesh, ("Lagrange", 1, (3,)))
        self._fixed = Planes.of(domain, self._space).fixed
        self._rows = np.take_along_axis(self._space.dofmap.list[self._facets.cells], self._facets.corners, axis=1)
        self._gradients = self._surface_gradients()
        shares = np.repeat(self._facets.area[:, None, None] / domain.dimension, domain.dimension, axis=1)
        areas = self._at_vertices(np.repeat(shares, 3, axis=2))
        self._vertex_areas = np.maximum(areas.x.array.reshape(-1, 3)[:, 0], np.finfo(float).tiny)

    def sample(self, stress: Array, elastic_strain: Array, stoichiometry: Array) -> CoatingSample:
        """Stress in the coatings; collective.

        Args:
            stress: (cells, points, 6) of all local and ghost cells [MPa].
            elastic_strain: (cells, points, 6), likewise.
            stoichiometry: (cells, corners) x at the corners of the cells.
        """
        facets = self._facets
        hoops = [_hoop(_matrices(stress[self._cells].mean(axis=1)), self._cell_normals)]
        releases = [self._cell_factors * hoops[0] ** 2]
        weights = [self._domain.cell_volumes[self._cells]]
        tension = np.zeros((len(facets.area), 3, 3))
        for film, film_stress in zip(self._films, self._film_stresses(elastic_strain, stoichiometry), strict=True):
            hoop = _hoop(film_stress, facets.normal)
            hoops.append(hoop)
            releases.append(film.thickness / film.layer.plane_strain_modulus * hoop**2)
            weights.append(film.thickness * facets.area)
            tension += film.effective_thickness(self._domain) * film_stress
        vector = self._pull(tension) if self._films else self._between(stress)
        normal = np.einsum("fi,fi->f", vector, facets.normal)
        return CoatingSample(
            hoop=np.concatenate(hoops),
            energy_release=np.concatenate(releases),
            weights=np.concatenate(weights),
            tension=np.einsum("f,fij->ij", facets.area, tension)[_ENTRIES],
            normal=normal,
            shear=np.linalg.norm(vector - normal[:, None] * facets.normal, axis=1),
            areas=facets.area,
            adhesion=self._adhesion,
        )

    def _film_stresses(self, elastic_strain: Array, stoichiometry: Array) -> list[Array]:
        """Stress of every membrane at the facets [MPa], each (facets, 3, 3) (eqs. 8.4, 8.5)."""
        facets = self._facets
        strain_a, strain_c = self._solids.facet_strains(stoichiometry, facets).T
        axes = self._domain.c_axes[self._domain.grain[facets.cells] - 1]
        along_c = axes[:, :, None] * axes[:, None, :]
        lattice = strain_a[:, None, None] * (np.eye(3) - along_c) + strain_c[:, None, None] * along_c
        thermal_a, thermal_c = self._solids.thermal_strains(facets.cells).T
        thermal = thermal_a[:, None, None] * (np.eye(3) - along_c) + thermal_c[:, None, None] * along_c
        total = _matrices(self._at_facets(elastic_strain, facets.cells, facets.local[:, 0])) + lattice + thermal
        projector = np.eye(3) - facets.normal[:, :, None] * facets.normal[:, None, :]
        stresses = []
        for layer in (film.layer for film in self._films):
            own = total - layer.host_strain_share * lattice - layer.misfit * np.eye(3)
            along = projector @ own @ projector
            trace = np.trace(along, axis1=1, axis2=2)[:, None, None]
            ratio = layer.poisson_ratio
            stresses.append(layer.plane_strain_modulus * ((1 - ratio) * along + ratio * trace * projector))
        return stresses

    def _between(self, stress: Array) -> Array:
        """Traction below shells, (facets, 3): the mean of both sides."""
        facets = self._facets
        sides = [
            self._at_facets(stress, cells, facets.local[:, side])
            for side, cells in enumerate((facets.cells, facets.others))
        ]
        return np.einsum("fij,fj->fi", _matrices(np.mean(sides, axis=0)), facets.normal)

    def _pull(self, tension: Array) -> Array:
        """Traction below membranes, (facets, 3): what their tension (facets, 3, 3) asks for at the vertices."""
        force = np.einsum("fij,fvj,f->fvi", tension, self._gradients, self._facets.area)
        traction = self._at_vertices(-force)
        traction.x.array[self._fixed] = 0.0
        traction.x.scatter_forward()
        values = traction.x.array.reshape(-1, 3) / self._vertex_areas[:, None]
        return np.asarray(values[self._rows].mean(axis=1))

    def _surface_gradients(self) -> Array:
        """Gradients along the facets of their corners' linear functions [1/µm], (facets, corners, 3)."""
        facets, points = self._facets, np.asarray(self._domain.mesh.geometry.x, dtype=np.float64)
        vertices = np.take_along_axis(self._domain.cell_vertices[facets.cells], facets.corners, axis=1)
        corners = points[vertices]
        edges = corners[:, 1:] - corners[:, :1]
        # Pseudo-inverse of the map from the reference facet: its rows are the gradients of all corners but the first.
        others = np.linalg.pinv(edges.transpose(0, 2, 1))
        return np.concatenate([-others.sum(axis=1, keepdims=True), others], axis=1)

    def _at_vertices(self, values: Array) -> fem.Function:
        """Sums over facets of values at their corners, (facets, corners, 3), on all ranks."""
        found = fem.Function(self._space)
        np.add.at(found.x.array.reshape(-1, 3), self._rows, values)
        found.x.scatter_reverse(InsertMode.add)
        found.x.scatter_forward()
        return found

    def _at_facets(self, values: Array, cells: NDArray[np.intp], local: NDArray[np.intp]) -> Array:
        """Facet means (facets, 6) of a field that is linear in the cells."""
        return np.einsum("fq,fqi->fi", self._rule.facet_extrapolation[local], values[cells])


def _matrices(components: Array) -> Array:
    """Symmetric tensors (…, 3, 3) of components (…, 6)."""
    return components[..., _TENSOR]


def _hoop(stress: Array, normal: Array) -> Array:
    """Larger principal value (k,) of stresses (k, 3, 3) along planes with normals (k, 3)."""
    projector = np.eye(3) - normal[:, :, None] * normal[:, None, :]
    along = projector @ stress @ projector
    trace = np.trace(along, axis1=1, axis2=2)
    square = (along * along).sum(axis=(1, 2))
    # Of the two principal values s and t: s + t = trace, s² + t² = square.
    return 0.5 * (trace + np.sqrt(np.maximum(2.0 * square - trace**2, 0.0)))
