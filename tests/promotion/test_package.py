import json
import subprocess
import sys
import warnings

import mlflow
import pytest
import torch
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


@pytest.mark.parametrize(("task", "model"), [("gan", "dcgan"), ("vae", "vae")])
def test_a_packed_generator_answers_what_its_program_reads(outputs, task, model):
    program = rooms.load("programs", task, "").programs(network(model, PICTURES), meta(PICTURES)).ts
    torchscript.write(program.eval().requires_grad_(False), outputs.root / "model.ts")
    data = outputs.root / "data/processed/pictures"
    data.mkdir()
    storage.write(data, {"test": examples(PICTURES, 5)}, meta(PICTURES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        package.save(outputs.root / "model.ts", data, outputs.root / "packed")
        packed = mlflow.pyfunc.load_model(str(outputs.root / "packed"))
        answers = packed.predict(packed.input_example)
    shape = [-1, 100] if task == "gan" else [-1, 3, -1, -1]
    assert json.loads(packed.metadata.signature.to_dict()["inputs"])[0]["tensor-spec"]["shape"] == shape
    torch.testing.assert_close(torch.from_numpy(answers), program(torch.from_numpy(packed.input_example)))
