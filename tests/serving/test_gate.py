import json

import numpy as np
import pytest
from mlflow.types import ColSpec, Schema, TensorSpec

from pipeline.serving.gate import MAX_BYTES, MAX_CHARACTERS, MAX_EXAMPLES, Refused, check, check_headers

IMAGES = Schema([TensorSpec(np.dtype("uint8"), (-1, 2, -1, -1))])
ROWS = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
TEXTS = Schema([ColSpec("string", "text")])
LARGEST = float(np.finfo(np.float32).max)
LONG = MAX_CHARACTERS // 4


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (IMAGES, [[[[0]], [[255]]]]),
        (IMAGES, [[[[0] * 3] * 2] * 2] * MAX_EXAMPLES),
        (ROWS, [[0, -1.5], [LARGEST, -LARGEST]]),
        (ROWS, [[10**38, 1e-400]]),
        (ROWS, [[0, 0]] * MAX_EXAMPLES),
        (TEXTS, ["", "é\t\n😀"]),
        (TEXTS, {"text": ["a"]}),
        (TEXTS, ["a"] * MAX_EXAMPLES),
        (TEXTS, ["a" * LONG, "b", "c", "d"]),
    ],
)
def test_what_a_model_reads_passes(schema, given):
    check(json.dumps({"inputs": given}).encode(), schema)


@pytest.mark.parametrize(
    ("schema", "given", "status", "reason"),
    [
        (IMAGES, [[[[0]]]], 400, r"inputs must be nested lists of shape \(N, 2, H, W\), .*; found \(1, 1, 1, 1\)"),
        (IMAGES, [[[[0]], [[1, 2]]]], 400, r"found \(1, 2, 1\)"),
        (IMAGES, [[[[0, 256]], [[1, 2]]]], 400, r"inputs\[0\]\[0\]\[0\]\[1\] must be .* from 0 to 255 and is 256"),
        (IMAGES, [[[[0]], [[False]]]], 400, r"inputs\[0\]\[1\]\[0\]\[0\] must be .* and is False"),
        (ROWS, [[1, 2], [1, LARGEST * 1.001]], 400, r"inputs\[1\]\[1\] must be a finite float32 number"),
        (ROWS, [[1, 2], [1, -(10**400)]], 400, r"inputs\[1\]\[1\] must be a finite float32 number"),
        (ROWS, [[[1], [2]], [3, 4]], 400, r"inputs\[0\]\[0\] must be .* and is \[1\]"),
        (ROWS, [[0, 0]] * (MAX_EXAMPLES + 1), 413, "inputs has 1001 examples"),
        (TEXTS, ["a" * LONG, *"bcde"], 413, "5 texts as long as the longest have 5242880 characters"),
        (TEXTS, ["a" * (4 * LONG + 1)], 413, "1 texts as long as the longest have 4194305 characters"),
        (TEXTS, ["a", "\ud83d"], 400, r"inputs\[1\] has U\+D83D"),
    ],
)
def test_the_reason_says_what_is_wrong_and_where(schema, given, status, reason):
    with pytest.raises(Refused, match=reason) as raised:
        check(json.dumps({"inputs": given}).encode(), schema)
    assert raised.value.status == status
    assert len(str(raised.value)) < 500


def test_the_reason_repeats_no_more_than_a_line_of_a_large_request():
    long = "a" * 10**6
    for body in ({long: 1}, [long], {str(number): 1 for number in range(10**5)}, {"inputs": [long, 5]}):
        with pytest.raises(Refused) as raised:
            check(json.dumps(body).encode(), TEXTS)
        assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("content_type", "length", "status"),
    [
        ("", "2", 415),
        ("text/csv", "2", 415),
        ("application/jsonp", "2", 415),
        ("application/json", None, 411),
        ("application/json", str(MAX_BYTES + 1), 413),
    ],
)
def test_other_content_or_more_is_refused_by_its_headers(content_type, length, status):
    with pytest.raises(Refused) as raised:
        check_headers(content_type, length)
    assert raised.value.status == status


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/json ;x"])
def test_json_up_to_the_limit_passes(content_type):
    check_headers(content_type, str(MAX_BYTES))
