"""What is deployed of a regression: raw input in, the predicted number out."""

from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.exporting.programs import Programs
from pipeline.exporting.reading import reader
from pipeline.network.inputs import reading


def programs(model: nn.Module, meta: Meta) -> Programs:
    """The programs around the trained ``model``."""
    program, read = Program(model, meta), reading(meta)
    return Programs(program, program, lambda stored: program.answer(model(read(stored))))


class Program(nn.Module):
    """(N, C, H, W) uint8 images of any size, or (N, F) float32 rows -> (N,) float32 predictions.

    Attributes:
        shape: of one example as the network reads it: (C, height, width) or (F,); the TorchScript file carries it too.
    """

    def __init__(self, model: nn.Module, meta: Meta) -> None:
        super().__init__()
        self.shape = list(meta.spec.shape)
        self.read = reader(meta)
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        return self.answer(self.model(self.read(inputs)))

    def answer(self, outputs: Tensor) -> Tensor:
        """From the network's outputs (N, 1) to predictions (N,)."""
        return outputs[:, 0]
