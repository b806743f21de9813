"""Cases whose diffusivity depends on lithium content, from YAML to history."""

from __future__ import annotations

import pandas as pd
import pytest

CASE = """\
particle: {{radius: 1 um, grains: {{count: 3, seed: 2}}, mesh: {{size: 0.6 um}}}}
material: {{base: NMC811, {diffusivity}}}
electrochemistry: {{kinetics: {kinetics}, protocol: [Charge at 2C until 4.1 V, Hold at 4.1 V for 4 min]}}
mechanics: {{coupling: none}}
output: {{fields: 1, pictures: false}}
"""
CONSTANT = "diffusivity_ab: 2e-15 m^2/s"
EVEN = "diffusivity_table: {x: [0.2, 0.9], diffusivity: [2e-15 m^2/s, 2e-15 m^2/s]}"
STEEP = "diffusivity_table: {x: [0.2, 0.5, 0.9], diffusivity: [2e-16 m^2/s, 8e-15 m^2/s, 1e-15 m^2/s]}"


@pytest.fixture
def history(vegard, tmp_path, monkeypatch):
    monkeypatch.setenv("VEGARD_CACHE", str(tmp_path / "cache"))

    def run(name: str, diffusivity: str, kinetics: str) -> pd.DataFrame:
        (tmp_path / f"{name}.yaml").write_text(CASE.format(diffusivity=diffusivity, kinetics=kinetics))
        outcome = vegard("run", f"{name}.yaml", "--quiet", "--output", name)
        assert outcome.code == 0, outcome.err
        return pd.read_csv(tmp_path / name / "history.csv")

    return run


@pytest.mark.parametrize("kinetics", ["fast", "butler-volmer"])
def test_a_table_with_one_value_is_a_constant(history, kinetics):
    """Two solvers, one answer; times of ends are located to their tolerance (1e-4 V)."""
    constant, even = history("constant", CONSTANT, kinetics), history("even", EVEN, kinetics)
    columns = list(constant.filter(regex="^(time|state_of_charge|mean_stoichiometry|voltage)"))
    assert len(columns) == 5
    for column in columns:
        assert even[column].to_numpy() == pytest.approx(constant[column].to_numpy(), rel=1e-6, abs=1e-6), column


def test_diffusivity_that_depends_on_lithium_matters(history):
    constant, steep = (history(name, text, "butler-volmer") for name, text in (("c", CONSTANT), ("s", STEEP)))
    assert steep.filter(regex="^lithium_imbalance").to_numpy().max() < 1e-12
    column = next(name for name in constant if name.startswith("state_of_charge"))
    assert abs(steep[column].iloc[-1] - constant[column].iloc[-1]) > 0.005
