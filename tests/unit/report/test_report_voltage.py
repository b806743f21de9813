"""The figure of voltage and current is drawn from the table of steps, where there is a voltage."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest

from solver.output.history import History
from solver.report.style import SETTINGS
from solver.report.voltage import draw_voltage
from solver.solve.state import StepResult


def write_steps(folder, potentials):
    history = History(folder, ())
    for number, potential in enumerate(potentials):
        mean = 0.9 - 0.01 * number
        step = (60.0 * number, 60.0, 1, number != 2, "", 0.1, 0.01, 5, mean)
        history.add_step(StepResult(*step, potential=potential, rate=-1.0 / 3600.0))
    history.close()
    return SimpleNamespace(folder=folder, name="a charge")


def test_a_run_with_a_voltage_has_the_figure(tmp_path):
    run = write_steps(tmp_path, np.linspace(3.6, 4.3, 20))
    with mpl.rc_context(SETTINGS):
        path = draw_voltage(run, tmp_path / "voltage.png")
    picture = matplotlib.image.imread(path)
    assert min(picture.shape[:2]) > 500
    assert np.std(picture[..., :3]) > 0.05


def test_a_run_without_has_none(tmp_path):
    assert draw_voltage(write_steps(tmp_path, [float("nan")] * 3), tmp_path / "voltage.png") is None
    assert not (tmp_path / "voltage.png").exists()


def test_steps_tell_voltage_and_rate_at_their_end(tmp_path):
    write_steps(tmp_path, [3.6])
    header, row = (tmp_path / "steps.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert float(cells["voltage [V]"]) == 3.6
    assert float(cells["state_of_charge_rate [1/h]"]) == pytest.approx(1.0)
