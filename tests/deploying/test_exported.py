import json

import pytest
import torch

from pipeline.deploying.exported import read


def test_every_test_example_is_asked_once_and_the_first_alone(export):
    folder = export("linear", "image")
    exported = read("a")
    assert [len(images) for (images,) in exported.calls] == [1, 99, 100, 57]
    assert exported.answers.shape == (257, 5)
    assert exported.facts["run"] == "a"
    assert json.loads(exported.facts["classes"]) == ["zero", "é", "two", "three", "four"]
    assert exported.facts["model_md5"] == json.loads((folder / "record.json").read_text())["model_md5"]


def test_one_test_example_is_enough(export):
    export("linear", "table", "regression", num_examples=1)
    exported = read("a")
    assert [len(rows) for (rows,) in exported.calls] == [1]
    assert "classes" not in exported.facts


def test_other_answers_are_refused(export):
    export("linear", "table", num_examples=5)
    exported = read("a")
    assert exported.prove("form", exported.program.module())["labels_equal"] == 5
    with pytest.raises(ValueError, match="form: 5 of 5 test examples have another label"):
        exported.prove("form", lambda rows: torch.roll(exported.program.module()(rows), 1, dims=1))


@pytest.mark.parametrize("file", ["model.pt2", "export.json"])
def test_a_missing_file_names_the_stage_to_run(export, file):
    (export("linear", "table", num_examples=5) / file).unlink()
    with pytest.raises(ValueError, match=rf"{file}.* run `dvc repro export@a`"):
        read("a")


def test_an_untrained_run_names_the_stage_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="run `dvc repro train@b`"):
        read("b")


def test_another_program_than_the_proved_one_is_refused(export):
    folder = export("linear", "table", num_examples=5)
    content = (folder / "model.pt2").read_bytes()
    (folder / "model.pt2").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"export.json tells of other files .* run `dvc repro export@a`"):
        read("a")
