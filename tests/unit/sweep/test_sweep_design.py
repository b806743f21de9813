"""Designs: which points a sweep file asks for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sweep_files import load

from solver.errors import CaseError
from solver.sweep.load import LoadedSweep, load_sweep

RANGES = "axes:\n  particle.radius: {from: 1 um, to: 3 um}\n  particle.grains.spread: {from: 0 %, to: 40 %}\n"


def column(sweep: LoadedSweep, label: str) -> list[object]:
    return [choice.value for point in sweep.points for choice in point if choice.label == label]


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(CaseError) as caught:
        load(folder, text)
    return [problem.removeprefix(f"{folder}/sweep.yaml:") for problem in caught.value.problems]


def test_grid_is_every_combination(tmp_path: Path) -> None:
    counts = "{from: 5, to: 20, steps: 4}"
    sweep = load(
        tmp_path, f"axes:\n  particle.radius: [1 um, 2 um, 3 um]\n  particle.grains.count: {counts}\nseeds: 2\n"
    )
    assert len(sweep.points) == len(set(sweep.points)) == 3 * 4 * 2
    assert sorted(set(column(sweep, "count"))) == [5, 10, 15, 20]
    assert set(column(sweep, "seed")) == {4, 5}  # from the seed of the base case on


def test_seeds_may_be_listed(tmp_path: Path) -> None:
    assert column(load(tmp_path, "seeds: [3, 11]\n"), "seed") == [3, 11]


def test_zip_goes_in_step(tmp_path: Path) -> None:
    sweep = load(tmp_path, "design: zip\naxes: {particle.radius: [1 um, 2 um], particle.grains.count: [5, 9]}\n")
    assert [[choice.value for choice in point] for point in sweep.points] == [["1 um", 5], ["2 um", 9]]


def test_zip_of_unequal_lengths_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "design: zip\naxes: {particle.radius: [1 um, 2 um], particle.grains.count: [5]}\n")
    assert problem.startswith("2: design: a zip needs equally many values on every axis")
    assert "particle.radius has 2, particle.grains.count has 1" in problem


def test_groups_move_together(tmp_path: Path) -> None:
    text = (
        "axes:\n  particle.radius: [1 um, 2 um]\n  particle.mesh.size: [0.2 um, 0.4 um]\n"
        "  particle.grains.count: [5, 9, 12]\ngroups: {size: [radius, particle.mesh.size]}\n"
    )
    sweep = load(tmp_path, text)
    assert len(sweep.points) == 2 * 3
    assert set(zip(column(sweep, "radius"), column(sweep, "size"))) == {("1 um", "0.2 um"), ("2 um", "0.4 um")}


def test_uneven_group_is_refused(tmp_path: Path) -> None:
    text = "axes: {particle.radius: [1 um], particle.mesh.size: [0.2 um, 0.4 um]}\ngroups: {size: [radius, size]}\n"
    [problem] = problems(tmp_path, text)
    assert (
        problem == "3: groups.size: its axes have different numbers of values: particle.radius 1, particle.mesh.size 2"
    )


def test_latin_hypercube_is_stratified(tmp_path: Path) -> None:
    sweep = load(tmp_path, f"design: latin-hypercube\nsamples: 20\n{RANGES}")
    for label, low, high in (("radius", 1.0, 3.0), ("spread", 0.0, 40.0)):
        values = np.array([float(str(value).split()[0]) for value in column(sweep, label)])
        strata = np.floor((values - low) / (high - low) * 20).astype(int)
        assert sorted(np.minimum(strata, 19)) == list(range(20))  # one sample in each twentieth


def test_samples_of_words_are_balanced(tmp_path: Path) -> None:
    text = "design: latin-hypercube\nsamples: 12\naxes: {particle.grains.orientation: [random, radial, tangential]}\n"
    assert set(Counter(column(load(tmp_path, text), "orientation")).values()) == {4}


def test_samples_repeat_with_their_seed(tmp_path: Path) -> None:
    text = f"design: sobol\nsamples: 8\n{RANGES}"
    first, again, other = (load(tmp_path, text + more) for more in ("", "", "sampling_seed: 2\n"))
    assert len(first.points) == 8
    assert column(first, "radius") == column(again, "radius") != column(other, "radius")


def test_each_sample_is_run_with_every_seed(tmp_path: Path) -> None:
    sweep = load(tmp_path, f"design: sobol\nsamples: 4\nseeds: 3\n{RANGES}")
    assert len(sweep.points) == 12
    assert set(Counter(column(sweep, "radius")).values()) == {3}


def test_log_ranges_have_equal_ratios(tmp_path: Path) -> None:
    sweep = load(tmp_path, "axes:\n  particle.radius: {from: 500 nm, to: 8 um, steps: 5, scale: log}\n")
    assert column(sweep, "radius") == ["500 nm", "1000 nm", "2000 nm", "4000 nm", "8000 nm"]


def test_whole_numbers_stay_whole_in_samples(tmp_path: Path) -> None:
    text = "design: latin-hypercube\nsamples: 40\naxes: {particle.grains.count: {from: 5, to: 8}}\n"
    counts = Counter(column(load(tmp_path, text), "count"))
    assert counts == {5: 10, 6: 10, 7: 10, 8: 10}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "design: sobol\nsamples: 12\n" + RANGES,
            "3: samples: 12 is no power of two, which Sobol's sequence needs; write 8 or 16",
        ),
        ("design: sobol\n" + RANGES, '2: design: "sobol" needs samples; write for example "samples: 32"'),
        ("samples: 4\n", '2: samples: a grid has no samples; leave "samples" out, or write "design: latin-hypercube"'),
        ("desing: zip\n", '2: desing: unknown key; did you mean "design"?'),
        ("axes: {particle.radius: 3 um}\n", '2: axes.particle.radius: is "3 um"; write a list such as [3 um]'),
        ("axes: {particle.radius: {from: 1 um, to: 3, steps: 2}}\n", "2: axes.particle.radius: one end has a unit"),
        ("axes: {particle.radius: {from: 0 um, to: 3 um, steps: 2, scale: log}}\n", "reaches zero or below"),
        ("axes: {particle.radius: {from: 1 um, steps: 2}}\n", "a range needs both ends"),
        ("axes: {particle.radius: {from: 1 um, to: 3 s, steps: 2}}\n", '"3 s" cannot be given in "um"'),
        ("axes: {particle.radius: {from: 1 um, to: 3 um}}\n", 'a range in a grid needs "steps"'),
        ("axes: {rate: {key: name, write: x, values: [1]}}\n", '"write" says nowhere {value}'),
        ("axes: {a b: [1]}\n", '"a b" is no key of a case'),
        ("axes: {seed: [1]}\n", '"seed" is a name the tables need'),
        (
            "axes: {particle.grains: [{count: 3}], particle.grains.count: [4]}\n",
            'sets the same key of the case as "particle.grains"',
        ),
        ("axes: {particle.grains.seed: [4]}\nseeds: 3\n", 'seeds: "particle.grains.seed" sets the seed already'),
        ("groups: {g: [nothing]}\naxes: {particle.radius: [1 um]}\n", '2: groups.g[1]: "nothing" is no axis'),
        ("axes: {particle.radius: {from: 1 um, to: 3 um, steps: 9999}}\nseeds: 9999\n", "runs are too many"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(tmp_path, text)), problems(tmp_path, text)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "design: gird\naxes:\n  particle.radius: {from: 1 um, to: 3}\n  x: 3\nwhere: ['1 <']\nranks: 0\n"
    assert [problem.partition(":")[0] for problem in problems(tmp_path, text)] == ["2", "5", "7"]


def test_a_missing_base_case_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("base: bse.yaml\n")
    (tmp_path / "base.yaml").write_text("material: NMC811\n")
    with pytest.raises(CaseError, match="there is no such file; did you mean") as caught:
        load_sweep(tmp_path / "other.yaml")
    assert caught.value.problems[0].startswith(f"{tmp_path}/other.yaml:1: base: ")
