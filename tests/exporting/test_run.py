import json

import pytest
import torch
from safetensors.torch import save_file
from specimens import PICTURES, SPECS, examples, meta, network

from pipeline.core import storage
from pipeline.core.files import md5
from pipeline.exporting import run
from pipeline.exporting.options import Options
from pipeline.exporting.programs import Programs
from pipeline.exporting.proof import prove
from pipeline.network.inputs import reading
from pipeline.programs.classification import Program

#: Task, modality, model.
CASES = [
    ("classification", "image", "linear"),
    ("classification", "text", "text_linear"),
    ("regression", "table", "linear"),
    ("vae", "image", "vae"),
    ("gan", "image", "dcgan"),
]


@pytest.fixture(params=CASES, ids="-".join)
def workspace(request, tmp_path, monkeypatch):
    """A trained run ``a`` with 5 test examples: (parsed params.yaml, the run's folder)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_TRACKING", "off")
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    task, modality, model = request.param
    spec = PICTURES if task in ("vae", "gan") else SPECS[modality]
    spec = spec.model_copy(update={"num_classes": 0} if task == "regression" else {})
    data, folder = tmp_path / "data/processed/tiny", tmp_path / "outputs/a"
    data.mkdir(parents=True)
    folder.mkdir(parents=True)
    storage.write(data, {"test": examples(spec, 5)}, meta(spec))
    section = {
        "task": task,
        "dataset": "tiny",
        "model": {"name": model},
        "export": {"batch_size": 2, "tolerance": 1e-5},
    }
    save_file(network(model, spec).state_dict(), folder / "model.safetensors")
    record = {"run": "a", "input_key": "0", "model_md5": md5(folder / "model.safetensors")}
    (folder / "record.json").write_text(json.dumps(record))
    yield {"num_threads": 1, "runs": {"a": section}}, folder
    torch.set_deterministic_debug_mode("default")


def test_it_writes_two_proved_programs_and_what_it_found(workspace):
    content, folder = workspace
    run.export("a", content, folder)
    assert sorted(file.name for file in folder.iterdir()) == [
        "export.json",
        "model.pt2",
        "model.safetensors",
        "model.ts",
        "record.json",
    ]
    facts = json.loads((folder / "export.json").read_text())
    for suffix in ("ts", "pt2"):
        assert facts[suffix]["bytes"] == (folder / f"model.{suffix}").stat().st_size
        assert facts[suffix]["max_difference"] <= (1 / 255 if content["runs"]["a"]["task"] == "gan" else 1e-5)
        assert facts[suffix]["num_examples"] == facts[suffix].get("labels_equal", 5) == 5


@pytest.mark.parametrize("workspace", [CASES[1]], indirect=True, ids="-".join)
def test_a_tokeniser_that_reads_otherwise_than_training_did_is_noticed(workspace):
    content, folder = workspace
    data = folder.parents[1] / "data/processed/tiny"
    meta = storage.read_meta(data)
    other = meta.tokenizer.model_copy(update={"vocabulary": meta.tokenizer.vocabulary[::-1]})
    (data / "meta.json").write_text(meta.model_copy(update={"tokenizer": other}).model_dump_json())
    with pytest.raises(ValueError, match=r"model.ts: \d of 5 test examples"):
        run.export("a", content, folder)
    assert not (folder / "model.ts").exists()


def test_one_level_of_an_image_may_be_rounded_the_other_way_and_not_two():
    expected = torch.arange(254, dtype=torch.uint8).reshape(2, 1, 1, 127)
    found = prove("model.ts", lambda: expected + 1, [()], expected, 1e-5)
    assert found == {"max_difference": pytest.approx(1 / 255)}
    other = expected.clone()
    other[1, 0, 0, 0] += 2
    with pytest.raises(ValueError, match=r"model.ts: 1 of 2 test examples differ by more"):
        prove("model.ts", lambda: other, [()], expected, 1e-5)


class Drifting(Program):
    """Answers otherwise once it is compiled: a stand-in for any fault of PyTorch's compiler."""

    def answer(self, outputs: torch.Tensor) -> torch.Tensor:
        return (-outputs if torch.jit.is_scripting() else outputs).softmax(1)


def test_a_program_that_answers_otherwise_is_refused_and_never_takes_its_place(tmp_path):
    spec, data, folder = SPECS["image"], tmp_path / "data", tmp_path / "run"
    data.mkdir()
    folder.mkdir()
    storage.write(data, {"test": examples(spec, 5)}, meta(spec))
    drifting, read = Drifting(network("linear", spec), meta(spec)), reading(meta(spec))
    programs = Programs(drifting, drifting, lambda stored: drifting.answer(drifting.model(read(stored))))
    with pytest.raises(ValueError, match=r"model.ts: 5 of 5 test examples .* the program must not be deployed"):
        run.write(programs, meta(spec), storage.read(data, "test"), Options(), folder)
    assert list(folder.iterdir()) == []


def test_missing_weights_name_the_stage_to_run(workspace):
    content, folder = workspace
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="dvc repro train@a"):
        run.export("a", content, folder)
