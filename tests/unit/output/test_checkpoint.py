"""Checkpoints: what is written is read back in any order of cells, and one of two slots is always whole."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from mpi4py import MPI

from solver.errors import OutputError, Requeue
from solver.output.checkpoint import Checkpoints, has_checkpoint, read_checkpoint
from solver.solve.memory import Memory
from solver.solve.segments import Reading
from solver.solve.stepping import Place

COMM = MPI.COMM_SELF
NAN = float("nan")
PLACE = Place(12.5, 10.0, 2, 0, 0.25, 3, 7.0, 8.0, Reading(NAN, 1e-4, 0.3), Reading(3.9, NAN, 0.2))


@pytest.fixture(scope="module")
def domain():
    return synthetic.domain(COMM, divisions=3, grains=3)


def memory_of(domain):
    corners = domain.mesh.geometry.x[domain.cell_vertices][..., 0] + 0.1 * domain.grain[:, None]
    return Memory({"clock": 0.1 + 0.2}, {"field": corners}, {"cells": domain.cell_volumes.copy()})


def checkpoints(folder, domain, interval=0.0, records=lambda: {"value": [1.0, None]}):
    return Checkpoints(folder, domain, lambda: memory_of(domain), records, interval)


def test_what_was_kept_is_read_back(tmp_path, domain):
    assert not has_checkpoint(tmp_path)
    checkpoints(tmp_path, domain).pass_by(PLACE)
    assert has_checkpoint(tmp_path)
    kept, memory = read_checkpoint(tmp_path, domain), memory_of(domain)
    assert repr(kept.place) == repr(PLACE)
    assert kept.records == {"value": [1.0, None]}
    assert kept.memory.numbers == memory.numbers
    assert (kept.memory.corners["field"] == memory.corners["field"]).all()
    assert (kept.memory.cells["cells"] == memory.cells["cells"]).all()


def test_cells_may_lie_in_another_order_with_their_corners_in_another(tmp_path, domain):
    checkpoints(tmp_path, domain).pass_by(PLACE)
    generator = np.random.default_rng(3)
    order = generator.permutation(domain.owned)
    corners = np.array([generator.permutation(row) for row in domain.cell_vertices[order]])
    other = replace(domain, cell_vertices=corners, input_cells=domain.input_cells[order], grain=domain.grain[order])
    kept = read_checkpoint(tmp_path, other).memory
    assert np.allclose(kept.corners["field"], memory_of(other).corners["field"], atol=1e-15)
    assert (kept.cells["cells"] == domain.cell_volumes[order]).all()


def test_the_slot_in_force_is_not_touched_while_the_other_is_written(tmp_path, domain):
    keeper = checkpoints(tmp_path, domain)
    keeper.pass_by(PLACE)
    latest = json.loads((tmp_path / "checkpoint" / "latest.json").read_text())["slot"]

    def fails():
        raise OSError(28, "No space left on device")

    broken = checkpoints(tmp_path, domain, records=fails)
    broken._slot = keeper._slot
    with pytest.raises(OutputError, match="the checkpoint could not be written"):
        broken.pass_by(replace(PLACE, time=99.0))
    assert json.loads((tmp_path / "checkpoint" / "latest.json").read_text())["slot"] == latest
    assert read_checkpoint(tmp_path, domain).place.time == PLACE.time
    keeper.pass_by(replace(PLACE, time=13.0))
    assert read_checkpoint(tmp_path, domain).place.time == 13.0


def test_nothing_is_kept_before_the_interval(tmp_path, domain):
    checkpoints(tmp_path, domain, interval=1e9).pass_by(PLACE)
    assert not has_checkpoint(tmp_path)


def test_a_signal_keeps_the_place_and_stops(tmp_path, domain):
    keeper = checkpoints(tmp_path, domain, interval=1e9)
    keeper._ask(10, None)
    with pytest.raises(Requeue, match=r"stopped at 12\.5 s"):
        keeper.pass_by(PLACE)
    assert read_checkpoint(tmp_path, domain).place.time == PLACE.time
    assert Requeue.exit_code == 75


def test_damaged_and_missing_checkpoints_are_told(tmp_path, domain):
    with pytest.raises(OutputError, match="is not there; run the case again"):
        read_checkpoint(tmp_path, domain)
    checkpoints(tmp_path, domain).pass_by(PLACE)
    slot = tmp_path / "checkpoint" / json.loads((tmp_path / "checkpoint" / "latest.json").read_text())["slot"]
    other = synthetic.domain(COMM, divisions=4, grains=3)
    with pytest.raises(OutputError, match="does not cover"):
        read_checkpoint(tmp_path, other)
    part = slot / "part_00000.npz"
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(OutputError, match="damaged"):
        read_checkpoint(tmp_path, domain)
