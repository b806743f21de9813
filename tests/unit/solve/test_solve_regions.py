"""Regions other than grains: where lithium is, what is shown there, and what must be said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from meshes.particle_mesh import CONTACT, GRAIN_BOUNDARY, MATRIX, MATRIX_OUTER, OUTER, tagged_mesh
from solver.errors import MeshError
from solver.indicators.registry import IndicatorSet
from solver.indicators.settings import IndicatorSettings
from solver.materials import load_layer, load_material
from solver.solve.domain import Domain, build_domain
from solver.solve.grain_facets import grain_facets
from solver.solve.mechanics import Mechanics
from solver.solve.phases import Phases
from solver.solve.solids import Crystal, Solids
from solver.solve.state import State
from solver.solve.step_solver import fast_reaction
from solver.solve.transport import Transport

INNER = 1.2


@pytest.fixture(scope="module")
def embedded() -> Domain:
    """A ball of radius 2 whose cells beyond radius 1.2 are matrix."""
    whole = synthetic.block(divisions=10, grains=1)
    far = np.linalg.norm(whole.points[whole.cells], axis=2).max(axis=1) > INNER + 1e-9
    mesh = tagged_mesh(whole.points, whole.cells, np.where(far, MATRIX, 1))
    tags = np.select([mesh.facet_tags == OUTER, mesh.facet_tags == GRAIN_BOUNDARY], [MATRIX_OUTER, CONTACT])
    return build_domain(MPI.COMM_SELF, replace(mesh, facet_tags=tags.astype(np.int32)), np.array([[0.0, 0.0, 1.0]]))


@pytest.fixture(scope="module")
def transport(embedded: Domain) -> Transport:
    return Transport(embedded, 1e-2, 1e-2, initial=0.9, surface=fast_reaction, phases=Phases())


def test_the_particle_is_what_is_grain(embedded):
    assert embedded.volume == pytest.approx(embedded.cell_volumes[embedded.is_grain].sum())
    assert embedded.volume < 0.3 * embedded.cell_volumes.sum()
    assert embedded.radius == pytest.approx(INNER, rel=0.03)


def test_lithium_stays_in_the_grains(embedded, transport):
    transport.drive(-0.2 / 3600)
    attempt = transport.attempt(60.0)
    assert attempt.converged
    transport.commit()
    points = transport.stoichiometry.function_space.tabulate_dof_coordinates()
    outside = np.linalg.norm(points, axis=1) > INNER + 1e-9
    assert (transport.stoichiometry.x.array[outside] == 0.9).all()
    assert transport.lithium() == pytest.approx(transport.volume * (0.9 - 0.2 / 60), rel=1e-9)
    assert transport.volume == pytest.approx(embedded.volume)


def test_indicators_and_fields_leave_the_matrix_out(embedded, transport):
    stress = synthetic.sample(embedded, lambda points, grain: np.where(grain < 2, 1.0, 7.0)[..., None] * np.ones(6))
    state = State(0, 0.0, 0, 0.1, 0.9, 0.0, transport.stoichiometry, stress=stress)
    indicators = IndicatorSet(embedded, IndicatorSettings())
    view = indicators.view(state)
    assert view.stress.cell_stress.max() == 1.0
    assert view.layout.cells.volume.sum() == pytest.approx(embedded.volume)
    shown = view.site_stoichiometry
    radius = np.linalg.norm(transport.stoichiometry.function_space.tabulate_dof_coordinates(), axis=1)
    assert (np.isnan(shown) == (radius > INNER + 1e-9)).all()


def test_facets_are_seen_from_the_grain(embedded):
    facets = grain_facets(embedded, [CONTACT])
    assert embedded.is_grain[facets.cells].all()
    assert not embedded.is_grain[facets.others].any()
    outward = np.einsum("fi,fi->f", facets.normal, facets.centroid)
    assert (outward > 0.9 * np.linalg.norm(facets.centroid, axis=1)).all()
    assert facets.area.sum() == pytest.approx(4 * np.pi * INNER**2, rel=0.06)


def test_a_region_without_a_material_is_refused(embedded):
    material = load_material("NMC811")
    crystals = [Crystal(material.stiffness, material.lattice)]
    with pytest.raises(MeshError, match="regions \\[30001\\]"):
        Solids(embedded, crystals, rest=1.0)
    solids = Solids(embedded, crystals, layers={MATRIX: load_layer("LPSCl")}, rest=1.0)
    assert not solids.has_one_crystal


def test_a_soft_matrix_holds_less_than_a_stiff_one(embedded, transport):
    material = load_material("isotropic-benchmark")
    crystals = [Crystal(material.stiffness, material.lattice)]

    def mean(young: float) -> float:
        layer = replace(load_layer("LPSCl"), youngs_modulus=young)
        solids = Solids(embedded, crystals, layers={MATRIX: layer}, rest=1.0)
        model = Mechanics(embedded, solids, tolerance=1e-8, phases=Phases())
        assert model.solve(transport.stoichiometry).converged
        stress = model.stress().stress[embedded.is_grain][..., :3].mean()
        model.destroy()
        return float(stress)

    # The grain shrinks on charging and the bonded matrix pulls at it.
    assert 0.0 < mean(5e3) < mean(20e3)
