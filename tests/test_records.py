import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import records


@pytest.fixture
def described(tmp_path):
    data = tmp_path / "train.safetensors"
    data.write_bytes(b"data")

    def describe(run="a", task="classification", dataset="digits", params=None, **facts):
        return records.record(run, task, dataset, params or {"train": {"lr": 0.1}}, [data], **facts)

    describe.data = data
    return describe


def test_the_key_follows_from_everything_that_determines_the_result(described):
    first = described()["input_key"]
    assert described()["input_key"] == first
    assert described(counts={"train": 3})["input_key"] == first  # a fact, not an input
    others = [described(run="b"), described(dataset="mnist"), described(params={"train": {"lr": 0.2}})]
    described.data.write_bytes(b"other data")
    others.append(described())
    assert len({first, *(other["input_key"] for other in others)}) == 5


def test_parameters_are_flat_and_relative_to_the_run(described):
    params = described(params={"seed": 1, "train": {"optimizer": {"lr": 0.1, "betas": (0.9, 0.99)}}})["params"]
    assert params == {"seed": 1, "train.optimizer.lr": 0.1, "train.optimizer.betas": [0.9, 0.99]}


def test_code_is_what_was_imported_without_the_observers():
    program = (
        "import pipeline.watching.progress, pipeline.seeding; from pipeline import records; print(*records.code())"
    )
    environment = {**os.environ, "PYTHONPATH": "src"}
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    assert "src/pipeline/seeding.py" in printed and "src/pipeline/records.py" in printed
    assert not any("progress" in file or Path(file).is_absolute() for file in printed)
