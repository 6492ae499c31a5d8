import pytest
import torch

from pipeline.core import rooms
from pipeline.exporting import pt2

pytestmark = pytest.mark.slow  # two processes export every model


@pytest.mark.parametrize("name", rooms.names("models"))
def test_the_file_refuses_other_input(exports, name):
    program = pt2.load(exports[0] / name / "model.pt2")
    with pytest.raises(RuntimeError, match="dtype mismatch! Expected: Byte, Got: float"):
        program(torch.zeros(2, 3, 14, 16))
    with pytest.raises(AssertionError, match=r"Guard failed: .*size\(\)\[1\] == 3"):
        program(torch.zeros(2, 1, 14, 16).byte())
