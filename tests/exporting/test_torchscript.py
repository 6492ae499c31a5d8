import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.core import rooms
from pipeline.exporting import torchscript

pytestmark = pytest.mark.slow  # two processes export every model


def test_both_forms_answer_as_the_network_without_our_code(exports, tmp_path):
    """For 0, 1 and 257 examples, images of any size, and channels last in memory."""
    process = subprocess.run(
        [sys.executable, "-I", "-W", "error", Path(__file__).with_name("reload.py"), exports[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == rooms.names("models")


@pytest.mark.parametrize("name", rooms.names("models"))
@pytest.mark.parametrize(
    "inputs", [torch.zeros(2, 3, 14, 16), torch.zeros(2, 1, 14, 16).byte(), torch.zeros(3, 14, 16).byte()], ids=str
)
def test_the_file_refuses_other_input_clearly(exports, name, inputs):
    program = torchscript.load(exports[0] / name / "model.ts")
    with pytest.raises(torch.jit.Error, match=r"ValueError: images must be uint8 of shape \(N, 3, H, W\); these are"):
        program(inputs)
