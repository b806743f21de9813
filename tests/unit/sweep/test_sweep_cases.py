"""The cases of a sweep: merging, and problems told at the value that causes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_files import BASE, checked

from solver.case.load import load_text
from solver.errors import CaseError
from solver.sweep.axes import short_labels
from solver.sweep.places import key_path, with_value


def problems(folder: Path, text: str, base: str = BASE) -> list[str]:
    with pytest.raises(CaseError) as caught:
        checked(folder, text, base)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def test_values_are_set_and_the_rest_stays(tmp_path: Path) -> None:
    _, cases = checked(tmp_path, "axes: {particle.grains.count: [7], particle.radius: [3 um]}\n")
    [case] = cases.cases
    assert case.loaded.case.particle.grains.count == 7
    assert case.loaded.case.particle.radius == 3.0
    assert case.loaded.case.particle.grains.seed == 4
    assert case.loaded.case.name == "small: count = 7, radius = 3 um"


def test_the_text_of_a_case_is_that_case(tmp_path: Path) -> None:
    _, cases = checked(tmp_path, "axes: {particle.radius: [1 um, 3 um]}\nseeds: 2\n")
    for case in cases.cases:
        assert load_text(case.loaded.text, tmp_path / "anywhere.yaml").digest == case.loaded.digest


def test_sections_are_merged_and_null_goes_back_to_the_default(tmp_path: Path) -> None:
    text = (
        "axes:\n  design:\n    sections:\n      plain: {particle: {mesh: null, grains: {spread: 10 %}}}\n"
        "      same:\n  particle.grains.spread: [20 %]\n"
    )
    _, cases = checked(tmp_path, text)
    plain, same = (case.loaded.case.particle for case in cases.cases)
    assert plain.mesh.size is None
    assert same.mesh.size == 0.5
    assert plain.grains.spread == same.grains.spread == 0.2  # a key of its own refines what a section says
    assert plain.grains.count == 10


def test_templates_hold_the_value_as_text_or_as_it_is(tmp_path: Path) -> None:
    text = (
        'axes:\n  rate: {key: electrochemistry.protocol, write: ["Charge at {value}C for 2 min"], values: [0.5, 2]}\n'
        '  both: {write: {particle: {grains: {count: "{value}", seed: "{value}"}}}, values: {few: 3, many: 9}}\n'
    )
    _, cases = checked(tmp_path, text)
    assert [case.inputs for case in cases.cases][1] == {"rate": 0.5, "both": "many"}
    last = cases.cases[-1].loaded.case
    assert last.electrochemistry.steps[0].c_rate == 2.0
    assert (last.particle.grains.count, last.particle.grains.seed) == (9, 9)


def test_a_wrong_value_is_told_at_its_line(tmp_path: Path) -> None:
    text = "axes:\n  particle.radius:\n    - 2 um\n    - 12 mm\n  particle.grain_size: [1 um]\n"
    assert problems(tmp_path, text) == [
        'sweep.yaml:5: axes.particle.radius[2]: "12 mm" is outside 0.1 um to 50 um',
        'sweep.yaml:6: axes.particle.grain_size[1]: unknown key; did you mean "grains.mean_diameter"?',
    ]


def test_a_wrong_section_is_told_with_its_key(tmp_path: Path) -> None:
    text = "axes:\n  design:\n    sections:\n      bad: {particle: {grains: {spread: 80 %}}}\n      good: {}\n"
    assert problems(tmp_path, text) == [
        'sweep.yaml:5: axes.design.sections.bad: particle.grains.spread: "80 %" is outside 0 % to 60 %'
    ]


def test_a_key_of_the_base_that_other_values_make_wrong_is_told_with_them(tmp_path: Path) -> None:
    # The mesh of the base case is too coarse for small grains only.
    text = "axes:\n  particle.radius: [2 um, 3 um]\n  particle.grains.count: [10, 3000]\n"
    found = problems(tmp_path, text)
    assert any("count = 3000" in problem for problem in found), found


def test_a_wrong_base_is_told_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "axes: {particle.radius: [1 um, 3 um]}\nseeds: 5\n", BASE.replace("NMC811", "NMC81"))
    assert len(found) == 1
    assert found[0].startswith('base.yaml:2: material: "NMC81" is not a material')


def test_an_entry_that_a_list_does_not_have_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, "axes:\n  electrochemistry.protocol[3]: [Rest for 1 min]\n")
    assert found == [
        "sweep.yaml:3: axes.electrochemistry.protocol[3][1]: the base case has no entry "
        "electrochemistry.protocol[3]; its lists end before"
    ]


def test_an_entry_of_a_list_can_be_set(tmp_path: Path) -> None:
    _, cases = checked(tmp_path, "axes:\n  electrochemistry.protocol[1]: [Charge at 2C for 1 min]\n")
    assert cases.cases[0].loaded.case.electrochemistry.steps[0].c_rate == 2.0


def test_nothing_is_changed_in_place() -> None:
    shared = {"a": 1}
    data = {"one": shared, "other": shared, "list": [shared]}
    changed = with_value(with_value(data, ("one", "a"), 2), ("list", 0, "a"), None)
    assert data == {"one": {"a": 1}, "other": {"a": 1}, "list": [{"a": 1}]}
    assert changed == {"one": {"a": 2}, "other": {"a": 1}, "list": [{}]}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("particle.radius", ("particle", "radius")),
        ("particle.coating[2].thickness", ("particle", "coating", 1, "thickness")),
        ("particle..radius", None),
        ("particle[0]", None),
        (".radius", None),
        ("", None),
    ],
)
def test_dotted_keys(text: str, path: object) -> None:
    assert key_path(text) == path


def test_labels_are_as_short_as_tells_them_apart() -> None:
    names = ["particle.radius", "particle.mesh.size", "particle.grains.seed", "a.x.size", "rate"]
    assert list(short_labels(names).values()) == ["radius", "mesh_size", "grains_seed", "x_size", "rate"]
