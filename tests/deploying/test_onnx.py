import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from specimens import GENERATORS, READERS

from pipeline.deploying import form
from pipeline.deploying.exported import read
from pipeline.deploying.onnx import FORM, check, load

pytest.importorskip("onnxruntime", reason="`make extras` installs it")

#: Model, modality, task.
MODELS = [(*reader, "classification") for reader in READERS] + [(name, "image", task) for name, task in GENERATORS]
NAMES = {
    "image": {"inputs": ["N", 3, "H", "W"]},
    "table": {"inputs": ["N", 4]},
    "text": {"tokens": ["N", "L"], "lengths": ["N"]},
    "vae": {"images": ["N", 3, "H", "W"]},
    "gan": {"latents": ["N", 100]},
}


@pytest.mark.slow
@pytest.mark.parametrize(("model", "modality", "task"), MODELS, ids=map("-".join, MODELS))
def test_every_model_answers_in_onnx_runtime_as_its_program_does(export, model, modality, task):
    import onnxruntime

    folder = export(model, modality, task)
    exported = read("a")
    found = form.write(FORM, exported, folder / FORM.file)
    assert found["max_difference"] <= (1 / 255 if task == "gan" else 1e-5)
    session = onnxruntime.InferenceSession(folder / FORM.file)
    free = {argument.name: argument.shape for argument in session.get_inputs()}
    assert free == NAMES[modality if task == "classification" else task]
    assert session.get_outputs()[0].name == "output"
    assert session.get_modelmeta().custom_metadata_map == exported.facts

    answer, program = load(folder / FORM.file), exported.program.module()
    if modality == "text":
        for length in (1, 2, 12):
            given = torch.randint(1, 28, (3, length)), torch.tensor([length, 1, 0])
            torch.testing.assert_close(answer(*given), program(*given), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_images_of_another_size_are_resized_alike_within_one_level(export):
    folder = export("linear", "image")
    exported = read("a")
    form.write(FORM, exported, folder / FORM.file)
    answer, program = load(folder / FORM.file), exported.program.module()
    # One level of 255 in every pixel, each divided by a standard deviation of 0.2, changes a logit by this at most.
    most = exported.program.state_dict["model.layer.weight"].abs().sum(1).max() / 255 / 0.2
    for size in [(7, 8), (28, 32), (9, 40), (40, 9), (1, 1)]:
        images = torch.randint(0, 256, (20, 3, *size)).byte()
        difference = (answer(images).log() - program(images).log()).abs().max()
        assert difference <= 2 * most, size  # the logit, and what softmax divides by


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(export):
    folder = export("text_lstm", "text")
    written = []
    for changes in ({"PYTHONHASHSEED": "0", "TZ": "UTC"}, {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"}):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.deploying.onnx", "a"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **changes},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "257 test examples labels are the same" in done.stdout
        written.append((folder / "model.onnx").read_bytes())
    assert written[0] == written[1]


@pytest.mark.slow
def test_an_operator_that_onnx_lacks_is_named(export):
    class Bessel(torch.nn.Module):
        def forward(self, rows):
            return torch.special.bessel_j0(rows)

    folder = export("linear", "table", num_examples=5)
    program = torch.export.export(Bessel(), (torch.zeros(2, 4),), dynamic_shapes=({0: torch.export.Dim("N")},))
    with pytest.raises(ValueError, match=r"(?s)model.pt2 can't become model.onnx: .*bessel_j0"):
        form.write(FORM, replace(read("a"), program=program), folder / FORM.file)
    assert not (folder / FORM.file).exists()


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    check()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"^onnxruntime must be installed: run `make extras`$"):
        check()
