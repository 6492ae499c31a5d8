"""An LSTM that reads an image from top to bottom, one row of pixels a time step."""

from pydantic import PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, image_shape

READS = ("image",)
TASKS = ("classification", "regression")


class Options(Schema):
    """Size of the recurrent network."""

    hidden_size: PositiveInt = 128
    num_layers: PositiveInt = 2


class Model(nn.Module):
    """(N, C, H, W) standardised images -> (N, num_classes) logits."""

    def __init__(self, options: Options, spec: DataSpec) -> None:
        super().__init__()
        channels, _, width = image_shape(spec, "lstm", smallest=1)
        self.lstm = nn.LSTM(channels * width, options.hidden_size, options.num_layers, batch_first=True)
        self.fc = nn.Linear(options.hidden_size, spec.num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads, after the last row: (N, hidden_size)."""
        rows = images.transpose(1, 2).flatten(2)  # (N, H, C*W): the rows are the sequence
        outputs, _ = self.lstm(rows)  # (N, H, hidden_size)
        return outputs[:, -1]

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images))
