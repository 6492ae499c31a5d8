"""Check what build.py wrote as a user would who has PyTorch and none of our code: ``python -I reload.py FOLDER``."""

import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file

torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    scripted = torch.jit.load(folder / "model.ts")
    assert scripted.classes == ["zero", "é", "two", "three", "four"], scripted.classes
    examples = load_file(folder / "examples.safetensors")
    for program in (scripted, torch.export.load(folder / "model.pt2").module()):
        for number in range(len(examples) // 2):
            inputs, expected = examples[f"inputs{number}"], examples[f"answers{number}"]
            torch.testing.assert_close(program(inputs), expected, rtol=0, atol=1e-6)
            torch.testing.assert_close(
                program(inputs.contiguous(memory_format=torch.channels_last)), expected, rtol=0, atol=1e-6
            )
            assert not program(inputs).requires_grad
    print(folder.name)  # noqa: T201
assert "pipeline" not in sys.modules
