"""Check what build.py wrote as a user would who has PyTorch and none of our code: ``python -I reload.py FOLDER``."""

import sys
import warnings
from pathlib import Path

import torch

torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    scripted = torch.jit.load(folder / "model.ts")
    calls = torch.load(folder / "calls.pt")
    if calls[0]["answers"].dim() == 2:
        assert scripted.classes == ["zero", "é", "two", "three", "four"], scripted.classes
    most = 1 if calls[0]["answers"].dtype == torch.uint8 else 1e-6  # a pixel may be rounded the other way
    for form, program in (("ts", scripted), ("pt2", torch.export.load(folder / "model.pt2").module())):
        for call in calls:
            arguments, expected = call[form], call["answers"]
            torch.testing.assert_close(program(*arguments), expected, rtol=0, atol=most)
            if isinstance(arguments[0], torch.Tensor) and arguments[0].dim() == 4:
                images = arguments[0].contiguous(memory_format=torch.channels_last)
                torch.testing.assert_close(program(images), expected, rtol=0, atol=most)
            assert not program(*arguments).requires_grad
    print(folder.name)  # noqa: T201
assert "pipeline" not in sys.modules
