import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.core import storage
from pipeline.core.files import md5
from pipeline.exporting import run
from pipeline.exporting.options import Options
from pipeline.network import building
from pipeline.programs.classification import Program

SPECS = {
    "classification": DataSpec(modality="image", shape=(1, 12, 12), num_classes=2),
    "regression": DataSpec(modality="table", shape=(3,), num_classes=0),
}


def meta_of(spec):
    axis = (0.5,) * spec.shape[0]
    scale = 255.0 if spec.num_classes else 1.0
    return storage.Meta(spec=spec, classes=("a", "b")[: spec.num_classes], counts={}, scale=scale, mean=axis, std=axis)


@pytest.fixture(params=SPECS)
def workspace(request, tmp_path, monkeypatch):
    """A trained run ``a`` with 5 test examples: (parsed params.yaml, the run's folder)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_TRACKING", "off")
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    spec = SPECS[request.param]
    draw = np.random.default_rng(0)
    inputs = draw.integers(0, 256, (5, *spec.shape), np.uint8) if spec.num_classes else draw.random((5, 3), np.float32)
    meta = meta_of(spec)
    data, folder = tmp_path / "data/processed/tiny", tmp_path / "outputs/a"
    data.mkdir(parents=True)
    folder.mkdir(parents=True)
    storage.write(data, {"test": storage.Examples(inputs, np.zeros(5, np.float32))}, meta)
    section = {
        "task": request.param,
        "dataset": "tiny",
        "model": {"name": "linear"},
        "export": {"batch_size": 2, "tolerance": 1e-5},
    }
    torch.manual_seed(0)
    network, _ = building.build(section["model"], spec, "runs.a.model")
    save_file(network.state_dict(), folder / "model.safetensors")
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
        assert facts[suffix]["max_difference"] <= 1e-5
        assert facts[suffix]["num_examples"] == facts[suffix].get("labels_equal", 5) == 5


class Drifting(Program):
    """Answers otherwise once it is compiled: a stand-in for any fault of PyTorch's compiler."""

    def answer(self, outputs: torch.Tensor) -> torch.Tensor:
        return (-outputs if torch.jit.is_scripting() else outputs).softmax(1)


def test_a_program_that_answers_otherwise_is_refused_and_never_takes_its_place(tmp_path):
    meta = meta_of(SPECS["classification"])
    network, _ = building.build({"name": "linear"}, meta.spec, "runs.a.model")
    images = torch.randint(0, 256, (5, 1, 12, 12)).byte()
    with pytest.raises(ValueError, match=r"model.ts: 5 of 5 test examples .* the program must not be deployed"):
        run.write(Drifting(network, meta), meta, images, Options(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_name_the_stage_to_run(workspace):
    content, folder = workspace
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="dvc repro train@a"):
        run.export("a", content, folder)
