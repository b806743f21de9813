"""Field files read back, by VTK as ParaView would and by our own reader, with the values that were written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import pyvista as pv
import synthetic
from dolfinx import fem
from mpi4py import MPI
from vtkmodules.vtkIOHDF import vtkHDFReader

from solver.indicators.grain_boundary import boundary_risk
from solver.indicators.layout import build_layout
from solver.indicators.registry import IndicatorSet
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.folder import RunFolder
from solver.output.writers import FORMATS
from solver.report.saved import open_fields
from solver.solve.grainwise import grainwise_space

COMM = MPI.COMM_SELF
SETTINGS = IndicatorSettings(length=0.2)
ROOT = Path(__file__).parents[3]
TIMES = (0.0, 12.5, 40.0)

# Stored in single precision: seven digits.
CLOSE = {"rel": 1e-6, "abs": 1e-6}


def write(path, kind, grains=6, mechanics=True):
    layout = build_layout(synthetic.domain(COMM, divisions=5, grains=grains), SETTINGS.length)
    views = []
    with RunFolder(path, COMM) as folder:
        writer = FORMATS[kind](folder, layout, SETTINGS, synthetic.lithium_space(layout.domain))
        for index, time_ in enumerate(TIMES):
            state = synthetic.state(layout.domain, index, time_, 1.0 + index, mechanics)
            views.append(StateView(state, layout))
            writer.write(views[-1])
    return views


@pytest.fixture(scope="module", params=sorted(FORMATS))
def run(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    return path, request.param, write(path, request.param)


def read_vtkhdf(path, time_):
    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    reader.UpdateTimeStep(time_)
    return pv.wrap(reader.GetOutputDataObject(0))


def read_pvd(path, time_):
    reader = pv.get_reader(path)
    assert reader.time_values == list(TIMES)
    reader.set_active_time_value(time_)
    return reader.read()[0]


def read_with_vtk(path, kind, name, time_):
    """Reads from another working folder, as a double click in ParaView would."""
    before = Path.cwd()
    os.chdir("/")
    try:
        return (
            read_vtkhdf(path / f"{name}.vtkhdf", time_) if kind == "vtkhdf" else read_pvd(path / f"{name}.pvd", time_)
        )
    finally:
        os.chdir(before)


@pytest.mark.parametrize("index", [2, 0, 1])
def test_vtk_reads_the_particle(run, index):
    path, kind, views = run
    view, grid = views[index], read_with_vtk(path, kind, "fields", TIMES[index])
    domain, cells = view.layout.domain, view.layout.cells
    assert grid.n_cells == domain.owned
    assert np.unique(grid.celltypes).tolist() == [pv.CellType.TETRA]
    assert grid.compute_cell_sizes()["Volume"] == pytest.approx(cells.volume, rel=1e-4)
    assert np.array_equal(grid.cell_data["grain"], cells.grain)
    assert grid.cell_data["c_axis"] == pytest.approx(cells.axis, **CLOSE)
    # ParaView calls the six components XX, YY, ZZ, XY, YZ, XZ.
    xx, yy, zz, yz, xz, xy = view.stress.cell_stress.T
    assert grid.cell_data["stress"] == pytest.approx(np.stack([xx, yy, zz, xy, yz, xz], axis=1), **CLOSE)
    assert grid.cell_data["first_principal_stress"] == pytest.approx(view.stress.first_principal, **CLOSE)
    assert grid.cell_data["hydrostatic_stress"] == pytest.approx(view.stress.hydrostatic, **CLOSE)
    assert grid.cell_data["von_mises_stress"] == pytest.approx(view.stress.von_mises, **CLOSE)
    assert grid.cell_data["energy_density"] * cells.volume == pytest.approx(view.energy, **CLOSE)


def test_vtk_reads_the_point_data(run):
    path, kind, _ = run
    for index, time_ in enumerate(TIMES):
        grid = read_with_vtk(path, kind, "fields", time_)
        x, y, z = grid.points.T
        amplitude = 1.0 + index
        # The closed forms that `synthetic.state` interpolates, at the vertices: exact there.
        expected = 0.6 - 0.05 * amplitude * np.linalg.norm(grid.points, axis=1)
        assert grid.point_data["stoichiometry"] == pytest.approx(expected, **CLOSE)
        expected = 1e-3 * amplitude * np.stack([x * y, y**2, z + x], axis=1)
        assert grid.point_data["displacement"] == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("index", [2, 0])
def test_vtk_reads_the_grain_boundaries(run, index):
    path, kind, views = run
    view, grid = views[index], read_with_vtk(path, kind, "grain_boundaries", TIMES[index])
    facets, traction = view.layout.facets, view.stress.traction
    assert grid.compute_cell_sizes()["Area"] == pytest.approx(facets.area, rel=1e-4)
    assert np.stack([grid.cell_data["grain_1"], grid.cell_data["grain_2"]], axis=1).tolist() == facets.grains.tolist()
    assert grid.cell_data["normal_traction"] == pytest.approx(traction.normal, **CLOSE)
    assert grid.cell_data["shear_traction"] == pytest.approx(traction.shear, **CLOSE)
    assert grid.cell_data["traction_jump"] == pytest.approx(traction.jump, **CLOSE)
    assert grid.cell_data["normal"] == pytest.approx(facets.normal, **CLOSE)
    expected = boundary_risk(traction.normal, traction.shear, SETTINGS)
    assert grid.cell_data["risk"] == pytest.approx(expected, **CLOSE)


def test_our_reader_finds_the_same(run):
    path, kind, views = run
    fields = open_fields(path)
    assert fields.times == list(TIMES)
    for index, time_ in enumerate(TIMES):
        ours, theirs = fields.volume(index), read_with_vtk(path, kind, "fields", time_)
        assert np.array_equal(ours.points, theirs.points.astype(float))
        assert np.array_equal(ours.cells, theirs.cells.reshape(-1, 5)[:, 1:])
        for name, values in ours.cell_data.items():
            assert np.array_equal(values, theirs.cell_data[name]), name
        for name, values in ours.point_data.items():
            assert np.array_equal(values, theirs.point_data[name]), name
        boundary = fields.boundary(index)
        assert boundary.cell_data["normal_traction"] == pytest.approx(views[index].stress.traction.normal, **CLOSE)


def test_a_run_folder_can_be_moved(run, tmp_path):
    path, kind, views = run
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    try:
        grid = read_with_vtk(moved, kind, "fields", TIMES[1])
        assert grid.cell_data["von_mises_stress"] == pytest.approx(views[1].stress.von_mises, **CLOSE)
    finally:
        moved.rename(path)


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_vtk_reads_a_section(tmp_path, kind):
    layout = build_layout(synthetic.section(COMM), SETTINGS.length)
    with RunFolder(tmp_path, COMM) as folder:
        writer = FORMATS[kind](folder, layout, SETTINGS, synthetic.lithium_space(layout.domain))
        for index, time_ in enumerate(TIMES):
            view = StateView(synthetic.state(layout.domain, index, time_), layout)
            writer.write(view)
    for name, shape, size, cells, expected in (
        ("fields", pv.CellType.TRIANGLE, "Area", layout.cells.volume, view.stress.von_mises),
        ("grain_boundaries", pv.CellType.LINE, "Length", layout.facets.area, view.stress.traction.normal),
    ):
        grid = read_with_vtk(tmp_path, kind, name, TIMES[-1])
        assert np.unique(grid.celltypes).tolist() == [shape]
        assert grid.compute_cell_sizes()[size] == pytest.approx(cells, rel=1e-4)
        assert grid.cell_data["von_mises_stress" if name == "fields" else "normal_traction"] == pytest.approx(
            expected, **CLOSE
        )
        ours = (open_fields(tmp_path).volume if name == "fields" else open_fields(tmp_path).boundary)(2)
        assert np.array_equal(ours.points, grid.points.astype(float))
        assert np.array_equal(ours.cells, grid.cells.reshape(len(cells), -1)[:, 1:])


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_single_crystal_has_no_boundary_file(tmp_path, kind):
    write(tmp_path, kind, grains=1)
    assert not list(tmp_path.glob("grain_boundaries*"))
    assert open_fields(tmp_path).boundary(0) is None
    assert read_with_vtk(tmp_path, kind, "fields", TIMES[0]).n_cells == 6 * 5**3


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_without_mechanics_there_is_lithium_only(tmp_path, kind):
    write(tmp_path, kind, mechanics=False)
    grid = read_with_vtk(tmp_path, kind, "fields", TIMES[2])
    assert set(grid.point_data.keys()) == {"stoichiometry"}
    assert set(grid.cell_data.keys()) == {"grain", "c_axis"}
    boundary = read_with_vtk(tmp_path, kind, "grain_boundaries", TIMES[2])
    assert set(boundary.cell_data.keys()) == {"grain_1", "grain_2", "normal", "stoichiometry_jump"}


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_grains_have_points_of_their_own_where_lithium_jumps(tmp_path, kind):
    """x is 0.01 times the grain's number; what is joined shares points, and nothing is averaged."""
    layout = build_layout(synthetic.domain(COMM, divisions=5, grains=6), SETTINGS.length)
    domain = layout.domain
    space = grainwise_space(domain, 1)
    field = fem.Function(space)
    field.x.array[space.dofmap.list] = 0.01 * domain.grain[:, None]
    state = replace(synthetic.state(domain), stoichiometry=field)
    with RunFolder(tmp_path, COMM) as folder:
        writer = FORMATS[kind](folder, layout, SETTINGS, space)
        for index, time_ in enumerate(TIMES):
            writer.write(StateView(replace(state, index=index, time=time_), layout))
    grid = read_with_vtk(tmp_path, kind, "fields", 0.0)
    assert grid.n_points == space.dofmap.index_map.size_global > len(domain.mesh.geometry.x)
    corners = grid.point_data["stoichiometry"][grid.cells_dict[pv.CellType.TETRA]]
    assert corners == pytest.approx(0.01 * np.repeat(grid.cell_data["grain"][:, None], 4, axis=1), **CLOSE)
    places = np.asarray(domain.mesh.geometry.x)[domain.cell_vertices[layout.cells.index]]
    assert np.asarray(grid.points)[grid.cells_dict[pv.CellType.TETRA]] == pytest.approx(places, **CLOSE)
    boundary = read_with_vtk(tmp_path, kind, "grain_boundaries", 0.0)
    steps = boundary.cell_data["grain_2"] - boundary.cell_data["grain_1"]
    assert boundary.cell_data["stoichiometry_jump"] == pytest.approx(0.01 * steps, **CLOSE)
    found = IndicatorSet(domain, SETTINGS).evaluate(StateView(state, layout))["stoichiometry_jump_p95"]
    assert found == pytest.approx(np.percentile(0.01 * steps, 95, weights=layout.facets.area, method="inverted_cdf"))


def test_state_of_charge_travels_with_the_fields(tmp_path):
    views = write(tmp_path, "vtkhdf")
    for view, time_ in zip(views, TIMES):
        grid = read_vtkhdf(tmp_path / "fields.vtkhdf", time_)
        assert grid.field_data["state_of_charge"][0] == pytest.approx(view.state.state_of_charge)


def test_a_part_that_is_gone_shows_as_not_a_number(tmp_path):
    write(tmp_path, "vtkhdf")
    (tmp_path / "fields" / "state_00001_r00000.h5").unlink()
    assert np.isnan(open_fields(tmp_path).volume(1).cell_data["von_mises_stress"]).all()
    assert np.isfinite(open_fields(tmp_path).volume(2).cell_data["von_mises_stress"]).all()


ENDLESS = """
import sys; sys.path.insert(0, "tests/helpers")
from pathlib import Path
import synthetic
from dolfinx import fem
from mpi4py import MPI
from solver.indicators.layout import build_layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.folder import RunFolder
from solver.output.writers import FORMATS
layout = build_layout(synthetic.domain(MPI.COMM_SELF, divisions=5, grains=6), 0.2)
folder = RunFolder(Path(sys.argv[1]), MPI.COMM_SELF)
writer = FORMATS[sys.argv[2]](folder, layout, IndicatorSettings(), synthetic.lithium_space(layout.domain))
for index in range(100000):
    writer.write(StateView(synthetic.state(layout.domain, index, float(index), 1.0 + index), layout))
"""


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_kill_while_writing_leaves_the_states_before_readable(tmp_path, kind):
    master = tmp_path / ("fields.vtkhdf" if kind == "vtkhdf" else "fields.pvd")
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path), kind], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120.0
        while not (master.exists() and len(open_fields(tmp_path).times) > 4):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    fields = open_fields(tmp_path)
    assert fields.times == [float(index) for index in range(len(fields.times))]
    first = fields.volume(0).cell_data["von_mises_stress"]
    for index in range(len(fields.times)):
        # Every state is the first one times a known factor: nothing is missing and nothing is mixed up.
        assert fields.volume(index).cell_data["von_mises_stress"] == pytest.approx((1.0 + index) * first, rel=1e-5)
    if kind == "vtkhdf":
        last = read_vtkhdf(master, fields.times[-1])
        assert last.cell_data["von_mises_stress"] == pytest.approx((1.0 + fields.times[-1]) * first, rel=1e-5)


FULL_DISK = """
import resource, signal, sys; sys.path.insert(0, "tests/helpers")
from pathlib import Path
import synthetic
from dolfinx import fem
from mpi4py import MPI
from solver.indicators.layout import build_layout
from solver.indicators.settings import IndicatorSettings
from solver.indicators.view import StateView
from solver.output.folder import RunFolder
from solver.output.writers import FORMATS
layout = build_layout(synthetic.domain(MPI.COMM_SELF, divisions=5, grains=6), 0.2)
folder, space = RunFolder(Path(sys.argv[1]), MPI.COMM_SELF), synthetic.lithium_space(layout.domain)
writer = FORMATS[sys.argv[2]](folder, layout, IndicatorSettings(), space)
writer.write(StateView(synthetic.state(layout.domain, 0, 0.0), layout))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    writer.write(StateView(synthetic.state(layout.domain, 1, 1.0), layout))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_full_disk_is_told_in_words_and_leaves_the_states_before(tmp_path, kind):
    # A limit on the size of files stands for the full disk: the write fails in the same place.
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "OutputError the fields of state 1 could not be written (" in done.stdout
    assert "too large); free space or choose another --output" in done.stdout
    assert open_fields(tmp_path).times == [0.0]
    assert np.isfinite(open_fields(tmp_path).volume(0).cell_data["von_mises_stress"]).all()
    assert not list((tmp_path / "fields").glob(".*"))


def test_the_master_is_small_and_holds_no_values(tmp_path):
    write(tmp_path, "vtkhdf")
    with h5py.File(tmp_path / "fields.vtkhdf") as file:
        virtual = file["VTKHDF/CellData/stress"]
        assert virtual.is_virtual
        assert [source.file_name for source in virtual.virtual_sources()] == [
            f"fields/state_{index:05d}.h5" for index in range(len(TIMES))
        ]
