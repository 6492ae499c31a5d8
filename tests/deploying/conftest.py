import json

import pytest
import torch
from safetensors.torch import save_file
from specimens import PICTURES, SPECS, examples, meta, network

from pipeline.core import storage
from pipeline.core.files import md5
from pipeline.exporting import run

CLASSES = ("zero", "é", "two", "three", "four")


@pytest.fixture
def export(tmp_path, monkeypatch):
    """A function that exports a network as the run ``a`` of an otherwise empty workspace, and returns its folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_TRACKING", "off")
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")

    def make(model, modality, task="classification", num_examples=257):
        spec = PICTURES if task in ("vae", "gan") else SPECS[modality]
        spec = spec.model_copy(update={"num_classes": 0} if task == "regression" else {})
        data, folder = tmp_path / "data/processed/tiny", tmp_path / "outputs/a"
        data.mkdir(parents=True)
        folder.mkdir(parents=True)
        classes = () if task == "regression" else CLASSES
        storage.write(data, {"test": examples(spec, num_examples)}, meta(spec, classes=classes))
        save_file(network(model, spec).state_dict(), folder / "model.safetensors")
        record = {
            "run": "a",
            "task": task,
            "dataset": "tiny",
            "params": {"num_threads": 1, "model.name": model},
            "input_key": "0",
            "model_md5": md5(folder / "model.safetensors"),
        }
        (folder / "record.json").write_text(json.dumps(record))
        section = {"task": task, "dataset": "tiny", "model": {"name": model}, "export": {"batch_size": 100}}
        run.export("a", {"num_threads": 1, "runs": {"a": section}}, folder)
        return folder

    yield make
    torch.set_deterministic_debug_mode("default")
