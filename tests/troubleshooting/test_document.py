"""docs/troubleshooting.md and the tests of this folder have the same mistakes."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from troubleshooting import FILE, Row, rows


def provoked():
    """The tests here that are given a row."""
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and "row" in [argument.arg for argument in node.args.args]:
                yield node.name


def test_each_row_has_one_test_and_each_test_a_row():
    assert Counter(row.test for row in rows()) == Counter(provoked())


def test_each_row_says_what_is_printed_and_what_helps():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    headers = [line for line in lines if line.startswith("| what was done ")]

    assert all(row.messages for row in rows())
    assert len(rows()) == sum(line.startswith("| ") for line in lines) - 2 * len(headers) >= 20


@pytest.mark.parametrize(
    ("message", "printed", "expected"),
    [
        ("error: … is not here", "x\nerror: a b\nis  not here\n", True),
        ("error: … is not here", "error: a is here", False),
        ("a (b)? 'c'", "a (b)? 'c'", True),
        ("a… b", "a: b", True),
        ("first … last", "last first", False),
    ],
)
def test_a_message_is_found_with_anything_in_its_gaps(message, printed, expected):
    assert Row("", (message,), ()).is_in(printed) is expected
