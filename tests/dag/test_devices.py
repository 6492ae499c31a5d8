"""A model trained and evaluated on any device answers the same once it is exported and loaded on a CPU."""

import csv
import json

import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

CUDA = pytest.param("cuda", marks=pytest.mark.gpu)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_the_exported_program_agrees_with_the_evaluation(workspace, device):
    if device == "cuda":
        workspace.run("dvc", "repro", "--force", "--single-item", "train@lenet", PIPELINE_DEVICE=device)
        workspace.repro(PIPELINE_DEVICE=device)
    data, outputs = workspace.root / "data/processed/digits", workspace.root / "outputs/lenet"
    with (outputs / "plots/confusion/confusion.csv").open(encoding="utf-8", newline="") as stream:
        evaluated = [row["predicted"] for row in csv.DictReader(stream)]
    with pytest.warns(FutureWarning, match="torch.jit.load"):
        program = torch.jit.load(outputs / "model.ts", map_location="cpu")
    probabilities = program(load_file(data / "test.safetensors")["inputs"])
    classes = json.loads((data / "meta.json").read_text())["classes"]
    assert [classes[label] for label in probabilities.argmax(1)] == evaluated
    torch.testing.assert_close(probabilities.sum(1), torch.ones(len(evaluated)))
