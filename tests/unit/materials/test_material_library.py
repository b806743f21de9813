"""The library: every file is sound, its numbers are those of the source tables, and broken copies are found out."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
from ruamel.yaml import YAML

from meshes.quantities import (
    CONCENTRATION,
    DENSITY,
    DIFFUSIVITY,
    FRACTURE_ENERGY,
    LENGTH,
    MOLAR_ENERGY,
    MOLAR_VOLUME,
    SPECIFIC_CAPACITY,
    STRESS,
    TEMPERATURE,
    VOLUME,
    parse_quantity,
)
from solver.errors import CaseError
from solver.materials import (
    MaterialChoice,
    MaterialError,
    checks,
    grain_boundary_names,
    library,
    load_grain_boundary,
    load_material,
    material_names,
)
from solver.materials.records import BoundaryRecord, MaterialRecord
from solver.materials.units import UNITS

ACTIVE = [
    "EEC-Ni90",
    "HE-LNMO",
    "LCO",
    "LRMO",
    "NCM83",
    "NMC111",
    "NMC532",
    "NMC622",
    "NMC811",
    "Ni90",
    "Ni96",
    "isotropic-benchmark",
]


def test_the_library_holds_what_it_should():
    assert material_names() == ACTIVE
    assert library.names_of_kind("coating", "surface_layer") == ["EEC_layer", "Nb12WO33", "NiO", "ZrO2"]
    assert library.names_of_kind("solid_electrolyte") == ["LPSCl", "Li3InCl6"]
    assert grain_boundary_names() == ["low", "default", "high", "upper"]


@pytest.mark.parametrize("path", sorted(library.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_kind_line_is_the_kind_of_the_file(path):
    """Names are listed from that line alone, so it must not lie."""
    kind = YAML(typ="safe").load(path.read_text(encoding="utf-8")).get("kind")
    assert (kind is None and path.stem == "sources") or path.stem in library.names_of_kind(kind)


@pytest.mark.parametrize("name", ACTIVE)
def test_every_material_loads_with_sensible_numbers(name):
    material = load_material(name)
    low, high = material.stoichiometry_range
    assert material.name == name
    assert 0 <= low < 0.35
    assert high == 1
    assert np.abs(material.lattice.both(1.0)).max() < 1e-15
    assert -0.09 < material.lattice.volume_change(low) <= 0.001
    assert np.linalg.eigvalsh(material.stiffness.voigt()).min() > 29e3
    assert 1e-5 < material.diffusivity_ab < 1e-1
    assert material.diffusivity(material.reference_temperature) == (material.diffusivity_ab, material.diffusivity_c)
    assert 45e3 < material.maximum_concentration < 53e3
    assert 4e3 < material.density < 5.2e3
    assert 270 < material.theoretical_capacity < 315
    assert (material.open_circuit is None) == (material.fracture is None) == (name == "isotropic-benchmark")
    assert all(entry.unit in UNITS for entry in material.entries.values())


@pytest.mark.parametrize("name", library.names_of_kind("coating", "surface_layer", "solid_electrolyte", "reference"))
def test_everything_else_loads(name):
    assert library.record(name).quantities


@pytest.mark.parametrize(
    ("name", "x", "volume_change"),
    [
        ("NMC811", 0.11, -0.07323),
        ("NMC811", 0.45, -0.01368),
        ("NMC111", 0.21, -0.02203),
        ("NMC532", 0.3, -0.0195),
        ("NMC622", 0.18, -0.04474),
        ("NCM83", 0.11, -0.07323),
        ("Ni90", 0.28, -0.05246),
        ("Ni90", 0.2, -0.06979),
        ("EEC-Ni90", 0.28, -0.02711),
        ("EEC-Ni90", 0.12, -0.07036),
        ("Ni96", 0.11, -0.079),
        ("LCO", 0.11, -0.03874),
        ("LRMO", 0.3, -0.0146),
        ("HE-LNMO", 0.2, 0.0),
    ],
)
def test_volume_changes_of_the_source_tables(name, x, volume_change):
    # The tables print strains with five decimals: 2 × 5e-6 + 5e-6.
    assert load_material(name).lattice.volume_change(x) == pytest.approx(volume_change, abs=2e-5)


@pytest.mark.parametrize(
    ("name", "x", "strain_a", "strain_c"),
    [
        ("NMC811", 0.35, -0.01639, 0.01325),
        ("NMC811", 0.9, 0.0, 0.0),
        ("Ni90", 0.45, -0.0157, 0.0163),
        ("EEC-Ni90", 0.22, -0.0189, -0.001),
        ("LCO", 0.43, -0.0036, 0.026),
        ("NMC111", 0.45, -0.0138, 0.0211),
    ],
)
def test_strains_of_the_source_tables(name, x, strain_a, strain_c):
    lattice = load_material(name).lattice
    assert lattice.both(x) == pytest.approx([strain_a, strain_c], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "x", "voltage"),
    [
        ("NMC811", 0.5, 3.972),  # Chen 2020 at the stoichiometry
        ("NMC811", 0.27, 4.273),
        ("LCO", 0.519, 4.13),
        ("Ni90", 0.28, 4.185),
        ("NMC532", 0.5, 3.957),  # s = 0.3056 of Mohtat 2020
        ("NMC622", 0.3, 4.32),
    ],
)
def test_voltages(name, x, voltage):
    open_circuit = load_material(name).open_circuit
    assert open_circuit(x) == pytest.approx(voltage, abs=2e-3)
    low, high = open_circuit.valid
    assert np.array_equal(open_circuit([-1.0, 2.0]), open_circuit([low, high]))


def test_the_solver_gets_its_own_units():
    material = load_material("NMC811")
    assert material.stiffness.C11 == 285e3  # 285 GPa
    assert material.diffusivity_ab == pytest.approx(4e-3)  # 4e-15 m²/s
    assert material.diffusivity_c == pytest.approx(4e-5)
    assert material.fracture.cleavage_strength == 1000.0
    assert material.entries["elasticity.C11"].unit == "GPa"  # as written in the file


def test_arrhenius():
    material = load_material("NMC811")
    hot, _ = material.diffusivity(318.15)
    assert hot / material.diffusivity_ab == pytest.approx(np.exp(25000 / 8.314462618 * (1 / 298.15 - 1 / 318.15)))
    with pytest.raises(MaterialError, match="no temperature"):
        material.diffusivity(0.0)


def load_choice(name, table):
    return load_material(MaterialChoice(base=name, strain_table=table))


def test_two_readings_of_nickel_rich_strain_meet_the_same_anchors():
    """Published at SoC 0.72: c -3.26 % (bare) and -0.58 % (coated), V -5.25 % and -2.71 %."""
    for name, contraction, volume in (("Ni90", -0.0326, -0.0525), ("EEC-Ni90", -0.0058, -0.0271)):
        tables = {key: load_choice(name, key).lattice for key in ("from_c_maximum", "from_pristine")}
        for lattice in tables.values():
            assert lattice.volume_change(0.28) == pytest.approx(volume, abs=5e-5)  # printed in hundredths of a percent
        assert tables["from_pristine"].c(0.28) == pytest.approx(contraction, abs=1e-6)
        peak = tables["from_c_maximum"].c(0.45)
        # 3.26 % of the maximum or of the pristine length: 0.05 % apart, below what the paper prints
        assert tables["from_c_maximum"].c(0.28) - peak == pytest.approx(contraction, abs=6e-4)


def test_the_two_readings_rank_bare_and_coated_differently():
    mismatch = {
        (name, table): abs(float(np.diff(load_choice(name, table).lattice.both(0.28))[0]))
        for name, table in itertools.product(("Ni90", "EEC-Ni90"), ("from_c_maximum", "from_pristine"))
    }
    assert mismatch["EEC-Ni90", "from_pristine"] < mismatch["Ni90", "from_pristine"]
    assert mismatch["EEC-Ni90", "from_c_maximum"] > mismatch["Ni90", "from_c_maximum"]


def test_isotropic_benchmark():
    """Ω c_max/3 = 1e-6 × 5e4 / 3; numbers of V3 follow from it."""
    material = load_material("isotropic-benchmark")
    x = np.linspace(0, 1, 11)
    assert material.lattice.a(x) == pytest.approx(5e-2 / 3 * (x - 1), abs=1e-15)
    assert np.array_equal(material.lattice.a(x), material.lattice.c(x))
    assert material.diffusivity_ab == material.diffusivity_c == pytest.approx(1e-2)
    assert np.diag(material.stiffness.voigt())[3:] == pytest.approx([140e3 / 2.6] * 3)
    # 1C: jR/(5 D) of x and the hoop stress E Ω c_max Δx /(3 (1 − ν)) × 1 = 154.3 MPa
    rise = 5.0 / 3 / 3600 * 5.0 / (5 * material.diffusivity_ab)
    assert rise * 5e4 == pytest.approx(2315, abs=0.5)
    assert 140e3 * 5e-2 / (3 * 0.7) * rise == pytest.approx(154.3, abs=0.05)


def test_grain_boundary_sets():
    """Openings, cohesive length and toughness for E = 150 GPa, as printed with three digits in the source."""
    expected = {
        "low": (100, 0.07, 0.1, 1.4, 1.05, 0.102),
        "default": (300, 0.3, 0.2, 2.0, 0.5, 0.212),
        "high": (745, 0.53, 0.37, 1.42, 0.143, 0.282),
        "upper": (745, 0.69, 0.37, 1.85, 0.186, 0.322),
    }
    for name, (strength, toughness, first, last, length, critical) in expected.items():
        found = load_grain_boundary(name)
        assert (found.strength, found.toughness) == (strength, toughness)
        assert found.shear_strength == found.strength
        assert found.opening_at_strength * 1e3 == pytest.approx(first, abs=5e-3)
        assert found.opening_at_failure * 1e3 == pytest.approx(last, abs=5e-3)
        assert found.cohesive_length(150e3) == pytest.approx(length, abs=5e-3)
        assert found.fracture_toughness(150e3) == pytest.approx(critical, abs=5e-4)
    with pytest.raises(MaterialError, match="did you mean high"):
        load_grain_boundary("hihg")


@pytest.mark.parametrize(
    ("dimension", "units"),
    [
        (STRESS, ["GPa", "MPa"]),
        (DIFFUSIVITY, ["m^2/s", "um^2/s"]),
        (CONCENTRATION, ["mol/m^3"]),
        (MOLAR_VOLUME, ["m^3/mol"]),
        (MOLAR_ENERGY, ["J/mol"]),
        (DENSITY, ["kg/m^3", "g/cm^3"]),
        (SPECIFIC_CAPACITY, ["mAh/g"]),
        (FRACTURE_ENERGY, ["J/m^2"]),
        (TEMPERATURE, ["K"]),
        (LENGTH, ["nm", "um"]),
        (VOLUME, ["um^3"]),
    ],
)
def test_unit_factors_are_those_of_the_case_files(dimension, units):
    for unit in units:
        assert parse_quantity(f"1 {unit}", dimension) == pytest.approx(UNITS[unit].factor, rel=1e-12)


def test_unknown_names_get_suggestions():
    with pytest.raises(MaterialError, match=r'no material "nmc881"; did you mean NMC811') as caught:
        load_material("nmc881")
    assert isinstance(caught.value, CaseError)
    with pytest.raises(MaterialError, match="known: EEC-Ni90"):
        load_material("../../etc/passwd")
    with pytest.raises(MaterialError, match="no material"):
        load_material("ZrO2")  # a coating is no active material


# ---------------------------------------------------------------------------------------------------- broken copies


def raw(name):
    return YAML(typ="safe").load((library.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def problems_of(data):
    record = MaterialRecord.model_validate(data)
    family = raw(record.family)["quantities"] if record.family else {}
    shared = MaterialRecord.model_validate({**data, "quantities": family}).quantities
    record = record.model_copy(update={"quantities": library.merged(shared, record.quantities)})
    return checks.material_problems(record, set(library.sources().sources))


def change(data, path, value):
    """A copy of `data` with the value at a dotted path replaced; list positions are numbers, None deletes."""
    data = copy.deepcopy(data)
    *way, last = path.split("/")
    place = data
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    last = int(last) if isinstance(place, list) else last
    if value is None:
        del place[last]
    else:
        place[last] = value
    return data


_ROW = "strain/choices/absolute/rows"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("quantities/elasticity/C13/value", 202.0, "not positive definite"),
        ("quantities/elasticity/C11/unit", "furlong", 'unknown unit "furlong"'),
        ("quantities/elasticity/C11/unit", "m^2/s", "does not measure a stress"),
        ("quantities/elasticity/C11", None, "elasticity.C11: missing"),
        ("quantities/elasticity/aggregate_youngs_modulus/value", 500.0, "outside its own range"),
        ("quantities/elasticity/aggregate_youngs_modulus/range", [184.0, 138.0], "runs backwards"),
        ("quantities/lattice/a0/source", ["Nobody1999"], 'unknown source "Nobody1999"'),
        ("quantities/lattice/a0/source", [], "secondary needs a source"),
        ("quantities/composition/density/note", "", "derived needs a note"),
        ("quantities/composition/density/value", 4000.0, "contradicts the cell"),
        ("quantities/composition/theoretical_capacity/value", 200.0, "contradicts the cell"),
        ("quantities/composition/maximum_concentration/value", 63104.0, "contradicts the cell"),
        ("quantities/lattice/cell_volume/value", 103.0, "contradicts the cell"),
        (f"{_ROW}/5/0", 0.29, "rise"),
        (f"{_ROW}/5/1", 2.83, "V is not"),
        (f"{_ROW}/5/3", 99.0, "V is not"),
        (f"{_ROW}/5/4", -0.0155, "strain_a does not follow"),
        (f"{_ROW}/5/5", 0.0155, "strain_c does not follow"),
        (f"{_ROW}/5/5", 0.25, "larger than 20 %"),
        (f"{_ROW}/17", None, "end with the unstrained crystal"),
        ("strain/choices/absolute/columns", ["x", "c", "a"], "columns must be"),
        ("strain/default", "kelvin", 'the default "kelvin" is none of absolute, cycled_cell'),
        ("open_circuit/choices/charge_c10/rows/3/1", 4.6, "must fall"),
        ("open_circuit/choices/chen/expression", "3.5 + s", "must fall"),
        ("open_circuit/choices/chen/expression", "8 - s", "between 1 and 6 V"),
        ("open_circuit/choices/chen/expression", "open('x')", "is not a formula"),
        ("open_circuit/choices/chen/variable", "y", "is not a formula"),
        ("open_circuit/choices/chen/valid", [0.9, 0.3], "two rising stoichiometries"),
        ("open_circuit/default", "kelvin", "open_circuit: the default"),
        ("diffusivity", None, "diffusivity: missing"),
        ("diffusivity/choices/particle/value/value", -1e-15, "positive diffusivity"),
        ("diffusivity/choices/particle/value/unit", "GPa", "does not measure a diffusivity"),
        ("diffusivity/choices/pulse_titration/profile/expression", "s - 0.5", "not positive"),
        ("entropy/unit", "furlong", "unknown unit"),
    ],
)
def test_broken_copies_are_found_out(path, value, words):
    sound = raw("NMC811")
    assert problems_of(sound) == []
    problems = problems_of(change(sound, path, value))
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("quantities/elasticity/C11/value", float("nan"), "finite number"),
        ("quantities/elasticity/C11/value", "285", "valid number"),
        ("quantities/elasticity/C11/confidence", "certain", "'primary', 'secondary'"),
        ("quantities/elasticity/C11/range", None, "Field required"),
        ("quantities/elasticity/C11/colour", "red", "Extra inputs"),
        (f"{_ROW}/5/6", "certain", "'primary', 'secondary'"),
        (f"{_ROW}/5", [0.35, 2.8], "Field required"),
        ("kind", "sauce", "active_material"),
        ("name", None, "Field required"),
    ],
)
def test_wrong_shapes_are_named_with_their_place(tmp_path, path, value, words):
    file = tmp_path / "broken.yaml"
    broken = change(raw("NMC811"), path, value) if path != "kind" else {**raw("NMC811"), "kind": value}
    YAML(typ="safe").dump(broken, file)
    with pytest.raises(MaterialError) as caught:
        library.read(file, MaterialRecord)
    place = path.replace("/", ".")
    assert any(words in problem and problem.startswith(f"broken.yaml: {place}") for problem in caught.value.problems)


def test_all_problems_come_at_once():
    broken = change(raw("NMC811"), "quantities/elasticity/C13/value", 202.0)
    broken = change(broken, "quantities/lattice/a0/source", ["Nobody1999"])
    broken = change(broken, f"{_ROW}/5/4", -0.0155)
    broken = change(broken, "diffusivity/choices/particle/value/value", -1e-15)
    assert len(problems_of(broken)) >= 4


def test_no_yaml_is_a_material_error(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("a: [1\nb: }")
    with pytest.raises(MaterialError, match="not a YAML file"):
        library.read(file, MaterialRecord)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("sets/default/strength/value", -1.0, "must be positive"),
        ("sets/default/strength/unit", "J/m^2", "does not measure a stress"),
        ("sets/default/normal_stiffness/value", 100.0, "opens fully before"),
        ("sets/high/toughness/source", ["Nobody1999"], "unknown source"),
        ("quantities/tension/specimen_1/unit", "furlong", "unknown unit"),
    ],
)
def test_broken_grain_boundaries_are_found_out(path, value, words):
    known = set(library.sources().sources)
    assert checks.boundary_problems(library.grain_boundaries(), known) == []
    broken = BoundaryRecord.model_validate(change(raw("grain_boundary"), path, value))
    assert any(words in problem for problem in checks.boundary_problems(broken, known))


def test_every_source_is_used():
    """A source nobody cites is a leftover."""
    text = "".join(p.read_text(encoding="utf-8") for p in library.FOLDER.glob("*.yaml") if p.stem != "sources")
    unused = [key for key in library.sources().sources if key not in text]
    assert unused == ["Schweidler2024"]  # the commentary on Zhao2024, kept for the reader
