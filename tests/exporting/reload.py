"""Check what build.py wrote as a user would who has PyTorch and none of our code: ``python -I reload.py FOLDER``."""

import sys
import warnings
from pathlib import Path

import torch

torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    scripted = torch.jit.load(folder / "model.ts")
    assert scripted.classes == ["zero", "é", "two", "three", "four"], scripted.classes
    for form, program in (("ts", scripted), ("pt2", torch.export.load(folder / "model.pt2").module())):
        for call in torch.load(folder / "calls.pt"):
            arguments, expected = call[form], call["answers"]
            torch.testing.assert_close(program(*arguments), expected, rtol=0, atol=1e-6)
            if folder.name.endswith("_image"):
                images = arguments[0].contiguous(memory_format=torch.channels_last)
                torch.testing.assert_close(program(images), expected, rtol=0, atol=1e-6)
            assert not program(*arguments).requires_grad
    print(folder.name)  # noqa: T201
assert "pipeline" not in sys.modules
