import json

import pytest

from pipeline.core.files import md5
from pipeline.trained import read_record


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "lenet"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    record = {"run": "lenet", "model_md5": md5(folder / "model.safetensors")}
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def test_a_record_is_read_with_the_weights_it_names(folder):
    assert read_record(folder)["run"] == "lenet"


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("model.safetensors", b"other weights", r"model\.safetensors: its md5 is \w+, not that in record\.json"),
        ("model.safetensors", None, "model.safetensors"),
        ("record.json", b'{"run":', r"record\.json: "),
        ("record.json", None, "record.json"),
    ],
)
def test_what_does_not_belong_together_is_refused_with_the_remedy(folder, file, content, expected):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{expected}.*; run `dvc repro train@lenet`"):
        read_record(folder)
