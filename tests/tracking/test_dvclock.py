import pytest
from ruamel.yaml import YAML

from pipeline.tracking import dvclock


def file(path, md5):
    return {"path": path, "hash": "md5", "md5": md5, "size": 1}


STAGES = {
    "preprocess@digits": {"cmd": "p", "outs": [file("data/processed/digits", "1.dir")]},
    "preprocess@other": {"cmd": "p", "outs": [file("data/processed/other", "2.dir")]},
    "train@a": {
        "cmd": "t",
        "deps": [file("data/processed/digits/train.safetensors", "3")],
        "params": {"params.yaml": {"seed": 1}},
        "outs": [file("outputs/a/record.json", "4")],
    },
    "evaluate@a": {"cmd": "e", "deps": [file("outputs/a/record.json", "4")], "outs": [file("outputs/a/plots", "5")]},
    "export@a": {"cmd": "x", "deps": [file("outputs/a/record.json", "of the model before")]},
    "train@ab": {"cmd": "t", "outs": [file("outputs/ab/record.json", "4")]},
}


@pytest.fixture
def lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "dvc.lock").open("w") as stream:
        YAML().dump({"schema": "2.0", "stages": STAGES}, stream)


def test_a_runs_part_has_what_led_to_it_and_nothing_of_others(lock):
    part = dvclock.part_of("a", "4")

    assert part == YAML(typ="safe").load(dvclock.as_text(part))["stages"]
    assert part == {name: STAGES[name] for name in ("preprocess@digits", "train@a", "evaluate@a")}


def test_a_training_that_dvc_has_not_recorded_has_no_part(lock, tmp_path):
    assert dvclock.part_of("a", "9") is None
    assert dvclock.part_of("b", "4") is None
    (tmp_path / "dvc.lock").unlink()
    assert dvclock.part_of("a", "4") is None


@pytest.mark.parametrize(
    ("content", "same"),
    [
        ({"seed": 1, "runs": {"a": {"train": {"lr": 0.1}}}, "other": 1}, True),
        ({"seed": 2, "runs": {"a": {"train": {"lr": 0.1}}}}, False),
        ({"seed": 1, "runs": {"a": {"train": {"lr": 0.2}}}}, False),
        ({"seed": 1, "runs": {}}, False),
    ],
)
def test_parameters_are_compared_with_those_that_the_stages_read(content, same):
    params = {"seed": 1, "runs.a.train": {"lr": 0.1}}
    stages = {"check": {"params": {"params.yaml": {"all": 1}}}, "train@a": {"params": {"params.yaml": params}}}

    assert dvclock.has_params_of(stages, content) == same
