"""Current tables: headers of cell models and cyclers, signs, units, and what is said about files that are no table."""

from __future__ import annotations

import numpy as np
import pytest

from solver.case import current_table
from solver.case.current_table import CurrentScale, read_table
from solver.case.load import load_text
from solver.case.protocol import TableChoice, plan_protocol
from solver.case.protocol_text import parse_entry, parse_step
from solver.errors import CaseError
from solver.materials.checks import FARADAY


def read(folder, text, name="drive.csv", encoding="utf-8", **choice):
    (folder / name).write_bytes(text.encode(encoding))
    return read_table(folder, TableChoice(name, **choice))


class TestReading:
    @pytest.mark.parametrize(
        ("text", "choice", "values"),
        [
            ("Time [s],C-rate\n0,1\n60,-2\n", {}, [1, -2]),
            ("Time [min];C-rate\n0;1\n1;-2\n", {}, [1, -2]),
            ("Time [h]\tC-rate [-]\n0\t1\n0.016666666666666666\t-2\n", {}, [1, -2]),
            ("t,c_rate\n100,1\n160,-2\n", {}, [1, -2]),
            ('"Time [s]","Voltage [V]","C-rate"\n0,4.1,1\n60,4.0,-2\n', {}, [1, -2]),
            ("# from a model\n# 5 A h\n\nTime [s],Current [A]\n0,5\n60,-10\n", {"one_c_current": 5.0}, [1, -2]),
            ("time/s,I/mA\n0,-5\n60,10\n\n\n", {"one_c_current": 5e-3, "charge_is_positive": True}, [1, -2]),
            ("Time [s],C-rate\n0,-1\n60,2\n", {"charge_is_positive": True}, [1, -2]),
        ],
    )
    def test_c_rates_are_positive_on_discharge(self, tmp_path, text, choice, values):
        table = read(tmp_path, text, **choice)
        assert not table.is_density
        assert table.times == pytest.approx([0.0, 60.0])
        assert table.values == pytest.approx(values)

    @pytest.mark.parametrize(
        ("column", "factor"),
        [
            ("X-averaged positive electrode interfacial current density [A.m-2]", 1.0),
            ("interfacial current density [A/m^2]", 1.0),
            ("surface current density [A/m²]", 1.0),
            ("Positive particle surface flux [mol.m-2.s-1]", FARADAY),
            ("flux [mol/m^2/s]", FARADAY),
        ],
    )
    def test_a_density_counts_lithium_that_leaves(self, tmp_path, column, factor):
        table = read(tmp_path, f"Time [s],{column}\n0,1e-3\n10,-2e-3\n")
        assert table.is_density
        assert table.values == pytest.approx([-1e-3 * factor, 2e-3 * factor])

    def test_rows_at_nearly_one_time_are_a_jump(self, tmp_path):
        # As cell models write them; what lies between first and last there means nothing.
        table = read(tmp_path, "t,C-rate\n0,1\n600,1\n600.0000000000001,3\n600.0000000000002,0\n700,0\n")
        assert table.times.tolist() == [0.0, 600.0, 600.0, 700.0]
        assert table.values.tolist() == [1.0, 1.0, 0.0, 0.0]

    def test_marks_of_spreadsheets_do_no_harm(self, tmp_path):
        assert read(tmp_path, "\ufeffTime [s], C-rate\r\n0, 1\r\n60, -2\r\n").values.tolist() == [1.0, -2.0]

    @pytest.mark.parametrize(
        ("text", "choice", "advice"),
        [
            ("", {}, "drive.csv: the file is empty; name a time column"),
            ("\n\n", {}, "the file is empty"),
            ("0,1\n60,2\n", {}, "drive.csv:1: the first line holds numbers"),
            (
                "Time [s],Voltage [V]\n0,1\n",
                {},
                'no column of current such as "C-rate" among "Time [s]", "Voltage [V]"',
            ),
            ("Step,C-rate\n0,1\n", {}, 'no column of time such as "Time [s]"'),
            (
                "Time [s],C-rate,Current [A]\n0,1,1\n1,1,1\n",
                {},
                '"C-rate" and "Current [A]" are all columns of current',
            ),
            ("Time [s],Total current density [A.m-2]\n0,1\n1,1\n", {}, "no column of current"),
            ("Time [s],C-rate\n", {}, "0 rows of numbers"),
            ("Time [s],C-rate\n0,1\n", {}, "1 rows of numbers; a current over time needs two or more"),
            ("Time [s],C-rate\n0,1\n1,fast\n", {}, 'drive.csv:3: "C-rate": "fast" is not a number'),
            ("# note\nTime [s],C-rate\n0,1\n1,\n2,1\n", {}, 'drive.csv:4: "C-rate": is empty'),
            ("Time [s],C-rate\n0,1\n\n2,1\n", {}, 'drive.csv:3: "Time [s]": is empty'),
            ("Time [s],C-rate\n0,1\n1,nan\n2,1\n", {}, 'drive.csv:3: "C-rate": is empty'),
            ("Time [s],C-rate\n0,1\n1,inf\n2,1\n", {}, 'drive.csv:3: "C-rate": "inf" is not a number'),
            ("Time [s];C-rate\n0;1,5\n1;1,5\n", {}, "write a point for decimals"),
            ("Time [s],C-rate\n0,1\n5,1\n4,1\n", {}, 'drive.csv:4: "Time [s]": 4 s comes after 5 s'),
            ("Time [s],C-rate\n5,1\n5,2\n", {}, "the table covers 0 s"),
            ("Time [h],C-rate\n0,1\n5000,2\n", {}, "write 1 ms to 1000 h"),
            ("Time [s],C-rate\n0,1\n1,500\n", {}, 'drive.csv:3: "C-rate": 500C is above 100C'),
            ("Time [s],Current [A]\n0,1\n1,1\n", {}, 'write "Follow drive.csv with 1C = 5 A"'),
            ("Time [s],C-rate\n0,1\n1,1\n", {"one_c_current": 5.0}, '"1C = …" has no effect on this column'),
            ("Time [s],flux [mol/m^2/s]\n0,1\n1,1\n", {"charge_is_positive": True}, "leave out the sign"),
        ],
    )
    def test_what_is_no_table_is_refused_with_its_place(self, tmp_path, text, choice, advice):
        with pytest.raises(ValueError, match=r"drive\.csv") as caught:
            read(tmp_path, text, **choice)
        assert str(caught.value).startswith("drive.csv")
        assert advice in str(caught.value)

    def test_other_encodings_and_binary_files_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match="not UTF-8"):
            read(tmp_path, "Time [s],C-rate,Größe\n0,1,1\n", encoding="latin-1")
        with pytest.raises(ValueError, match=r"is no table|no column of time"):
            read(tmp_path, "\x00\x01\x02,\x03\n\x00,\x01\n")

    def test_huge_files_are_refused_before_they_are_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr(current_table, "MOST_ROWS", 3)
        with pytest.raises(ValueError, match="more than 3 rows"):
            read(tmp_path, "t,C-rate\n" + "".join(f"{row},1\n" for row in range(5)))
        monkeypatch.setattr(current_table, "MOST_BYTES", 10)
        with pytest.raises(ValueError, match="too large"):
            read(tmp_path, "Time [s],C-rate\n0,1\n1,1\n")


def test_what_a_current_means_for_a_particle(tmp_path):
    # 1 A/m² on a ball of 3 µm radius: i A / (F c V) with A/V = 3/R.
    scale = CurrentScale.of(0.8, surface=1.0, sites=49061.0)
    rates = read(tmp_path, "t,C-rate\n0,1\n1,1\n").course(scale)
    assert rates.rates == pytest.approx([0.8 / 3600.0] * 2)
    density = read(tmp_path, "t,interfacial current density [A.m-2]\n0,-1\n1,-1\n").course(scale)
    assert density.rates == pytest.approx([1e6 / (96485.33212 * 49061.0)] * 2)


class TestText:
    @pytest.mark.parametrize(
        ("text", "table", "duration", "ends"),
        [
            ("Follow drive.csv", TableChoice("drive.csv"), None, []),
            ("Follow my data/drive 1.csv until 3 V", TableChoice("my data/drive 1.csv"), None, ["3 V"]),
            ("follow a.csv for 20 min or until 3 V or until 4.3 V", TableChoice("a.csv"), 1200.0, ["3 V", "4.3 V"]),
            ("Follow a.csv with 1C = 5 A", TableChoice("a.csv", 5.0), None, []),
            ("Follow a.csv with charge positive", TableChoice("a.csv", None, True), None, []),
            (
                "Follow a.csv with 1C=500 mA, positive charge until 10 %",
                TableChoice("a.csv", 0.5, True),
                None,
                ["10 %"],
            ),
            ("Follow a.csv with discharge positive", TableChoice("a.csv"), None, []),
        ],
    )
    def test_is_read(self, text, table, duration, ends):
        step = parse_step(text)
        assert (step.kind, step.table, step.duration) == ("follow", table, duration)
        assert [end.text for end in step.ends] == ends

    @pytest.mark.parametrize(
        ("text", "advice"),
        [
            ("Follow", "does not say which table"),
            ("Follow a.csv with love", '"love" says nothing about a table'),
            ("Follow a.csv with 1C = 0 A", "is not zero"),
            ("Follow a.csv until C/20", "only a held voltage ends at a current"),
            ("Follow a.csv until 3 V or until 4 V or until 5 V", "two ends of the same kind"),
        ],
    )
    def test_is_refused(self, text, advice):
        with pytest.raises(ValueError, match="Follow") as caught:
            parse_step(text)
        assert advice in str(caught.value)

    def test_can_be_repeated(self):
        assert len(parse_entry("Repeat 3 times: Follow a.csv; Rest for 1 h")) == 6


def test_plan_runs_to_the_end_of_the_table(tmp_path):
    table = read(tmp_path, "Time [min],C-rate\n0,1\n30,1\n30,-2\n60,-2\n")
    choice, scale = TableChoice("drive.csv"), CurrentScale.of(1.0, 1.0, 5e4)
    steps = [parse_step("Follow drive.csv"), parse_step("Follow drive.csv for 30 min")]
    whole, half = plan_protocol(steps, 0.3, 1.0, courses={choice: table.course(scale)})
    assert (whole.start_soc, whole.end_soc, whole.duration) == pytest.approx((0.7, 1.2, 3600.0))
    assert (half.end_soc, half.duration, half.is_exact) == (pytest.approx(0.7), 1800.0, True)


CASE = "material: NMC811\nelectrochemistry:\n  initial_stoichiometry: 0.5\n  protocol: [Rest for 1 min, {}]\n"


class TestCase:
    def load(self, folder, table, step="Follow drive.csv"):
        (folder / "drive.csv").write_text(table)
        return load_text(CASE.format(step), folder / "case.yaml")

    def test_holds_the_table(self, tmp_path):
        loaded = self.load(tmp_path, "t,C-rate\n0,1\n60,1\n")
        assert loaded.tables[TableChoice("drive.csv")].values.tolist() == [1.0, 1.0]

    def test_an_edited_table_is_another_case(self, tmp_path):
        digests = {self.load(tmp_path, f"t,C-rate\n0,1\n60,{rate}\n").digest for rate in (1, 1, 1.5)}
        assert len(digests) == 2

    @pytest.mark.parametrize(
        ("table", "step", "problem"),
        [
            ("t,C-rate\n0,1\n60,x\n", "Follow drive.csv", 'drive.csv:3: "C-rate": "x" is not a number'),
            ("t,C-rate\n0,1\n60,1\n", "Follow other.csv", 'there is no file "other.csv"'),
            ("t,C-rate\n0,1\n60,1\n", "Follow /", "is a folder"),
            ("t,C-rate\n0,-1\n3000,-1\n", "Follow drive.csv", "another sign of the current"),
            ("t,C-rate\n0,0\n60,0\n", "Charge at 1C until drive.csv", "not a state of charge"),
        ],
    )
    def test_a_bad_table_is_a_problem_of_its_line(self, tmp_path, table, step, problem):
        with pytest.raises(CaseError) as caught:
            self.load(tmp_path, table, step)
        [line] = caught.value.problems
        assert line.startswith(f"{tmp_path}/case.yaml:4: electrochemistry.protocol[2]: ")
        assert problem in line

    def test_an_end_makes_any_table_possible(self, tmp_path):
        assert self.load(tmp_path, "t,C-rate\n0,-1\n3000,-1\n", "Follow drive.csv until 4.3 V").tables

    def test_a_density_is_only_estimated_without_a_mesh(self, tmp_path):
        table = "t,interfacial current density [A.m-2]\n0,9\n3000,9\n"
        assert self.load(tmp_path, table).tables  # the run itself knows the area and watches the range


def test_numbers_written_with_exponents_are_numbers(tmp_path):
    assert read(tmp_path, "t,C-rate\n0,1e-1\n1e2,-1E+0\n").values == pytest.approx(np.array([0.1, -1.0]))
