import numpy as np
import pytest
import torch
from specimens import PICTURES, SPECS, examples, meta, network

from pipeline.core import rooms
from pipeline.exporting import torchscript
from pipeline.prediction import program


def write(file, name, spec, task="classification"):
    file.parent.mkdir(parents=True, exist_ok=True)
    made = rooms.load("programs", task, "").programs(network(name, spec), meta(spec)).ts
    torchscript.write(made.eval().requires_grad_(False), file)
    return made


@pytest.mark.parametrize(
    ("modality", "name", "shape"),
    [("image", "lenet", (3, 14, 16)), ("table", "linear", (4,)), ("text", "text_cnn", ())],
)
def test_a_classifier_says_what_it_reads_and_answers_as_before(tmp_path, modality, name, shape):
    spec = SPECS[modality]
    made = write(tmp_path / "any name", name, spec)
    loaded = program.load(tmp_path / "any name")
    assert (loaded.modality, loaded.shape, loaded.classes) == (modality, shape, meta(spec).classes)
    given = examples(spec, 7).inputs
    expected = made(given.tolist() if modality == "text" else torch.from_numpy(given))
    torch.testing.assert_close(torch.from_numpy(loaded.answers(list(given))), expected)


def test_a_regression_has_no_classes(tmp_path):
    write(tmp_path / "model.ts", "linear", SPECS["table"].model_copy(update={"num_classes": 0}), "regression")
    loaded = program.load(tmp_path / "model.ts")
    assert (loaded.modality, loaded.shape, loaded.classes) == ("table", (4,), ())
    assert loaded.answers([np.zeros(4, np.float32)] * 3).shape == (3,)


@pytest.mark.parametrize(("task", "name"), [("vae", "vae"), ("gan", "gan")])
def test_what_makes_images_is_refused(tmp_path, task, name):
    write(tmp_path / "model.ts", name, PICTURES, task)
    with pytest.raises(ValueError, match=r"model.ts makes images, and no label or number of an input; README"):
        program.load(tmp_path / "model.ts")


class Foreign(torch.nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs


def test_a_file_that_does_not_say_what_it_reads_is_refused(tmp_path):
    torchscript.write(Foreign().eval(), tmp_path / "model.ts")
    with pytest.raises(ValueError, match=r"model.ts doesn't say what it reads; export it anew, by `dvc repro export@"):
        program.load(tmp_path / "model.ts")


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"text", lambda _: b""]
)
def test_a_damaged_file_is_named(tmp_path, damage):
    write(tmp_path / "model.ts", "linear", SPECS["table"])
    (tmp_path / "model.ts").write_bytes(damage((tmp_path / "model.ts").read_bytes()))
    with pytest.raises(ValueError, match=r"model.ts: not a TorchScript program \(.*\); export it anew") as raised:
        program.load(tmp_path / "model.ts")
    assert len(str(raised.value).splitlines()) == 1


def test_a_model_is_found_by_its_file_its_folder_or_its_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "outputs/lenet/model.ts"
    file.parent.mkdir(parents=True)
    file.touch()
    (tmp_path / "lenet").mkdir()  # without a model.ts
    for name in (str(file), str(file.parent), "outputs/lenet", "outputs/lenet/", "outputs/lenet/model.ts", "lenet"):
        assert program.find(name).resolve() == file
    for name in ("leent", "", "outputs/cnn"):
        with pytest.raises(ValueError, match=r"no model.ts, no folder with one and no exported run; .*valid: lenet$"):
            program.find(name)
    with pytest.raises(ValueError, match="did you mean 'lenet'"):
        program.find("leent")
