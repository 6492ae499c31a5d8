import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from specimens import PICTURES, examples, meta, network

from pipeline.comparison import run
from pipeline.comparison.options import NAMES, REAL
from pipeline.core import rooms, storage
from pipeline.core.files import md5
from pipeline.exporting import torchscript


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A trained and exported generator ``g`` and classifier ``c``: (parsed params.yaml, the generator's folder)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_TRACKING", "off")
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    data = tmp_path / "data/processed/tiny"
    data.mkdir(parents=True)
    storage.write(data, {"train": examples(PICTURES, 90, 1), "test": examples(PICTURES, 60, 2)}, meta(PICTURES))
    for name, task, model in (("g", "vae", "vae"), ("c", "classification", "lenet")):
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        weights = network(model, PICTURES)
        save_file(weights.state_dict(), folder / "model.safetensors")
        program = rooms.load("programs", task, "").programs(weights, meta(PICTURES)).ts
        torchscript.write(program.eval().requires_grad_(False), folder / "model.ts")
        record = {"run": name, "input_key": "0", "model_md5": md5(folder / "model.safetensors")}
        (folder / "record.json").write_text(json.dumps(record))
    content = {"num_threads": 1, "comparisons": {"g": {"dataset": "tiny", "classifier": "c", "num_neighbors": 3}}}
    yield content, tmp_path / "outputs/g"
    torch.set_deterministic_debug_mode("default")


def test_samples_and_real_images_are_measured_alike(workspace):
    content, folder = workspace
    run.compare("g", content, folder)
    values = json.loads((folder / "comparison_metrics.json").read_text())
    assert values.keys() == {*NAMES, *REAL, "num_samples"}
    assert values["num_samples"] == 60
    # The test images are noise of the same kind as the training images, and samples are none.
    assert values["frechet_distance_real"] < values["frechet_distance"]
    assert values["nearest_distance_real"] > 0
    facts = json.loads((folder / "comparison.json").read_text())
    assert facts["data"] == {"data/processed/tiny/test.safetensors": md5(Path("data/processed/tiny/test.safetensors"))}
    assert facts["options"]["classifier_md5"] == md5(folder.parent / "c/model.ts")
    assert (folder / "comparison/pictures/nearest.png").exists()
    rows = (folder / "comparison/classes/classes.csv").read_text().splitlines()
    shares = np.array([float(row.split(",")[0]) for row in rows[1:]]).reshape(-1, 2)
    assert rows[0] == "share,class"
    assert shares.sum(0) == pytest.approx([1, 1], abs=1e-5)


def test_it_is_the_same_each_time(workspace):
    content, folder = workspace
    made = []
    for _ in range(2):
        run.compare("g", content, folder)
        made.append({f.name: f.read_bytes() for f in folder.rglob("*") if f.is_file()})
        torch.randn(3)
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"num_samples": 61}, r"comparisons\.g\.num_samples: 61 is more than the 60 images to compare with"),
        ({"num_neighbors": 60}, r"comparisons\.g\.num_neighbors: 60 of 60 images is too many; 59 at most"),
        ({"num_samples": 3}, r"num_neighbors \(=3\) must be less than num_samples \(=3\)"),
    ],
)
def test_more_images_than_there_are_are_refused(workspace, change, expected):
    content, folder = workspace
    content["comparisons"]["g"] |= change
    with pytest.raises(ValueError, match=expected):
        run.compare("g", content, folder)
    assert not (folder / "comparison_metrics.json").exists()


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_missing_or_damaged_program_names_the_stage_to_run(workspace, damage):
    content, folder = workspace
    file = folder.parent / "c/model.ts"
    whole = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match="dvc repro export@c"):
        run.compare("g", content, folder)
