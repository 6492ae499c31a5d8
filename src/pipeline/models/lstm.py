"""An LSTM that reads an image from top to bottom, one row of pixels a time step."""

from pydantic import PositiveInt
from torch import Tensor, nn

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec, image_shape

READS = ("image",)


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

    def forward(self, images: Tensor) -> Tensor:
        rows = images.transpose(1, 2).flatten(2)  # (N, H, C*W): the rows are the sequence
        outputs, _ = self.lstm(rows)  # (N, H, hidden_size)
        return self.fc(outputs[:, -1])  # (N, num_classes) after the last row
