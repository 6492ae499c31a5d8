"""What is deployed of a classifier: raw input in, class probabilities out."""

from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.exporting.reading import reader


class Program(nn.Module):
    """(N, C, H, W) uint8 images of any size, or (N, F) float32 rows -> (N, num_classes) float32 probabilities.

    Attributes:
        classes: the name of each column; the TorchScript file carries it too.
    """

    def __init__(self, model: nn.Module, meta: Meta) -> None:
        super().__init__()
        self.classes = list(meta.classes)
        self.read = reader(meta)
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        return self.answer(self.model(self.read(inputs)))

    def answer(self, outputs: Tensor) -> Tensor:
        """From the network's logits to probabilities, both (N, num_classes)."""
        return outputs.softmax(1)
