import subprocess
import sys
from pathlib import Path

import pytest
import torch
from specimens import READERS, readers

from pipeline.exporting import torchscript

pytestmark = pytest.mark.slow  # two processes export every model


def test_both_forms_answer_as_the_network_without_our_code(exports, tmp_path):
    """For 0, 1 and 257 examples; images of any size and channels last in memory; texts of any length and script."""
    process = subprocess.run(
        [sys.executable, "-I", "-W", "error", Path(__file__).with_name("reload.py"), exports[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == sorted(f"{name}_{modality}" for name, modality in READERS)


IMAGES = torch.zeros(2, 1, 14, 16).byte()


@pytest.mark.parametrize("name", readers("image"))
@pytest.mark.parametrize("images", [torch.zeros(2, 3, 14, 16), IMAGES, IMAGES[:, 0]], ids=["dtype", "channels", "axes"])
def test_the_file_refuses_other_images_clearly(exports, name, images):
    program = torchscript.load(exports[0] / f"{name}_image/model.ts")
    with pytest.raises(torch.jit.Error, match=r"ValueError: images must be uint8 of shape \(N, 3, H, W\); these are"):
        program(images)


@pytest.mark.parametrize("name", readers("text"))
@pytest.mark.parametrize("given", [[1], [None], torch.ones(2, 3)], ids=str)
def test_the_file_refuses_what_is_no_list_of_texts_clearly(exports, name, given):
    program = torchscript.load(exports[0] / f"{name}_text/model.ts")
    with pytest.raises(RuntimeError, match=r"Expected a value of type 'List\[str\]' for argument 'texts'"):
        program(given)
