import csv

import numpy as np

from pipeline.evaluation.tables import write_csv

VALUES = [1 / 3, 1e-17, 12345.678901234567]


def test_floats_are_written_in_full(tmp_path):
    write_csv(tmp_path / "a.csv", ("epoch", "loss"), [1, 2, 3], VALUES)
    with (tmp_path / "a.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["loss"]) for row in rows] == VALUES and [row["epoch"] for row in rows] == ["1", "2", "3"]


def test_floats_are_rounded_on_request_and_text_is_quoted(tmp_path):
    write_csv(tmp_path / "a.csv", ("x", "name"), np.array(VALUES), ["a", "b,c", "é"], digits=6)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == 'x,name\n0.333333,a\n0.0,"b,c"\n12345.678901,é\n'
