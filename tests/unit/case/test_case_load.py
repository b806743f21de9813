"""A case file as a whole: values, lines, one clear line per problem, all problems at once, files that are no case."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solver.case.load import load_case, load_text
from solver.errors import CaseError

MINIMAL = "material: NMC811\nelectrochemistry:\n  protocol: [Charge at 1C until 60 % SoC]\n"
# Where the snippets of the tables below begin.
FIRST = MINIMAL.count("\n") + 1


def problems_of(text: str, folder: Path = Path("/nowhere")) -> list[str]:
    with pytest.raises(CaseError) as caught:
        load_text(text, folder / "case.yaml")
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{folder}/case.yaml:") for line in caught.value.problems]


def test_defaults_are_in_the_micro_system():
    case = load_text(MINIMAL, Path("first try.yaml")).case
    assert case.name == "first try"
    assert case.particle.radius == 5.0
    assert case.electrochemistry.temperature == pytest.approx(298.15)
    assert case.electrochemistry.initial_stoichiometry == 0.95
    assert case.electrochemistry.steps[0].until_soc == pytest.approx(0.6)
    assert case.electrochemistry.one_c_capacity is None
    assert case.mechanics.coupling == "one-way"
    assert case.mechanics.stress_free_stoichiometry == 1.0
    assert case.indicators.boundary_thresholds == [100.0, 210.0, 425.0, 745.0]
    assert case.numerics.maximum_step == 600.0
    assert (case.output.fields, case.output.format, case.output.pictures) == (12, "vtkhdf", True)


@pytest.mark.parametrize(
    "radius", ["5um", "5 um", "5 µm", "5 μm", "5 microns", "5 micrometer", "5000 nm", "0.005 mm", "5e-6 m", "'5 um'"]
)
def test_a_length_may_be_written_in_many_ways(radius):
    case = load_text(f"{MINIMAL}particle: {{radius: {radius}}}", Path("c.yaml")).case
    assert case.particle.radius == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "mechanics:\noutput:\n",  # all keys of a section commented out
        "mechanics: {coupling: One Way}",
        "particle: {grains: {count: 3, orientation: 'random '}}",
        "particle: {grains: {count: 3, orientation: Radial}}",
        "output: {format: VTU}",
        "particle: {grains: {count: 3, spread: 0.3}}",
        "particle: {from_file: }",
        "electrochemistry: {protocol: Rest for 1 min}\n",
    ],
)
def test_harmless_variants_are_accepted(text):
    body = MINIMAL if "electrochemistry" not in text else "material: NMC811\n"
    load_text(body + text, Path("c.yaml"))


@pytest.mark.parametrize(
    ("snippet", "expected"),
    [
        # dimensional values
        ("particle: {radius: 5}", 'particle.radius: 5 has no unit; write a length with a unit, such as "5 um"'),
        ("particle: {radius: 12 mm}", 'particle.radius: "12 mm" is outside 0.1 um to 50 um'),
        ("particle: {radius: 5 MPa}", 'particle.radius: "5 MPa" is not a length; write a length with a unit'),
        ("particle: {radius: }", "particle.radius: has no value; write 5 um"),
        ("particle: {radius: [5 um]}", "particle.radius: expected a length, found a list; write for example 5 um"),
        ("particle: {radius: true}", "particle.radius: expected a length, found true; write for example 5 um"),
        ("particle: {radius: .nan}", "particle.radius: nan has no unit"),
        ("particle: {grains: {count: 9, spread: 80 %}}", 'particle.grains.spread: "80 %" is outside 0 % to 60 %'),
        ("particle: {grains: {count: 9, spread: .inf}}", "particle.grains.spread: inf is not a finite number"),
        # numbers, words, switches
        ("particle: {aspect_ratio: '1.1'}", 'expected a number from 0.4 to 2.5, found "1.1"; write 1.1 without quotes'),
        ("particle: {aspect_ratio: 110 %}", 'expected a number from 0.4 to 2.5, found "110 %"; write 1.1'),
        ("particle: {aspect_ratio: 3}", "particle.aspect_ratio: 3 is outside 0.4 to 2.5"),
        ("particle: {aspect_ratio: -.inf}", "-inf is not a finite number; write a number from 0.4 to 2.5"),
        ("particle: {grains: {count: 100.0}}", "expected a whole number from 1 to 5000, found 100.0; write 100"),
        ("particle: {grains: {count: '100'}}", 'expected a whole number from 1 to 5000, found "100"; write 100'),
        ("particle: {grains: {count: many}}", 'found "many"; write for example 100'),
        ("particle: {grains: {count: true}}", "expected a whole number from 1 to 5000, found true"),
        ("particle: {grains: {count: 0}}", "particle.grains.count: 0 is outside 1 to 5000"),
        ("particle: {grains: {count: 99999999999999999999}}", "the number 99999999999999999999 is too large"),
        ("output: {pictures: yes}", 'output.pictures: expected true or false, found "yes"; write true'),
        ("output: {pictures: 0}", "output.pictures: expected true or false, found 0; write false"),
        ("output: {format: xdmf}", 'output.format: "xdmf" is not one of vtkhdf, vtu; write for example vtkhdf'),
        ("name: 5", 'name: expected text, found 5; write "5" in quotes'),
        ("name: ''", "name: holds nothing, needs 1 to 200 characters"),
        ('name: "a\\nb"', "name: holds a line break or a character that does not show"),
        # blocks and lists
        ("particle: 5 um", 'particle: expected a block such as {radius: 5 um}, found "5 um"'),
        ("output: []", "output: expected a block such as {fields: 12}, found a list"),
        ("particle: {grains: 100}", "particle.grains: expected a block such as {count: 100}, found 100"),
        ("particle: {grains: {}}", 'particle.grains: write either "count: 100" or "mean_diameter: 1 um"'),
        ("particle: {from_file: p.msh}", 'found "p.msh"; write {path: p.msh}'),
        ("particle: {from_file: {}}", "particle.from_file.path: is missing; write path: my-mesh.msh"),
        ("indicators: {boundary_thresholds: 100 MPa}", 'expected a list, found "100 MPa"; write [100 MPa]'),
        ("indicators: {boundary_thresholds: []}", "holds nothing, needs 1 to 20 entries"),
        ("indicators: {boundary_thresholds: [1 MPa, 2]}", "indicators.boundary_thresholds[2]: 2 has no unit"),
        # one line for a union, about the alternative that was meant
        (
            "particle: {grains: {count: 9, orientation: radom}}",
            'particle.grains.orientation: "radom" is not one of random, radial, tangential, {axis: [0, 0, 1]}, '
            "{file: orientations.txt}; did you mean random?",
        ),
        ("particle: {grains: {count: 9, orientation: [0, 0, 1]}}", "orientation: a list is not one of random, radial"),
        (
            "particle: {grains: {count: 9, orientation: {axis: [0, 1]}}}",
            "orientation.axis: holds 2 entries, needs exactly 3",
        ),
        ("particle: {grains: {count: 9, orientation: {axis: [0, 0, 0]}}}", "orientation: the axis has no direction"),
        ("particle: {grains: {count: 9, orientation: {axis: [0, 0, z]}}}", 'axis[3]: expected a number, found "z"'),
        ("particle: {grains: {count: 9, orientation: {axes: [0, 0, 1]}}}", 'axes: unknown key; did you mean "axis"?'),
        ("particle: {grains: {count: 9, orientation: {foo: 1}}}", "orientation: a block with foo is not one of random"),
        # unknown keys
        ("particle: {radus: 5 um}", 'particle.radus: unknown key; did you mean "radius"?'),
        ("particle: {grain_size: 1 um}", 'particle.grain_size: unknown key; did you mean "grains.mean_diameter"?'),
        # options that do not go together, with the one to change
        ("particle: {shape: faceted, void: {radius: 1 um}}", "particle.void: a faceted particle is one plain crystal"),
        (
            "particle: {sector: eighth, pores: {law: gp-ncm}}",
            "particle.pores: an eighth is made of dense, round grains",
        ),
        (
            "particle: {pores: {profile: [[0.5, 0.1], [1.0]]}}",
            "particle.pores.profile[2]: holds 1 entries, needs exactly 2",
        ),
        ("particle: {seed: 3}", 'particle.seed: unknown key; did you mean "grains.seed"?'),
        ("temperature: 25 degC", 'temperature: unknown key; did you mean "electrochemistry.temperature"?'),
        ("tempreature: 25 degC", 'tempreature: unknown key; did you mean "electrochemistry.temperature"?'),
        (
            "particle: {zzz: 1}",
            "particle.zzz: unknown key; the keys here are radius, aspect_ratio, shape, roughness, grains, pores, void, "
            "coating, matrix, sector, dimension, mesh, from_file",
        ),
        ("mechanics: {Coupling: none}", 'mechanics.Coupling: unknown key; did you mean "coupling"?'),
        # contradictions
        (
            "mechanics: {coupling: full}",
            'mechanics.coupling: "full" is not one of none, one-way, two-way; write for example one-way',
        ),
        ("numerics: {minimum_step: 10 s}", "write minimum_step ≤ initial_step ≤ maximum_step"),
        ("material: NMC111", "material: is written twice, first in line 1; keep one"),
    ],
)
def test_one_clear_line_with_its_place(snippet, expected):
    [problem] = problems_of(MINIMAL + snippet)
    line, _, text = problem.partition(": ")
    assert line == str(FIRST)
    assert expected in text


@pytest.mark.parametrize(
    ("material", "expected"),
    [
        ("NMC812", 'material: "NMC812" is not a material of the library; did you mean "NMC811"?'),
        ("nmc811", 'did you mean "NMC811"?'),
        ("Ni 90", 'did you mean "Ni90"?'),
        ("Kryptonite", "write one of EEC-Ni90, HE-LNMO, LCO,"),
        ("5", "material: expected text or a block such as {base: NMC811}, found 5"),
        (
            "[NMC811]",
            "material: expected text or a block such as {base: NMC811}, found a list; write for example NMC811",
        ),
        ("{}", "material.base: is missing; write base: NMC811"),
        ("{bas: NMC811}", 'material.bas: unknown key; did you mean "base"?'),
        ("{base: NMC812}", 'material.base: there is no material "NMC812"; did you mean NMC811'),
        ("{base: NMC811, poisson_ratio: 2}", "material.poisson_ratio: 2 is not between -1 and 0.5"),
        ("{base: NMC811, diffusivity_ab: 4e-15}", "material.diffusivity_ab: 4e-15 has no unit"),
        ("{base: NMC811, youngs_modulus: 150 GPa}", "youngs_modulus and poisson_ratio go together"),
    ],
)
def test_material_problems(material, expected):
    [problem] = problems_of(f"material: {material}\nelectrochemistry: {{protocol: Charge at 1C until 60 % SoC}}\n")
    assert problem.startswith("1: ")
    assert expected in problem


def test_all_problems_are_reported_at_once_in_the_order_of_the_file():
    text = """\
name: 7
particle:
  radius: 12 mm
  grain_size: 1 um
  grains: {count: 0}
materail: NMC811
electrochemistry:
  temperature: 25
  protocol:
    - Charge at 4.3 V for 1 h
    - Rest
mechanics: {coupling: three-way}
output: {format: xdmf}
output: {format: vtu}
"""
    found = [tuple(problem.split(": ")[:2]) for problem in problems_of(text)]
    assert found == [
        ("1", "name"),
        ("3", "particle.radius"),
        ("4", "particle.grain_size"),
        ("5", "particle.grains.count"),
        ("6", "materail"),
        ("8", "electrochemistry.temperature"),
        ("10", "electrochemistry.protocol[1]"),
        ("11", "electrochemistry.protocol[2]"),
        ("12", "mechanics.coupling"),
        ("14", "output"),
    ]


def test_a_wrong_section_does_not_hide_problems_between_others():
    [numerics, protocol] = sorted(
        problems_of(MINIMAL.replace("60 %", "95 %") + "numerics: {time_tolerance: 5}\n"), reverse=True
    )
    assert "ends at 95 % SoC" in protocol
    assert "numerics.time_tolerance: 5 is outside" in numerics


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---", "null\n"])
def test_empty_file(text):
    assert problems_of(text) == ['1: the file is empty; write a starter with "vegard new my-case.yaml"']


@pytest.mark.parametrize(
    ("text", "what"), [("- a\n- b\n", "a list"), ("5\n", "5"), ("hello\n", '"hello"'), ("true", "true")]
)
def test_file_that_is_no_mapping(text, what):
    assert problems_of(text) == [f'1: the file holds {what}; write keys with values, such as "material: NMC811"']


def test_required_sections():
    found = problems_of("name: x\n")
    assert found == [
        "1: material: is missing; write material: NMC811",
        '1: electrochemistry: is missing; write electrochemistry: {protocol: ["Charge at 1C until 70 % SoC"]}',
    ]


class TestFilesThatAreNoCase:
    def fails_with(self, path: Path) -> str:
        with pytest.raises(CaseError) as caught:
            load_case(path)
        [problem] = caught.value.problems
        assert "\n" not in problem
        return problem

    def test_missing(self, tmp_path):
        (tmp_path / "quickstart.yaml").write_text(MINIMAL)
        problem = self.fails_with(tmp_path / "quikstart.yaml")
        assert f"there is no such file; did you mean {tmp_path}/quickstart.yaml?" in problem
        assert "vegard new" in self.fails_with(tmp_path / "nothing-like-it.txt")

    def test_folder(self, tmp_path):
        assert "this is a folder" in self.fails_with(tmp_path)

    def test_below_a_file(self, tmp_path):
        (tmp_path / "a").write_text("x")
        assert "there is no such file" in self.fails_with(tmp_path / "a" / "b.yaml")

    def test_pipe_does_not_hang(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.yaml")
        assert "not an ordinary file" in self.fails_with(tmp_path / "pipe.yaml")
        assert "not an ordinary file" in self.fails_with(Path("/dev/zero"))

    def test_not_utf_8(self, tmp_path):
        (tmp_path / "latin.yaml").write_bytes("name: x\nmaterial: Größe\n".encode("latin-1"))
        assert self.fails_with(tmp_path / "latin.yaml").endswith(
            "latin.yaml:2: this is not UTF-8 text; save the file as UTF-8"
        )
        (tmp_path / "utf16.yaml").write_bytes("name: x".encode("utf-16"))
        assert "not UTF-8" in self.fails_with(tmp_path / "utf16.yaml")

    def test_too_large(self, tmp_path):
        (tmp_path / "big.yaml").write_text("#" * 1_000_000)
        assert "is no case" in self.fails_with(tmp_path / "big.yaml")

    def test_unreadable_names(self, tmp_path):
        assert "there is no such file" in self.fails_with(Path("a\0b.yaml"))
        assert "cannot be read" in self.fails_with(Path("x" * 5000))
        assert "\\n" in self.fails_with(tmp_path / "a\nb.yaml")

    def test_byte_order_mark_is_harmless(self, tmp_path):
        (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
        assert load_case(tmp_path / "bom.yaml").case.material == "NMC811"


class TestDigest:
    def digest(self, text: str, path: Path = Path("c.yaml")) -> str:
        return load_text(text, path).digest

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: "# a comment\n" + text,
            lambda text: text + "name: another title\n",
            lambda text: text + "output: {pictures: false, format: vtu}\n",
            lambda text: text + "particle: {radius: 5000 nm, mesh: {time_limit: 60}}\n",
            lambda text: text.replace("60 % SoC", "0.6 SoC"),
            lambda text: text.replace("material: NMC811", "material: {base: NMC811}"),
        ],
    )
    def test_the_same_simulation_has_the_same_digest(self, change):
        assert self.digest(change(MINIMAL)) == self.digest(MINIMAL)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("60", "61"),
            lambda text: text + "particle: {radius: 4 um}\n",
            lambda text: text + "output: {fields: 3}\n",  # output times are hit by time steps
            lambda text: text + "numerics: {time_tolerance: 1e-4}\n",
            lambda text: text.replace("material: NMC811", "material: {base: NMC811, diffusivity_ratio: 0.5}"),
        ],
    )
    def test_another_simulation_has_another(self, change):
        assert self.digest(change(MINIMAL)) != self.digest(MINIMAL)

    def test_content_of_referenced_files_counts(self, tmp_path):
        text = MINIMAL + "particle: {grains: {count: 2, orientation: {file: axes.txt}}}\n"
        (tmp_path / "axes.txt").write_text("0 0 1\n1 0 0\n")
        before = self.digest(text, tmp_path / "c.yaml")
        (tmp_path / "axes.txt").write_text("0 0 1\n0 1 0\n")
        assert self.digest(text, tmp_path / "c.yaml") != before

    def test_the_place_of_a_file_does_not_count(self, tmp_path):
        digests = []
        for name in ("here.txt", "there.txt"):
            (tmp_path / name).write_text("0 0 1\n1 0 0\n")
            text = MINIMAL + f"particle: {{grains: {{count: 2, orientation: {{file: {name}}}}}}}\n"
            digests.append(self.digest(text, tmp_path / "c.yaml"))
        assert digests[0] == digests[1]

    def test_it_does_not_depend_on_the_process(self):
        code = f"from solver.case.load import *; print(load_text({MINIMAL!r}, Path('c.yaml')).digest)"
        environment = {**os.environ, "PYTHONHASHSEED": "12345"}
        other = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert other.stdout.strip() == self.digest(MINIMAL)


def test_resolved_case_can_be_written_as_json_and_read_back():
    loaded = load_text(MINIMAL + "indicators: {length: 200 nm}\n", Path("c.yaml"))
    again = type(loaded.case).model_validate_json(loaded.case.model_dump_json())
    assert again == loaded.case
