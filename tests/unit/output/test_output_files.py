"""Files appear whole or not at all, and read back exactly."""

from __future__ import annotations

import csv
import json
import math

import pytest

from solver.output.files import Table, replace_with, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "summary.json"
    write_text(target, "old")

    def fail(path):
        path.write_text("half")
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        replace_with(target, fail)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"x": math.nan, "y": [1.5, math.inf], "z": {"µ": (2, None)}})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"x": None, "y": [1.5, None], "z": {"µ": [2, None]}}
    assert "µ" in text


def test_rows_read_back_exactly(tmp_path):
    table = Table(tmp_path / "t.csv", ["a [s]", "b, quoted", "reason"])
    table.append([1.0 / 3.0, math.nan, 'said "no", twice'])
    table.append([7, True, ""])
    with (tmp_path / "t.csv").open(newline="") as file:
        header, first, second = csv.reader(file)
    table.close()
    assert header == ["a [s]", "b, quoted", "reason"]
    assert float(first[0]) == 1.0 / 3.0
    assert first[1:] == ["", 'said "no", twice']
    assert second == ["7", "True", ""]


def test_a_row_must_fit_the_header(tmp_path):
    table = Table(tmp_path / "t.csv", ["a", "b"])
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        table.append([1.0])
    table.close()
