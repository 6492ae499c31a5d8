import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from project import LINEAR, copy_project
from specimens import SPECS, examples, meta, network

from pipeline import predict
from pipeline.core import params, rooms, storage
from pipeline.evaluation import inference
from pipeline.evaluation.subject import Subject
from pipeline.exporting import torchscript
from pipeline.network import batches, building
from pipeline.prediction import inputs

SOURCE = Path(__file__).parents[1] / "src"


def command(*arguments, cwd, **options):
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    words = [sys.executable, "-m", "pipeline.predict", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, timeout=120, check=False, **options)


def export(folder, modality, name, num_classes=5):
    spec = SPECS[modality].model_copy(update={"num_classes": num_classes})
    if modality == "image":
        spec = spec.model_copy(update={"shape": (3, 14, 14)})
    task = "classification" if num_classes else "regression"
    program = rooms.load("programs", task, "").programs(network(name, spec), meta(spec)).ts
    torchscript.write(program.eval().requires_grad_(False), folder / "model.ts")
    return program, spec


@pytest.fixture
def printed(capsys):
    def call(*arguments, as_json=True):
        status = predict.main(str(arguments[0]), [str(name) for name in arguments[1:]], as_json)
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()] if as_json else out, err

    return call


def test_rows_get_the_values_that_the_program_gives(tmp_path, printed):
    program, spec = export(tmp_path, "table", "linear", num_classes=0)
    rows = examples(spec, 7).inputs
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([list("abcd"), *rows.tolist()])

    status, lines, err = printed(tmp_path, tmp_path / "a.csv")

    assert (status, err) == (0, "")
    assert [line["line"] for line in lines] == list(range(2, 9))
    values = torch.tensor([line["value"] for line in lines])
    torch.testing.assert_close(values, program(torch.from_numpy(rows)))
    _, text, _ = printed(tmp_path, tmp_path / "a.csv", as_json=False)
    assert text == "".join(f"{line['file']}:{line['line']}\t{line['value']}\n" for line in lines)


def test_texts_get_their_class_in_batches_as_in_one(tmp_path, printed, monkeypatch):
    program, spec = export(tmp_path, "text", "text_cnn")
    texts = ["é, ü", *examples(spec, 10).inputs]
    (tmp_path / "a.txt").write_text("\n".join(texts), encoding="utf-8")
    monkeypatch.setattr(inputs, "BATCH", 4)

    status, lines, err = printed(tmp_path, tmp_path / "a.txt")

    assert (status, err) == (0, "")
    best, index = program(texts).max(1)
    assert [line["class"] for line in lines] == [meta(spec).classes[number] for number in index]
    torch.testing.assert_close(torch.tensor([line["probability"] for line in lines]), best)


def test_what_can_not_be_read_is_told_and_the_rest_predicted(tmp_path, printed, monkeypatch):
    program, _ = export(tmp_path, "image", "lenet")
    folder = tmp_path / "a folder"
    folder.mkdir()
    for number in range(5):
        Image.effect_noise((14, 14), 99).convert("RGB").save(folder / f"{number}.png")
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:100])
    (folder / "3.txt").touch()
    monkeypatch.setattr(inputs, "BATCH", 2)

    status, lines, err = printed(tmp_path / "model.ts", folder, tmp_path / "no.png")

    assert status == 1
    assert [line["file"] for line in lines] == [str(folder / f"{number}.png") for number in (0, 1, 3, 4)]
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["error", str(folder / "2.png")], ["error", str(folder / "3.txt")], ["error", str(tmp_path / "no.png")]
    ]  # fmt: skip
    pixels = np.stack([np.asarray(Image.open(line["file"])).transpose(2, 0, 1) for line in lines])
    torch.testing.assert_close(
        torch.tensor([line["probability"] for line in lines]), program(torch.from_numpy(pixels)).max(1)[0]
    )


def test_an_answer_that_is_no_number_is_no_answer(tmp_path, printed):
    export(tmp_path, "table", "linear", num_classes=0)
    (tmp_path / "a.csv").write_text("a,b,c,d\n1,1,1,1\n3e38,3e38,3e38,3e38\n")
    status, lines, err = printed(tmp_path, tmp_path / "a.csv")
    assert (status, [line["line"] for line in lines]) == (1, [2])
    assert err.startswith(f"error: {tmp_path}/a.csv:3: the model's answer is not a finite number")


def test_nothing_to_predict_is_an_error(tmp_path, printed):
    export(tmp_path, "image", "lenet")
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match=r"/a: there is nothing to predict$"):
        printed(tmp_path, tmp_path / "a")


@pytest.mark.slow
def test_the_command_needs_the_file_alone_and_names_files_as_they_are(tmp_path):
    export(tmp_path, "image", "lenet")
    (tmp_path / "in").mkdir()
    Image.new("RGB", (5, 5)).save(tmp_path / "in" / "\udcff\t.png")  # as Python calls a name with the byte 255

    done = command(tmp_path / "model.ts", "in", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")
    place, label, probability = done.stdout.rstrip(b"\n").rsplit(b"\t", 2)
    assert place == b'"in/\xff\t.png"'
    assert label.startswith(b"class ") and 0 < float(probability) <= 1
    as_json = command(tmp_path / "model.ts", "in", "--json", cwd=tmp_path)
    assert json.loads(as_json.stdout)["file"] == "in/\udcff\t.png"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "x"), b"error: 'nothing' is no model.ts, no folder with one and no exported run; valid: none\n"),
        ((".", "no.txt"), b"error: no.txt: No such file or directory\n"),
    ],
)
def test_mistakes_end_the_command_with_one_line(tmp_path, arguments, said):
    export(tmp_path, "text", "text_linear")
    done = command(*arguments, cwd=tmp_path, input=b"")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", said)


@pytest.mark.slow
def test_standard_input_is_read_and_a_reader_that_has_enough_ends_it(tmp_path):
    export(tmp_path, "text", "text_linear")
    done = command(".", "-", cwd=tmp_path, input="é\nb\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.split(b"\t")[0] for line in done.stdout.splitlines()] == [b"-:1", b"-:2"]

    (tmp_path / "many.txt").write_text("a\n" * 20_000)
    script = f"set -o pipefail; {sys.executable} -m pipeline.predict . many.txt | head -1; exit ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, timeout=120, check=False)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


@pytest.mark.slow
def test_test_images_as_files_get_what_evaluation_gave_them(tmp_path):
    workspace = copy_project(tmp_path / "project", LINEAR)
    workspace.repro("evaluate@first", "export@first")
    data, folder = workspace.root / "data/processed/digits", workspace.root / "outputs/first"
    meta, tensors = storage.read_meta(data), storage.read(data, "test")
    test = storage.examples(tensors)
    network, _ = building.build(params.read(workspace.params)["runs"]["first"]["model"], meta.spec, "model")
    building.load_weights(network, folder / "model.safetensors")
    subject = Subject(network.eval(), batches.of(tensors, torch.device("cpu")), test, meta, torch.device("cpu"))
    evaluated = torch.from_numpy(inference.outputs(subject, 1000)).softmax(1)
    alone = tmp_path / "alone"
    (alone / "images").mkdir(parents=True)
    (folder / "model.ts").rename(alone / "moved.ts")
    for number, image in enumerate(test.inputs):
        Image.fromarray(image[0]).save(alone / f"images/{number:03}.png")

    done = command("moved.ts", "images", "--json", cwd=alone)

    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    labels = [meta.classes.index(line["class"]) for line in lines]
    assert labels == evaluated.argmax(1).tolist()
    torch.testing.assert_close(torch.tensor([line["probability"] for line in lines]), evaluated.max(1)[0])
    accuracy = json.loads((folder / "metrics.json").read_text())["accuracy"]
    assert np.mean(labels == test.targets) == pytest.approx(accuracy)
