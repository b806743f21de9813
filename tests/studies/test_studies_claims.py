"""The main claims of the studies at small size: few seeds, coarse sections, real runs.

What is asserted is what docs/studies says came out, with margins for other meshes; what does not come out is asserted
as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from solver.compare.members import run_members
from solver.run import run_case
from solver.studies.description import load_study
from solver.studies.members import plan
from solver.studies.values import Runs

STUDIES = Path(__file__).parents[2] / "cases" / "studies"
COARSE: dict[str, Any] = {"particle.grains.count": 60, "particle.mesh.size": "0.35 um", "output.fields": 8}


def runs_of(folder: Path, name: str, designs: Sequence[str], seeds: int, change: dict[str, Any] = COARSE) -> Runs:
    members = plan(load_study(STUDIES / name), folder, range(1, seeds + 1), designs, change)
    failures = run_members(members, lambda case, target: run_case(case, target, progress=False), lambda line: None)
    assert failures == []
    return Runs(members)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    designs = ["0.02C", "0.1C", "0.5C", "isotropic 0.02C", "isotropic 0.5C"]
    return runs_of(tmp_path_factory.mktemp("places"), "core-or-rim", designs, 3, {"particle.mesh.size": "0.4 um"})


@pytest.mark.parametrize("moment", ["20 % SoC", "50 % SoC", "70 % SoC"])
def test_isotropic_core_is_never_pulled(places: Runs, moment: str) -> None:
    for design in ("isotropic 0.02C", "isotropic 0.5C"):
        assert (places.values(design, "core_boundary_tension", moment) == 0.0).all()
        assert (places.values(design, "core_first_principal_p95", moment) < 0.0).all()
        assert (places.values(design, "rim_boundary_tension", moment) > 0.0).all()


def test_isotropic_stress_is_that_of_the_closed_form(places: Runs) -> None:
    """Disc of uniform diffusivity, quasi-steady: x = x̄ + Δ(1 − 2 r²/R²), hoop stress at the surface E ε' Δ/(1 − ν)."""
    design, moment = "isotropic 0.02C", "50 % SoC"
    # Means over r < R/2 and r > 0.8 R of 1 − 2 r²/R² are 0.75 and −0.64.
    difference = places.values(design, "lithium_core_minus_rim", moment).mean()
    depletion = difference / 1.39
    rate = 0.02 / 3600.0
    assert depletion == pytest.approx(rate * 5.0**2 / (8.0 * 2e-3), rel=0.05)  # R² ẋ/(8 D), µm and s
    # Hydrostatic-like tension of the rim: the 95th percentile of σ₁ there lies just below the value at the surface.
    slope = (0.00458 - 0.00338) / 0.1  # dε/dx of the control at x = 0.5
    surface = 150e3 * slope * depletion / (1.0 - 0.27)
    assert places.values(design, "rim_first_principal_p95", moment).mean() == pytest.approx(surface, rel=0.15)


def test_grains_put_tension_into_the_core_at_low_rate(places: Runs) -> None:
    core, rim = (places.values("0.02C", f"{place}_boundary_tension", "50 % SoC") for place in ("core", "rim"))
    assert (core > 100.0).all()
    assert core.mean() > 0.7 * rim.mean()
    core, rim = (places.values("0.02C", f"{place}_first_principal_p95", "50 % SoC") for place in ("core", "rim"))
    assert core.mean() > 0.95 * rim.mean()


@pytest.mark.parametrize("indicator", ["boundary_tension", "boundary_area_pulled", "first_principal_p95"])
def test_worst_place_moves_to_the_rim_with_the_rate(places: Runs, indicator: str) -> None:
    shares = []
    for design in ("0.02C", "0.1C", "0.5C"):
        core, rim = (places.values(design, f"{place}_{indicator}", "50 % SoC") for place in ("core", "rim"))
        shares.append(core / rim)
    assert (shares[0] > shares[1]).all()  # in every particle
    assert (shares[1] > shares[2]).all()
    assert (shares[2] < 0.8).all()


@pytest.fixture(scope="module")
def rates(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    designs = ["0.1C", "1C", "5C", "C/5 to 4.1 V", "C/5 to 4.3 V"]
    return runs_of(tmp_path_factory.mktemp("rates"), "rate-and-cut-off", designs, 1)


def over(runs: Runs, more: str, less: str, indicator: str, moment: str, **options: bool) -> float:
    ratio = runs.values(more, indicator, moment, **options) / runs.values(less, indicator, moment, **options)
    return float(ratio.mean())


def test_rate_on_the_plateau(rates: Runs) -> None:
    for indicator in ("first_principal_nonlocal_max", "rim_boundary_tension"):
        assert over(rates, "1C", "0.1C", indicator, "20 % SoC") > 1.05
        assert over(rates, "5C", "1C", indicator, "20 % SoC") > 1.3


def test_rate_raises_the_gradient_part_alone_near_the_largest_mismatch(rates: Runs) -> None:
    assert over(rates, "1C", "0.1C", "gradient_first_principal_p99", "50 % SoC") > 4.0
    assert over(rates, "1C", "0.1C", "elastic_energy_density", "50 % SoC") < 1.05  # the order does not come out


def test_fast_charges_are_stopped_early_by_the_voltage(rates: Runs) -> None:
    assert over(rates, "5C", "1C", "state_of_charge", "end") < 0.6
    assert over(rates, "5C", "1C", "elastic_energy_density", "end") < 1.0
    assert over(rates, "1C", "0.1C", "elastic_energy_density", "end", per_capacity=True) > 1.5


def test_cut_off_raises_gradients_and_lowers_mismatch(rates: Runs) -> None:
    slow = ("C/5 to 4.3 V", "C/5 to 4.1 V")
    assert over(rates, *slow, "gradient_first_principal_p99", "end") > 2.0
    assert over(rates, *slow, "elastic_energy_density", "end") < 0.6
    assert over(rates, *slow, "elastic_energy_density", "worst") > 0.97  # the way up is the same


def test_nickel(tmp_path: Path) -> None:
    pair = ("NMC811, C/10", "NMC111, C/10")
    runs = runs_of(tmp_path, "nickel", pair, 1)
    for moment in ("30 % SoC", "50 % SoC"):  # the order of the experiments does not come out
        assert over(runs, *pair, "elastic_energy_density", moment) < 0.9
        assert over(runs, *pair, "first_principal_nonlocal_max", moment) < 1.0
    assert over(runs, *pair, "gradient_first_principal_p99", "end") > 3.0


def test_protocols(tmp_path: Path) -> None:
    change = COARSE | {"output.fields": 0}
    designs = ["constant", "falling steps", "rising steps", "long pulses"]
    runs = runs_of(tmp_path, "charging-protocol", designs, 1, change)
    assert runs.values("falling steps", "state_of_charge", "end")[1] == pytest.approx(0.7, abs=1e-6)
    assert runs.values("long pulses", "state_of_charge", "end")[1] == pytest.approx(0.7, abs=1e-6)
    assert runs.values("falling steps", "time", "last")[1] == pytest.approx(39 * 60, rel=1e-3)
    assert runs.values("long pulses", "time", "last")[1] == pytest.approx(39 * 60, rel=1e-3)
    for indicator in ("gradient_first_principal_p99", "rim_boundary_tension"):
        assert over(runs, "falling steps", "constant", indicator, "end") < 0.85
        assert over(runs, "rising steps", "constant", indicator, "end") > 1.15
        assert over(runs, "long pulses", "constant", indicator, "end") > 1.1  # pulses do not help, but their rests do
        assert over(runs, "long pulses", "constant", indicator, "last") < 0.9


def test_contact(tmp_path: Path) -> None:
    pair = ("67.2 % at C/5", "100 % at C/5")
    runs = runs_of(tmp_path, "contact", pair, 1)
    assert over(runs, *pair, "gradient_first_principal_p99", "50 % SoC") > 1.05
    assert over(runs, *pair, "elastic_energy_density", "50 % SoC") == pytest.approx(1.0, abs=0.05)
