import json
import subprocess
import sys
import warnings

import mlflow
import numpy as np
import pytest
import torch
from mlflow.exceptions import MlflowException
from specimens import PICTURES, SPECS, examples, meta, network, texts

from pipeline.core import rooms, storage
from pipeline.exporting import torchscript
from pipeline.programs.classification import programs
from pipeline.promotion import package

ASK = """
import json, pathlib, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
raw = json.load(sys.stdin)
request = pathlib.Path(sys.argv[1], "serving_input_example.json").read_text()
example = mlflow.models.validate_serving_input(sys.argv[1], request)
answers = [model.predict(pandas.DataFrame({"text": raw})), model.predict({"text": raw})]
answers += [model.predict(model.input_example), example]
assert "pipeline" not in sys.modules
print(json.dumps([answer.tolist() for answer in answers]))
"""


def test_a_packed_program_answers_raw_texts_without_our_code(outputs):
    program = programs(network("text_linear", SPECS["text"]), meta(SPECS["text"])).ts.eval().requires_grad_(False)
    torchscript.write(program, outputs.root / "model.ts")
    data = outputs.root / "data/processed/texts"
    data.mkdir()
    storage.write(data, {"test": examples(SPECS["text"], 5)}, meta(SPECS["text"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        package.save(outputs.root / "model.ts", data, outputs.root / "packed")

    raw = ["", "Éa 日本語", *texts(3, 30)]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK, outputs.root / "packed"],
        input=json.dumps(raw),
        cwd=outputs.root / "data",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [program(raw)] * 2 + [program(examples(SPECS["text"], 5).inputs[:2].tolist())] * 2
    for answers, correct in zip(json.loads(done.stdout.splitlines()[-1]), expected, strict=True):
        torch.testing.assert_close(torch.tensor(answers), correct)


def packed(outputs, task, model, spec):
    """The program of a model, and the same packed and loaded by MLflow."""
    program = rooms.load("programs", task, "").programs(network(model, spec), meta(spec)).ts
    torchscript.write(program.eval().requires_grad_(False), outputs.root / "model.ts")
    data = outputs.root / "data/processed/other"
    data.mkdir()
    storage.write(data, {"test": examples(spec, 5)}, meta(spec))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        package.save(outputs.root / "model.ts", data, outputs.root / "packed")
        return program, mlflow.pyfunc.load_model(str(outputs.root / "packed"))


@pytest.mark.parametrize(("task", "model"), [("gan", "dcgan"), ("vae", "vae")])
def test_a_packed_generator_answers_what_its_program_reads(outputs, task, model):
    program, loaded = packed(outputs, task, model, PICTURES)
    shape = [-1, 100] if task == "gan" else [-1, 3, -1, -1]
    assert json.loads(loaded.metadata.signature.to_dict()["inputs"])[0]["tensor-spec"]["shape"] == shape
    answers = loaded.predict(loaded.input_example)
    torch.testing.assert_close(torch.from_numpy(answers), program(torch.from_numpy(loaded.input_example)))


@pytest.mark.parametrize(
    ("modality", "given", "reason"),
    [
        ("table", np.full((1, 4), np.nan, np.float32), "an input is infinite or not a number"),
        ("table", np.full((1, 4), 3e38, np.float32), "the answer isn't a finite number"),
        ("image", np.zeros((1, 3, 0, 5), np.uint8), r"examples of shape \(3, 0, 5\) are empty"),
    ],
)
def test_a_packed_program_names_the_mistake_where_there_is_no_answer(outputs, modality, given, reason):
    _, loaded = packed(outputs, "classification", "linear", SPECS[modality])
    with pytest.raises(MlflowException, match=reason) as raised:
        loaded.predict(given)
    assert raised.value.get_http_status_code() == 400
