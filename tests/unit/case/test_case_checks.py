"""Checks across sections: the protocol against the lattice table, the mesh against the grains, files that are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from solver.case.load import load_text
from solver.errors import CaseError


def load(folder: Path = Path("/nowhere"), **sections: str):
    sections = {"material": "NMC811", "electrochemistry": "{protocol: Charge at C/2 until 60 % SoC}", **sections}
    return load_text("".join(f"{key}: {value}\n" for key, value in sections.items()), folder / "c.yaml")


def problem(folder: Path = Path("/nowhere"), **sections: str) -> str:
    with pytest.raises(CaseError) as caught:
        load(folder, **sections)
    [line] = caught.value.problems
    return line


@pytest.mark.parametrize(
    ("electrochemistry", "expected"),
    [
        ("{protocol: Discharge at 1C until 70 % SoC}", ["protocol[1]", "starts at 5 % SoC", "or charge"]),
        ("{protocol: [Charge at 1C until 60 %, Charge at 1C until 50 %]}", ["protocol[2]", "starts at 60 % SoC"]),
        (
            "{protocol: Charge at 1C until 95 % SoC}",
            ["ends at 95 % SoC; the lattice table of NMC811 covers 0 % to 89 %"],
        ),
        ("{protocol: Charge at 1C for 2 h}", ["ends at 205 % SoC"]),
        ("{protocol: Discharge at 1C for 10 min}", ["ends at -11.6667 % SoC"]),
        ("{initial_stoichiometry: 0.05, protocol: Rest for 1 s}", ["0.05 is outside 0.11 to 1, the lattice table"]),
    ],
)
def test_protocol_stays_on_the_lattice_table(electrochemistry, expected):
    line = problem(electrochemistry=electrochemistry)
    assert all(part in line for part in expected)


def test_one_c_capacity_sets_how_far_a_step_goes():
    # 1C for 50 min moves 83 % of the theoretical capacity (275.5 mAh/g), but only 60 % when 1C means 200 mAh/g.
    step = "protocol: Charge at C/2 for 110 min"
    assert "ends at 96.6667 % SoC" in problem(electrochemistry=f"{{{step}}}")
    load(electrochemistry=f"{{{step}, one_c_capacity: 200 mAh/g}}")


def test_stress_free_state_must_have_a_strain():
    assert "stress_free_stoichiometry: 0.05 is outside 0.11 to 1" in problem(
        mechanics="{stress_free_stoichiometry: 0.05}"
    )


def test_only_a_section_can_be_kept_from_stretching():
    assert "out_of_plane: a whole particle has no plane; leave it out, or write particle.dimension: 2" in problem(
        mechanics="{out_of_plane: plane-strain}"
    )
    load(mechanics="{out_of_plane: plane-strain}", particle="{dimension: 2}")


def test_surface_that_runs_empty_is_a_warning_not_an_error():
    fast = load(electrochemistry="{protocol: Charge at 3C until 80 % SoC}")
    [warning] = fast.warnings
    assert "c.yaml:2: electrochemistry.protocol[1]: the surface may run out of lithium" in warning
    assert load(electrochemistry="{protocol: Charge at C/10 until 80 % SoC}").warnings == ()
    back = load(electrochemistry="{initial_stoichiometry: 0.3, protocol: Discharge at 2C until 2 % SoC}")
    assert "the surface may run full" in back.warnings[0]


def test_uniform_flux_empties_layers_along_the_surface_sooner():
    gentle = "protocol: Charge at C/5 until 70 % SoC"
    assert load(electrochemistry=f"{{{gentle}}}").warnings == ()
    assert load(electrochemistry=f"{{kinetics: uniform-flux, {gentle}}}").warnings != ()


@pytest.mark.parametrize(
    ("particle", "expected"),
    [
        (
            "{radius: 5 um, grains: {mean_diameter: 12 um}}",
            "particle.grains.mean_diameter: 12 um in a particle of radius 5",
        ),
        ("{radius: 5 um, grains: {mean_diameter: 0.05 um}}", "particle.grains.mean_diameter: 0.05 um in a particle"),
        ("{radius: 5 um, mesh: {size: 8 um}}", "particle.mesh.size: 8 um is coarser than the grains (about 2.2 um)"),
        ("{radius: 50 um, mesh: {size: 0.01 um}}", "particle.mesh.size: 0.01 um is too fine for a radius of 50 um"),
    ],
)
def test_mesh_fits_the_grains(particle, expected):
    assert expected in problem(particle=particle)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent.msh", 'there is no file "absent.msh"; paths start from'),
        ("~/particle.msh", "write the full path instead of ~"),
        (".", "is a folder; write the name of a file"),
        ("/dev/null", "is not an ordinary file"),
        ('"a\\0b"', "holds a character that no file name has"),
        ('"../../\\x1b[2J"', "holds a character that no file name has"),
        ("x" * 900, "there is no file"),
        ("case.yaml/x.msh", "there is no file"),
    ],
)
def test_named_files_must_be_readable(tmp_path, name, expected):
    (tmp_path / "case.yaml").write_text("x")
    line = problem(tmp_path, particle=f"{{from_file: {{path: {name}}}}}")
    assert "particle.from_file.path: " in line
    assert expected in line
    assert line.isprintable()


def test_orientation_file_is_looked_for_beside_the_case(tmp_path):
    section = "{grains: {count: 2, orientation: {file: axes.txt}}}"
    assert "particle.grains.orientation.file: there is no file" in problem(tmp_path, particle=section)
    (tmp_path / "axes.txt").write_text("0 0 1\n1 0 0\n")
    load(tmp_path, particle=section)


def test_keys_that_a_mesh_file_decides_are_pointed_out(tmp_path):
    (tmp_path / "p.msh").write_text("any")
    loaded = load(tmp_path, particle="{radius: 4 um, from_file: {path: p.msh}, grains: {orientation: radial}}")
    [warning] = loaded.warnings
    assert "particle.radius: has no effect: the mesh file decides" in warning
    again = type(loaded.case).model_validate_json(loaded.case.model_dump_json())
    assert again.particle.grains == loaded.case.particle.grains


@pytest.mark.parametrize(
    ("grains", "expected"),
    [("{count: 5}", "come from the mesh file; leave them out"), ("100", "expected a block such as {count: 100}")],
)
def test_grains_of_a_mesh_file_are_not_asked_for(tmp_path, grains, expected):
    (tmp_path / "p.msh").write_text("any")
    assert expected in problem(tmp_path, particle=f"{{from_file: {{path: p.msh}}, grains: {grains}}}")
